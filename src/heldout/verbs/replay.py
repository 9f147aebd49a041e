"""`heldout replay`: recorded episodes played again, compared word for word."""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from lzma import compress
from pathlib import Path

from heldout.config import Config, with_overrides
from heldout.envs.logs import Logs, Recorded, Unusable
from heldout.envs.recorded import RecordedEpisode, line_of
from heldout.envs.replay import Replayed, replay_episode
from heldout.errors import BadCall, HeldoutError
from heldout.printable import printable_line
from heldout.reporting.differences import format_difference
from heldout.store.files import replace_file
from heldout.store.lines import line

SHOWN = 20
"""The differences that are printed in full, and the values that cannot be played."""


def replay(
    *,
    file: Path,
    rules: str | None,
    env: str | None,
    max_steps: int | None,
    out: Path | None,
    limit: int | None,
    settings: Sequence[str],
) -> None:
    """Plays the episodes of a file or folder again, prints where we answer otherwise, and fails if we do."""
    source = with_overrides(Config(), settings).source
    logs = Logs(source=source, rules=rules or "", env=env or "", max_steps=max_steps)
    played, unusable, shown = list[Replayed](), list[Unusable](), 0
    for one in islice(replays(file, logs), limit):
        if isinstance(one, Unusable):
            unusable.append(one)
            continue
        played.append(one)
        for difference in one.differences[: SHOWN - shown]:
            print(format_difference(difference) + "\n")
            shown += 1
    _refuse_nothing(file, played, unusable)
    if out is not None:
        _write(out, [one.episode for one in played])
    _report(file, played, unusable, shown)


def replays(path: Path, logs: Logs) -> Iterator[Replayed | Unusable]:
    """The episodes of a file or folder, played again one after the other; and what there cannot be played."""
    for found in logs.read(path):
        yield found if isinstance(found, Unusable) else _play(found)


def _play(found: Recorded) -> Replayed | Unusable:
    try:
        env = found.open()
    except BadCall as error:
        return Unusable(place=found.place, why=str(error))
    return replay_episode(found.episode, env, past_end=found.past_end, beside=found.beside)


def _refuse_nothing(file: Path, played: Sequence[Replayed], unusable: Sequence[Unusable]) -> None:
    """Refuses a file in which nothing can be played, with the first reason."""
    if played:
        return
    if not unusable:
        raise HeldoutError(f"{file} holds no episodes")
    others = len(unusable) - 1
    more = f" (and so {'is 1 other' if others == 1 else f'are {others} others'})" if others else ""
    raise HeldoutError(f"{unusable[0].place}: {unusable[0].why}{more}")


def _report(file: Path, played: Sequence[Replayed], unusable: Sequence[Unusable], shown: int) -> None:
    """Counts what was played, and says what could not be; fails where we answer otherwise."""
    for one in unusable[:SHOWN]:
        print(printable_line(f"not played: {one.place}: {one.why}"), file=sys.stderr)
    if len(unusable) > SHOWN:
        print(f"not played: {len(unusable) - SHOWN} more", file=sys.stderr)
    apart = [len(one.differences) for one in played if one.differences]
    if sum(apart) > shown:
        print(f"… and {sum(apart) - shown} more differences")
    steps = sum(len(one.episode.steps) for one in played)
    left = f", not played: {len(unusable)}" if unusable else ""
    print(f"episodes: {len(played)}, steps: {steps}, differences: {sum(apart)}{left}")
    if apart:
        raise HeldoutError(f"{file}: we answer otherwise in {len(apart)} of {len(played)} episodes")


def _write(path: Path, episodes: Sequence[RecordedEpisode]) -> None:
    """Writes episodes in the form that they are read in; compressed where the name ends in `.xz`."""
    content = b"".join(line(line_of(episode)) for episode in episodes)
    replace_file(path, compress(content) if path.suffix == ".xz" else content)
