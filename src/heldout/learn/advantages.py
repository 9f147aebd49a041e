"""How much better each trajectory did than what it is set against, or each of its turns.

`_G` is the trajectories of a group.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, pstdev, stdev

from heldout.errors import HeldoutError
from heldout.learn.batch import Advantage
from heldout.learn.methods import Method
from heldout.records import Group, Trajectory

ZERO_VARIANCE = 1e-9
"""A group whose rewards differ by less than this has nothing to teach."""

LITTLE = 1e-6
"""Added to a deviation that is divided by."""


def zero_variance(rewards_G: Sequence[float]) -> bool:
    """Whether all of a group earned the same."""
    return max(rewards_G) - min(rewards_G) < ZERO_VARIANCE


def rewards_of(group: Group) -> list[float]:
    """What each trajectory of a group earned."""
    return [trajectory.reward for trajectory in group.trajectories]


def group_advantages(rewards_G: Sequence[float], *, scaled: bool = True) -> list[float]:
    """Eq. 4 with the n - 1 deviation: each reward against its own group; zeros where all earned the same.

    Unscaled it is only centred (Dr. GRPO, arXiv 2503.20783).
    """
    if len(rewards_G) < 2 or zero_variance(rewards_G):
        return [0.0] * len(rewards_G)
    mean = fmean(rewards_G)
    deviation = stdev(rewards_G) + LITTLE if scaled else 1.0
    return [(reward - mean) / deviation for reward in rewards_G]


def _leave_one_out(rewards_G: Sequence[float]) -> list[float]:
    """Each reward less the mean of the others (RLOO, arXiv 2402.14740); zeros where all earned the same."""
    if len(rewards_G) < 2 or zero_variance(rewards_G):
        return [0.0] * len(rewards_G)
    others = len(rewards_G) - 1
    return [reward - (sum(rewards_G) - reward) / others for reward in rewards_G]


def advantages(groups: Sequence[Group], method: Method, charges: Sequence[Sequence[float]] = ()) -> list[Advantage]:
    """Of each trajectory in order: one number, or one for each token that it sampled.

    `charges` are what a KL term in the reward takes off at each sampled token of each trajectory (nats times β).
    """
    match method.credit:
        case "turn":
            return [advantage for group in groups for advantage in _turn_advantages(group, method)]
        case "state":
            return [advantage for group in groups for advantage in _state_advantages(group, method)]
    if method.scale == "batch":
        return _whitened(groups, method, charges)
    charged = iter(charges)
    rewards = [[reward - sum(next(charged, ())) for reward in rewards_of(group)] for group in groups]
    return [advantage for rewards_G in rewards for advantage in _of_group(rewards_G, method, rewards)]


def _of_group(rewards_G: Sequence[float], method: Method, rewards: Sequence[Sequence[float]]) -> list[float]:
    """One group's advantages without the batch's deviation; `rewards` are of all groups."""
    match method.baseline:
        case "group":
            return group_advantages(rewards_G, scaled=method.scale == "group")
        case "leave_one_out":
            centred = _leave_one_out(rewards_G)
        case "batch":
            mean = fmean(reward for each in rewards for reward in each)
            centred = [reward - mean for reward in rewards_G]
        case _:
            centred = list(rewards_G)
    if method.scale == "group" and len(rewards_G) > 1 and not zero_variance(rewards_G):
        return [each / (stdev(rewards_G) + LITTLE) for each in centred]
    return centred


def _whitened(groups: Sequence[Group], method: Method, charges: Sequence[Sequence[float]]) -> list[Advantage]:
    """In deviations of the batch: mean 0 and deviation 1 over all sampled tokens (REINFORCE++, arXiv 2501.03262).

    With a KL term in the reward a token's return is the trajectory's reward less what is charged from it on.
    """
    rewards = [rewards_of(group) for group in groups]
    unscaled = replace(method, scale="none")
    centred = [each for rewards_G in rewards for each in _of_group(rewards_G, unscaled, rewards)]
    played = [trajectory for group in groups for trajectory in group.trajectories]
    charged = charges or [(0.0,) * trajectory.generated_tokens for trajectory in played]
    returns = [
        [each - later for later in _sums_from(charge)] for each, charge in zip(centred, charged, strict=True)
    ]
    tokens = [each for one in returns for each in one]
    if not tokens:
        return [0.0] * len(played)
    mean, deviation = fmean(tokens), pstdev(tokens)
    if deviation < ZERO_VARIANCE:
        return [0.0] * len(played)
    scaled = [tuple((each - mean) / deviation for each in one) for one in returns]
    return list(scaled) if charges else [one[0] if one else 0.0 for one in scaled]


def _sums_from(values: Sequence[float]) -> list[float]:
    """Of each value, the sum from it on."""
    sums, later = list[float](), 0.0
    for value in reversed(values):
        later += value
        sums.append(later)
    return sums[::-1]


def _turn_advantages(group: Group, method: Method) -> list[Advantage]:
    """Process supervision (GRPO, arXiv 2402.03300, §4.1.3): each turn's reward against all turns' of the group,
    and of a token the sum from its turn on."""
    earned = [[turn.reward for turn in trajectory.turns] for trajectory in group.trajectories]
    flat = [reward for rewards in earned for reward in rewards]
    if len(flat) < 2 or zero_variance(flat):
        return [0.0] * len(earned)
    mean = fmean(flat)
    deviation = stdev(flat) + LITTLE if method.scale == "group" else 1.0
    normal = [[(reward - mean) / deviation for reward in rewards] for rewards in earned]
    return [
        _spread(trajectory, _sums_from(rewards))
        for trajectory, rewards in zip(group.trajectories, normal, strict=True)
    ]


def _state_advantages(group: Group, method: Method) -> list[Advantage]:
    """GiGPO (arXiv 2505.10978): the trajectory's advantage, and ω times that of the turn's discounted return
    among all turns of the group that were taken in the same state."""
    of_episodes = _of_group(rewards_of(group), method, [rewards_of(group)])
    returns = [_returns(trajectory, method.discount) for trajectory in group.trajectories]
    states = [_states(trajectory) for trajectory in group.trajectories]
    alike = defaultdict[str, list[tuple[int, int]]](list)
    for number, visited in enumerate(states):
        for turn, state in enumerate(visited):
            alike[state].append((number, turn))
    of_states = dict[tuple[int, int], float]()
    for places in alike.values():
        among = group_advantages([returns[number][turn] for number, turn in places], scaled=method.scale == "group")
        of_states |= dict(zip(places, among, strict=True))
    return [
        _spread(
            trajectory,
            [
                of_episodes[number] + method.state_weight * of_states[number, turn]
                for turn in range(len(trajectory.turns))
            ],
        )
        for number, trajectory in enumerate(group.trajectories)
    ]


def _returns(trajectory: Trajectory, discount: float) -> list[float]:
    """Of each turn: its reward and what came after, discounted."""
    returns, later = list[float](), 0.0
    for turn in reversed(trajectory.turns):
        later = turn.reward + discount * later
        returns.append(later)
    return returns[::-1]


def _states(trajectory: Trajectory) -> list[str]:
    """The state in which each turn was taken: the one that the turn before it led to; first the opening's."""
    visited = [trajectory.digest, *(turn.digest for turn in trajectory.turns[:-1])]
    if not all(visited):
        raise HeldoutError(
            f"credit by state compares turns in equal states, and {trajectory.task.env} does not tell its states: "
            "choose another train.credit"
        )
    return visited[: len(trajectory.turns)]


def _spread(trajectory: Trajectory, by_turn: Sequence[float]) -> tuple[float, ...]:
    """A number for each turn, for each token that it sampled."""
    return tuple(value for turn, value in zip(trajectory.turns, by_turn, strict=True) for _ in turn.reply.token_ids)
