"""A suite with some of its traits changed: refusals told alike, other rewards, made-up words (docs/variants.md).

What observations list, and in what form, the suites word themselves from the source's variant; the rest is wrapped
around them here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, final

from heldout.config import Source
from heldout.envs.base import Env, Suite, Traits, World
from heldout.envs.react import SEVERAL, Misread
from heldout.envs.renaming import Renaming, renaming
from heldout.envs.validation import with_validation
from heldout.errors import BadCall, choose_from
from heldout.records import Ending, Step, Task

UNIFORM = "Nothing happens."
"""What every refused action is told where feedback is uniform."""

Change = Callable[[Step, World], Step]
"""What a variant makes of a step that led to this world; one episode's alone."""


def apply_variant(suite: Suite, source: Source, having: Callable[[str], Iterable[str]]) -> Suite:
    """The suite that was opened over that source, with all that the variant changes.

    What is so already is no change: the suite and its rows are then those of the environment itself. `having`
    names the environments of which a trait can be changed, for errors.
    """
    stands = suite.variants.stands
    changes = {
        trait
        for trait, value in source.variant.changes.items()
        if value != stands.get(trait) or (trait == "replies" and suite.rules != "fixed")
    }
    for trait in sorted(changes):
        _refuse(suite, source, trait, having)
    if not changes:
        return suite
    asked = {trait: getattr(source.variant, trait) for trait in changes}
    variants = replace(suite.variants, chosen=replace(suite.variant, **asked))
    changed = replace(suite, variants=variants, traits=_traits(suite.traits, asked), recordings=None)
    if reward := asked.get("reward"):
        changed = _wrap_steps(changed, lambda: _binary if reward == "binary" else _Dense(suite.variants.remaining))
    if asked.get("replies") == "single":
        changed = _with_single_actions(changed)
    if validation := asked.get("validation"):
        changed = with_validation(changed, validation)
    if "feedback" in asked:
        changed = _with_uniform_feedback(changed)
    return _rename(changed, asked["words"]) if "words" in asked else changed


def can_change(suite: Suite, trait: str) -> bool:
    """Whether a variant can change that trait of the suite."""
    return bool(suite.variants.words) if trait == "words" else trait in suite.variants.stands


def _refuse(suite: Suite, source: Source, trait: str, having: Callable[[str], Iterable[str]]) -> None:
    """Refuses a change that the suite does not have."""
    asked = f"{trait}={getattr(source.variant, trait)}"
    if trait in suite.variants.fixed:
        raise BadCall(f"{suite.name} has no variant {asked}: {suite.variants.fixed[trait]}")
    if not can_change(suite, trait):
        there = choose_from(suite.name, having(trait), lead=f"environments that have {trait}")
        raise BadCall(f"{suite.name} has no variant {asked} ({there})")
    if source.rules == "agentgym" and trait != "answers":
        raise BadCall(f"a variant such as {asked} is of the rules `fixed`: those of the originals are as they are")


COLUMNS = {
    "actions": ("lists_actions", "shown"),
    "observations": ("structured", "structured"),
    "reward": ("dense", "dense"),
    "validation": ("strict", "strict"),
}
"""The column of Table 1 that a trait is, and the value that is marked there."""


def _traits(traits: Traits, asked: Mapping[str, Any]) -> Traits:
    """Table 1's columns, as they are now."""
    marks = {column: asked[trait] == mark for trait, (column, mark) in COLUMNS.items() if trait in asked}
    return replace(traits, **marks)


@final
class _Changed:
    """An episode with each step changed, and before it each action."""

    def __init__(self, env: Env, change: Change, said: Callable[[str], str] = str) -> None:
        self._env = env
        self._change = change
        self._said = said

    @property
    def world(self) -> World:
        """The world of the environment inside."""
        return self._env.world

    def start(self) -> Step:
        """The opening."""
        return self._change(self._env.start(), self._env.world)

    def step(self, action: str) -> Step:
        """The answer to one action."""
        return self._change(self._env.step(self._said(action)), self._env.world)


def _wrap_steps(suite: Suite, change: Callable[[], Change], said: Callable[[str], str] = str) -> Suite:
    """The suite whose episodes are changed, each by a change of its own."""

    def open_env(task: Task) -> Env:
        return _Changed(suite.open(task), change(), said)

    return replace(suite, open=open_env)


def _binary(step: Step, _: World) -> Step:
    return replace(step, reward=float(step.ending is Ending.SOLVED))


@final
class _Dense:
    """Pays progress, by what is left of the task, and success the rest; what is lost again costs nothing."""

    def __init__(self, left: Callable[[World], float]) -> None:
        self._left = left
        self._at_start = 0.0
        self._paid = 0.0

    def __call__(self, step: Step, world: World) -> Step:
        """The step with what is new in it."""
        self._at_start = self._at_start or self._left(world)
        if step.ending is None:
            earned = 1 - self._left(world) / self._at_start
        else:
            earned = float(step.ending is Ending.SOLVED)
        paid = max(0.0, earned - self._paid)
        self._paid += paid
        return replace(step, reward=paid)


def _with_single_actions(suite: Suite) -> Suite:
    """A reply that holds several actions is refused, and the turn is spent."""

    def read(reply: str) -> str:
        if suite.variants.count(reply) > 1:
            raise Misread(SEVERAL)
        return suite.read(reply)

    return replace(suite, read=read)


def _with_uniform_feedback(suite: Suite) -> Suite:
    """Whatever is refused is told in the same words, a reply that holds no single action too."""

    def read(reply: str) -> str:
        try:
            return suite.read(reply)
        except Misread:
            raise Misread(UNIFORM) from None

    return replace(_wrap_steps(suite, lambda: _refuse_uniformly), read=read)


def _refuse_uniformly(step: Step, _: World) -> Step:
    if not step.refusal:
        return step
    return replace(step, observation=step.observation.replace(step.refusal, UNIFORM, 1), refusal=UNIFORM)


def _rename(suite: Suite, number: int) -> Suite:
    """All that the agent reads in the words of a map, and all that it says read by it."""
    players = suite.players
    guess, names = suite.guess, renaming(suite.name, suite.variants.words, number)
    return replace(
        _wrap_steps(suite, lambda: _reword(names), names),
        instruction=names(suite.instruction),
        actions=tuple(map(names, suite.actions)),
        goal=lambda observation: names(suite.goal(names(observation))),
        players=replace(
            players,
            oracle=lambda world: names(players.oracle(world)),
            legal=lambda world: [*map(names, players.legal(world))],
            thought=lambda world, action: names(players.thought(world, names(action))),
            mistakes=lambda world: [*map(names, players.mistakes(world))],
        ),
        guess=guess and (lambda seen, chance: names(guess([*map(names, seen)], chance))),
    )


def _reword(names: Renaming) -> Change:
    def change(step: Step, _: World) -> Step:
        return replace(step, observation=names(step.observation), refusal=names(step.refusal))

    return change
