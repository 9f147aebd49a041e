"""Learning by imitation: players' episodes as dialogues, and the loss on what they said."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.errors import HeldoutError
from heldout.learn.batch import Sample
from heldout.model.chat import Chat
from heldout.policies.privileged import OracleNoise, noisy_oracle
from heldout.records import Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

OBSERVED = 0.05
"""What an observed token counts beside a said one: reading the world is worth learning too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """A dialogue: the opening, then replies and observations in turn; the last observation is not read."""

    opening: str
    said: tuple[str, ...]
    observed: tuple[str, ...]


def demonstrations(
    suites: Callable[[str], Suite],
    pool: Sequence[Task],
    numbers: Iterable[int],
    noise: OracleNoise,
    *,
    max_turns: int,
    seed: int,
) -> Iterator[Demonstration]:
    """The episodes of these numbers of the oracle with planted mistakes; those that ran out of turns are kept.

    The pool's tasks in turn: where there are more numbers than tasks they are played again, with other mistakes.
    """
    assignments = (
        Assignment(task=pool[place], attempt=attempt, seed=seed, stream="demonstrations")
        for attempt, place in (divmod(number, len(pool)) for number in numbers)
    )
    for trajectory in play(noisy_oracle(suites, noise), assignments, Limits(max_turns=max_turns), suites):
        yield _demonstration_of(trajectory)


def _demonstration_of(trajectory: Trajectory) -> Demonstration:
    """The words of a trajectory."""
    return Demonstration(
        opening=trajectory.opening,
        said=tuple(turn.reply.text for turn in trajectory.turns),
        observed=tuple(turn.observation for turn in trajectory.turns),
    )


def texts_of(demonstration: Demonstration) -> list[str]:
    """Every text in it, for training a tokenizer."""
    return [demonstration.opening, *demonstration.said, *demonstration.observed]


def sample_of(chat: Chat, demonstration: Demonstration) -> Sample:
    """The ids as the policy would meet them; weights are 1 for what was said, `OBSERVED` for the rest.

    The weights are not yet shares of a batch: `normalise_weights` makes them so.
    """
    ids, weights = list[int](), list[float]()
    for read, said in chat.dialogue(demonstration.opening, demonstration.said, demonstration.observed):
        ids += [*read, *said]
        weights += [OBSERVED] * len(read) + [1.0] * len(said)
    return Sample(ids=tuple(ids), weights=tuple(weights))


def normalise_weights(samples: Sequence[Sample]) -> list[Sample]:
    """The samples as one batch: their weights sum to 1."""
    total = sum(sum(sample.weights) for sample in samples)
    return [
        Sample(ids=sample.ids, weights=tuple(weight / total for weight in sample.weights)) for sample in samples
    ]


def batches(samples: Sequence[Sample], tokens: int, rng: Random) -> Iterator[list[Sample]]:
    """Endless batches of `tokens` ids or a little more; in each round a new order, whose rest is left out."""
    there = sum(len(sample.ids) for sample in samples)
    if there < tokens:
        raise HeldoutError(f"{there} ids of demonstrations do not fill one batch of {tokens}")
    while True:
        order = list(samples)
        rng.shuffle(order)
        batch, size = list[Sample](), 0
        for sample in order:
            batch.append(sample)
            size += len(sample.ids)
            if size >= tokens:
                yield normalise_weights(batch)
                batch, size = [], 0
