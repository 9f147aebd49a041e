"""A suite behind AgentGym's protocol: one call in, one answer out, from any thread."""

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import count
from json import dumps
from random import Random
from typing import final

from heldout.config import Source
from heldout.envs.agentgym.protocol import ABOUT, ERROR, STEP, TASKS, About, not_valid, wire_of
from heldout.envs.base import Suite
from heldout.errors import BadCall, OriginalError, Unavailable
from heldout.integrations.agentgym.episodes import Episode, Episodes, Full, NotOpen
from heldout.integrations.agentgym.items import SPLITS, Items
from heldout.integrations.agentgym.messages import REQUIRED, HttpRequest, HttpResponse, Refused, in_body, in_query
from heldout.integrations.agentgym.responses import Content, manner_of
from heldout.records import Json, Step, Task, to_json

WORLD_TYPES = ("Text", "Embody", "Hybrid")
"""What ALFWorld's /reset may name; all are played as text."""

Route = Callable[[HttpRequest], HttpResponse]


@final
class App:
    """What a server of one suite answers; `chance` draws WebShop's numbers and first tasks."""

    def __init__(self, suite: Suite, source: Source, episodes: Episodes, chance: Random) -> None:
        if source.variant.changes:
            raise BadCall(f"AgentGym's protocol has no variants: leave {source.variant.name} out")
        self._suite, self._source, self._episodes, self._chance = suite, source, episodes, chance
        self._protocol, self._format = wire_of(suite.name), manner_of(suite.name)
        self._items = Items(suite, self._format.find)
        self._next = count()
        self._routes = self._own() | {key: self._observe(key[0], said) for key, said in self._format.more.items()}

    def answer(self, request: HttpRequest) -> HttpResponse:
        """What one call is answered; only a mistake of ours raises."""
        methods = {method: route for (method, path), route in self._routes.items() if path == request.path}
        if not methods:
            return HttpResponse({"detail": "Not Found"}, 404)
        if request.method not in methods:
            return HttpResponse({"detail": "Method Not Allowed"}, 405, {"allow": ", ".join(sorted(methods))})
        try:
            return methods[request.method](request)
        except Refused as refused:
            return refused.answer
        except NotOpen as missing:
            return self._error(not_valid(missing.number))
        except OriginalError as error:
            return self._error(str(error))
        except (Full, Unavailable) as passing:
            return HttpResponse({"error": str(passing)}, 503, {"retry-after": "1"})

    def _own(self) -> dict[tuple[str, str], Route]:
        """The paths that every server has, and ours."""
        response_format = self._format
        greeting = response_format.greeting or f"This is environment {self._suite.name}."
        routes: dict[tuple[str, str], Route] = {
            ("GET", "/"): lambda _: HttpResponse(greeting),
            ("POST", "/create"): self._create,
            ("POST", "/reset"): self._reset,
            ("POST", "/step"): self._step,
            ("POST", "/close"): self._close,
            ("GET", "/observation"): self._observe("GET", response_format.observed),
            ("GET", ABOUT): self._about,
            ("GET", TASKS): self._tasks,
        }
        if response_format.lists_episodes:
            routes["GET", "/list_envs"] = lambda _: HttpResponse(self._episodes.numbers())
        for path in response_format.broken:
            routes["GET", path] = lambda request: _server_error(f"{request.path} cannot work, as in the original")
        return routes

    def _create(self, request: HttpRequest) -> HttpResponse:
        created_with = self._format.created_with
        asked = in_body(request.body, self._items.number, **created_with) if created_with else {}
        episode = self._episodes.create(self._draw)
        try:
            with episode.lock:
                self._begin(episode, asked)
                return HttpResponse(self._format.created(self._suite, episode))
        except BaseException:
            self._episodes.close(episode.number)
            raise

    def _draw(self) -> int:
        highest = self._format.highest
        return next(self._next) if highest is None else self._chance.randint(0, highest)

    def _begin(self, episode: Episode, asked: dict[str, Json]) -> None:
        """What some originals play from the creation on."""
        match self._format.begins:
            case "number":
                task = self._items.task(episode.number)
            case "id":
                if (named := self._items.named(asked["id"])) is None:
                    return  # clients create with 0 whatever they play: /reset chooses
                task = named
            case "any":
                task = self._items.any(self._chance)
            case _:
                return
        episode.begin(task, self._suite.open(task))

    def _reset(self, request: HttpRequest) -> HttpResponse:
        protocol, item = self._protocol, {self._protocol.item: self._format.unnamed}
        wanted = {protocol.episode: REQUIRED, **item, **dict.fromkeys(protocol.reset_with, REQUIRED)}
        asked = in_body(request.body, self._items.number, **wanted)
        if asked.get("world_type", "Text") not in WORLD_TYPES:
            raise OriginalError('world_type must be one of "Text", "Embody" and "Hybrid"')
        with self._episodes.playing(asked[protocol.episode]) as episode:
            task = self._task_for(asked[protocol.item])
            episode.begin(task, self._suite.open(task))
            return self._respond_step(self._format.started, episode)

    def _step(self, request: HttpRequest) -> HttpResponse:
        asked = in_body(request.body, **{self._protocol.episode: REQUIRED, "action": REQUIRED})
        with self._episodes.playing(asked[self._protocol.episode]) as episode:
            # By rules `fixed` every episode is over when it is over.
            self._refuse_finished(episode, self._format.plays_on and self._suite.rules != "fixed")
            if episode.env is None:
                raise OriginalError(str(episode.number))  # the originals' table has no entry
            episode.step = episode.env.step(asked["action"])
            return self._respond_step(self._format.stepped, episode)

    def _close(self, request: HttpRequest) -> HttpResponse:
        asked = in_body(request.body, **{self._protocol.episode: REQUIRED})
        episode = self._episodes.close(asked[self._protocol.episode])
        return HttpResponse(episode is not None and (episode.env is not None or self._format.closes_unstarted))

    def _about(self, _: HttpRequest) -> HttpResponse:
        about = About(
            env=self._suite.name,
            source=self._source,
            words=self._suite.source,
            data=self._suite.data,
            episodes=len(self._episodes),
        )
        return HttpResponse(to_json(about))

    def _tasks(self, request: HttpRequest) -> HttpResponse:
        split = in_query(request.query, split=REQUIRED)["split"]
        if split not in SPLITS:
            raise Refused(
                422, [{"type": "enum", "loc": ["query", "split"], "msg": "Input should be train or test"}]
            )
        return HttpResponse(self._items.rows(split))

    def _observe(self, method: str, said: Content) -> Route:
        """Answers about an episode as it stands."""

        def asked(request: HttpRequest) -> HttpResponse:
            wanted = {self._protocol.episode: REQUIRED}
            found = in_query(request.query, **wanted) if method == "GET" else in_body(request.body, **wanted)
            with self._episodes.playing(found[self._protocol.episode]) as episode:
                self._refuse_finished(episode, self._format.plays_on)
                return HttpResponse(said(self._suite, episode))

        return asked

    def _refuse_finished(self, episode: Episode, plays_on: bool) -> None:
        if episode.over and not plays_on:
            raise OriginalError(f"The task with environment {episode.number} has finished.")

    def _task_for(self, item: int | None) -> Task:
        if item is not None:
            return self._items.task(item)
        if self._format.begins == "any":
            return self._items.any(self._chance)
        raise OriginalError("list indices must be integers or slices, not NoneType")

    def _respond_step(self, said: Content, episode: Episode) -> HttpResponse:
        """The answer, with what it leaves out of the step in a header for our own client."""
        return HttpResponse(said(self._suite, episode), headers={STEP: dumps(_remaining_fields(episode.step))})

    def _error(self, error: str) -> HttpResponse:
        if self._protocol.sends_error_text:
            return HttpResponse({"error": error})
        return _server_error(error)


def _server_error(error: str) -> HttpResponse:
    """A status of 500 that belongs to the protocol; what it was stands in a header."""
    return HttpResponse("Internal Server Error", 500, {ERROR: dumps(error[:LONGEST_ERROR])}, is_text=True)


LONGEST_ERROR = 500
"""Characters of an error in a header."""

LONGEST_REFUSAL = 80
"""Characters of a refusal in a header: enough to tell that there is one."""


def _remaining_fields(step: Step) -> dict[str, Json]:
    """A step's fields but its observation, with the beginning of a refusal, since that may quote much."""
    step = replace(step, refusal=step.refusal[:LONGEST_REFUSAL])
    names = (each.name for each in fields(step) if each.name != "observation")
    return {name: to_json(getattr(step, name)) for name in names}
