"""Which protocol `heldout serve` speaks."""

import subprocess
import sys

import pytest

from heldout.cli import parse
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
