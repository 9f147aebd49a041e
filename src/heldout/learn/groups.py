"""From the groups that a step played to sequences to learn from: rewards as they are learned from, advantages,
weights."""

from collections.abc import Sequence
from dataclasses import replace

from heldout.learn.advantages import advantages, rewards_of, zero_variance
from heldout.learn.batch import Sample, sample_of, samples_of, weigh
from heldout.learn.methods import Method
from heldout.records import Ending, Group, Trajectory


def shaped(groups: Sequence[Group], method: Method, budget: int) -> list[Group]:
    """The groups with the rewards that are learned from: less what a trajectory loses by its length.

    `budget` is the tokens that an episode may have after its prompt (`limits.response_budget`). What is lost
    stands in the last turn's reward too.
    """
    return [
        replace(
            group,
            trajectories=tuple(_less(each, _loss_by_length(each, method, budget)) for each in group.trajectories),
        )
        for group in groups
    ]


def _loss_by_length(trajectory: Trajectory, method: Method, budget: int) -> float:
    """From 0 to 2: what `penalise` takes, and the soft punishment of DAPO (arXiv 2503.14476, Eq. 13)."""
    lost = float(method.truncated == "penalise" and _is_truncated(trajectory))
    if room := method.overlong * budget:
        lost += min(1.0, max(0.0, (trajectory.response_length - (budget - room)) / room))
    return lost


def _less(trajectory: Trajectory, lost: float) -> Trajectory:
    if not lost:
        return trajectory
    *before, last = trajectory.turns
    turns = (*before, replace(last, reward=last.reward - lost))
    return replace(trajectory, reward=trajectory.reward - lost, turns=turns)


def _is_truncated(trajectory: Trajectory) -> bool:
    """Whether the budget of tokens cut it; an episode that is out of turns has failed by its task's own rules."""
    return trajectory.ending is Ending.OUT_OF_TOKENS


def is_useful(group: Group) -> bool:
    """Whether rewards differ within the group."""
    return not zero_variance(rewards_of(group))


def says_something(group: Group, method: Method) -> bool:
    """Whether the policy term learns from the group: it compares with other groups, or within one whose rewards
    differ."""
    if method.surrogate == "none" or not any(_is_kept(each, method) for each in group.trajectories):
        return False
    if method.credit == "turn":
        earned = [turn.reward for trajectory in group.trajectories for turn in trajectory.turns]
        return bool(earned) and not zero_variance(earned)
    return not method.is_by_group or is_useful(group)


def samples(
    groups: Sequence[Group], method: Method, budget: int, charges: Sequence[Sequence[float]] = ()
) -> list[Sample]:
    """What the groups teach; the weights of all sampled tokens sum to 1 in the policy term, and to 1 in the KL
    term.

    The policy term is a mean over the groups that say something, or with `agreeing=count` over all; the KL term
    in the loss is one over all. `charges` is a KL term in the reward: β times its nats at each sampled token of
    each trajectory, in their order.
    """
    played = [trajectory for group in groups for trajectory in group.trajectories]
    there = [bool(trajectory.generated_tokens) and not _is_masked(trajectory, method) for trajectory in played]
    heard = [own for group in groups for own in [says_something(group, method)] * len(group.trajectories)]
    says = [
        own and each and _is_kept(trajectory, method)
        for own, each, trajectory in zip(heard, there, played, strict=True)
    ]
    counted = there if method.agreeing == "count" else says
    holds = there if method.has_kl_loss else [False] * len(played)
    counts = [trajectory.generated_tokens for trajectory in played]
    weights = weigh(counts, counted, method.loss_aggregation, budget)
    kl_weights = weigh(counts, holds, method.loss_aggregation, budget)
    found = zip(played, says, holds, weights, kl_weights, advantages(groups, method, charges), strict=True)
    return [
        sample_of(trajectory, weight if own else 0.0, kl_weight, advantage)
        for trajectory, own, held, weight, kl_weight, advantage in found
        if own or held
    ]


def samples_of_all(groups: Sequence[Group], method: Method) -> list[Sample]:
    """Every trajectory of the groups as a sequence to learn from, whatever it says: for those who time updates."""
    played = [trajectory for group in groups for trajectory in group.trajectories]
    return samples_of(played, advantages(groups, method), method.loss_aggregation)


def _is_kept(trajectory: Trajectory, method: Method) -> bool:
    """Whether the policy term may learn from it: expert iteration imitates what succeeded."""
    return method.keep == "all" or trajectory.success


def _is_masked(trajectory: Trajectory, method: Method) -> bool:
    return method.truncated == "mask" and _is_truncated(trajectory)
