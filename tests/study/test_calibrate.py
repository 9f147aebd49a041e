"""Temperatures that are found with a model."""

from pathlib import Path

import pytest
import torch

from heldout.analysis.scores import Cell
from heldout.backend.worker import Worker
from heldout.chains import Stage
from heldout.config import Config, Evaluate, Limits, Train
from heldout.model import load
from heldout.study.calibrate import Pair, match, tune

CONFIG = Config(
    limits=Limits(response_budget=300, reply_tokens=8),
    train=Train(max_turns=2),
    evaluate=Evaluate(max_turns=1),
    processes=1,
)


@pytest.fixture(scope="module")
def sharper(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with its logits times 1.6: its last norm is longer."""
    folder = tmp_path_factory.mktemp("models") / "sharper"
    model, tokenizer = load.load(str(tiny))
    with torch.no_grad():
        model.model.norm.weight *= 1.6
    load.save(model, tokenizer, folder)
    return folder


@pytest.mark.slow
def test_a_model_matches_itself_as_it_is_and_a_sharper_one_by_its_factor(
    worker: Worker, tiny: Path, sharper: Path
) -> None:
    def matched(trained: Path, base: Path) -> float:
        pair, stage = Pair(trained=str(trained), base=str(base)), Stage(("textcraft",), "easy")
        found = match(worker, pair, stage, CONFIG, seed=0, hear=lambda _: None)
        assert found.reached == pytest.approx(found.wanted, abs=2e-3)
        assert found.tokens > 100
        return found.temperature

    assert matched(tiny, tiny) == pytest.approx(1.0, abs=2e-3)
    assert matched(tiny, sharper) == pytest.approx(1.6, abs=3e-3)
    assert matched(sharper, tiny) == pytest.approx(1 / 1.6, abs=2e-3)


@pytest.mark.slow
def test_the_best_temperature_is_chosen_on_training_tasks(worker: Worker) -> None:
    heard = list[str]()
    cell = Cell(env="textcraft", split="test", difficulty="easy")
    tuned = tune(worker, cell, CONFIG, seed=0, hear=lambda each: heard.append(each.task.split))
    assert heard == ["train"] * (24 + 4 * 48)
    assert list(tuned.scores) == ["0", "0.25", "0.5", "0.75", "1"]
    assert tuned.scores[f"{tuned.temperature:g}"] == max(tuned.scores.values())
