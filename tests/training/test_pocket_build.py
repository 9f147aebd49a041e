from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
import torch

from heldout.backend.worker import Backend, Worker
from heldout.config import Source
from heldout.envs.registry import open_suite
from heldout.errors import BadCall, NotFinite
from heldout.policies.privileged import OracleNoise
from heldout.store.runs import StageFolder
from heldout.training import pocket_build
from heldout.training.imitate import demonstrations, sample_of
from heldout.training.pocket_build import build, copying, imitate, learn_to_copy, save
from heldout.training.pocket_recipe import FORM_SHOWN, RENAMED, Lesson, Recipe


def test_in_a_run_of_copied_ids_all_but_the_first_two_count() -> None:
    sample = copying(Random(0), 1000, 128)
    assert len(sample.ids) == len(sample.weights) == 128
    triples = set(zip(sample.ids[:64], sample.ids[1:64], sample.ids[2:64], strict=False))
    known = [at for at, weight in enumerate(sample.weights) if weight]
    assert len(known) > 30
    assert min(known) > 64
    assert all(sample.ids[at - 2 : at + 1] in triples for at in known)


def test_the_pocket_model_has_met_five_environments() -> None:
    assert Recipe().envs == ["textcraft", "babyai", "searchqa", "webshop", "alfworld"]


def test_of_an_environment_left_out_nothing_is_shown_and_the_others_as_often_as_ever() -> None:
    recipe = Recipe().without(["textcraft"])
    assert recipe.envs == [env for env in Recipe().envs if env != "textcraft"]
    for lesson, ours in zip(Recipe().lessons, recipe.lessons, strict=True):
        assert ours.shares == tuple(share for share in lesson.shares if share.env != "textcraft")
        there, before = (sum(share.count for share in each.shares) for each in (ours, lesson))
        assert ours.steps == lesson.steps * there // before


def test_where_no_other_has_the_form_of_its_replies_the_corridor_shows_it() -> None:
    recipe = Recipe().without(["searchqa"])
    assert "searchqa" not in recipe.envs
    for lesson in recipe.lessons:
        *others, form = lesson.shares
        assert "searchqa" not in {share.env for share in others}
        assert (form.env, form.form_of, form.count) == ("corridor", "searchqa", FORM_SHOWN)


def test_lessons_end_one_after_another() -> None:
    skill, habits = Recipe().lessons
    assert Recipe().ends == {"skill": skill.steps, "habits": skill.steps + habits.steps}


def test_made_up_words_are_in_some_more_demonstrations_of_skill_if_asked_for() -> None:
    recipe = Recipe().with_renamed_words(4)
    skill, habits = recipe.lessons
    assert habits == Recipe().lessons[1]
    assert skill.shares[:5] == Recipe().lessons[0].shares
    assert [(share.env, share.maps) for share in skill.shares[5:]] == [(env, (1, 2, 3, 4)) for env in recipe.envs]
    assert [share.count for share in skill.shares[5:]] == [share.count // RENAMED for share in skill.shares[:5]]


def test_a_build_whose_gradient_is_no_number_ends_and_names_the_step(tiny_recipe: Recipe, worker: Worker) -> None:
    with torch.no_grad():
        worker.model.get_parameter("model.norm.weight")[0] = float("nan")
    with pytest.raises(
        NotFinite, match=r"^copy 0: the gradient's norm is nan: nothing was updated; try a lower lr$"
    ):
        learn_to_copy(worker, tiny_recipe, 100, said_nothing)


class Killed(Exception):
    pass


def said_nothing(line: str) -> None:
    del line


@pytest.mark.very_slow
@pytest.mark.timeout(600)
def test_a_build_that_was_stopped_goes_on_and_ends_in_the_same_model(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pocket_build, "SAVE_EVERY", 2)
    monkeypatch.setattr(pocket_build, "save", (kept := Stops(after=3)).save)
    with pytest.raises(Killed):
        build(tiny_recipe, tmp_path / "stopped", processes=1, say=said_nothing)
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    with pytest.raises(BadCall, match="half made by another recipe"):
        build(replace(tiny_recipe, seed=1), tmp_path / "stopped", processes=1, say=said_nothing)
    said = list[str]()
    build(tiny_recipe, tmp_path / "stopped", processes=1, say=said.append)
    assert not [line for line in said if line.startswith("copy")]
    assert kept.steps == [0, 2, 4, 4, 6]
    build(tiny_recipe, tmp_path / "whole", processes=1, say=said_nothing)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@dataclass
class Stops:
    """Saves as ever, but at the save after so many the process dies."""

    after: int
    steps: list[int] = field(default_factory=list)

    def save(self, backend: Backend, folder: StageFolder, step: int) -> None:
        self.steps.append(step)
        if len(self.steps) == self.after:
            raise Killed
        save(backend, folder, step)


def test_the_recipe_s_parts_tell_their_loss_and_learn(worker: Worker) -> None:
    lessons = (Lesson(name="first", steps=26, shares=()), Lesson(name="second", steps=1, shares=()))
    recipe = Recipe(copy_steps=2, copy_tokens=256, warmup=1, lessons=lessons, batch_tokens=600, lr=1e-3)
    said = list[str]()
    learn_to_copy(worker, recipe, len(worker.tokenizer), said.append)
    assert said[0].startswith("copy 0: loss ")
    suite = open_suite("textcraft", Source())
    demos = demonstrations(
        lambda _: suite,
        suite.tasks("demonstrations"),
        range(4),
        OracleNoise(error_rate=0, repeat_rate=0),
        max_turns=3,
        seed=0,
    )
    samples = [sample_of(worker.chat, demo) for demo in demos]
    steps = list(imitate(worker, recipe, {"first": samples, "second": samples}, said.append))
    assert steps == list(range(1, 28))
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in said if line.startswith("first")]
    assert len(losses) == 2
    assert losses[1] < losses[0] - 0.2
