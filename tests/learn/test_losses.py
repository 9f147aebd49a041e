from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from heldout.learn.losses import Tokens, clipped_surrogate, is_clipped, k3, truncated_importance_weight

LOGP = st.floats(-30, 0, width=32)


def logs(*probabilities: float) -> Tensor:
    return torch.tensor([log(p) for p in probabilities])


def tokens(logp: Tensor, old: Tensor, advantage: Tensor, *, high: float = 0.2) -> Tokens:
    rows = torch.zeros(len(logp), dtype=torch.long)
    return Tokens(logp_N=logp, old_logp_N=old, advantage_N=advantage, row_N=rows, clip_low=0.2, clip_high=high)


@pytest.mark.parametrize(
    ("now", "before", "advantage", "loss", "clipped"),
    [
        (0.5, 0.5, 2.0, -2.0, False),  # ratio 1
        (0.55, 0.5, 1.0, -1.1, False),  # 1.1 is inside of 1 ± 0.2
        (0.75, 0.5, 1.0, -1.2, True),  # 1.5 is cut at 1.2
        (0.75, 0.5, -1.0, 1.5, False),  # a bad action that got likelier is never let off
        (0.25, 0.5, -1.0, 0.8, True),  # 0.5 is cut at 0.8
        (0.25, 0.5, 1.0, -0.5, False),
    ],
)
def test_the_surrogate_is_clipped_where_it_would_go_too_far(
    now: float, before: float, advantage: float, loss: float, clipped: bool
) -> None:
    numbers = tokens(logs(now), logs(before), torch.tensor([advantage]))
    assert clipped_surrogate(numbers).tolist() == pytest.approx([loss])
    assert is_clipped(numbers).tolist() == [clipped]


def test_a_clip_may_leave_more_room_above_than_below() -> None:
    """Clip-higher (DAPO, arXiv 2503.14476): 1.25 is inside of 1 − 0.2 to 1 + 0.28, 0.75 is not."""
    numbers = tokens(logs(0.625, 0.375), logs(0.5, 0.5), torch.tensor([1.0, -1.0]), high=0.28)
    assert clipped_surrogate(numbers).tolist() == pytest.approx([-1.25, 0.8])
    assert is_clipped(numbers).tolist() == [False, True]


def test_a_clipped_token_has_no_gradient() -> None:
    logp = logs(0.75, 0.55).requires_grad_()
    torch.autograd.backward(clipped_surrogate(tokens(logp, logs(0.5, 0.5), torch.ones(2))).sum())
    assert logp.grad is not None
    assert logp.grad.tolist() == pytest.approx([0.0, -1.1])


def test_the_engines_mistake_is_weighed_out_up_to_twice() -> None:
    assert truncated_importance_weight(logs(0.2, 0.3, 0.9), logs(0.4, 0.2, 0.3)).tolist() == pytest.approx(
        [0.5, 1.5, 2.0]
    )


def test_k3_by_hand() -> None:
    assert k3(logs(0.5, 0.5, 0.5), logs(0.5, 0.25, 1.0)).tolist() == pytest.approx([0.0, 0.1931, 0.3069], abs=5e-5)


@given(LOGP, LOGP)
def test_k3_is_never_negative(current: float, reference: float) -> None:
    assert k3(torch.tensor([current]), torch.tensor([reference])).item() >= -1e-6


def test_k3_of_a_token_that_the_policy_has_all_but_forgotten_is_finite_and_so_is_its_gradient() -> None:
    """exp(89) is inf in float32: from d = 20 on the estimate is e^20 - 21, and no longer pulls."""
    logp = torch.tensor([-10.0, -19.0, -21.0, -89.0, -1e4]).requires_grad_()
    estimate = k3(logp, torch.zeros(5))
    assert estimate.tolist() == pytest.approx([22015.47, 178482281.0, *[485165174.4] * 3], rel=1e-6)
    torch.autograd.backward(estimate.sum())
    assert logp.grad is not None
    assert logp.grad.tolist() == pytest.approx([-22025.47, -178482300.0, 0, 0, 0], rel=1e-6)
