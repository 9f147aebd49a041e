"""The figures of a training's steps: one row a step, cut back when a run goes on from an earlier one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

from heldout.errors import HeldoutError
from heldout.records import Json
from heldout.store.files import replace_file
from heldout.store.lines import Lines, line


@final
class Metrics:
    """Rows of plain names and numbers in a JSON-lines file; each has its `step`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = Lines(path)

    def add(self, row: Mapping[str, Json]) -> None:
        """Adds the row of one step."""
        self._lines.add([dict(row)], sync=True)

    def cut_to(self, step: int) -> None:
        """Keeps the rows up to this step, it included: the others will be made again."""
        kept = [row for row in self if row["step"] <= step]
        if self.path.exists():
            replace_file(self.path, b"".join(map(line, kept)))

    def whole(self) -> int:
        """The step up to which every row is there, from the first step on."""
        steps = [row["step"] for row in self]
        return next((before for before, step in enumerate(steps) if step != before + 1), len(steps))

    def __iter__(self) -> Iterator[dict[str, Json]]:
        """A row a step, in order; of a step that was made twice the last one."""
        rows = dict[int, dict[str, Json]]()
        for number, row in self._lines:
            if not isinstance(row, dict) or not isinstance(row.get("step"), int):
                raise HeldoutError(f"{self.path} is damaged: line {number} is not the row of a step")
            rows[row["step"]] = row
        return iter([rows[step] for step in sorted(rows)])

    def __len__(self) -> int:
        """How many steps there are."""
        return sum(1 for _ in self)
