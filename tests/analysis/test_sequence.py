import pytest

from heldout.analysis.sequence import against, sequence, sequential, stage_envs
from heldout.errors import BadCall

ENVS = ("doors", "grid", "shop")
MATRIX = {
    "base": (10.0, 20.0, 30.0),
    "doors": (70.0, 25.0, 28.0),
    "doors > grid": (60.0, 80.0, 40.0),
    "doors > grid > shop": (65.0, 74.0, 90.0),
}
SCORES = {(chain, env): score for chain, row in MATRIX.items() for env, score in zip(ENVS, row, strict=True)}
CHAIN = "doors > grid > shop"


def test_three_stages_counted_by_hand() -> None:
    found = sequence(SCORES, CHAIN, ENVS, random={"grid": 5.0, "shop": 1.0})
    assert found.matrix == tuple(MATRIX.values())
    assert found.acc == pytest.approx((65 + 74 + 90) / 3)
    assert found.bwt == pytest.approx(((65 - 70) + (74 - 80)) / 2)
    assert found.fwt == pytest.approx(((25 - 20) + (40 - 30)) / 2)
    assert found.fwt_random == pytest.approx(((25 - 5) + (40 - 1)) / 2)
    assert found.forgetting == {"doors": 5.0, "grid": 6.0, "shop": -50.0}


def test_what_no_stage_is_trained_in_is_forgotten_too() -> None:
    scores = SCORES | {(chain, "maze"): float(score) for score, chain in zip((50, 40, 45, 30), MATRIX, strict=True)}
    found = sequence(scores, CHAIN, ("maze",))
    assert found.envs == (*ENVS, "maze")
    assert found.forgetting["maze"] == 20.0
    assert found.acc == pytest.approx((65 + 74 + 90) / 3)


def test_a_missing_stage_takes_what_needs_it_and_nothing_else() -> None:
    scores = {key: score for key, score in SCORES.items() if key[0] != "doors > grid"}
    found = sequence(scores, CHAIN, ENVS)
    assert found.matrix[2] == (None, None, None)
    assert found.acc == pytest.approx((65 + 74 + 90) / 3)
    assert (found.bwt, found.fwt, found.fwt_random) == (None, None, None)
    assert found.forgetting == {"doors": None, "grid": None, "shop": None}


def test_without_random_play_only_what_needs_it_is_missing() -> None:
    assert sequence(SCORES, CHAIN, ENVS).fwt_random is None


@pytest.mark.parametrize("chain", ["doors", "base", "doors.easy > doors.hard", "doors+grid > shop"])
def test_stages_of_one_environment_each_and_all_different_are_asked_for(chain: str) -> None:
    assert stage_envs(chain) in ((), ("doors",))
    with pytest.raises(BadCall, match="BWT and FWT are of stages in different environments, one each"):
        sequence(SCORES, chain, ENVS)


def test_a_pair_is_set_against_its_single_stages() -> None:
    scores = SCORES | {("grid", "grid"): 77.0}
    [pair] = sequential(scores)
    assert (pair.upstream, pair.downstream, pair.retention, pair.gain) == ("doors", "grid", -10.0, 3.0)
    [pair] = sequential(SCORES)
    assert (pair.retention, pair.gain) == (-10.0, None)


def test_five_stages_are_set_against_the_joint_mixture_environment_by_environment() -> None:
    joint = SCORES | {("doors+grid+shop", env): 75.0 for env in ENVS}
    found = against(joint, CHAIN, "doors+grid+shop", ENVS)
    assert found.differences == {"doors": -10.0, "grid": -1.0, "shop": 15.0}
    assert found.mean == pytest.approx(4 / 3)
    assert against(SCORES, CHAIN, "doors+grid+shop", ENVS).mean is None
