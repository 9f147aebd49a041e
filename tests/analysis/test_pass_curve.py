from collections.abc import Sequence

import pytest

from heldout.analysis.pass_curve import pass_change, pass_curve, powers_to
from heldout.analysis.scores import Cell, summarise
from heldout.errors import BadCall
from heldout.records import Row
from heldout.testing import make_row

EASY = Cell(env="doors", split="test", difficulty="easy")


def attempts(task: str, done: Sequence[int], **changes: object) -> list[Row]:
    return [
        make_row(task=task, score=float(each), success=bool(each), attempt=number, **changes)
        for number, each in enumerate(done)
    ]


BASE = [*attempts("a", [1, 0, 0, 0]), *attempts("b", [1, 1, 0, 0]), *attempts("c", [0, 0, 0, 0])]
"""pass@1 is (1/4 + 2/4 + 0)/3 = 1/4; pass@2 (1/2 + 5/6 + 0)/3 = 4/9; pass@4 2/3."""
TRAINED = {"chain": "doors", "step": 20}
SURER = [
    *attempts("a", [0, 0, 0, 0], **TRAINED),
    *attempts("b", [1, 1, 1, 1], **TRAINED),
    *attempts("c", [0, 0, 0, 0], **TRAINED),
]


def test_a_curve_of_three_tasks_counted_by_hand() -> None:
    one, two, four = pass_curve(BASE, (1, 2, 4))
    assert {each.cell for each in (one, two, four)} == {EASY}
    assert (one.k, one.n, one.seeds) == (1, 3, 1)
    assert one.share == pytest.approx(1 / 4)
    assert two.share == pytest.approx(4 / 9)
    assert four.share == pytest.approx(2 / 3)
    assert all(0 <= each.ci95[0] < each.share < each.ci95[1] <= 1 for each in (one, two, four))
    [score] = summarise(BASE)
    assert (one.share, four.share) == pytest.approx((score.success, score.pass_at_k))


def test_what_only_became_surer_gains_at_one_attempt_and_loses_at_many() -> None:
    [changes] = pass_change(BASE, SURER, (1, 2, 4)).values()
    assert [changes[k].mean for k in (1, 2, 4)] == pytest.approx([100 / 12, -100 / 9, -100 / 3])
    assert all(change.is_given_this_run for change in changes.values())


def test_more_attempts_than_there_are_cannot_be_asked_about() -> None:
    with pytest.raises(BadCall, match="pass@8 takes 8 attempts or more of each task, and a has 4"):
        pass_curve(BASE, [8])


def test_the_ks_are_doubled_up_to_the_last() -> None:
    assert powers_to(64) == (1, 2, 4, 8, 16, 32, 64)
    assert powers_to(6) == (1, 2, 4, 6)
    assert powers_to(1) == (1,)
