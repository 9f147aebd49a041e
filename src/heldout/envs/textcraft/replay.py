"""Recorded episodes of TextCraft: which tree of recipes was behind them, and what was shown of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from pathlib import Path

from heldout.data.folder import data_folder
from heldout.envs.base import Env
from heldout.envs.dialogues import convert_dialogue
from heldout.envs.react import plain, plain_action
from heldout.envs.recorded import Dialogue, RecordedEpisode
from heldout.envs.replay import replay_episode
from heldout.envs.textcraft.env import TextCraft
from heldout.envs.textcraft.language import line
from heldout.envs.textcraft.published import ARCHIVE, DISTRACTORS, recipes_to_show
from heldout.envs.textcraft.recipes import (
    EITHER_WAY,
    NAMESPACE,
    by_depth,
    depth_classes,
    documents,
    goal_order,
    grow_book,
    real_book,
)
from heldout.envs.textcraft.world import Book, Recipe, World, reachable
from heldout.errors import BadCall, unknown
from heldout.records import Json

ASSENT = "OK."
"""What the prompt in the form of a console has its thoughts answered."""


@dataclass(frozen=True)
class Tree:
    """The recipes as they grow from one order of their files (Q-TC3), and which goal each number is."""

    book: Book
    goals: tuple[str, ...]
    numbered: bool
    """Whether a goal's number is known; else only that it is among those of its depth."""

    @cached_property
    def lines(self) -> dict[str, Recipe]:
        """Every recipe by its line."""
        return {line(recipe): recipe for recipe in self.book.recipes}

    @cached_property
    def _depths(self) -> dict[str, int]:
        """How deep each goal lies."""
        return {goal: depth for depth, goals in enumerate(depth_classes(self.book)) for goal in goals}

    def numbers(self, goal: str, number: int) -> bool:
        """Whether a goal has this number here."""
        return self.numbered and self.goals[number % len(self.goals)] == goal

    def may_number(self, goal: str, number: int | None) -> bool:
        """Whether some order of the files gives a goal this number, one of its depth; no number is any."""
        if goal not in self._depths or number is None:
            return goal in self._depths
        return self._depths[self.goals[number % len(self.goals)]] == self._depths[goal]

    def may_show(self, goal: str, commands: Sequence[str]) -> bool:
        """Whether the original could show these lines: all that serve the goal, and a few others."""
        useful = {line(recipe) for recipe in reachable(self.book, goal)}
        known = useful <= set(commands) <= self.lines.keys()
        return known and len(useful) <= len(commands) <= len(useful) + DISTRACTORS


@cache
def trees(archive: Path) -> tuple[Tree, ...]:
    """The published order's tree, that of files in the order of their names, and the six that others can make."""
    published, by_name = real_book(archive), grow_book(documents(archive, first=()))
    known = {frozenset(book.recipes) for book in (published, by_name)}
    grown = [grow_book(documents(archive, first)) for first in product(*EITHER_WAY)]
    others = [book for book in grown if frozenset(book.recipes) not in known]
    return (
        Tree(published, goal_order(), numbered=True),
        Tree(by_name, tuple(by_depth(by_name)), numbered=True),
        *(Tree(book, tuple(by_depth(book)), numbered=False) for book in others),
    )


@dataclass(frozen=True)
class _Asked:
    """What a recording says of its task."""

    goal: str
    number: int | None
    commands: Sequence[str]

    def world(self, tree: Tree, *, exact_original: bool) -> World:
        """Its world in a tree; it shows the recorded lines, or ours where the original could not."""
        drawn = tree.may_show(self.goal, self.commands)
        lines = [tree.lines[text] for text in self.commands] if drawn else []
        shown = lines or recipes_to_show(tree.book, self.goal, self.number or 0)
        return World(tree.book, self.goal, tuple(shown), exact_original=exact_original)


def open_recording(episode: RecordedEpisode, *, rules: str) -> Env:
    """The world of a recorded task, in the tree that was behind it."""
    asked = _Asked(_goal(episode.task.get("goal")), _number(episode.task.get("data_idx")), _recipe_lines(episode))
    tree = _best_fit(_trees(asked), asked, episode)
    return TextCraft(asked.world(tree, exact_original=rules == "agentgym"), NAMESPACE)


def episode_of(dialogue: Dialogue) -> RecordedEpisode:
    """The episode behind a dialogue; its goal is read from the opening.

    The number in its `item_id` is a place in the order of a file system that nobody else has (Q-TC3).
    """
    commands, goal = _parse_opening(dialogue.opening)
    read = plain_action if "Action:" in dialogue.instruction else console_action
    return convert_dialogue(dialogue, {"goal": goal, "commands": commands}, read, paid="reward")


def console_action(reply: str) -> str:
    """The action in a reply to the console-like prompt (`> get 2 dirt`, `> think: …` answered by `OK.`).

    The last line that is neither a thought nor its answer: where a model plays the console as well, that may be
    an observation of its own making, and was sent all the same.
    """
    lines = [text.strip().removeprefix(">").strip() for text in reply.split("\n")]
    said = [text for text in lines if text and text != ASSENT and not text.startswith("think:")]
    return plain(said[-1]) if said else ""


def _trees(asked: _Asked) -> list[Tree]:
    """The trees in which a goal may have its number, those first in which it is known to have it."""
    every = trees(data_folder() / ARCHIVE)
    if not any(tree.may_number(asked.goal, None) for tree in every):
        raise unknown("goal", asked.goal, every[0].goals)
    number = asked.number
    found = [tree for tree in every if tree.may_number(asked.goal, number)]
    if number is not None and not found:
        one, other = (repr(tree.goals[number % len(tree.goals)]) for tree in every[:2])
        raise BadCall(f"goal {asked.goal!r} is not number {number}: that is {one}, or by file names {other}")
    return found if number is None else sorted(found, key=lambda tree: not tree.numbers(asked.goal, number))


def _best_fit(found: Sequence[Tree], asked: _Asked, episode: RecordedEpisode) -> Tree:
    """The first tree that fits a recording wholly, else the first that fits it best."""
    best = list[tuple[bool, int]]()
    for tree in found:
        best.append(_misfit(tree, asked, episode))
        if best[-1] == (False, 0):
            return tree
    return found[best.index(min(best))]


def _misfit(tree: Tree, asked: _Asked, episode: RecordedEpisode) -> tuple[bool, int]:
    """How badly a tree fits a recording: whether it could not show the lines, then how many answers differ."""
    env = TextCraft(asked.world(tree, exact_original=True), NAMESPACE)
    return not tree.may_show(asked.goal, asked.commands), len(
        replay_episode(episode, env, past_end=True).differences
    )


def _goal(value: Json) -> str:
    if not isinstance(value, str):
        raise BadCall(f"a task of TextCraft has a goal, such as 'minecraft:stick', not {value!r}")
    return value.removeprefix(NAMESPACE).replace("_", " ")


def _number(value: Json) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise BadCall(f"data_idx is a whole number from 0, not {value!r}")
    return value


def _recipe_lines(episode: RecordedEpisode) -> list[str]:
    """The recorded lines of recipes: by themselves, or within the opening."""
    commands = episode.task.get("commands")
    if commands is None:
        return _parse_opening(episode.start)[0] if episode.start else []
    if not isinstance(commands, list) or not all(isinstance(text, str) for text in commands):
        raise BadCall(f"commands is a list of lines such as 'craft 4 stick using 2 planks', not {commands!r:.60}")
    return commands


def _parse_opening(opening: str) -> tuple[list[str], str]:
    """The lines of recipes and the goal in an opening observation."""
    lines, _, goal = opening.removeprefix("Crafting commands:\n").partition("\n\nGoal: craft ")
    return lines.split("\n"), goal.removesuffix(".")
