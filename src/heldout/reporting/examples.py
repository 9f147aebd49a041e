"""Which episodes a report shows: by a rule, so that nobody picks the pretty ones."""

from collections.abc import Iterable
from dataclasses import dataclass

from heldout.records import Ending, Task, Trajectory, digest


@dataclass(frozen=True, slots=True)
class Example:
    """The first attempt at one task, before and after."""

    why: str
    before: Trajectory
    after: Trajectory

    @property
    def gain(self) -> float:
        """How much the score rose."""
        return self.after.score - self.before.score


def examples(before: Iterable[Trajectory], after: Iterable[Trajectory]) -> list[Example]:
    """The tasks whose first attempts gained most, middlingly and least; ties go by the hash of the task."""
    befores, afters = _first_attempts(before), _first_attempts(after)
    pairs = [Example("", befores[task], afters[task]) for task in befores.keys() & afters.keys()]
    pairs.sort(key=lambda pair: (-pair.gain, _hash_of(pair.before.task)))
    places = {0: "the largest gain", len(pairs) // 2: "the middle one", len(pairs) - 1: "the smallest gain"}
    return [Example(places[i], pair.before, pair.after) for i, pair in enumerate(pairs) if i in places]


def _hash_of(task: Task) -> str:
    return digest({"env": task.env, "world": dict(task.world)})


def _first_attempts(trajectories: Iterable[Trajectory]) -> dict[tuple[str, str], Trajectory]:
    """The first attempt at each task, unless the infrastructure broke it."""
    firsts = [one for one in trajectories if one.attempt == 0 and one.ending is not Ending.ERROR]
    return {(one.task.env, one.task.id): one for one in firsts}
