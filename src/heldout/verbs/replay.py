"""`heldout replay`: recorded episodes played again, compared word for word."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from lzma import compress
from pathlib import Path

from heldout.config import Source
from heldout.envs.base import Recordings
from heldout.envs.recorded import RecordedEpisode, dialogue_in, episode_in, is_dialogue, item_of, line_of
from heldout.envs.registry import item_id, open_suite
from heldout.envs.replay import Replayed, replay_episode
from heldout.errors import BadCall, HeldoutError
from heldout.records import Json
from heldout.reporting.differences import format_difference
from heldout.store.files import replace_file
from heldout.store.lines import line, read_lines

SHOWN = 20
"""The differences that are printed in full."""


def replay(*, file: Path, rules: str, out: Path | None, limit: int | None) -> None:
    """Plays the episodes of a file again, prints where we answer otherwise, and fails if we do."""
    played, shown = list[Replayed](), 0
    for one in islice(replays(file, rules), limit):
        played.append(one)
        for difference in one.differences[: SHOWN - shown]:
            print(format_difference(difference) + "\n")
            shown += 1
    if out is not None:
        _write(out, [one.episode for one in played])
    apart = [len(one.differences) for one in played if one.differences]
    if sum(apart) > shown:
        print(f"… and {sum(apart) - shown} more differences")
    steps = sum(len(one.episode.steps) for one in played)
    print(f"episodes: {len(played)}, steps: {steps}, differences: {sum(apart)}")
    if not played:
        raise HeldoutError(f"{file} holds no episodes")
    if apart:
        raise HeldoutError(f"{file}: we answer otherwise in {len(apart)} of {len(played)} episodes")


def replays(file: Path, rules: str) -> Iterator[Replayed]:
    """The episodes of a file as they go by some rules, one after the other."""
    reader = Reader(Source(rules=rules))
    for place, episode in reader.episodes(file):
        with naming_place(place):
            recordings = reader.recordings(episode.env)
            env = recordings.open(episode)
        yield replay_episode(episode, env, past_end=rules == "agentgym", beside=recordings.beside)


def _write(path: Path, episodes: list[RecordedEpisode]) -> None:
    """Writes episodes in the form that they are read in; compressed where the name ends in `.xz`."""
    content = b"".join(line(line_of(episode)) for episode in episodes)
    replace_file(path, compress(content) if path.suffix == ".xz" else content)


@dataclass
class Reader:
    """Reads the lines of one file: an episode as it stands, a dialogue by what its environment makes of it."""

    source: Source
    items: dict[str, int] = field(default_factory=dict)
    """The items of the dialogues so far, each with its place among them."""

    def episodes(self, file: Path) -> Iterator[tuple[str, RecordedEpisode]]:
        """The episodes of a file, and the place of each there."""
        for number, value in read_lines(file):
            with naming_place(place := f"{file}: line {number}"):
                episode = self.read(value, f"line {number}")
            yield place, episode

    def read(self, value: Json, name: str) -> RecordedEpisode:
        """The episode of a line; `name` is the line's."""
        if not is_dialogue(value):
            episode = episode_in(value, name)
            start = episode.start and self.recordings(episode.env).compared(episode.start)
            return replace(episode, start=start)
        if isinstance(named := value.get("item_id"), str):
            value = {**value, "item_id": item_id(named)}
        place = self.items.setdefault(item_of(value), len(self.items))
        dialogue = dialogue_in(value, place, name)
        return self.recordings(dialogue.env).episode_of(dialogue)

    def recordings(self, env: str) -> Recordings:
        """What an environment adds for its recordings."""
        suite = open_suite(env, self.source)
        if suite.recordings is None:
            raise BadCall(f"{env} cannot play recorded episodes again")
        return suite.recordings


@contextmanager
def naming_place(place: str) -> Iterator[None]:
    """Says where in the file a wrong value stands."""
    try:
        yield
    except BadCall as error:
        raise HeldoutError(f"{place}: {error}") from error
