"""Openings that do not fit into a model's context: refused when none fits, else counted and told."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from heldout.analysis.scores import Cell
from heldout.backend.worker import Worker
from heldout.cli import main
from heldout.evaluation.measure import tasks_of

pytestmark = pytest.mark.slow

Said = Callable[[], tuple[str, str]]
SETTINGS = "--set limits.reply_tokens=4 limits.response_budget=600 evaluate.max_turns=1 train.max_turns=1"
EVALUATE = "evaluate --envs textcraft --difficulty easy --metric avg@2 --limit 4"
TRAIN = (
    f"train --env textcraft --difficulty easy {SETTINGS} train.steps=1 train.tasks=24"
    " train.group_size=2 train.kl=0 processes=1"
)


@pytest.fixture
def narrow(tiny: Path, tmp_path: Path) -> Callable[[int], Path]:
    """Makes the tiny model with a context of so many ids."""

    def made(context: int) -> Path:
        folder = copytree(tiny, tmp_path / f"context_{context}")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": context}))
        return folder

    return made


def openings(worker: Worker, split: str) -> list[int]:
    """How many ids the openings of the easy tasks have."""
    cell = Cell(env="textcraft", split=split, difficulty="easy")
    return [worker.room(task)[0] for task in tasks_of(worker.suite("textcraft"), cell)]


def test_a_worker_tells_how_many_ids_an_opening_has_and_a_conversation_may_have(worker: Worker) -> None:
    suite = worker.suite("textcraft")
    task = suite.tasks("test")[0]
    words = suite.opening(suite.open(task).start().observation)
    assert worker.room(task) == (len(worker.chat.opening(words)), 4096)


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.very_slow)])
def test_an_evaluation_of_which_no_opening_fits_is_refused_before_anything_is_played(
    narrow: Callable[[int], Path], worker: Worker, said: Said, tmp_path: Path, processes: int
) -> None:
    smallest = min(openings(worker, "test")[:4])
    call = f"{EVALUATE} --model {narrow(smallest)} --out {tmp_path / 'run'} {SETTINGS} processes={processes}"
    assert main(call.split()) == 2
    assert said()[1].endswith(
        f"\nheldout: no opening of textcraft fits: the smallest has {smallest} ids, and a conversation with this "
        f"model may have {smallest}, replies included (choose a model with a longer context, or smaller tasks)\n"
    )
    assert not list((tmp_path / "run").rglob("*.jsonl*"))


@pytest.mark.parametrize("processes", [pytest.param(1, marks=pytest.mark.very_slow), 2])
def test_where_some_openings_fit_the_others_end_out_of_tokens_and_are_told(
    narrow: Callable[[int], Path], worker: Worker, said: Said, tmp_path: Path, processes: int
) -> None:
    lengths = openings(worker, "test")[:4]
    longest = max(lengths)
    assert lengths.count(longest) == 1
    call = f"{EVALUATE} --model {narrow(longest)} --out {tmp_path / 'run'} --json {SETTINGS} processes={processes}"
    for _ in range(2):  # played, and read from the disk
        assert main(call.split()) == 0
        out, err = said()
        # Of an opening that is a little shorter the reply may be cut: out of tokens too, but begun.
        assert json.loads(out)[0]["endings"]["out_of_tokens"] >= 2
        assert (
            "heldout: 2 of 8 episodes ended out_of_tokens before the first reply: the openings of 1 tasks, such as "
            "textcraft_"
        ) in err


def test_a_training_of_which_no_opening_fits_is_refused_and_publishes_nothing(
    narrow: Callable[[int], Path], worker: Worker, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smallest = min(openings(worker, "train"))
    model = narrow(smallest)
    monkeypatch.chdir(tmp_path)
    assert main([*TRAIN.split(), "--model", str(model), "--out", "run"]) == 2
    assert f"no opening of textcraft fits: the smallest has {smallest} ids" in said()[1]
    assert not (tmp_path / "outputs").exists()
    assert not list((tmp_path / "run").rglob("*.safetensors"))


def test_a_training_counts_the_openings_that_do_not_fit(
    narrow: Callable[[int], Path], worker: Worker, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = sorted(openings(worker, "train"))
    model = narrow(lengths[len(lengths) // 2])
    monkeypatch.chdir(tmp_path)
    assert main([*TRAIN.split(), "--model", str(model), "--out", "run"]) == 0
    [metrics] = (tmp_path / "run").rglob("metrics.jsonl")
    row = json.loads(metrics.read_text())
    assert 0 < row["openings_too_long"] < 48
    # Of an opening that is a little shorter the reply may be cut: out of tokens too, but begun.
    assert row["openings_too_long"] <= row["endings"]["out_of_tokens"]
    assert (
        f"heldout: {row['openings_too_long']} episodes ended out_of_tokens before the first reply: their openings "
        "do not fit into the model's context"
    ) in said()[1]
