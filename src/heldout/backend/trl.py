"""Our episodes as the rollouts of TRL's `GRPOTrainer`: its model plays here, and learns there from the same ids."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from statistics import fmean
from typing import Any

import datasets

from heldout.analysis.scores import ALL, Cell
from heldout.backend.worker import engine_on
from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.errors import BadCall, unknown
from heldout.evaluation.measure import tasks_of
from heldout.learn.columns import columns
from heldout.model.chat import Chat, chat_of
from heldout.model.local import LocalPolicy
from heldout.policies.base import Policy
from heldout.records import Task, Trajectory, from_json, to_json
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

Prompt = str | Sequence[Mapping[str, Any]]
"""Messages, of which the last has the task; TRL itself takes plain words too."""

Rollout = Callable[[Sequence[Prompt], Any], dict[str, list[Any]]]
"""What TRL asks for: the rollouts of these prompts in columns, played by the model of that trainer."""

PLAIN: Mapping[str, tuple[object, ...]] = {
    "top_p": (1.0, None),
    "top_k": (0, -1, None),
    "min_p": (0.0, None),
    "repetition_penalty": (1.0, None),
    "generation_kwargs": ({}, None),
}
"""Settings of a trainer that leave the model's distribution as it is, but for the temperature."""


def dataset(suite: Suite, split: str = "train", difficulty: str = ALL, limit: int | None = None) -> Any:
    """The suite's tasks, the first `limit` of them, as a `datasets.Dataset`: a row's prompt is a task's opening."""
    tasks = tasks_of(suite, Cell(env=suite.name, split=split, difficulty=difficulty))
    return datasets.Dataset.from_list([_row(suite, task) for task in tasks[:limit]])


def rollout_func(
    *suites: Suite, limits: Limits, max_turns: int | None = None, seed: int = 0, slots: int = 64
) -> Rollout:
    """Plays the prompts of `dataset` with the weights that the trainer has by then; none waits for another.

    `max_turns` is K, and None each suite's own; `slots` is how many episodes are in flight.
    """
    known = {suite.name: suite for suite in suites}
    calls, chat_once = Counter[str](), cache(chat_of)

    def roll_out(prompts: Sequence[Prompt], trainer: Any) -> dict[str, list[Any]]:
        _refuse_unlike(trainer.args)
        stream = _stream(trainer)
        calls[stream] += 1
        assignments = _assignments(prompts, f"{stream}/{calls[stream]}", seed)
        played = dict[str, Trajectory]()
        with _policy(trainer, chat_once(trainer.processing_class), min(slots, len(prompts))) as policy:
            for env in dict.fromkeys(each.task.env for each in assignments):
                suite = _suite(known, env)
                of_env = [each for each in assignments if each.task.env == env]
                k = replace(limits, max_turns=max_turns or suite.max_turns)
                played |= {each.stream: each for each in play(policy, of_env, k, known.__getitem__)}
        return _as_rollouts([played[each.name] for each in assignments])

    return roll_out


def env_reward(
    env_reward: Sequence[float | None],
    env_score: Sequence[float],
    env_success: Sequence[bool],
    log_metric: Callable[[str, float], None] = lambda *_: None,
    **_: object,
) -> list[float | None]:
    """The rewards that the episodes earned, as a trainer's reward function; mean score and success are logged."""
    log_metric("env/score", fmean(env_score))
    log_metric("env/success", fmean(env_success))
    return list(env_reward)


def _row(suite: Suite, task: Task) -> dict[str, Any]:
    """Of a row TRL hands the prompt on and nothing else, so the task stands within it."""
    opening = suite.opening(suite.open(task).start().observation)
    message = {"role": "user", "content": opening, "task": json.dumps(to_json(task))}
    return {"prompt": [message], "env": task.env, "task": task.id, "difficulty": task.difficulty}


def _task(prompt: Prompt) -> Task:
    if isinstance(prompt, str) or "task" not in prompt[-1]:
        raise BadCall("a prompt names no task: make the dataset with heldout.backend.trl.dataset")
    return from_json(Task, json.loads(prompt[-1]["task"]))


def _refuse_unlike(settings: Any) -> None:
    """Refuses a trainer that would have us sample from another distribution than it learns with."""
    for name, plain in PLAIN.items():
        if (value := getattr(settings, name, None)) not in plain:
            raise BadCall(f"episodes are sampled from the model's own distribution: {name}={value!r} changes it")


def _stream(trainer: Any) -> str:
    """What a call plays for: no process has the chance of another, and no step that of another."""
    kind = "train" if trainer.model.training else "evaluate"
    return f"trl/{kind}/step={trainer.state.global_step}/process={trainer.accelerator.process_index}"


def _assignments(prompts: Sequence[Prompt], stream: str, seed: int) -> list[Assignment]:
    """An attempt at a task for each time that a prompt names it."""
    attempts, assignments = Counter[tuple[str, str]](), list[Assignment]()
    for task in map(_task, prompts):
        attempt = attempts[task.env, task.id]
        assignments.append(Assignment(task=task, attempt=attempt, seed=seed, stream=stream))
        attempts[task.env, task.id] += 1
    return assignments


@contextmanager
def _policy(trainer: Any, chat: Chat, slots: int) -> Iterator[Policy]:
    """The trainer's model as a policy: without dropout, and with the keys and values that checkpointing drops."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    was_training = model.training
    model.eval()
    try:
        yield LocalPolicy(chat, engine_on(model, chat, slots=slots), trainer.args.temperature)
    finally:
        model.train(was_training)


def _suite(known: Mapping[str, Suite], env: str) -> Suite:
    if env not in known:
        raise unknown("environment to play", env, known)
    return known[env]


def _as_rollouts(played: Sequence[Trajectory]) -> dict[str, list[Any]]:
    """The rollouts, and beside them what the reward function logs."""
    return columns(played) | {
        "env_score": [each.score for each in played],
        "env_success": [each.success for each in played],
        "ending": [each.ending.value for each in played],
    }
