"""Algorithms by name are rows of parts; a stage's settings change any of them, and nonsense is refused."""

import pickle
from dataclasses import fields

import pytest

from heldout.config import ALGORITHMS as NAMES
from heldout.config import Train, pocket
from heldout.errors import BadCall
from heldout.learn.methods import IMITATION, METHODS, PARTS, Method, method_of


def test_the_names_that_settings_may_have_are_those_that_there_are() -> None:
    assert tuple(METHODS) == NAMES
    assert method_of(Train(algorithm="GRPO")) == method_of(Train()) == METHODS["grpo"] == Method()
    with pytest.raises(BadCall, match=r"unknown algorithm 'grop'; did you mean 'grpo'"):
        method_of(Train(algorithm="grop"))


@pytest.mark.parametrize("name", METHODS)
def test_every_algorithm_is_made_of_parts_that_there_are_and_go_together(name: str) -> None:
    method = METHODS[name]
    assert all(getattr(method, part) in choices for part, choices in PARTS.items())
    assert method_of(Train(algorithm=name, reference="a/teacher")) == method
    assert pickle.loads(pickle.dumps(method)) == method


NOT_SET = {"surrogate", "keep", "sampled"}
"""What an algorithm is, and no setting of it."""


def test_every_part_can_be_set() -> None:
    settings = {field.name for field in fields(Train)}
    assert {field.name for field in fields(Method)} - settings == NOT_SET
    assert set(PARTS) - settings == {"surrogate", "keep"}


def test_what_is_set_stands_and_the_rest_is_the_algorithms() -> None:
    method = method_of(Train(algorithm="dapo", loss_aggregation="sequence", draws=2, overlong=0.0))
    assert (method.loss_aggregation, method.draws, method.overlong) == ("sequence", 2, 0.0)
    assert (method.clip, method.clip_high) == (0.2, 0.28)


def test_a_clip_alone_is_for_both_sides() -> None:
    both = method_of(Train(algorithm="gspo", clip=0.1))
    above = method_of(Train(clip_high=0.3))
    assert (both.clip, both.clip_high) == (0.1, 0.1)
    assert (above.clip, above.clip_high) == (0.2, 0.3)


def test_a_setting_of_nought_is_a_setting() -> None:
    assert method_of(Train(algorithm="rloo", kl=0.0)).kl == 0
    assert method_of(pocket().train).kl == 0
    assert method_of(Train()).kl == 0.001


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"scale": "std"}, r"unknown train.scale 'std' .choose from: batch, group, none"),
        ({"kl_estimator": "k1"}, "k1 in the loss has no gradient on the average"),
        ({"kl_in": "reward"}, "kl_in=reward takes kl_estimator=k1, which is unbiased there, not k3"),
        (
            {"algorithm": "gspo", "credit": "turn"},
            "ratio=sequence has one ratio for a trajectory, credit=turn several",
        ),
        ({"algorithm": "gspo", "loss_aggregation": "token"}, "loss_aggregation is sequence, not token"),
        ({"credit": "state", "baseline": "batch", "scale": "batch"}, "credit=state compares within a group"),
        ({"algorithm": "reinforce++", "draws": 1}, "with a batch's baseline or scale none does"),
        ({"algorithm": "dapo", "kl": 0.1}, "a KL term in the loss is of all groups: set train.kl=0"),
        (
            {"credit": "turn", "kl_in": "reward", "kl_estimator": "k1"},
            "kl_in=reward takes credit=trajectory, not turn",
        ),
        ({"algorithm": "distill", "kl": 0.0}, "learns by the KL term in the loss alone"),
        ({"algorithm": "distill"}, "learns from a teacher: name its folder"),
        ({"group_size": 1}, "grpo compares the trajectories of a group: it needs 2 samples or more, not 1"),
    ],
)
def test_what_would_not_do_what_it_says_is_refused(settings: dict[str, object], refusal: str) -> None:
    with pytest.raises(BadCall, match=refusal):
        method_of(Train(**settings))  # type: ignore[arg-type]


def test_what_compares_with_the_batch_learns_from_groups_of_one() -> None:
    assert method_of(Train(algorithm="reinforce++", group_size=1)).baseline == "batch"


def test_imitation_is_a_method_of_which_no_engine_is_asked() -> None:
    assert not IMITATION.is_off_policy
    assert not METHODS["reject"].is_off_policy
    assert [name for name, method in METHODS.items() if not method.sampled] == ["imitate"]
