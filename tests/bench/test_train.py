"""A step of training and its update alone, beside TRL's on the same work."""

from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest
import torch

from heldout.backend.worker import Worker
from heldout.bench.machine import Machine
from heldout.bench.steps import Step, Update, Work
from heldout.bench.train import OURS, PADDED, TRL, Comparison, compare, ratio, step, update
from heldout.bench.trl import INSTALLED, Trl
from heldout.bench.watch import BETWEEN, PLAY, UPDATE, Watch
from heldout.chains import Stage
from heldout.config import Config, Limits, Source, Train
from heldout.envs.registry import open_suite
from heldout.store.runs import StageFolder
from heldout.training.job import Job
from heldout.verbs.bench.train import format_report, report_as_json

MACHINE = Machine(load=0.5, matmul_seconds=0.004)
STEP = Step(
    seconds=10.0,
    play=7.0,
    update=2.0,
    cpu_seconds=9.0,
    model=6.0,
    tasks=("a", "b"),
    episodes=8,
    turns=40,
    tokens=800,
    learned=4,
)
LEARNED = Update(seconds=2.0, cpu_seconds=1.0, sequences=8, trained=600, read=900, padded=1000)
FOUND = Comparison(
    steps={OURS: [STEP] * 2, TRL: [replace(STEP, seconds=40.0, cpu_seconds=27.0, tokens=640)] * 2},
    updates={
        OURS: [LEARNED] * 2,
        PADDED: [replace(LEARNED, seconds=3.0, padded=1200, rows=4)] * 2,
        TRL: [replace(LEARNED, seconds=5.0, cpu_seconds=4.0, padded=1800, rows=8)] * 2,
    },
    saving=0.25,
    before=MACHINE,
    after=MACHINE,
)
ALONE = replace(FOUND, steps={OURS: [STEP] * 2}, updates={OURS: [LEARNED] * 2})

needs_trl = pytest.mark.skipif(not INSTALLED, reason="TRL comes with the dev extra")


@pytest.fixture(scope="module")
def work(tiny: Path) -> Work:
    suite = open_suite("textcraft", Source())
    config = Config(
        limits=Limits(response_budget=600, reply_tokens=5),
        train=Train(tasks=2, group_size=2, max_turns=3, lr=1e-3, kl=0.0),
    )
    stage = Stage(("textcraft",), "easy")
    job = Job(base="tiny", chain=(stage,), suites=(suite,), config=config, seed=0)
    return Work(model=str(tiny), job=job, rounds=2)


@pytest.fixture(scope="module")
def heard() -> list[str]:
    """The approaches, as they were told of."""
    return []


@pytest.fixture(scope="module")
def found(work: Work, heard: list[str]) -> Comparison:
    """Both sides' steps and updates."""
    return compare(work, Trl(work), lambda name, _: heard.append(name))


@pytest.mark.slow
@needs_trl
def test_the_approaches_take_turns(found: Comparison, heard: list[str]) -> None:
    assert heard == [OURS, TRL] * 2 + [OURS, PADDED, TRL] * 2
    assert list(found.steps) == [OURS, TRL]
    assert list(found.updates) == [OURS, PADDED, TRL]


@pytest.mark.slow
@needs_trl
def test_the_parts_of_a_step_are_within_the_whole(found: Comparison) -> None:
    steps = [*found.steps[OURS], *found.steps[TRL]]
    assert all(0 < each.model < each.play < each.seconds for each in steps if each.model)
    assert all(each.model and each.cpu_seconds and each.between > 0 for each in steps)
    assert all(each.update > 0 for each in found.steps[TRL])


@pytest.mark.slow
@needs_trl
def test_both_sides_play_the_same_tasks_in_each_round(found: Comparison) -> None:
    ours, theirs = found.steps[OURS], found.steps[TRL]
    assert [each.tasks for each in ours] == [each.tasks for each in theirs]
    assert ours[0].tasks != ours[1].tasks
    assert [each.episodes for each in [*ours, *theirs]] == [4] * 4
    assert all(each.turns <= each.tokens <= 5 * each.turns for each in [*ours, *theirs])
    assert [each.learned for each in theirs] == [4, 4]


@pytest.mark.slow
@needs_trl
def test_all_learn_from_the_same_trajectories(found: Comparison) -> None:
    learned = {
        name: [(each.sequences, each.trained, each.read) for each in rounds]
        for name, rounds in found.updates.items()
    }
    assert learned[OURS] == learned[PADDED] == learned[TRL]
    assert [trained for _, trained, _ in learned[OURS]] == [each.tokens for each in found.steps[OURS]]
    updates = [each for rounds in found.updates.values() for each in rounds]
    assert {each.sequences for each in updates} == {4}
    assert all(each.trained < each.read <= each.padded for each in updates)
    assert {each.rows for each in found.updates[TRL]} in ({2}, {4})  # which was quicker, the machine decides


@needs_trl
def test_trl_begins_each_step_with_the_same_weights_and_the_same_chance(work: Work) -> None:
    first, again = (Trl(work).step(1, rows=4) for _ in range(2))
    assert (first.tokens, first.turns) == (again.tokens, again.turns)


def test_a_step_of_ours_begins_with_the_first_weights(work: Work, worker: Worker, tmp_path: Path) -> None:
    folder = StageFolder(tmp_path)
    before = {name: tensor.clone() for name, tensor in worker.model.state_dict().items()}
    first = step(work, worker, folder, 1)
    played = list(folder.rollouts(1))
    update(work, worker, folder, 1)
    assert any(not torch.equal(before[name], tensor) for name, tensor in worker.model.state_dict().items())
    again = step(work, worker, folder, 1)
    assert list(folder.rollouts(1)) == played
    assert without_times(first) == without_times(again)


def without_times(made: Step) -> Step:
    """The same, as if both had taken equally long."""
    return replace(made, seconds=1.0, play=1.0, update=1.0, cpu_seconds=1.0, model=1.0)


def test_rows_of_like_lengths_and_rows_as_they_come_teach_the_same(
    work: Work, worker: Worker, tmp_path: Path
) -> None:
    folder = StageFolder(tmp_path)
    step(work, worker, folder, 1)
    weights = list[torch.Tensor]()
    for rows in (None, 2, 3):
        made = update(work, worker, folder, 1, rows)
        assert made.rows == rows
        weights.append(torch.cat([p.detach().flatten() for p in worker.model.parameters()]))
    assert torch.allclose(weights[0], weights[1], atol=1e-5)
    assert torch.allclose(weights[0], weights[2], atol=1e-5)


@pytest.mark.very_slow
def test_without_trl_ours_is_measured_alone_with_as_many_processes_as_asked_for(work: Work) -> None:
    config = replace(work.job.config, processes=2)
    several = replace(work, rounds=1, job=replace(work.job, config=config))
    found = compare(several, None, lambda *_: None)
    assert list(found.steps) == [OURS, "heldout, 2 processes"]
    [[one], [two]] = found.steps.values()
    assert one.tasks == two.tasks
    assert (two.episodes, two.cpu_seconds, two.model) == (4, None, None)
    assert format_report(found, several).endswith("\ntrl: not installed (pip install 'heldout[dev]')")
    assert "–" in format_report(found, several)


def test_a_figure_is_a_rate_or_a_share() -> None:
    assert (STEP.between, STEP.tokens_per_second) == (1.0, 80.0)
    assert (LEARNED.trained_per_second, LEARNED.read_per_second) == (300.0, 450.0)
    assert LEARNED.padding == pytest.approx(0.1)


def test_a_ratio_is_the_median_over_pairs() -> None:
    others = [replace(STEP, seconds=seconds) for seconds in (20.0, 40.0, 90.0)]
    assert ratio([STEP] * 3, others) == 4.0
    assert ratio([STEP, replace(STEP, cpu_seconds=3.0)], [STEP] * 2, "cpu_seconds") == 2.0


def test_the_table_says_how_many_times_as_long_others_take(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = format_report(FOUND, work).splitlines()
    assert lines[2].split() == ["heldout", "10", "7", "6", "2", "1", "9", "80", "800", "40", "4"]
    assert lines[7].split() == ["heldout", "2", "1", "300", "450", "600", "900", "10.0", "%", "–"]
    assert "a step of trl takes 4 times as long (by processor time 3, for each generated token 5)" in lines
    assert "an update of heldout, padded takes 1.5 times as long (by processor time 1)" in lines
    assert "an update of trl takes 2.5 times as long (by processor time 4)" in lines
    assert "the update alone learns from all 4 trajectories of our step" in lines
    assert lines[-1] == "machine before: load 0.5, calibration 4.00 ms; after: load 0.5, calibration 4.00 ms"


def test_the_same_for_a_program(work: Work) -> None:
    said = report_as_json(FOUND, work)
    assert said["ratios"]["step to trl"] == {"seconds": 4.0, "cpu_seconds": 3.0, "seconds_a_token": 5.0}
    assert said["ratios"]["update to heldout, padded"] == {"seconds": 1.5, "cpu_seconds": 1.0}
    assert said["updates"]["trl"]["padding"] == 0.5
    assert said["updates"]["heldout"]["rows"] is None
    assert len(said["steps"]["heldout"]["rounds"]) == 2


def test_without_trl_a_line_says_so_instead_of_its_rows(work: Work) -> None:
    lines = format_report(ALONE, work).splitlines()
    assert lines[-1] == "trl: not installed (pip install 'heldout[dev]')"
    assert not any("times as long" in line for line in lines)
    assert report_as_json(ALONE, work)["ratios"] == {}


def test_micro_batches_are_tried_in_sizes_that_divide_a_step(work: Work) -> None:
    if torch.cuda.is_available():
        pytest.skip("other sizes are tried on a GPU")

    def rows(tasks: int, samples: int) -> list[int]:
        train = replace(work.job.config.train, tasks=tasks, group_size=samples)
        return replace(work, job=replace(work.job, config=replace(work.job.config, train=train))).rows

    assert rows(6, 8) == [2, 4, 8]
    assert rows(3, 3) == [3]


def test_every_moment_belongs_to_one_part() -> None:
    watch = Watch()
    sleep(0.02)
    watch.lap(PLAY)
    watch.lap(UPDATE)
    sleep(0.01)
    watch.lap(BETWEEN)
    assert watch.seconds[PLAY] >= 0.02
    assert watch.seconds[UPDATE] < watch.seconds[BETWEEN]
    assert watch.cpu_seconds[PLAY] < 0.02
    watch.begin()
    assert set(watch.seconds.values()) == {0.0}
