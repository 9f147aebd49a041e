import pytest

from heldout.analysis.curriculum import plan_of, plans, weighted_mean

TASKS = {("doors", "easy"): 30, ("doors", "hard"): 10}


def test_all_is_weighted_by_how_many_tasks_are_easy_and_hard() -> None:
    scores = {
        ("base", "doors", "easy"): 40.0,
        ("base", "doors", "hard"): 0.0,
        ("doors.easy > doors.hard", "doors", "easy"): 80.0,
        ("doors.easy > doors.hard", "doors", "hard"): 20.0,
    }
    found = plans(scores, TASKS, ["doors"])
    assert {plan: each.all for (plan, _), each in found.items()} == {"base": 30.0, "easy > hard": 65.0}


def test_without_the_hard_tasks_all_is_missing() -> None:
    [found] = plans({("doors.easy", "doors", "easy"): 80.0}, TASKS, ["doors"]).values()
    assert (found.plan, found.easy, found.hard, found.all) == ("easy", 80.0, None, None)
    assert weighted_mean(1.0, 2.0, (0, 0)) is None


@pytest.mark.parametrize(
    ("chain", "plan"),
    [
        ("base", "base"),
        ("doors", "all"),
        ("doors.hard > doors.easy", "hard > easy"),
        ("doors[train.steps=80]", "all[train.steps=80]"),
        ("grid", ""),
        ("doors > grid", ""),
        ("doors+grid", ""),
    ],
)
def test_a_plan_is_the_chain_without_its_only_environment(chain: str, plan: str) -> None:
    assert plan_of(chain, "doors") == plan
