"""One episode in words: by our rules, or as the original server plays it."""

from dataclasses import replace
from typing import final

from heldout.config import AS_IT_STANDS, Variant
from heldout.envs.alfworld.goals import is_reached
from heldout.envs.alfworld.structured import structured_answer, structured_opening
from heldout.envs.alfworld.words import NOTHING_HAPPENS, available, describe_result, explain_refusal, opening, read
from heldout.envs.alfworld.world import RuleBroken, World
from heldout.envs.wording import format_sentence, format_structured
from heldout.errors import OriginalError
from heldout.records import Ending, Step

MOST_STEPS = 50
"""After so many the original ends an episode, whatever they did."""

LISTED = "\nAVAILABLE ACTIONS: "
"""Before the list of actions that AgentGym's client adds to the first observation, and to no other."""


@final
class AlfWorld:
    """One episode by our rules: a refusal says why, and only the goal ends it."""

    def __init__(self, world: World, variant: Variant = AS_IT_STANDS) -> None:
        self._world = world
        self._variant = variant
        self._structured = variant.observations == "structured"

    @property
    def world(self) -> World:
        """The household behind the words."""
        return self._world

    def start(self) -> Step:
        """The room, the goal, and the actions that are possible at the start."""
        first = format_structured(structured_opening(self._world)) if self._structured else opening(self._world)
        listed = "" if self._variant.actions == "hidden" else self._list_actions()
        return Step(first + listed, digest=self._world.digest)

    def step(self, action: str) -> Step:
        """The answer to one action: what it did, or why it was refused."""
        move = read(" ".join(action.lower().split()), moves=self._world.house.edition.moves)
        if move is None:
            return self._refuse(NOTHING_HAPPENS)
        try:
            self._world.act(move)
        except RuleBroken as mistake:
            return self._refuse(explain_refusal(mistake))
        done = is_reached(self._world)
        answer = (
            format_structured(structured_answer(self._world, move))
            if self._structured
            else describe_result(self._world, move)
        )
        return self._answer(answer, ended=done)

    def _refuse(self, why: str) -> Step:
        return replace(self._answer(format_sentence(self._variant, "error", why)), refusal=why)

    def _answer(self, answer: str, *, ended: bool = False) -> Step:
        listed = self._list_actions() if self._variant.actions == "shown" and not ended else ""
        return _answer(self._world, answer + listed, ended=ended)

    def _list_actions(self) -> str:
        actions = available(self._world)
        return "\n" + format_structured({"actions": actions}) if self._structured else LISTED + ",".join(actions)


@final
class OriginalAlfWorld:
    """One episode as AgentGym's server plays it, quirk by quirk; after the end it raises its error reply."""

    def __init__(self, world: World, *, lists_actions: bool = True, most_steps: int = MOST_STEPS) -> None:
        self._world = world
        self._lists_actions = lists_actions
        self._most_steps = most_steps
        self._steps = 0
        self._over = False

    @property
    def world(self) -> World:
        """The household behind the words."""
        return self._world

    def start(self) -> Step:
        """The first look around and the goal; the list of actions is the client's part."""
        listed = LISTED + ",".join(available(self._world)) if self._lists_actions else ""
        return Step(opening(self._world) + listed, digest=self._world.digest)

    def step(self, action: str) -> Step:
        """The answer to one action; whatever cannot be done is answered alike."""
        if self._over:
            raise OriginalError("The task with environment 0 has finished.")
        answer = self._play(action.strip())
        self._steps += 1
        won = is_reached(self._world)
        self._over = won or self._steps >= self._most_steps
        step = _answer(self._world, answer, ended=won)
        return step.cut(Ending.OUT_OF_TURNS) if self._over and not won else step

    def _play(self, action: str) -> str:
        move = read(action, moves=self._world.house.edition.moves)
        if move is None:
            return NOTHING_HAPPENS
        try:
            self._world.act(move)
        except RuleBroken:
            return NOTHING_HAPPENS
        return describe_result(self._world, move)


def _answer(world: World, answer: str, *, ended: bool) -> Step:
    paid = float(ended)
    return Step(answer, reward=paid, score=paid, ending=Ending.SOLVED if ended else None, digest=world.digest)
