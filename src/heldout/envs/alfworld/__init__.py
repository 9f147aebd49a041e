"""ALFWorld: chores in a household (Shridhar et al., 2021; in AgentGym, Xi et al., 2024)."""

from collections.abc import Callable, Sequence
from functools import partial

from heldout.config import Source
from heldout.data.folder import data_folder, refuse_lacking
from heldout.envs.alfworld import published, replay, tasks
from heldout.envs.alfworld.env import AlfWorld, OriginalAlfWorld
from heldout.envs.alfworld.forms import loosened
from heldout.envs.alfworld.furniture import LAMPS, TAKES, THINGS
from heldout.envs.alfworld.games import FOLDER
from heldout.envs.alfworld.goals import count_remaining
from heldout.envs.alfworld.grow import SHAPES
from heldout.envs.alfworld.guess import guess
from heldout.envs.alfworld.house import House
from heldout.envs.alfworld.players import legal, oracle
from heldout.envs.alfworld.thoughts import mistakes, thought
from heldout.envs.alfworld.world import World
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
from heldout.envs.react import first_line, whole_action
from heldout.envs.renaming import words_in
from heldout.envs.wording import goal_told, list_announcement
from heldout.records import Json, Task, digest, to_json

ACTIONS = (
    "go to {receptacle}",
    "open {receptacle}",
    "close {receptacle}",
    "take {object} from {receptacle}",
    "put {object} in/on {receptacle}",
    "clean {object} with {sinkbasin}",
    "heat {object} with {microwave}",
    "cool {object} with {fridge}",
    "use {lamp}",
    "slice {object} with {knife}",
    "examine {object or receptacle}",
    "look",
    "inventory",
)

GOAL = goal_told(r"^(?:Your task is to|task): (.+?)\.?$")

ONCE = "The actions that are possible are listed once, at the start; later you have to know them yourself."

INSTRUCTIONS = {
    "pocket": (
        "Do the task in the room. Actions:\n"
        "go to, open, close, use, examine {name}\n"
        "take {name} from {name}\n"
        "put {name} in/on {name}\n"
        "clean, heat, cool {name} with {name}\n"
        "look, inventory\n"
        "Reply with one action:\n"
        "Thought: ...\n"
        "Action: ..."
    ),
    "standard": (
        "You are in a household and are given a task there. First you are told what stands in the room and what to "
        "do; then you act, one action at a time, and are told what comes of it.\n\n"
        "Actions:\n" + "\n".join(f"- {action}" for action in ACTIONS) + "\n\n"
        "Things and receptacles are named by their kind and number, such as `mug 1`. You have to stand at a "
        "receptacle to do something there, a closed one has to be opened before you can take or put anything, and "
        "you can carry one thing at a time. An action that cannot be carried out is answered by `Nothing happens`. "
        f"{ONCE}\n\n"
        "Reply with a thought and exactly one action, in this form:\n"
        "Thought: why you do it\n"
        "Action: the action"
    ),
}

TRAITS = Traits(dense=False, strict=True, lists_actions=False, knowledge=False, structured=False)

VERBS = words_in(
    "go open close closed take put clean heat cool use using slice sliced examine look looking inventory pick turn "
    "carry carrying carried find hot cold lamp room"
)
"""What is done, how things are, and where; kinds of things and receptacles are renamed beside them."""

STANDS = {
    "actions": "",
    "feedback": "informative",
    "observations": "plain",
    "replies": "first",
    "reward": "binary",
    "validation": "strict",
}
"""Actions are neither shown nor hidden: they are listed once, in the opening."""

_Parts = tuple[Callable[[str], Sequence[Task]], Callable[[Task], House], str, str]
"""What a source decides: its splits, the household of a task, a line on it, and a digest of it."""


def suite(source: Source) -> Suite:
    """ALFWorld over generated households, or over the released games in HELDOUT_DATA."""
    refuse_unknown(source, INSTRUCTIONS)
    splits, house_of, words, data = (_real if source.kind == "real" else _generated_parts)(source)
    return Suite(
        name="alfworld",
        kind="Household",
        traits=TRAITS,
        instruction=_instruction(source),
        actions=ACTIONS,
        max_turns=30,
        rules=source.rules,
        rules_known=BOTH_RULES,
        rules_version=RULES_VERSION[source.rules],
        source=words,
        data=data,
        tasks=splits,
        open=lambda task: _open_house(house_of(task), source),
        read=first_line if source.rules == "fixed" else whole_action,
        guess=guess,
        players=Players(oracle=oracle, legal=legal, thought=thought, mistakes=mistakes),
        task_id=published.task_id,
        recordings=Recordings(
            open=partial(replay.open_recording, rules=source.rules),
            episode_of=replay.episode_of,
            beside=replay.beside,
        ),
        variants=_variants(source),
        real_data=RealData(needs=published.NEEDS, checks=published.checks),
        content=lambda task: _content(house_of(task)),
        goal=GOAL,
    )


def _content(house: House) -> Json:
    """What is asked, and what lies where: a game's name and its release's split are no part of it."""
    inside = {place: [thing.name for thing in things] for place, things in house.inside.items()}
    return {"goal": to_json(house.goal), "sentence": house.sentence, "inside": inside}


def _variants(source: Source) -> Variants:
    if source.kind == "real":
        why = "the released games name more things than there are made-up words for"
        return Variants(stands=STANDS, remaining=count_remaining, loosened=loosened, fixed={"words": why})
    kinds = (*TAKES, *LAMPS, *(thing for things in THINGS.values() for thing in things))
    return Variants(stands=STANDS, remaining=count_remaining, loosened=loosened, words=VERBS.union(kinds))


def _instruction(source: Source) -> str:
    once = {"hidden": "You have to know yourself which actions are possible.", "shown": ""}
    text = INSTRUCTIONS[source.profile].replace(ONCE, once.get(source.variant.actions, ONCE))
    return text + list_announcement(source.variant)


def _open_house(house: House, source: Source) -> Env:
    if source.rules == "agentgym":
        return OriginalAlfWorld(World(house, original=True))
    return AlfWorld(World(house), source.variant)


def _generated_parts(source: Source) -> _Parts:
    return (
        partial(tasks.generated_tasks, seed=source.seed, profile=source.profile),
        tasks.open_task,
        f"households grown from seed {source.seed} ({source.profile})",
        digest([source.kind, source.seed, source.profile, to_json(SHAPES[source.profile])]),
    )


def _real(_: Source) -> _Parts:
    data = data_folder()
    refuse_lacking(data, published.NEEDS)
    return (
        partial(published.published_tasks, data=data),
        partial(published.open_task, data=data),
        f"AgentGym's 2,620 of the games of ALFWorld {published.RELEASE} in {data / FOLDER}",
        published.data_digest(data),
    )
