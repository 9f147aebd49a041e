"""What an environment is: one episode in words (`Env`), and the plug-in that opens them (`Suite`)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

from heldout.config import AS_IT_STANDS, Source, Variant
from heldout.data.check import Check
from heldout.data.folder import Needs
from heldout.envs.guesses import Guess, guess_by_shapes
from heldout.envs.loose import loose
from heldout.envs.react import count_actions, first_action, react_reply
from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode
from heldout.errors import BadCall, choose_from, unknown
from heldout.records import Json, Step, Task, digest

World = Any
"""The rules of one environment and where they stand: no English. Each suite has its own class."""


class Env(Protocol):
    """One episode of one task; used once, then thrown away."""

    @property
    def world(self) -> World:
        """The state behind the words: players plan on it, the agent never sees it."""
        ...

    def start(self) -> Step:
        """The opening observation; called once, before any step."""
        ...

    def step(self, action: str) -> Step:
        """The answer to one action; any string may come, and in `fixed` rules none raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """The five columns of the paper's Table 1."""

    dense: bool = False
    """Rewards between nothing and all (DEN.)."""
    strict: bool = False
    """An action counts only in its exact form (VAL.)."""
    lists_actions: bool = False
    """Every observation lists the valid actions (ACT.)."""
    knowledge: bool = False
    """World knowledge is needed (KNWL.)."""
    structured: bool = False
    """Observations are structured, as a page is (STR.)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """How a suite plays again what was recorded elsewhere."""

    open: Callable[[RecordedEpisode], Env]
    """The recorded task, by the suite's rules; raises `BadCall` where it is none."""
    episode_of: Callable[[Dialogue], RecordedEpisode]
    """A dialogue as an episode: what its task was, and what action each reply."""
    compared: Callable[[str], str] = str
    """What of a recorded opening is compared: where prompts are of our own wording, not all."""
    beside: Callable[[World], Answer] = lambda _: Answer()
    """What recordings have of a world beside the step itself: what is available, what was bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Players:
    """What is done and said by players that see the world: they show the ceiling, the floor, and how to play."""

    oracle: Callable[[World], str]
    """The next action of a player that sees the world; plans anew each time, so it recovers from anything
    that did not end the episode: a state without a way out has to end it as failed."""
    legal: Callable[[World], list[str]]
    """Actions that the environment would carry out now: what the random player draws from."""
    thought: Callable[[World, str], str] = lambda _, action: f"I will {action}."
    """One templated sentence that leads to the action: the reasoning in demonstrations."""
    mistakes: Callable[[World], list[str]] = lambda _: []
    """Plausible mistakes here (never the oracle's action): planted in demonstrations, then recovered from."""
    reply: Callable[[str, str], str] = react_reply
    """A thought and an action as a player says them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealData:
    """The files of an environment's real tasks in HELDOUT_DATA, whatever the suite's own source."""

    needs: Needs = ()
    """What has to be there for `source.kind=real`."""
    prepare: Callable[[Path, Callable[[int], None]], Sequence[str]] | None = None
    """Makes what the real tasks are read from of what was fetched, and gives the places of what is new; its second
    argument hears how far it is. None where they are read as they were published."""
    checks: Callable[[Path], Iterable[Check]] = lambda _: ()
    """Looks through the data in that folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """Which traits of a suite a variant can change (docs/variants.md), and which were."""

    stands: Mapping[str, str] = field(default_factory=dict)
    """Each of them, and what it is as the suite stands: a variant that says the same changes nothing."""
    words: frozenset[str] = frozenset()
    """The verbs and nouns that a map renames, in lower case."""
    remaining: Callable[[World], float] = lambda _: 1.0
    """How much of the task is left to do, above 0 until success: a dense reward pays what it falls by."""
    count: Callable[[str], int] = count_actions
    """How many actions a reply holds: where only a single one may be said, several are refused."""
    exact: Callable[[World, str], bool] = lambda _world, _action: True
    """Whether an action has its one exact form: where validation is strict no other is heard."""
    loosened: Callable[[World, str], str] = lambda _world, action: loose(action)
    """The exact form of what a text can only mean where the world stands: heard where validation is lenient."""
    loosened_reply: Callable[[str], str] = str
    """The same of a reply, before an action is read out of it."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Traits that cannot be changed here though others can, and why."""
    chosen: Variant = AS_IT_STANDS
    """The traits that were changed."""


def whole_world(task: Task) -> Json:
    """All that a task's world is made from: its content where that names no pool and no seed."""
    return dict(task.world)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """An environment as a plug-in: its tasks, how to open one, its prompt, how a reply is read, its players.

    A value made of data and functions; adding an environment is filling one in.
    """

    name: str
    kind: str
    """The paper's word for it in Table 1: Web, Search, Game, Household, Embodied."""
    traits: Traits
    instruction: str
    """What the agent is told before the first observation."""
    actions: tuple[str, ...]
    """The shapes of actions, for people."""
    max_turns: int
    """K while training (paper §3.2)."""
    source: str
    """One line: where the tasks come from."""
    data: str
    """A digest of the task source, for rows and studies."""
    tasks: Callable[[str], Sequence[Task]]
    """The tasks of `demonstrations`, `train` or `test`: disjoint splits by content."""
    open: Callable[[Task], Env]
    players: Players

    rules: str = "fixed"
    """By which it is played: `fixed`, or `agentgym`, as an original server does."""
    rules_known: tuple[str, ...] = ("fixed",)
    """By which it can be played."""
    rules_version: int = 1
    """Raised by whatever changes an episode: rows of two versions are not averaged."""
    read: Callable[[str], str] = first_action
    """The action in a reply; raises `Misread`."""
    difficulty_source: str = "oracle_turns"
    """What tells easy from hard: `oracle_turns`, or the hash of a measured file."""
    options: Any = None
    """A frozen dataclass of what this environment alone reads of a source (`source.options.<name>.<option>`), as
    it was set; None where there is nothing."""
    task_id: Callable[[str], str] = str
    """A published id of a task, however it is spelled, as the id that its task has here; any other as it stands."""
    recordings: Recordings | None = None
    """For `heldout replay`; a suite without plays nothing again."""
    variants: Variants = Variants()
    """By default there are none."""
    real_data: RealData = RealData()
    """By default there is none."""
    privileged: Callable[[Task], Env] | None = None
    """An episode whose world can be seen, where that of `open` is out of sight; None is `open` itself."""
    content: Callable[[Task], Json] = whole_world
    """What a task is made of, and nothing that only names it: no id, pool, seed or number in a catalogue."""
    goal: Callable[[str], str] = str
    """The instruction u in an opening observation: what is asked, apart from what is seen; by default all of it."""

    guess: Guess | None = None
    """What is tried by who has only read the texts (`random`, the floor); None: a shape of action, filled."""

    @property
    def variant(self) -> Variant:
        """The traits that were changed."""
        return self.variants.chosen

    def open_privileged(self, task: Task) -> Env:
        """A privileged copy for players to look into, fed the same actions as the episode that is played."""
        return (self.privileged or self.open)(task)

    def guess_action(self, seen: Sequence[str], chance: Random) -> str:
        """An action by someone who has read these texts alone: the opening message, then each observation."""
        return (self.guess or guess_by_shapes(self.actions))(seen, chance)

    def opening(self, observation: str) -> str:
        """The first message: the instruction and the first observation in one."""
        return f"{self.instruction}\n\n{observation}"


def find_task(suite: Suite, name: str, splits: Sequence[str] = ("test", "train")) -> Task:
    """The task of that id, however it is spelled: as here, as it was published, or by its number alone."""
    wanted = {name, suite.task_id(name), f"{suite.name}_{name}" if name.isdecimal() else name}
    ids = list[str]()
    for split in splits:
        for task in suite.tasks(split):
            if task.id in wanted:
                return task
            ids.append(task.id)
    raise BadCall(f"{suite.name} has no task {name!r} in {' or '.join(splits)} ({choose_from(name, ids)})")


def content_digest(suite: Suite, task: Task) -> str:
    """16 hexadecimal digits of a task's content: tasks of equal content are equal, wherever they come from."""
    return digest(suite.content(task))


BOTH_RULES = ("fixed", "agentgym")
"""Of an environment that has an original among AgentGym's."""


RULES_VERSION = {"fixed": 2, "agentgym": 1}
"""Of the five: 2 since thoughts are left out where an action is read and the first of several is taken, and since
BabyAI's doors can be opened in order."""


def refuse_unknown(source: Source, profiles: Iterable[str]) -> None:
    """Refuses a source whose profile, rules or kind there is not."""
    for kind, asked, known in (
        ("profile", source.profile, list(profiles)),
        ("rules", source.rules, BOTH_RULES),
        ("source", source.kind, ["generated", "real"]),
    ):
        if asked not in known:
            raise unknown(kind, asked, known)
