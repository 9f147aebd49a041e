"""Which protocol `heldout serve` speaks."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable

import httpx2
import pytest

from heldout.cli import main, parse
from heldout.errors import BadCall


@pytest.mark.parametrize("protocol", ["agentgym", "openenv"])
def test_a_protocol_is_loaded_when_it_is_asked_for(protocol: str) -> None:
    verb, arguments = parse(["serve", "textcraft", "--protocol", protocol])
    assert verb.place == f"heldout.verbs.serve.{protocol}:serve_{protocol}"
    assert "protocol" not in arguments
    assert parse(["serve", "textcraft"])[0].place == "heldout.verbs.serve.agentgym:serve_agentgym"


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(BadCall, match=r"unknown protocol 'openenf'; did you mean 'openenv'\?"):
        parse(["serve", "textcraft", "--protocol", "openenf"])


def test_without_openenv_the_verb_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; from heldout import cli; "
        "sys.exit(cli.main(['serve', 'x', '--protocol', 'openenv']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "heldout: fastapi is not installed: pip install 'heldout[openenv]'\n",
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--token", "short"], "a token is 16 to 128 of the characters A-Z a-z 0-9 - _, and not 5 others"),
        (["--allow-host", "http://x"], "--allow-host takes NAME or NAME:PORT, not 'http://x'"),
        (["--show", "score"], "--show is of --protocol openenv: AgentGym's protocol says what an observation has"),
    ],
)
def test_what_serve_cannot_do_is_one_line(said: Callable[[], tuple[str, str]], words: list[str], told: str) -> None:
    assert main(["serve", "textcraft", "--port", "0", *words]) == BadCall.status
    assert said() == ("", f"heldout: {told}\n")


@pytest.mark.usefixtures("interruptible")
def test_beyond_this_machine_the_first_line_has_a_token_and_the_server_asks_for_it() -> None:
    words = [sys.executable, "-m", "heldout", "serve", "textcraft", "--host", "0.0.0.0", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout
        line = serving.stdout.readline()
        found = re.search(
            r"at http://0\.0\.0\.0:(\d+)/([A-Za-z0-9_-]{43}), for who knows this address; Ctrl-C", line
        )
        assert found, line
        here = f"http://127.0.0.1:{found[1]}"
        assert httpx2.get(f"{here}/{found[2]}/").json() == "This is environment TextCraft."
        assert httpx2.get(f"{here}/").status_code == 404
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=30)
