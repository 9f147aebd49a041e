from random import Random

from heldout.config import Source
from heldout.envs.registry import BUILT_IN, open_suite
from heldout.model.worker import Worker
from heldout.policies.twin import Mistakes
from heldout.train.imitate import demonstrations, sample_of
from heldout.train.pocket_recipe import Lesson, Recipe, copying, imitate, learn_to_copy


def test_in_a_run_of_copied_ids_all_but_the_first_two_count() -> None:
    sample = copying(Random(0), 1000, 128)
    assert len(sample.ids) == len(sample.weights) == 128
    triples = set(zip(sample.ids[:64], sample.ids[1:64], sample.ids[2:64], strict=False))
    known = [at for at, weight in enumerate(sample.weights) if weight]
    assert len(known) > 30
    assert min(known) > 64
    assert all(sample.ids[at - 2 : at + 1] in triples for at in known)


def test_every_built_in_environment_is_in_the_recipe() -> None:
    assert Recipe().envs == list(BUILT_IN)


def test_an_environment_left_out_is_shown_by_one_reply_without_sense_and_the_others_as_ever() -> None:
    recipe = Recipe().without(["searchqa"])
    for lesson, ours in zip(Recipe().lessons, recipe.lessons, strict=True):
        assert lesson.steps == ours.steps
        for share, left in zip(lesson.shares, ours.shares, strict=True):
            if share.env == "searchqa":
                assert (left.env, left.turns, left.mistakes) == ("searchqa", 1, None)
            else:
                assert left == share


def test_the_recipe_s_parts_tell_their_loss_and_learn(worker: Worker) -> None:
    lessons = (Lesson(name="first", steps=26, shares=()), Lesson(name="second", steps=1, shares=()))
    recipe = Recipe(copy_steps=2, copy_tokens=256, warmup=1, lessons=lessons, batch_tokens=600, lr=1e-3)
    said = list[str]()
    learn_to_copy(worker, recipe, len(worker.tokenizer), said.append)
    assert said[0].startswith("copy 0: loss ")
    suite = open_suite("textcraft", Source())
    demos = demonstrations(
        lambda _: suite, suite.tasks("demonstrations")[:4], Mistakes(slip=0, persist=0), turns=3, seed=0
    )
    samples = [sample_of(worker.chat, demo) for demo in demos]
    imitate(worker, recipe, {"first": samples, "second": samples}, said.append)
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in said if line.startswith("first")]
    assert len(losses) == 2
    assert losses[1] < losses[0] - 0.2
