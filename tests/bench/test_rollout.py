"""The comparison plays the same work with both engines and says what came of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from heldout.bench.machine import Machine, one_thread
from heldout.bench.rollout import Comparison, Run, Work, compare
from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.model import load
from heldout.model.pocket import init_model, model_config, tokenizer_of
from heldout.verbs.bench.rollout import format_report, report_as_json

MACHINE = Machine(load=0.5, matmul_seconds=0.004)
RUN = Run(episodes=10, turns=40, tokens=800, length=200.0, seconds=2.0, cpu_seconds=1.0, model_seconds=1.5)


@pytest.fixture
def work(doors: Suite) -> Work:
    limits = Limits(max_turns=3, reply_tokens=4, response_budget=100)
    return Work(suite=doors, limits=limits, episodes=5, in_flight=3, rounds=2, seed=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokenizer = tokenizer_of(["go to the door", "go", "jump"] * 3, size=300)
    config = model_config(len(tokenizer), tokenizer.eos_token_id, tokenizer.pad_token_id, width=32, layers=2)
    load.save(init_model(config, seed=0), tokenizer, tmp_path)
    return tmp_path


def test_a_run_counts_generated_tokens_against_wall_and_processor_time() -> None:
    assert (RUN.tokens_per_second, RUN.tokens_per_cpu_second, RUN.episodes_per_second) == (400, 800, 5)
    assert RUN.outside == 0.25


def test_the_ratio_is_the_median_over_pairs() -> None:
    ours = [replace(RUN, tokens=tokens) for tokens in (800, 1600, 8000)]
    found = Comparison(ours=ours, rival=[replace(RUN, seconds=8.0)] * 3, before=MACHINE, after=MACHINE)
    assert found.ratio == 8
    assert found.cpu_ratio == 2


def test_each_task_is_played_once_before_any_is_played_again(work: Work) -> None:
    played = [(each.task.id, each.attempt) for each in work.assignments]
    assert played == [("doors_2", 0), ("doors_4", 0), ("doors_2", 1), ("doors_4", 1), ("doors_2", 2)]


def test_both_engines_play_all_episodes_in_each_round(work: Work, folder: Path) -> None:
    heard = list[int]()
    found = compare(str(folder), work, lambda number, _: heard.append(number))
    assert heard == [1, 2, 3, 4]
    runs = [*found.ours, *found.rival]
    assert [run.episodes for run in runs] == [5] * 4
    assert all(0 < run.model_seconds < run.seconds for run in runs)
    assert all(run.turns <= run.tokens <= 4 * run.turns for run in runs)
    assert len({run.tokens for run in found.ours}) == len({run.tokens for run in found.rival}) == 1
    assert report_as_json(found, work)["ours"]["runs"][0]["episodes"] == 5
    assert "doors, 5 episodes, 3 in flight" in format_report(found, work)


def test_the_number_of_threads_is_given_back() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
