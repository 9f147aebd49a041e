"""Training and test tasks that are the same: by an id that stands twice, or by what two ids lead to."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from heldout.data.check import Check, Noted, check_source
from heldout.data.folder import IDS, ids_needed, ids_path, lacking
from heldout.errors import BadCall, HeldoutError

Pools = Mapping[str, Iterable[tuple[str, Hashable]]]
"""The tasks of each split: an id, and what tells whether two tasks are one."""


@dataclass(frozen=True, slots=True)
class _Twin:
    """A task that is another one, which came before it."""

    id: str
    split: str
    before: str
    split_before: str

    @property
    def is_refused(self) -> bool:
        """Whether it makes the lists wrong: a task of two splits, or an id twice; two of a split may be alike."""
        return self.split != self.split_before or self.id == self.before

    def __str__(self) -> str:
        if self.id == self.before and self.split == self.split_before:
            return f"{self.id} stands twice in the {self.split} ids"
        if self.id == self.before:
            return f"{self.id} is in the {self.split} ids and in the {self.split_before} ids"
        return f"{self.id} ({self.split}) is the same task as {self.before} ({self.split_before})"


def _twins(pools: Pools) -> Iterator[_Twin | None]:
    """For each task in turn the one before it that it is; None where it is the first."""
    seen = dict[Hashable, tuple[str, str]]()
    for split, tasks in pools.items():
        for item, content in tasks:
            yield _Twin(item, split, *seen[content]) if content in seen else None
            seen.setdefault(content, (item, split))


def refuse_twins(data: Path, env: str, pools: Pools) -> None:
    """Refuses lists under the folder whose training and test tasks overlap, or that name a task twice."""
    wrong = [each for each in _twins(pools) if each and each.is_refused]
    if wrong:
        more = f", and {len(wrong) - 1} more are as wrong" if len(wrong) > 1 else ""
        raise BadCall(f"{data / ids_path(env, wrong[0].split)}: {wrong[0]}{more}")


def check_pools(data: Path, env: str, pools: Callable[[], Pools]) -> Iterator[Check]:
    """Whether each task is in one split, once: what is in two is a fault, what one split has twice is noted.

    Nothing where a list is not there or is of no tasks: that is told of the list itself.
    """
    if lacking(data, ids_needed(env)):
        return
    try:
        found = list(_twins(pools()))
    except HeldoutError:
        return
    yield check_source(data, IDS, f"{env} tasks that no other one is", lambda: found, _is_first)


def _is_first(same: _Twin | None) -> bool:
    if same:
        raise (BadCall if same.is_refused else Noted)(str(same))
    return True
