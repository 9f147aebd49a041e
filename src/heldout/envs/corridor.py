"""The two-door corridor: the smallest environment, whole in one file, for tests and docs, and to copy from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import final

from heldout.config import Source
from heldout.envs.base import Env, Players, Suite, Traits
from heldout.envs.react import first_action
from heldout.errors import unknown
from heldout.records import Ending, Step, Task, digest

COLOURS = ("red", "blue", "green", "yellow", "white", "black")
SPLITS = {"demonstrations": 0, "train": 1, "test": 2}

NOTHING = "Nothing happens."

INSTRUCTION = (
    "One of two doors leads out, and a note says which. Actions: read note, open {colour} door.\n"
    "Reply with one action:\nThought: ...\nAction: ..."
)


@dataclass(frozen=True, slots=True)
class World:
    """Two doors, the colour of the one that leads out, and what has been done."""

    doors: tuple[str, str]
    way_out: str
    note_read: bool = False
    opened: str = ""


@final
class Corridor:
    """One episode: read the note, open a door."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def world(self) -> World:
        """The doors and what has been done."""
        return self._world

    def start(self) -> Step:
        """Where the agent finds itself."""
        left, right = self._world.doors
        return self._answer(f"A corridor with a {left} door and a {right} door. A note lies on the floor.")

    def step(self, action: str) -> Step:
        """The note's text, an open door, or nothing."""
        if action == "read note":
            self._world = replace(self._world, note_read=True)
            return self._answer(f"The note says: {self._world.way_out}.")
        if action not in legal(self._world):
            return replace(self._answer(NOTHING), refusal=NOTHING)
        self._world = replace(self._world, opened=action.split()[1])
        solved = self._world.opened == self._world.way_out
        return self._answer("You are out." if solved else "A wall.", Ending.SOLVED if solved else Ending.FAILED)

    def _answer(self, observation: str, ending: Ending | None = None) -> Step:
        earned = float(ending is Ending.SOLVED)
        state = digest([self._world.note_read, self._world.opened])
        return Step(observation, reward=earned, score=earned, ending=ending, digest=state)


def oracle(world: World) -> str:
    """Read the note, then open the door it names."""
    return f"open {world.way_out} door" if world.note_read else "read note"


def legal(world: World) -> list[str]:
    """The note, and the two doors."""
    return ["read note", *(f"open {door} door" for door in world.doors)]


def thought(world: World, action: str) -> str:
    """Why: the note, or what it said."""
    return "The note knows the way." if action == "read note" else f"The {world.way_out} door leads out."


def mistakes(world: World) -> list[str]:
    """A door that is not there."""
    return [f"open {colour} door" for colour in COLOURS if colour not in world.doors]


def tasks(split: str) -> Sequence[Task]:
    """Every third corridor: the 60 there are, shared among the splits."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    every = [(doors, way_out) for doors in permutations(COLOURS, 2) for way_out in doors]
    return [_task(split, number, *every[number]) for number in range(SPLITS[split], len(every), len(SPLITS))]


def suite(_: Source) -> Suite:
    """The corridor; easy where the way out is on the left."""
    return Suite(
        name="corridor",
        kind="Toy",
        traits=Traits(dense=False, strict=True, lists_actions=False, knowledge=False, structured=False),
        instruction=INSTRUCTION,
        actions=("read note", "open {colour} door"),
        max_turns=3,
        source="60 corridors",
        data=digest(COLOURS),
        tasks=tasks,
        open=_open,
        tells_refusals=True,
        read=first_action,
        rules_version=2,
        players=Players(oracle=oracle, legal=legal, thought=thought, mistakes=mistakes),
    )


def _task(split: str, number: int, doors: tuple[str, str], way_out: str) -> Task:
    difficulty = "easy" if way_out == doors[0] else "hard"
    world = {"doors": list(doors), "way_out": way_out}
    return Task(env="corridor", split=split, id=f"corridor_{number}", difficulty=difficulty, world=world)


def _open(task: Task) -> Env:
    left, right = task.world["doors"]
    return Corridor(World((left, right), task.world["way_out"]))
