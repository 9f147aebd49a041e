"""One episode in words: by our rules, or as the original server plays it."""

from dataclasses import replace
from typing import final

from heldout.config import AS_IT_STANDS, Variant
from heldout.envs.babyai.moves import Move, Verb
from heldout.envs.babyai.words import (
    COMPLETED,
    FAILED,
    NO_TIME,
    UNCHANGED,
    UNKNOWN,
    UNLISTED,
    answer_check,
    describe_view,
    explain_refusal,
    facts,
    format_order,
    list_moves,
    list_moves_tersely,
    original_goal,
    terse,
)
from heldout.envs.babyai.world import Outcome, World
from heldout.envs.wording import format_structured
from heldout.errors import OriginalError
from heldout.records import Ending, Step

CHECK = "check"
"""What an action has in it that asks for the list."""


@final
class BabyAI:
    """One episode by our rules: it ends the first time that minigrid says so, at any primitive of a move.

    Success scores minigrid's reward, 1 - 0.9 * steps / max_steps, however slow; a spoiled task and one out of
    minigrid's steps end failed and score 0.
    """

    def __init__(self, world: World, *, pocket: bool = False, variant: Variant = AS_IT_STANDS) -> None:
        self._world = world
        self._pocket = pocket
        self._lists_actions = variant.actions != "hidden"
        self._structured = variant.observations == "structured"

    @property
    def world(self) -> World:
        """The grid behind the words."""
        return self._world

    def start(self) -> Step:
        """The goal and the first look."""
        goal = "" if self._pocket or self._structured else f"Your goal: {self._world.mission}\n"
        return self._step(goal + self._look())

    def step(self, action: str) -> Step:
        """The answer to one action: what is seen after it, or why it was refused."""
        order = action.lower().strip().replace("pick up", "pickup", 1)
        if CHECK in order and self._lists_actions:
            return self._step(self._beside(answer_check(self._world.table.offers)))
        answer = _parse_or_refuse(self._world, order)
        if not self._lists_actions and (CHECK in order or answer == UNKNOWN):
            answer = UNLISTED
        if isinstance(answer, str):
            return replace(self._step(self._beside(answer)), refusal=answer)
        return self._judge(self._world.act(answer))

    def _beside(self, answer: str) -> str:
        """What is said to an action that moved nothing; in the terse wordings the look comes with it."""
        if self._structured:
            return f"{format_structured({'answer': answer})}\n{self._look()}"
        return f"{answer} {self._look()}" if self._pocket else answer

    def _judge(self, outcome: Outcome) -> Step:
        if outcome.terminated and outcome.reward > 0:
            return self._end(Ending.SOLVED, COMPLETED, outcome.reward)
        if outcome.terminated:
            return self._end(Ending.FAILED, FAILED)
        if outcome.truncated:
            return self._end(Ending.FAILED, NO_TIME)
        return self._step(self._look())

    def _end(self, ending: Ending, said: str, reward: float = 0.0) -> Step:
        score = min(max(reward, 0.0), 1.0)
        told = (
            f"{self._look()}\n{format_structured({'end': said.strip()})}"
            if self._structured
            else self._look() + said
        )
        return self._step(told, score).cut(ending)

    def _step(self, text: str, score: float = 0.0) -> Step:
        return Step(text + self._list_moves(), reward=score, score=score, digest=self._world.digest)

    def _list_moves(self) -> str:
        if not self._lists_actions:
            return ""
        if self._structured:
            told = (order for order in self._world.table.offers if not (self._pocket and order.verb is Verb.CHECK))
            return "\n" + format_structured({"actions": [*map(format_order, told)]})
        return list_moves_tersely(self._world.table) if self._pocket else list_moves(self._world.table.offers)

    def _look(self) -> str:
        if self._structured:
            return format_structured({"goal": self._world.mission, **facts(self._world.sight)})
        if self._pocket:
            return f"Goal: {self._world.mission}. {terse(self._world.sight)}"
        return describe_view(self._world.sight)


@final
class OriginalBabyAI:
    """One episode as AgentGym's server plays it, quirk by quirk; after the end it raises its error reply."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reward = 0.0
        self._score = 0.0
        self._done = False

    @property
    def world(self) -> World:
        """The grid behind the words."""
        return self._world

    def start(self) -> Step:
        """The goal without its order, and the first look."""
        return self._step(f"Your goal: {original_goal(self._world.mission)}\n{describe_view(self._world.sight)}")

    def step(self, action: str) -> Step:
        """The answer to one action; the last move's reward is paid again whatever is asked (Q-BA7)."""
        if self._done:
            raise OriginalError("The task with environment 0 has finished.")
        order = action.lower().strip()
        checks = CHECK in order
        answer = answer_check(self._world.table.offers) if checks else _parse_or_refuse(self._world, order)
        if isinstance(answer, Move):
            answer = self._play(answer)
        self._score += self._reward
        return self._step(answer)

    def _play(self, move: Move) -> str:
        outcome = self._world.act(move)
        self._reward = outcome.reward
        self._done = outcome.terminated and outcome.reward > 0.5
        return describe_view(self._world.sight) + (COMPLETED if outcome.terminated else "")

    def _step(self, text: str) -> Step:
        return Step(
            text + list_moves(self._world.table.offers),
            reward=self._reward,
            score=self._score,
            ending=Ending.SOLVED if self._done else None,
            digest=self._world.digest,
        )


def _parse_or_refuse(world: World, action: str) -> Move | str:
    """The move that an action names, or why there is none."""
    if not action:
        return UNCHANGED
    offers = {format_order(order): move for order, move in world.table.offers.items()}
    if action in offers:
        return offers[action] if offers[action].primitives else UNCHANGED
    reasons = {
        format_order(order): explain_refusal(order, refusal) for order, refusal in world.table.refusals.items()
    }
    return reasons.get(action, UNKNOWN)
