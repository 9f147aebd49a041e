"""policy × tasks × attempts → rows: plays what is missing, and nothing twice."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace

from heldout.analysis.scores import ALL, Cell
from heldout.chains import parse_chain, stream_name
from heldout.config import Evaluate, Limits
from heldout.envs.base import Suite
from heldout.errors import BadCall, choose_from
from heldout.records import Ending, Row, Task, Trajectory, digest
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import Play
from heldout.store.rows import RowStore
from heldout.store.runs import EvaluationFolder

Hear = Callable[[Trajectory], None]
"""Who is told of each episode that is played."""
Playing = Callable[[str, int], AbstractContextManager[Hear]]
"""Opens who is told of so many episodes that are to be played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose rows these are: what all episodes of one measurement share."""

    study: str
    base: str
    model: str
    chain: str
    seed: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An episode that a measurement needs, and its row while it has no outcome."""

    assignment: Assignment
    row: Row

    @property
    def key(self) -> tuple[object, ...]:
        """What tells whether the row is there already."""
        return self.row.key


def measure(
    play: Play,
    suites: Callable[[str], Suite],
    cells: Iterable[Cell],
    *,
    identity: Identity,
    settings: Evaluate,
    limits: Limits,
    rows: RowStore[Row],
    trajectories: RowStore[Trajectory],
    progress: Callable[[Trajectory], None] | None = None,
    check: Callable[[], None] = lambda: None,
    purpose: str = "evaluate",
) -> list[Row]:
    """The rows of all tasks and attempts of the cells; only those that are missing or errored are played.

    Trajectories are kept before their rows, so that every row has one; `progress` is called with each that is
    played, `check` before anything is kept. Episodes of another `purpose` meet other chance.
    """
    limits = replace(limits, max_turns=settings.max_turns)
    needs = {need.key: need for need in wanted_episodes(suites, cells, identity, settings, limits, purpose=purpose)}
    found = {row.key: row for row in rows if row.is_played}
    for asked in _rounds(missing_episodes(needs.values(), found.values()), settings.round):
        done = dict[str, Trajectory]()
        for trajectory in play([need.assignment for need in asked], limits):
            done[trajectory.stream] = trajectory
            if progress:
                progress(trajectory)
        check()
        trajectories.extend(done[need.assignment.name] for need in asked)
        new = {need.key: with_outcome(need.row, done[need.assignment.name]) for need in asked}
        rows.extend(new.values())
        found |= new
    return [found[key] for key in needs]


def measure_in(
    folder: EvaluationFolder,
    play: Play,
    suites: Callable[[str], Suite],
    cells: Sequence[Cell],
    *,
    identity: Identity,
    settings: Evaluate,
    limits: Limits,
    playing: Callable[[int], AbstractContextManager[Hear]],
    check: Callable[[], None],
    purpose: str = "evaluate",
) -> list[Row]:
    """The same of one environment's cells, kept in a folder; half a round that a kill left is taken back first.

    `playing` opens who is told of so many episodes.
    """
    env, ends = cells[0].env, replace(limits, max_turns=settings.max_turns)
    rows, needs = folder.rows(env), list(wanted_episodes(suites, cells, identity, settings, ends, purpose=purpose))
    if missing_episodes(needs, rows):
        folder.mend(env)
    with playing(len(missing_episodes(needs, rows))) as played:
        return measure(
            play,
            suites,
            cells,
            identity=identity,
            settings=settings,
            limits=limits,
            rows=rows,
            trajectories=folder.trajectories(env),
            progress=played,
            check=check,
            purpose=purpose,
        )


def _rounds(needs: Sequence[Wanted], size: int) -> Iterator[Sequence[Wanted]]:
    """The episodes in order, so many at a time.

    What a model samples depends in its last bits on what it plays beside. So a round that was not finished is
    played whole again, as an unfinished step of training is, and the rows are those that they would have been.
    """
    return (needs[first : first + size] for first in range(0, len(needs), size))


def wanted_episodes(
    suites: Callable[[str], Suite],
    cells: Iterable[Cell],
    identity: Identity,
    settings: Evaluate,
    limits: Limits,
    *,
    purpose: str = "evaluate",
) -> Iterator[Wanted]:
    """Every episode that measuring the cells takes, in order."""
    chain = stream_name(parse_chain(identity.chain))
    stream = f"{purpose}/{chain}@{identity.step}/K={settings.max_turns}/T={settings.temperature:g}"
    for cell in cells:
        suite = suites(cell.env)
        own = f"{stream}/{suite.variant.name}" if suite.variant.name else stream
        for task in tasks_of(suite, cell)[: settings.tasks]:
            for attempt in range(settings.samples):
                assignment = Assignment(task=task, attempt=attempt, seed=identity.seed, stream=own)
                yield Wanted(assignment=assignment, row=_row(suite, assignment, identity, settings, limits))


def tasks_of_cells(suites: Callable[[str], Suite], cells: Iterable[Cell], settings: Evaluate) -> Iterator[Task]:
    """The tasks that measuring the cells takes, in order."""
    for cell in cells:
        yield from tasks_of(suites(cell.env), cell)[: settings.tasks]


def missing_episodes(needs: Iterable[Wanted], rows: Iterable[Row]) -> list[Wanted]:
    """Those that have no row yet, or only errored ones."""
    there = {row.key for row in rows if row.is_played}
    return [need for need in needs if need.key not in there]


def tasks_of(suite: Suite, cell: Cell) -> Sequence[Task]:
    """The tasks of a cell; a cell without any is refused."""
    tasks = suite.tasks(cell.split)
    chosen = [task for task in tasks if cell.difficulty in (ALL, task.difficulty)]
    if not chosen:
        there = sorted({task.difficulty for task in tasks}) or ["no tasks"]
        instead = choose_from(cell.difficulty, there, lead="there are")
        raise BadCall(f"{cell.env} has no {cell.difficulty} tasks in {cell.split} ({instead})")
    return chosen


def with_outcome(row: Row, trajectory: Trajectory) -> Row:
    """The row with its outcome."""
    return replace(
        row,
        reward=trajectory.reward,
        score=trajectory.score,
        success=trajectory.success,
        turns=len(trajectory.turns),
        generated_tokens=trajectory.generated_tokens,
        response_length=trajectory.response_length,
        invalid_actions=trajectory.invalid_actions,
        ending=trajectory.ending.value,
        stream=trajectory.stream,
    )


def by_stream(trajectories: Iterable[Trajectory]) -> Mapping[str, Trajectory]:
    """The trajectories by the name that rows call them; of one played twice, the last."""
    return {trajectory.stream: trajectory for trajectory in trajectories}


def _row(suite: Suite, assignment: Assignment, identity: Identity, settings: Evaluate, limits: Limits) -> Row:
    task = assignment.task
    return Row(
        **asdict(identity),
        variant=suite.variant.name,
        difficulty_source=suite.difficulty_source,
        env=task.env,
        task=task.id,
        split=task.split,
        difficulty=task.difficulty,
        attempt=assignment.attempt,
        rules=suite.rules,
        rules_version=suite.rules_version,
        data=suite.data,
        prompt=digest(suite.instruction),
        max_turns=settings.max_turns,
        response_budget=limits.response_budget,
        reply_tokens=limits.reply_tokens,
        temperature=settings.temperature,
        reward=0.0,
        score=0.0,
        success=False,
        turns=0,
        generated_tokens=0,
        response_length=0,
        ending=Ending.ERROR,
        stream=assignment.name,
    )
