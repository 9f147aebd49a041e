"""BabyAI: instructions in a grid of rooms, seen seven cells ahead (paper Table 1: Embodied)."""

from functools import partial

from heldout.config import Source
from heldout.data.folder import ids_needed
from heldout.envs.babyai import replay
from heldout.envs.babyai.checks import checks
from heldout.envs.babyai.env import BabyAI, OriginalBabyAI
from heldout.envs.babyai.forms import is_exact, loosened
from heldout.envs.babyai.guess import guess
from heldout.envs.babyai.players import count_remaining, legal, oracle
from heldout.envs.babyai.tasks import data_digest, tasks_of
from heldout.envs.babyai.thoughts import mistakes, thought
from heldout.envs.babyai.world import World
from heldout.envs.base import BOTH_RULES, RULES_VERSION, Env, Players, RealData, Recordings, Suite, Traits, Variants
from heldout.envs.react import first_action, plain_action
from heldout.envs.renaming import words_in
from heldout.envs.wording import goal_told
from heldout.errors import unknown
from heldout.records import Json, Task

ACTIONS = (
    "turn left",
    "turn right",
    "move forward",
    "go to <thing> <number>",
    "pickup <thing> <number>",
    "drop",
    "go through <door> <number>",
    "toggle and go through <door> <number>",
    "toggle",
)

LISTED, POCKET_LISTED = (
    "Each observation ends with the actions that are possible now.",
    "Each observation lists what you can do; things",
)
"""What an instruction says of the list of actions."""

STANDARD = f"""You control an agent in a grid of rooms and are given a goal to reach there. You see the cells \
ahead of you, never those behind, and what you no longer see you must remember yourself.

Actions:
{chr(10).join(f"- {action}" for action in ACTIONS)}

A thing is named by its colour, its kind and its number, as in `go to red ball 1`; a door also by whether it is \
open, closed or locked. A locked door opens to who carries the key of its colour. `toggle` opens what is right \
ahead. {LISTED}

Answer every observation with one thought and one action, in this form:
Thought: <why>
Action: <one action>"""

POCKET = f"""Reach the goal in a grid of rooms; you see only what lies ahead. \
{POCKET_LISTED} are named with their number, as in: go to red ball 1.
Answer with one action:
Thought: ...
Action: ..."""

GOAL = goal_told(r"^(?:Your goal|Goal|goal): ([^.\n]+)")

INSTRUCTIONS = {"standard": STANDARD, "pocket": POCKET}

MAX_TURNS = {"generated": 20, "real": 10}
"""K while training: the paper's for published tasks; ours take the oracle up to 20 turns, lest luck does them."""

HIDDEN = {
    "standard": STANDARD.replace(f" {LISTED}", ""),
    "pocket": POCKET.replace(POCKET_LISTED, f"Actions:\n{chr(10).join(ACTIONS)}\nThings"),
}
"""Where a variant hides the list of actions the instruction has their shapes."""

STANDS = {
    "actions": "shown",
    "feedback": "informative",
    "observations": "plain",
    "replies": "first",
    "reward": "",
    "validation": "",
}
"""The reward is neither: paid at success alone, and by how soon that was. Nor is validation: capitals do not
matter, nor whether to pick up is one word; all else does."""


NAMES = words_in(
    "turn move go pickup pick drop dropped toggle put open opens opened close closed locked carry carrying check "
    "ball balls box boxes key keys door doors object objects thing wall walls barrier "
    "red green blue purple yellow grey"
)
"""Verbs, kinds of things, their colours and states."""


SOURCES = {
    "generated": "minigrid worlds of the 18 published levels, from seeds of our own",
    "real": "the published ids under $HELDOUT_DATA/agentgym_item_ids",
}


def suite(source: Source) -> Suite:
    """BabyAI over a task source; generated tasks come from shipped tables, one for each of the source's seeds."""
    if source.rules not in BOTH_RULES:
        raise unknown("rules", source.rules, BOTH_RULES)
    if source.profile not in INSTRUCTIONS:
        raise unknown("profile", source.profile, INSTRUCTIONS)
    return Suite(
        name="babyai",
        kind="Embodied",
        traits=Traits(dense=True, strict=False, lists_actions=True, knowledge=False, structured=False),
        instruction=(HIDDEN if source.variant.actions == "hidden" else INSTRUCTIONS)[source.profile],
        actions=ACTIONS,
        max_turns=MAX_TURNS.get(source.kind, 10),
        rules=source.rules,
        tells_refusals=source.rules == "fixed",
        rules_known=BOTH_RULES,
        rules_version=RULES_VERSION[source.rules],
        source=SOURCES.get(source.kind, source.kind),
        data=data_digest(source),
        tasks=tasks_of(source),
        open=partial(_open, source),
        read=first_action if source.rules == "fixed" else plain_action,
        guess=guess,
        players=Players(oracle=oracle, legal=legal, thought=thought, mistakes=mistakes),
        recordings=Recordings(
            open=partial(replay.open_recording, rules=source.rules), episode_of=replay.episode_of
        ),
        variants=Variants(stands=STANDS, words=NAMES, remaining=count_remaining, exact=is_exact, loosened=loosened),
        real_data=RealData(needs=ids_needed("babyai"), checks=checks),
        content=_content,
        goal=GOAL,
    )


def _content(task: Task) -> Json:
    """Mission, grid and agent: many seeds make one world."""
    return World(task.world["level"], task.world["seed"]).content


def _open(source: Source, task: Task) -> Env:
    level, seed = task.world["level"], task.world["seed"]
    if source.rules == "agentgym":
        return OriginalBabyAI(World(level, seed, original=True))
    return BabyAI(World(level, seed), pocket=source.profile == "pocket", variant=source.variant)
