"""A model and its controls in one call."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
from safetensors.torch import load_file, save_file

from heldout.agents import agent_of
from heldout.analysis.scores import Cell
from heldout.config import Config, Evaluate, Limits, Train
from heldout.model.identity import weights_digest
from heldout.records import Trajectory
from heldout.reporting.controls import control_scores, control_tables, controls_as_json
from heldout.reporting.tables import align
from heldout.store import lineage
from heldout.store.lineage import Lineage
from heldout.store.runs import StudyFolder
from heldout.study.beside import measure_with_controls
from heldout.study.controls import Beside

pytestmark = pytest.mark.slow

CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=8),
    train=Train(max_turns=2),
    evaluate=Evaluate(samples=2, max_turns=2, tasks=2),
    processes=1,
)
CELLS = [[Cell(env=env, split="test", difficulty="easy")] for env in ("textcraft", "searchqa")]
PLAYERS = ["random", "random-legal", "oracle"]
BASES = ["base", "base_greedy", "base_best_temperature", "base_matched_entropy"]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temperatures are chosen on few tasks."""
    monkeypatch.setattr("heldout.study.calibrate.TUNING", (2, 1))
    monkeypatch.setattr("heldout.study.calibrate.CALIBRATION", (2, 1))


@pytest.fixture
def checkpoint(tiny: Path, tmp_path: Path) -> Path:
    """A model that says that it was trained from the tiny one, with sharper logits."""
    folder = Path(copytree(tiny, tmp_path / "trained"))
    weights = {
        name: each * (1.5 if name == "model.norm.weight" else 1.0)
        for name, each in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    told = Lineage(
        base="tiny",
        chain="textcraft.easy",
        step=2,
        training={"base": agent_of(str(tiny)).digest, "stages": [{"envs": ["textcraft"], "seed": 3}]},
        weights=weights_digest(folder),
    )
    lineage.write(folder, told)
    return folder


def measured(
    model: str, folder: Path, config: Config = CONFIG, cells: Sequence[Sequence[Cell]] = CELLS
) -> tuple[Beside, Counter[str]]:
    """What the call finds, and the episodes that it plays."""
    played = Counter[str]()

    @contextmanager
    def playing(title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
        before = played.total()
        yield lambda _: played.update([title])
        assert played.total() == before + episodes

    found = measure_with_controls(model, cells, config, StudyFolder(folder), seed=None, playing=playing)
    return found, played


@pytest.mark.very_slow  # 75 s: four times a process is started, and five temperatures are played
def test_a_checkpoint_has_its_players_its_other_temperatures_and_its_base_and_all_of_it_once(
    checkpoint: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.parent)
    found, played = measured(str(checkpoint), tmp_path / "m")
    names = [each.name for each in found.measured]
    assert names == ["model", *PLAYERS, "greedy", "best_temperature", *BASES]
    assert found.left_out == []
    assert played["choose a temperature for textcraft.easy"] == 2 * (2 + 4 * 2)
    assert played["match the base's entropy"] == 2
    rows = {each.name: each.rows for each in found.measured}
    assert {row.seed for own in rows.values() for row in own} == {3}, "all are paired with the checkpoint's seed"
    tasks = {(row.env, row.task) for row in rows["model"]}
    assert all({(row.env, row.task) for row in own} == tasks for own in rows.values())
    assert Counter(row.variant for row in rows["base"]) == {"": 8, "answers=single": 4}
    [matched] = {row.temperature for row in rows["base_matched_entropy"]}
    assert matched == pytest.approx(1 / 1.5, abs=2e-3)
    assert measured(str(checkpoint), tmp_path / "m") == (found, Counter()), "again, nothing is played"


def test_a_base_that_is_not_here_is_left_out_with_why(checkpoint: Path, tmp_path: Path) -> None:
    found, _ = measured(str(checkpoint), tmp_path / "m", cells=CELLS[:1])
    assert [each.name for each in found.measured] == ["model", *PLAYERS, "greedy", "best_temperature"]
    [left] = found.left_out
    assert left.name == "base"
    assert "no model 'tiny'" in left.why


def test_another_model_of_the_base_s_name_is_not_taken_for_it(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(copytree(checkpoint, tmp_path / "elsewhere" / "tiny"))
    (other / "lineage.json").unlink()
    monkeypatch.chdir(other.parent)
    [left] = measured(str(checkpoint), tmp_path / "m", cells=CELLS[:1])[0].left_out
    assert left.why.startswith(f"tiny is {agent_of('tiny').digest} here, and textcraft.easy began with ")


def test_a_player_is_its_own_and_scores_lie_between_random_and_the_oracle(tmp_path: Path) -> None:
    config = replace(CONFIG, evaluate=replace(CONFIG.evaluate, max_turns=12, tasks=4))
    found, _ = measured("random-legal", tmp_path / "m", config)
    assert [each.name for each in found.measured] == ["model", "random", "oracle"]
    scores = control_scores(found, pool=True)
    assert [(each.score.env, each.score.variant, each.control) for each in scores] == [
        (env, variant, control)
        for env, variant in (("searchqa", ""), ("textcraft", ""), ("searchqa", "answers=single"))
        for control in ("model", "random", "oracle")
    ]
    for each in scores:
        assert each.normalised is not None
        if each.control != "model":
            assert each.normalised.score == (each.control == "oracle")
    tables = control_tables(scores)
    assert list(tables) == ["", "answers=single"]
    assert max(len(line) for table in tables.values() for line in align(table, 80).splitlines()) <= 80
    told = json.loads(json.dumps(controls_as_json(found, scores)))
    assert told["left_out"] == []
    assert {"control", "temperatures", "score", "success", "normalised", "normalised_ci95"} <= set(
        told["scores"][0]
    )
