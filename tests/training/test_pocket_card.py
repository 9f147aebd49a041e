from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from heldout.errors import HeldoutError
from heldout.model.load import place_of
from heldout.records import digest, to_json
from heldout.store.files import read_json
from heldout.training import pocket_card
from heldout.training.pocket_card import check, make
from heldout.training.pocket_recipe import CARD, Recipe


@pytest.mark.very_slow
@pytest.mark.timeout(600)
def test_a_build_stopped_while_it_is_measured_is_measured_again_and_not_trained_again(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pocket_card, "TASKS", 1)
    said = list[str]()
    with monkeypatch.context() as stopped:
        stopped.setattr(pocket_card, "measure", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            make(tiny_recipe, tmp_path, processes=1, say=said.append)
    assert any(line.startswith("skill 0/6") for line in said)
    assert not (tmp_path / CARD).exists()
    said.clear()
    card = make(tiny_recipe, tmp_path, processes=1, say=said.append)
    assert not any(line.startswith("skill") for line in said)
    assert list(card["scores"]) == ["textcraft.easy.train", "textcraft.hard.train"]
    assert card["before"] == {}
    assert read_json(tmp_path / CARD) == card
    assert not (tmp_path / "unfinished").exists()


def test_the_card_that_is_shipped_is_of_the_shipped_weights_and_of_the_recipe_as_it_stands() -> None:
    shipped = Path(place_of("pocket"))
    card = read_json(shipped / CARD)
    assert card["sha256"] == sha256((shipped / "model.safetensors").read_bytes()).hexdigest()
    assert digest(card["recipe"]) == digest(to_json(Recipe()))
    cells = {f"{env}.{level}.train" for env in Recipe().envs for level in ("easy", "hard")}
    assert set(card["scores"]) == set(card["before"]["skill"]["scores"]) == cells


def test_the_shipped_model_seldom_runs_out_of_tokens() -> None:
    scores = read_json(Path(place_of("pocket")) / CARD)["scores"]
    for cell, score in scores.items():
        assert score["endings"].get("out_of_tokens", 0) < 0.05 * score["n"] * score["k"], cell


def test_scores_of_other_tasks_are_not_compared_and_nothing_is_built_for_it(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"of other tasks \(.*\) than a build's \(textcraft.easy.train\)"):
        check(
            Recipe(lessons=(replace(Recipe().lessons[0], shares=Recipe().lessons[0].shares[:1]),)),
            tmp_path,
            1,
            print,
        )
    assert not list(tmp_path.iterdir())


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
