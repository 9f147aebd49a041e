"""The flags of `heldout study` as studies and folders."""

from pathlib import Path

import pytest

from heldout.errors import BadCall
from heldout.verbs.asking import AskedStudies, studies_asked


def call(**flags: object) -> list[AskedStudies]:
    usual: dict[str, object] = {
        "recipe": "", "models": [], "chains": [], "envs": [], "seeds": [], "difficulty": None, "every": None,
        "limit": None, "samples": None, "out": None, "settings": [],
    }  # fmt: skip
    return studies_asked(**{**usual, **flags})  # type: ignore[arg-type]


def test_chains_are_a_study_of_the_pocket_model_unless_more_is_said() -> None:
    [found] = call(
        chains=["textcraft"], envs=["all"], limit=5, samples=2, settings=["source.variant.actions=hidden"]
    )
    [study] = found.studies
    assert (study.base, found.folder.root) == ("pocket", Path("runs/study-actions=hidden"))
    assert (study.config.evaluate.tasks, study.config.evaluate.samples, study.config.train.steps) == (5, 2, 40)
    assert study.envs == ("textcraft", "babyai", "searchqa", "webshop", "alfworld")


def test_of_several_models_each_has_a_folder_of_its_own() -> None:
    first, second = call(models=["pocket", "Qwen/Qwen2.5-3B-Instruct"], chains=["babyai"], out=Path("runs/mine"))
    assert first.folder.root == Path("runs/mine/pocket")
    assert second.folder.root == Path("runs/mine/Qwen--Qwen2.5-3B-Instruct")
    assert second.studies[0].config.limits.response_budget == 8192
    assert call(models=["a/b"], chains=["babyai"])[0].folder.root == Path("runs/study-a--b")


def test_a_call_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadCall, match='name a recipe, or say chains such as --chains "textcraft > webshop"'):
        call()
    with pytest.raises(BadCall, match="recipe pocket-transfer has its own: leave one out"):
        call(recipe="pocket-transfer", chains=["textcraft"])
    with pytest.raises(BadCall, match="'oracle' cannot be trained"):
        call(models=["oracle"], chains=["textcraft"])
