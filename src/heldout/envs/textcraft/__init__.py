"""TextCraft: crafting by recipes, after Minecraft (Prasad et al., 2024; in AgentGym, Xi et al., 2024)."""

from collections.abc import Callable, Sequence
from functools import partial

from heldout.config import Source
from heldout.data.folder import data_folder
from heldout.envs.base import (
    BOTH_RULES,
    RULES_VERSION,
    Env,
    Players,
    RealData,
    Recordings,
    Suite,
    Traits,
    Variants,
    refuse_unknown,
)
from heldout.envs.react import first_action, plain_action
from heldout.envs.textcraft import published, replay, tasks
from heldout.envs.textcraft.env import TextCraft
from heldout.envs.textcraft.grow import FORMS, MATERIALS
from heldout.envs.textcraft.guess import guess
from heldout.envs.textcraft.players import count_remaining, legal, mistakes, oracle, thought
from heldout.envs.textcraft.recipes import NAMESPACE
from heldout.envs.wording import goal_told, list_announcement
from heldout.records import Task, digest

INSTRUCTIONS = {
    "pocket": (
        "Craft the goal. Actions:\n"
        "get {count} {item}\n"
        "craft {count} {item} using {count} {item}, {count} {item}\n"
        "inventory\n"
        "Give every count. A generic item such as planks may be any planks, such as oak planks.\n"
        "Reply with one action:\n"
        "Thought: ...\n"
        "Action: ..."
    ),
    "standard": (
        "You craft items from recipes until you hold the goal. Below you will read the crafting commands that you "
        "may use, one recipe a line, and then the goal.\n\n"
        "There are three actions:\n"
        "- get {count} {item}: pick up an item that nothing crafts; it is there in any number, so do not say "
        "where it comes from.\n"
        "- craft {count} {item} using {count} {item}, {count} {item}, ...: carry out one recipe. It uses up "
        "exactly the counts of its line: to make more, repeat it.\n"
        "- inventory: see what you carry.\n\n"
        "Every item needs its count. An ingredient with a generic name, such as planks, is replaced by one "
        "specific kind of it, such as oak planks.\n\n"
        "Reply with a thought and exactly one action, in this form:\n"
        "Thought: why you do it\n"
        "Action: the action"
    ),
}

ACTIONS = (
    "get {count} {item}",
    "craft {count} {item} using {count} {item}, {count} {item}, ...",
    "inventory",
)

TRAITS = Traits(dense=False, strict=True, lists_actions=False, knowledge=False, structured=False)


GOAL = goal_told(r"^(?:Goal: craft|goal:) (.+?)\.?$")

VERBS = frozenset({"get", "got", "craft", "crafted", "crafting", "inventory"})

STANDS = {
    "actions": "hidden",
    "feedback": "informative",
    "observations": "plain",
    "replies": "first",
    "reward": "binary",
    "validation": "strict",
}


Parts = tuple[Callable[[str], Sequence[Task]], Callable[[Task], Env], str, str]
"""What a source decides: its splits, how a task is opened, a line on it, and a digest of it."""


def suite(source: Source) -> Suite:
    """TextCraft over generated trees, or over the real recipes in HELDOUT_DATA."""
    refuse_unknown(source, INSTRUCTIONS)
    splits, open_task, words, data = (_real if source.kind == "real" else _generated_parts)(source)
    return Suite(
        name="textcraft",
        kind="Game",
        traits=TRAITS,
        instruction=INSTRUCTIONS[source.profile] + list_announcement(source.variant),
        actions=ACTIONS,
        max_turns=15,
        rules=source.rules,
        rules_known=BOTH_RULES,
        rules_version=RULES_VERSION[source.rules],
        source=words,
        data=data,
        tasks=splits,
        open=open_task,
        read=first_action if source.rules == "fixed" else plain_action,
        guess=guess,
        players=Players(oracle=oracle, legal=legal, thought=thought, mistakes=mistakes),
        recordings=Recordings(
            open=partial(replay.open_recording, rules=source.rules), episode_of=replay.episode_of
        ),
        variants=_variants(source),
        real_data=RealData(needs=published.NEEDS, checks=published.checks),
        goal=GOAL,
    )


def _variants(source: Source) -> Variants:
    if source.kind == "real":
        why = "the real recipes name more things than there are made-up words for"
        return Variants(stands=STANDS, remaining=count_remaining, fixed={"words": why})
    forms = (form for tier in FORMS for form in tier)
    return Variants(stands=STANDS, remaining=count_remaining, words=VERBS.union(MATERIALS, forms))


def _generated_parts(source: Source) -> Parts:
    exact = source.rules == "agentgym"
    return (
        partial(tasks.generated_tasks, seed=source.seed, profile=source.profile),
        lambda task: TextCraft(tasks.open_task(task, exact_original=exact), variant=source.variant),
        f"crafting trees grown from seed {source.seed} ({source.profile})",
        digest([source.kind, source.seed, tasks.form_of(source.profile)]),
    )


def _real(source: Source) -> Parts:
    exact = source.rules == "agentgym"
    data = data_folder()
    return (
        partial(published.published_tasks, data=data),
        lambda task: TextCraft(published.open_task(task, data, exact_original=exact), NAMESPACE, source.variant),
        f"the 544 goals of Minecraft 1.16's recipes in {data / published.ARCHIVE}",
        published.data_digest(data),
    )
