"""The algorithms that a stage can learn by, each one value: adding one adds a value, and no branch anywhere.

An algorithm says how advantages come from groups, which groups are learned from, how tokens are weighed against
each other, and what is minimised at each token.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from heldout.config import Train
from heldout.errors import unknown
from heldout.learn.advantages import group_advantages, zero_variance
from heldout.learn.batch import AGGREGATIONS, Advantage, Sample, samples_of
from heldout.learn.losses import Loss, clipped_surrogate, is_clipped, is_never, negative_log_likelihood
from heldout.records import Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """How a batch of groups becomes the loss of an update."""

    name: str
    advantages: Callable[[Sequence[Group]], list[Advantage]]
    """Of each trajectory in order, from all groups of the batch: one number, or one for each sampled token."""
    keeps: Callable[[Group, Train], bool]
    """Whether a group is learned from."""
    draws_more: bool = False
    """Whether other tasks are drawn in the place of groups that are not kept, until the batch is full."""
    aggregation: str = "sequence"
    """How tokens are weighed where the settings do not say: a name of `AGGREGATIONS`."""
    loss: Loss = clipped_surrogate
    """What is minimised at each token; weights are its only other factor."""
    clipped: Loss = is_clipped
    """Where the loss has no gradient since its ratio was clipped."""
    off_policy: bool = True
    """Whether tokens come from an engine whose policy may not quite be the learner's, and are weighed for that."""


def samples(algorithm: Algorithm, groups: Sequence[Group], settings: Train) -> list[Sample]:
    """Every trajectory of the groups as a sequence to learn from, with its advantage."""
    trajectories = [trajectory for group in groups for trajectory in group.trajectories]
    aggregation = settings.loss_aggregation or algorithm.aggregation
    return samples_of(trajectories, algorithm.advantages(groups), aggregation)


def algorithm_of(name: str) -> Algorithm:
    """The algorithm of that name, however it is capitalised; another is refused with the choices."""
    if name.lower() not in ALGORITHMS:
        raise unknown("algorithm", name, ALGORITHMS)
    return ALGORITHMS[name.lower()]


def refuse_unknown_aggregation(name: str) -> None:
    """Refuses a way of weighing tokens that there is not."""
    if name and name not in AGGREGATIONS:
        raise unknown("loss aggregation", name, AGGREGATIONS)


def _rewards_of(group: Group) -> list[float]:
    """What each trajectory of a group earned."""
    return [trajectory.reward for trajectory in group.trajectories]


def _relative_to_group(groups: Sequence[Group]) -> list[Advantage]:
    """Eq. 4: each reward against its own group."""
    return [advantage for group in groups for advantage in group_advantages(_rewards_of(group))]


def _says_something(group: Group, settings: Train) -> bool:
    """A group whose rewards agree has no gradient but that of a KL term."""
    return bool(settings.kl) or not zero_variance(_rewards_of(group))


def _ones(groups: Sequence[Group]) -> list[Advantage]:
    return [1.0 for group in groups for _ in group.trajectories]


def _always(group: Group, settings: Train) -> bool:
    del group, settings
    return True


GRPO = Algorithm(name="grpo", advantages=_relative_to_group, keeps=_says_something)
"""Group relative policy optimization (Shao et al. 2024, arXiv 2402.03300), as the paper's Eq. 4 and 5."""

IMITATION = Algorithm(
    name="imitation",
    advantages=_ones,
    keeps=_always,
    aggregation="token",
    loss=negative_log_likelihood,
    clipped=is_never,
    off_policy=False,
)
"""Each token that was said is made likelier, by its weight alone."""

ALGORITHMS: Mapping[str, Algorithm] = {each.name: each for each in (GRPO,)}
"""What `train.algorithm` may be; heldout.config has the names too, for who must not load a learner."""
