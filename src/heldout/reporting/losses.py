"""Attempts that have no result, in words: a figure never hides how many it is not of."""

from collections.abc import Iterable

from heldout.analysis.scores import Attempts


def loss_lines(found: Iterable[Attempts]) -> list[str]:
    """A line for each figure that some attempts are not in; none where all were played."""
    return [_line(each) for each in found if each.played < each.asked]


def _line(attempts: Attempts) -> str:
    causes = {"lost to errors": attempts.broken, "never played": attempts.unplayed}
    first, *others = [(count, cause) for cause, count in causes.items() if count]
    told = [f"{first[0]} of {attempts.asked} attempts {first[1]}", *(f"{count} {cause}" for count, cause in others)]
    return f"{attempts.cell.name}: {' and '.join(told)}, counted in no figure"
