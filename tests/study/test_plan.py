from dataclasses import replace
from itertools import permutations

from heldout.chains import Chain, Stage, chain_name
from heldout.config import pocket, with_overrides
from heldout.study.plan import to_train
from heldout.study.recipes.demo import demo

FIVE = ("alfworld", "babyai", "searchqa", "textcraft", "webshop")
TWO_STAGE: list[Chain] = [(Stage((a,)), Stage((b,))) for a, b in permutations(FIVE, 2)]


def test_shared_beginnings_are_trained_once() -> None:
    assert len(TWO_STAGE) == 20
    assert len(to_train(TWO_STAGE)) == 25


def test_a_beginning_is_trained_before_what_goes_on_from_it() -> None:
    easy, hard = Stage(("webshop",), "easy"), Stage(("webshop",), "hard")
    plan = to_train([(easy, hard), (hard, easy), (easy,), (hard,)])
    assert list(map(chain_name, plan)) == [
        "webshop.easy",
        "webshop.hard",
        "webshop.easy > webshop.hard",
        "webshop.hard > webshop.easy",
    ]
    assert to_train([]) == []


def test_a_study_is_named_by_its_content() -> None:
    study = demo(pocket())
    assert study.digest == demo(pocket()).digest
    others = [
        demo(pocket(), seeds=(1,)),
        demo(pocket(), "babyai"),
        demo(with_overrides(pocket(), ["limits.reply_tokens=63"])),
        replace(study, base="other"),
        replace(study, measured=study.measured[:3]),
    ]
    assert len({study.digest, *(each.digest for each in others)}) == 6


def test_the_demo_trains_on_easy_tasks_and_measures_there_first_and_elsewhere() -> None:
    study = demo(pocket(), "textcraft")
    assert list(map(chain_name, study.chains)) == ["textcraft.easy"]
    assert study.seeds == (0, 1, 2)
    assert [cell.name for cell in study.cells[:3]] == ["textcraft.easy", "textcraft.hard", "babyai.easy"]
    assert {cell.env for cell in study.cells} == set(FIVE)
    assert [(each.tasks, each.controls) for each in study.measured] == [(50, True), *[(12, False)] * 5]
