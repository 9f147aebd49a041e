"""Finds the temperatures of the controls with a model: where two are equally random, and where one does best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from heldout.agents import suites_of
from heldout.analysis.scores import Cell
from heldout.backend.worker import Reader
from heldout.chains import Stage
from heldout.config import Config
from heldout.errors import HeldoutError
from heldout.evaluation.measure import Hear
from heldout.learn.batch import Sample, samples_of
from heldout.records import Ending, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.study.controls import CALIBRATION, TUNING, Matched, Tuned, best_of, grid, match_temperature
from heldout.training.stage import train_tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two models of one tokenizer, by what is loaded."""

    trained: str
    base: str


def match(backend: Reader, pair: Pair, stage: Stage, config: Config, *, seed: int, hear: Hear) -> Matched:
    """The temperature at which the base is as random as the trained model, at the same positions.

    The trained model plays training tasks of its stage at the configuration's temperature; then both read what it
    played, the ids as it read and sampled them. Nothing else is drawn. A greedy model is matched by a greedy one.
    """
    temperature, config = config.evaluate.temperature, stage.apply_to(config)
    backend.load(pair.trained)
    samples = _samples(backend, calibration_episodes(stage, config, seed), config, hear)

    def entropies_at(temperatures: Sequence[float]) -> list[float]:
        found = backend.entropies(samples, temperatures, config.train.batch_tokens)
        return [nats / count for nats, count in found]

    [(nats, tokens)] = backend.entropies(samples, [temperature], config.train.batch_tokens)
    if not temperature:
        return Matched(temperature=0.0, wanted=0.0, reached=0.0, tokens=tokens)
    backend.load(pair.base)
    return match_temperature(nats / tokens, entropies_at, tokens)


def tune(backend: Reader, cell: Cell, config: Config, *, seed: int, hear: Hear) -> Tuned:
    """The temperature of the grid at which the model that the backend holds does best on training tasks."""
    scores, limits = dict[float, float](), replace(config.limits, max_turns=config.evaluate.max_turns)
    tasks = _tuning_tasks(cell, config)
    for temperature in grid(config.evaluate.temperature):
        played = list[Trajectory]()
        for trajectory in backend.play(_tuning_episodes(tasks, temperature, seed), limits, temperature):
            hear(trajectory)
            played.append(trajectory)
        valid = [each.score for each in sorted(played, key=lambda each: each.stream) if each.ending != Ending.ERROR]
        if not valid:
            raise HeldoutError(f"{cell.name}: no training task could be played at temperature {temperature:g}")
        scores[temperature] = fmean(valid)
    return best_of(scores, len(tasks))


def tuning_episodes(cell: Cell, config: Config) -> int:
    """How many episodes choosing a temperature takes."""
    tasks = _tuning_tasks(cell, config)
    return sum(len(_tuning_episodes(tasks, each, 0)) for each in grid(config.evaluate.temperature))


def calibration_episodes(stage: Stage, config: Config, seed: int) -> list[Assignment]:
    """What the trained model plays for its states to be read: training tasks of the stage's own settings."""
    (count, attempts), suites = CALIBRATION, suites_of(config)
    tasks = [task for env in stage.envs for task in train_tasks(suites(env), stage.difficulty)[:count]]
    return _attempts(tasks, attempts, seed, "entropy")


def _samples(backend: Reader, episodes: Sequence[Assignment], config: Config, hear: Hear) -> list[Sample]:
    """What the model that the backend holds says in these episodes, and read before."""
    suites = suites_of(config)
    longest = max(suites(each.task.env).max_turns for each in episodes)
    limits = replace(config.limits, max_turns=config.train.max_turns or longest)
    played = list[Trajectory]()
    for trajectory in backend.play(episodes, limits, config.evaluate.temperature):
        hear(trajectory)
        played.append(trajectory)
    samples = samples_of(sorted(played, key=lambda each: each.stream), [1.0] * len(played))
    if not samples:
        raise HeldoutError("nothing was said in the training tasks on which entropies are matched")
    return samples


def _tuning_tasks(cell: Cell, config: Config) -> list[Task]:
    return train_tasks(suites_of(config)(cell.env), cell.difficulty)[: TUNING[0]]


def _tuning_episodes(tasks: Sequence[Task], temperature: float, seed: int) -> list[Assignment]:
    return _attempts(tasks, TUNING[1] if temperature else 1, seed, f"tune/T={temperature:g}")


def _attempts(tasks: Sequence[Task], attempts: int, seed: int, stream: str) -> list[Assignment]:
    return [
        Assignment(task=task, attempt=attempt, seed=seed, stream=stream)
        for task in tasks
        for attempt in range(attempts)
    ]
