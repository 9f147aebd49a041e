"""A suite behind AgentGym's protocol: one call in, one answer out, from any thread."""

from collections.abc import Callable
from dataclasses import fields
from itertools import count
from json import dumps
from random import Random
from typing import final

from heldout.config import Source
from heldout.envs.agentgym.wire import ABOUT, ERROR, STEP, TASKS, About, not_valid, wire_of
from heldout.envs.base import Suite
from heldout.errors import BadCall, OriginalError, Unavailable
from heldout.integrations.agentgym.calls import REQUIRED, Answer, Call, Refused, in_body, in_query
from heldout.integrations.agentgym.episodes import Episode, Episodes, Full, NotOpen
from heldout.integrations.agentgym.items import SPLITS, Items
from heldout.integrations.agentgym.manners import Said, manner_of
from heldout.records import Json, Step, Task, to_json

WORLD_TYPES = ("Text", "Embody", "Hybrid")
"""What ALFWorld's /reset may name; all are played as text."""

Route = Callable[[Call], Answer]


@final
class Door:
    """What a server of one suite answers; `chance` draws WebShop's numbers and first tasks."""

    def __init__(self, suite: Suite, source: Source, episodes: Episodes, chance: Random) -> None:
        if source.variant.changes:
            raise BadCall(f"AgentGym's protocol has no variants: leave {source.variant.name} out")
        self._suite, self._source, self._episodes, self._chance = suite, source, episodes, chance
        self._wire, self._manner = wire_of(suite.name), manner_of(suite.name)
        self._items = Items(suite, self._manner.find)
        self._next = count()
        self._routes = self._own() | {key: self._asking(key[0], said) for key, said in self._manner.more.items()}

    def answer(self, call: Call) -> Answer:
        """What one call is answered; only a mistake of ours raises."""
        methods = {method: route for (method, path), route in self._routes.items() if path == call.path}
        if not methods:
            return Answer({"detail": "Not Found"}, 404)
        if call.method not in methods:
            return Answer({"detail": "Method Not Allowed"}, 405, {"allow": ", ".join(sorted(methods))})
        try:
            return methods[call.method](call)
        except Refused as refused:
            return refused.answer
        except NotOpen as missing:
            return self._error(not_valid(missing.number))
        except OriginalError as error:
            return self._error(str(error))
        except (Full, Unavailable) as passing:
            return Answer({"error": str(passing)}, 503, {"retry-after": "1"})

    def _own(self) -> dict[tuple[str, str], Route]:
        """The paths that every server has, and ours."""
        manner = self._manner
        greeting = manner.greeting or f"This is environment {self._suite.name}."
        routes: dict[tuple[str, str], Route] = {
            ("GET", "/"): lambda _: Answer(greeting),
            ("POST", "/create"): self._create,
            ("POST", "/reset"): self._reset,
            ("POST", "/step"): self._step,
            ("POST", "/close"): self._close,
            ("GET", "/observation"): self._asking("GET", manner.observed),
            ("GET", ABOUT): self._about,
            ("GET", TASKS): self._tasks,
        }
        if manner.lists_episodes:
            routes["GET", "/list_envs"] = lambda _: Answer(self._episodes.numbers())
        for path in manner.broken:
            routes["GET", path] = lambda call: _server_error(f"{call.path} cannot work, as in the original")
        return routes

    def _create(self, call: Call) -> Answer:
        created_with = self._manner.created_with
        asked = in_body(call.body, **created_with) if created_with else {}
        episode = self._episodes.create(self._draw)
        try:
            with episode.lock:
                self._begin(episode, asked)
                return Answer(self._manner.created(self._suite, episode))
        except BaseException:
            self._episodes.close(episode.number)
            raise

    def _draw(self) -> int:
        highest = self._manner.highest
        return next(self._next) if highest is None else self._chance.randint(0, highest)

    def _begin(self, episode: Episode, asked: dict[str, Json]) -> None:
        """What some originals play from the creation on."""
        match self._manner.begins:
            case "number":
                task = self._items.task(episode.number)
            case "id":
                task = self._items.task(asked["id"])
            case "any":
                task = self._items.any(self._chance)
            case _:
                return
        episode.begin(task, self._suite.open(task))

    def _reset(self, call: Call) -> Answer:
        wire, item = self._wire, {self._wire.item: self._manner.unnamed}
        asked = in_body(call.body, **{wire.episode: REQUIRED}, **item, **dict.fromkeys(wire.reset_with, REQUIRED))
        if asked.get("world_type", "Text") not in WORLD_TYPES:
            raise OriginalError('world_type must be one of "Text", "Embody" and "Hybrid"')
        with self._episodes.playing(asked[wire.episode]) as episode:
            task = self._asked_for(asked[wire.item])
            episode.begin(task, self._suite.open(task))
            return self._stepped(self._manner.started, episode)

    def _step(self, call: Call) -> Answer:
        asked = in_body(call.body, **{self._wire.episode: REQUIRED, "action": REQUIRED})
        with self._episodes.playing(asked[self._wire.episode]) as episode:
            # By rules `fixed` every episode is over when it is over.
            self._refuse_finished(episode, self._manner.plays_on and self._suite.rules != "fixed")
            if episode.env is None:
                raise OriginalError(str(episode.number))  # the originals' table has no entry
            episode.step = episode.env.step(asked["action"])
            return self._stepped(self._manner.stepped, episode)

    def _close(self, call: Call) -> Answer:
        asked = in_body(call.body, **{self._wire.episode: REQUIRED})
        episode = self._episodes.close(asked[self._wire.episode])
        return Answer(episode is not None and (episode.env is not None or self._manner.closes_unstarted))

    def _about(self, _: Call) -> Answer:
        about = About(
            env=self._suite.name,
            source=self._source,
            words=self._suite.source,
            data=self._suite.data,
            episodes=len(self._episodes),
        )
        return Answer(to_json(about))

    def _tasks(self, call: Call) -> Answer:
        split = in_query(call.query, split=REQUIRED)["split"]
        if split not in SPLITS:
            raise Refused(
                422, [{"type": "enum", "loc": ["query", "split"], "msg": "Input should be train or test"}]
            )
        return Answer(self._items.rows(split))

    def _asking(self, method: str, said: Said) -> Route:
        """Answers about an episode as it stands."""

        def asked(call: Call) -> Answer:
            wanted = {self._wire.episode: REQUIRED}
            found = in_query(call.query, **wanted) if method == "GET" else in_body(call.body, **wanted)
            with self._episodes.playing(found[self._wire.episode]) as episode:
                self._refuse_finished(episode, self._manner.plays_on)
                return Answer(said(self._suite, episode))

        return asked

    def _refuse_finished(self, episode: Episode, plays_on: bool) -> None:
        if episode.over and not plays_on:
            raise OriginalError(f"The task with environment {episode.number} has finished.")

    def _asked_for(self, item: int | None) -> Task:
        if item is not None:
            return self._items.task(item)
        if self._manner.begins == "any":
            return self._items.any(self._chance)
        raise OriginalError("list indices must be integers or slices, not NoneType")

    def _stepped(self, said: Said, episode: Episode) -> Answer:
        """The answer, with what it leaves out of the step in a header for our own client."""
        return Answer(said(self._suite, episode), headers={STEP: dumps(_unsaid(episode.step))})

    def _error(self, told: str) -> Answer:
        if self._wire.errors_are_told:
            return Answer({"error": told})
        return _server_error(told)


def _server_error(told: str) -> Answer:
    """A status of 500 that belongs to the protocol; what it was stands in a header."""
    return Answer("Internal Server Error", 500, {ERROR: dumps(told[:MOST_TOLD])}, is_text=True)


MOST_TOLD = 500
"""Characters of an error in a header."""


def _unsaid(step: Step) -> dict[str, Json]:
    """A step's fields but its observation, and what of that is a refusal."""
    names = (each.name for each in fields(step) if each.name not in ("observation", "refusal"))
    return {name: to_json(getattr(step, name)) for name in names}
