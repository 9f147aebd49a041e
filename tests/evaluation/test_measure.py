from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from heldout.analysis.scores import Cell, paired_change, summarise
from heldout.config import Evaluate, Limits, Variant
from heldout.envs.base import Players, Suite, Traits, Variants
from heldout.errors import BadCall, HeldoutError, Unavailable
from heldout.evaluation.json_output import as_json
from heldout.evaluation.measure import Identity, by_stream, measure
from heldout.policies.scripted import ScriptedPolicy, script
from heldout.records import Ending, Row, Step, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import Play, play
from heldout.store.rows import Memory

EASY = Cell(env="doors", split="test", difficulty="easy")
HARD = replace(EASY, difficulty="hard")
WHO = Identity(study="demo", base="pocket", model="0f", chain="base", seed=0, step=0)
SETTINGS = Evaluate(samples=2, max_turns=3)
TASKS = [
    Task(env="doors", split="test", id=f"doors_{i}", difficulty="hard" if i > 2 else "easy", world={"door": door})
    for i, door in enumerate(("left", "right", "left", "right"))
]


@dataclass
class Doors:
    """Behind one of two doors is the prize; knocking tells nothing."""

    world: str

    def start(self) -> Step:
        """Where the agent stands."""
        return Step("Two doors.")

    def step(self, action: str) -> Step:
        """Opens the door that the action names."""
        if action == self.world:
            return Step("The prize.", reward=1.0, score=1.0, ending=Ending.SOLVED)
        return Step("Knock, knock." if action == "knock" else "Nothing.")


def doors(open_: Callable[[Task], Doors] = lambda task: Doors(task.world["door"])) -> Callable[[str], Suite]:
    suite = Suite(
        name="doors",
        kind="Game",
        traits=Traits(dense=False, strict=True, lists_actions=False, knowledge=False, structured=False),
        instruction="Find the prize.",
        actions=("left", "right", "knock"),
        max_turns=3,
        rules="fixed",
        source="typed in",
        data="d",
        tasks=lambda split: TASKS if split == "test" else [],
        open=open_,
        read=str.strip,
        players=Players(
            oracle=str,
            legal=lambda _: ["left", "right"],
            thought=lambda _, action: f"I go {action}.",
            mistakes=lambda _: ["knock"],
        ),
    )
    return lambda _: suite


@dataclass
class Counting:
    """Plays with a policy made anew each time, and remembers what it was asked to play."""

    policy: Callable[[], ScriptedPolicy] = lambda: script("knock", "left")
    suites: Callable[[str], Suite] = field(default_factory=doors)
    played: list[Assignment] = field(default_factory=list)

    def __call__(self, assignments: Iterable[Assignment], limits: Limits) -> Iterator[Trajectory]:
        """Plays them all."""
        asked = list(assignments)
        self.played += asked
        return play(self.policy(), asked, limits, self.suites)


@dataclass
class Kept:
    """What a measurement leaves behind."""

    rows: Memory[Row] = field(default_factory=Memory[Row])
    trajectories: Memory[Trajectory] = field(default_factory=Memory[Trajectory])


def run(
    play: Play,
    kept: Kept,
    cells: Iterable[Cell] = (EASY, HARD),
    *,
    who: Identity = WHO,
    settings: Evaluate = SETTINGS,
    suites: Callable[[str], Suite] | None = None,
) -> list[Row]:
    return measure(
        play,
        suites or doors(),
        cells,
        identity=who,
        settings=settings,
        limits=Limits(max_turns=99),
        rows=kept.rows,
        trajectories=kept.trajectories,
    )


def test_every_task_of_the_cells_is_tried_k_times() -> None:
    kept = Kept()
    rows = run(Counting(), kept)
    assert [(row.task, row.attempt) for row in rows] == [(f"doors_{i}", k) for i in range(4) for k in range(2)]
    assert [row.success for row in rows if row.attempt == 0] == [True, False, True, False]
    assert {row.ending for row in rows if not row.success} == {"out_of_turns"}
    assert {row.turns for row in rows if not row.success} == {SETTINGS.max_turns}
    assert len(kept.rows) == len(kept.trajectories) == 8


def test_a_row_says_all_that_identifies_it() -> None:
    [row] = run(Counting(), Kept(), [EASY], settings=replace(SETTINGS, samples=1, tasks=1, temperature=0.5))
    assert (row.study, row.base, row.model) == ("demo", "pocket", "0f")
    assert (row.chain, row.seed, row.step) == ("base", 0, 0)
    assert (row.env, row.task, row.split, row.difficulty) == ("doors", "doors_0", "test", "easy")
    assert (row.rules, row.rules_version, row.data, row.max_turns, row.temperature) == ("fixed", 1, "d", 3, 0.5)
    assert (row.response_budget, row.reply_tokens) == (8192, 512)
    assert (row.reward, row.score, row.success, row.turns, row.ending) == (1.0, 1.0, True, 2, "solved")
    assert row.stream == "evaluate/base@0/K=3/T=0.5/doors/doors_0/0"


def test_measuring_again_plays_nothing() -> None:
    kept = Kept()
    first = run(Counting(), kept)
    again = Counting()
    assert run(again, kept) == first
    assert again.played == []


def test_only_what_is_missing_is_played() -> None:
    kept = Kept()
    first = run(Counting(), kept)
    half = Kept(rows=Memory([row for row in first if row.task != "doors_1"]))
    again = Counting()
    assert run(again, half) == first
    assert [(one.task.id, one.attempt) for one in again.played] == [("doors_1", 0), ("doors_1", 1)]


@pytest.mark.parametrize(
    ("who", "settings"),
    [
        (replace(WHO, chain="doors.easy"), SETTINGS),
        (replace(WHO, step=5), SETTINGS),
        (replace(WHO, seed=1), SETTINGS),
        (replace(WHO, model="f0"), SETTINGS),
        (WHO, replace(SETTINGS, temperature=0.0)),
        (WHO, replace(SETTINGS, max_turns=2)),
    ],
)
def test_rows_of_another_measurement_do_not_count(who: Identity, settings: Evaluate) -> None:
    kept = Kept()
    first = run(Counting(), kept)
    other = run(Counting(), kept, who=who, settings=settings)
    assert len(kept.rows) == 16
    assert not set(other) & set(first)
    assert run(Counting(), kept) == first


def test_two_variants_have_rows_and_trajectories_of_their_own_and_are_never_averaged() -> None:
    kept, hidden = Kept(), replace(doors()("doors"), variants=Variants(chosen=Variant(actions="hidden")))
    plain, changed = run(Counting(), kept), run(Counting(), kept, suites=lambda _: hidden)
    assert {row.variant for row in plain} == {""}
    assert {row.variant for row in changed} == {"actions=hidden"}
    assert len(kept.rows) == len({row.stream for row in kept.rows}) == 16
    assert [score.variant for score in summarise([*plain, *changed])] == ["", "actions=hidden"] * 2
    with pytest.raises(HeldoutError, match="rows of different variant are never averaged: none and actions=hidden"):
        paired_change([*plain, *changed], plain)


def test_a_cell_within_another_is_played_once() -> None:
    again = Counting()
    rows = run(again, Kept(), [EASY, replace(EASY, difficulty="all")])
    assert len(rows) == len(again.played) == 8


def test_what_the_infrastructure_broke_is_played_again() -> None:
    def closed(_: Task) -> Doors:
        raise Unavailable("the doors are shut")

    kept = Kept()
    broken = run(Counting(suites=doors(closed)), kept, [EASY])
    assert {(row.ending, row.score) for row in broken} == {("error", 0.0)}
    mended = run(Counting(), kept, [EASY])
    assert mended == run(Counting(), Kept(), [EASY])
    assert by_stream(kept.trajectories)[mended[0].stream].ending is Ending.SOLVED


def test_rounds_played_before_a_kill_are_kept_with_their_trajectories_and_the_unfinished_one_is_played_again() -> (
    None
):
    def killed(assignments: Iterable[Assignment], limits: Limits) -> Iterator[Trajectory]:
        for trajectory in Counting()(assignments, limits):
            if trajectory.task.id == "doors_3":
                raise KeyboardInterrupt
            yield trajectory

    kept, settings = Kept(), replace(SETTINGS, round=3)
    with pytest.raises(KeyboardInterrupt):
        run(killed, kept, settings=settings)
    assert [(row.task, row.attempt) for row in kept.rows] == [(f"doors_{i}", k) for i in range(3) for k in range(2)]
    again = Counting()
    assert run(again, kept, settings=settings) == run(Counting(), Kept(), settings=settings)
    assert [(one.task.id, one.attempt) for one in again.played] == [("doors_3", 0), ("doors_3", 1)]
    assert [row.stream for row in kept.rows] == [each.stream for each in kept.trajectories]


def test_a_round_is_kept_in_the_order_of_what_was_wanted_however_it_was_played() -> None:
    def turned(assignments: Iterable[Assignment], limits: Limits) -> Iterator[Trajectory]:
        return reversed(list(Counting()(assignments, limits)))

    kept, plain = Kept(), Kept()
    assert run(turned, kept) == run(Counting(), plain) == list(kept.rows)
    assert list(kept.trajectories) == list(plain.trajectories)


def test_a_round_of_nothing_is_refused() -> None:
    with pytest.raises(BadCall, match=r"'evaluate.round' takes a number from 1 up, not 0"):
        replace(SETTINGS, round=0)


def test_each_attempt_has_chance_of_its_own() -> None:
    seen = list[int]()

    def say(seed: int) -> str:
        seen.append(seed)
        return "left"

    for seed in (0, 1):
        run(
            Counting(policy=lambda: ScriptedPolicy(lambda request: say(request.seed))),
            Kept(),
            [EASY],
            who=replace(WHO, seed=seed),
            settings=replace(SETTINGS, max_turns=1),
        )
    assert len(seen) == len(set(seen)) == 12


def test_progress_is_told_of_each_episode() -> None:
    told = list[Trajectory]()
    kept = Kept()
    measure(
        Counting(),
        doors(),
        [HARD],
        identity=WHO,
        settings=SETTINGS,
        limits=Limits(),
        rows=kept.rows,
        trajectories=kept.trajectories,
        progress=told.append,
    )
    assert told == list(kept.trajectories)


def test_a_cell_without_tasks_is_refused_with_what_there_is() -> None:
    with pytest.raises(BadCall, match=r"doors has no medium tasks in test \(there are: easy, hard\)"):
        run(Counting(), Kept(), [replace(EASY, difficulty="medium")])
    with pytest.raises(BadCall, match=r"doors has no easy tasks in train \(there are: no tasks\)"):
        run(Counting(), Kept(), [replace(EASY, split="train")])


def test_scores_are_printed_for_programs() -> None:
    [printed] = as_json(summarise(run(Counting(), Kept(), [HARD])))
    assert printed == {
        "env": "doors",
        "split": "test",
        "difficulty": "hard",
        "variant": "",
        "n": 1,
        "k": 2,
        "score": 0.0,
        "success": 0.0,
        "seeds": 1,
        "given_this_run": False,
        "ci95": [0.0, 1.0],
        "useful": 0.0,
        "turns": 3.0,
        "tokens": 0.0,
        "endings": {"out_of_turns": 2},
        "asked": 2,
        "played": 2,
        "lost": 0,
    }
