"""Names at Hugging Face: looked up once and in time, brought here, and refused in one line where they are not."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from pathlib import Path
from threading import Thread

import pytest

from heldout.model.hub import full_name
from heldout.model.load import hub_name_of

REVISION = "0123456789abcdef0123456789abcdef01234567"
Ran = Callable[..., subprocess.CompletedProcess[str]]
EVALUATE = "evaluate --envs textcraft --difficulty easy --limit 1 --metric avg@1 --set limits.reply_tokens=4"


@contextmanager
def hub(name: str, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A stand-in for Hugging Face with one model: its address, and the paths that were asked for so far."""
    asked = list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.partition("?")[0]
            kind, headers, status = "application/json", {"X-Repo-Commit": REVISION}, 200
            if path in (f"/api/models/{name}", f"/api/models/{name}/revision/main"):
                files = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
                body = dumps({"id": name, "sha": REVISION, "siblings": files}).encode()
            elif path == f"/api/models/{name}/tree/{REVISION}":
                tree = [
                    {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": "0" * 40}
                    for file in sorted(folder.iterdir())
                ]
                body = dumps(tree).encode()
            elif path.startswith(f"/{name}/resolve/{REVISION}/"):
                body = (folder / Path(path).name).read_bytes()
                kind = "application/octet-stream"
                headers["ETag"] = f'"{sha256(body).hexdigest()}"'
            else:
                body, status = b'{"error": "Repository not found"}', 404
                headers["X-Error-Code"] = "RepoNotFound"
            self.send_response(status)
            for field, value in {**headers, "Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(field, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Ran:
    """One command line in a process of its own, whose Hugging Face is elsewhere and whose cache is empty."""

    def ran(words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        known = os.environ | {"HF_HOME": str(tmp_path / "cache"), "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
        call = [sys.executable, "-m", "heldout", *words.split()]
        return subprocess.run(call, env=known, capture_output=True, text=True, check=False, cwd=tmp_path)

    return ran


def test_a_model_is_found_without_its_owner_where_its_name_says_whose_it_is() -> None:
    assert full_name("Qwen2.5-7B-Instruct") == "Qwen/Qwen2.5-7B-Instruct"
    assert full_name("SmolLM2-135M-Instruct") == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert full_name("Qwen/Qwen2.5-7B-Instruct") is None
    assert full_name("my-model") is None


def test_what_lies_here_is_no_name_at_hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub_name_of("Qwen3-4B") == "Qwen/Qwen3-4B"
    assert hub_name_of("some/model") == "some/model"
    Path("Qwen3-4B").mkdir()
    Path("some/model").mkdir(parents=True)
    assert [hub_name_of(name) for name in ("Qwen3-4B", "some/model", "pocket", "a/b/c", "./x")] == [None] * 5


def test_offline_a_name_is_refused_in_one_line_and_in_time(run: Ran, tmp_path: Path) -> None:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import heldout.agents, heldout.model.load"], check=True)
    loaded = time.monotonic()  # imports, seven seconds of what follows; on a busy machine more
    done = run(f"{EVALUATE} --model Qwen2.5-7B-Instruct --out run", HF_ENDPOINT="http://127.0.0.1:9")
    assert time.monotonic() - loaded < 8 + (loaded - begun)
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[0] == "heldout: Qwen2.5-7B-Instruct is taken as Qwen/Qwen2.5-7B-Instruct"
    assert said[1].startswith(
        "heldout: model 'Qwen/Qwen2.5-7B-Instruct' is not here, and Hugging Face cannot be reached ("
    )
    assert len(said) == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_model_is_brought_here_once_and_played_offline_afterwards(run: Ran, tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "files")
    (tmp_path / "files" / "pickle.bin").write_bytes(b"never fetched")
    with hub("some/tiny", tmp_path / "files") as (address, asked):
        done = run(f"{EVALUATE} --model some/tiny --out run", HF_ENDPOINT=address)
        assert done.returncode == 0, done.stderr
        missing = run(f"{EVALUATE} --model some/other --out other", HF_ENDPOINT=address)
    lookups = [path for path in asked if path.startswith("/api/models/some/tiny")]
    assert lookups[0] == "/api/models/some/tiny"
    assert lookups.count(lookups[0]) == 1, "by one process: its workers ask for nothing"
    assert not [path for path in asked if path.endswith(".bin")]
    assert missing.returncode == 1
    assert missing.stderr.startswith("heldout: model 'some/other' is not there, or not open to you at Hugging Face")
    assert not (tmp_path / "other").exists()
    offline = run(f"{EVALUATE} --model some/tiny --out run", HF_HUB_OFFLINE="1")
    assert offline.returncode == 0, offline.stderr
    assert f"some/tiny is the copy here, revision {REVISION[:8]}" in offline.stderr
    assert offline.stdout == done.stdout, "and none of it is played again"
    study = (tmp_path / "run" / "study.json").read_text()
    assert f"some/tiny@{REVISION}" in study
