"""TRL's GRPOTrainer on our episodes: two rollouts of the pocket model in BabyAI, and what TRL makes of them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pytest
import torch
from torch import Tensor

from heldout.config import Limits, Source, Variant
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.errors import BadCall
from heldout.learn.advantages import group_advantages
from heldout.model import load
from heldout.records import Step, Task, from_json
from heldout.rollout.episode import answer
from heldout.rollout.limits import TurnLimit

pytest.importorskip("trl", reason="TRL comes with the dev extra")

import trl

from heldout.backend.trl import dataset, env_reward, rollout_func

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:You are using 'rollout_func':UserWarning"),
]

GROUP, TASKS, TURNS = 4, 2, 4
LIMITS = Limits(response_budget=3584, reply_tokens=64)
Columns = dict[str, list[Any]]


@dataclass
class Seen:
    """What passed between TRL and us, a value for each rollout."""

    trainer: Any = None
    prompts: list[Sequence[Any]] = field(default_factory=list)
    weights: list[dict[str, Tensor]] = field(default_factory=list)
    """Of the model, just before it played."""
    told: list[Columns] = field(default_factory=list)
    batches: list[dict[str, Tensor]] = field(default_factory=list)
    """What TRL made of it, its own log-probabilities included."""


@pytest.fixture(scope="module")
def babyai() -> Suite:
    return open_suite("babyai", Source(variant=Variant(reward="dense")))  # progress is within four turns' reach


@pytest.fixture(scope="module")
def seen(babyai: Suite, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A training of four updates on two rollouts: with two updates on each TRL needs its own log-probabilities."""
    seen, rollout = Seen(), rollout_func(babyai, limits=LIMITS, max_turns=TURNS)

    def watched(prompts: Sequence[Any], trainer: Any) -> Columns:
        seen.prompts.append(prompts)
        seen.weights.append({name: value.clone() for name, value in trainer.model.state_dict().items()})
        seen.told.append(rollout(prompts, trainer))
        return seen.told[-1]

    class Trainer(trl.GRPOTrainer):  # type: ignore[misc]
        def _generate_and_score_completions(self, inputs: Any) -> Any:
            seen.batches.append(super()._generate_and_score_completions(inputs))
            return seen.batches[-1]

    model, tokenizer = load.load("pocket")
    settings = trl.GRPOConfig(
        output_dir=str(tmp_path_factory.mktemp("trainer")),
        max_steps=4,
        num_iterations=2,
        num_generations=GROUP,
        per_device_train_batch_size=GROUP * TASKS,
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        logging_steps=1,
        save_strategy="no",
        bf16=False,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
    )
    seen.trainer = Trainer(
        model=model,
        args=settings,
        processing_class=tokenizer,
        train_dataset=dataset(babyai, difficulty="easy", limit=6),
        rollout_func=watched,
        reward_funcs=env_reward,
    )
    seen.trainer.train()
    return seen


def rows(seen: Seen) -> Iterator[dict[str, Any]]:
    """Each episode's columns, with its prompt."""
    for prompts, told in zip(seen.prompts, seen.told, strict=True):
        for at, prompt in enumerate(prompts):
            yield {"prompt": prompt, **{name: values[at] for name, values in told.items()}}


def test_a_row_is_a_task_and_its_prompt_the_opening(babyai: Suite) -> None:
    task = babyai.tasks("test")[0]
    [row] = dataset(babyai, "test", limit=1)
    [message] = row["prompt"]
    assert (row["env"], row["task"], row["difficulty"]) == ("babyai", task.id, task.difficulty)
    assert message["role"] == "user"
    assert message["content"] == babyai.opening(babyai.open(task).start().observation)
    assert from_json(Task, json.loads(message["task"])) == task


@pytest.mark.slow
def test_a_group_is_attempts_at_one_task_and_they_differ(seen: Seen) -> None:
    assert len(seen.told) == 2
    for prompts, told in zip(seen.prompts, seen.told, strict=True):
        tasks = [prompt[-1]["task"] for prompt in prompts]
        assert [len(list(group)) for _, group in groupby(tasks)] == [GROUP] * TASKS
        assert len({tuple(ids) for ids in told["completion_ids"]}) > TASKS


def test_the_mask_marks_what_was_sampled_and_the_environment_said_the_rest(seen: Seen, babyai: Suite) -> None:
    """Each episode is played again from its ids: replies where the mask is 1, observations where it is 0."""
    tokenizer = seen.trainer.processing_class
    for row in rows(seen):
        task = from_json(Task, json.loads(row["prompt"][-1]["task"]))
        env = TurnLimit(babyai.open(task), TURNS)
        step = env.start()
        assert babyai.opening(step.observation) in tokenizer.decode(row["prompt_ids"])
        rewards, parts = list[float](), pieces(row)
        for own, ids in parts:
            if own:
                assert tokenizer.eos_token_id not in ids[:-1]
                said = tokenizer.decode(ids, skip_special_tokens=True)
                step, _ = answer(env, babyai, said, step)
                rewards.append(step.reward)
            else:
                assert step.observation in tokenizer.decode(ids)
        assert [own for own, _ in parts] == [index % 2 == 0 for index in range(len(parts))]
        assert row["env_reward"] == sum(rewards)
        assert (row["env_score"], row["ending"]) == (step.score, ended(step))


def pieces(row: dict[str, Any]) -> list[tuple[bool, list[int]]]:
    """The completion cut where the mask changes."""
    pairs = zip(row["env_mask"], row["completion_ids"], strict=True)
    return [(bool(own), [token for _, token in part]) for own, part in groupby(pairs, key=lambda pair: pair[0])]


def ended(step: Step) -> str:
    assert step.ending is not None
    return step.ending.value


def test_trls_own_log_probabilities_are_ours(seen: Seen) -> None:
    for told, batch in zip(seen.told, seen.batches, strict=True):
        for at, (ours, mask) in enumerate(zip(told["logprobs"], told["env_mask"], strict=True)):
            own = torch.tensor(mask, dtype=torch.bool)
            theirs = batch["old_per_token_logps"][at, : len(ours)]
            assert batch["tool_mask"][at, : len(ours)].tolist() == mask
            assert float((theirs - torch.tensor(ours))[own].abs().max()) < 1e-4


def test_advantages_are_those_of_the_environments_rewards(seen: Seen) -> None:
    for told, batch in zip(seen.told, seen.batches, strict=True):
        groups = [told["env_reward"][at : at + GROUP] for at in range(0, GROUP * TASKS, GROUP)]
        ours = [advantage for rewards in groups for advantage in group_advantages(rewards)]
        assert batch["advantages"].tolist() == pytest.approx(ours, abs=2e-3)  # TRL has 1e-4 beside the deviation
    assert any(abs(advantage) > 0.1 for advantage in seen.batches[0]["advantages"].tolist())


def test_the_second_rollout_is_played_by_the_weights_that_the_first_one_taught(seen: Seen) -> None:
    first, second = seen.weights
    assert largest(second, seen.told[1]) < 1e-4
    assert largest(first, seen.told[1]) > 1e-2


def largest(weights: dict[str, Tensor], told: Columns) -> float:
    """How far the log-probabilities of a plain forward pass with these weights are from those told, at most."""
    model, _ = load.load("pocket")
    model.load_state_dict(weights)
    apart = 0.0
    for prompt, ids, ours, mask in zip(*(told[name] for name in NAMES), strict=True):
        with torch.no_grad():
            logp_TV = model(input_ids=torch.tensor([prompt + ids])).logits[0].log_softmax(-1)
        theirs = logp_TV[len(prompt) - 1 : -1].gather(1, torch.tensor(ids)[:, None])[:, 0]
        apart = max(apart, float((theirs - torch.tensor(ours))[torch.tensor(mask, dtype=torch.bool)].abs().max()))
    return apart


NAMES = ("prompt_ids", "completion_ids", "logprobs", "env_mask")


def test_rewards_scores_and_success_are_in_trls_log(seen: Seen) -> None:
    [first, *_] = [row for row in seen.trainer.state.log_history if "rewards/env_reward/mean" in row]
    for logged, name in (("rewards/env_reward/mean", "env_reward"), ("env/score", "env_score")):
        values = seen.told[0][name]
        assert first[logged] == pytest.approx(sum(values) / len(values))
    assert first["env/success"] == seen.told[0]["ending"].count("solved") / (GROUP * TASKS)


def test_the_same_seed_plays_the_same_and_another_does_not(seen: Seen, babyai: Suite) -> None:
    def played(seed: int) -> Any:
        again = rollout_func(babyai, limits=LIMITS, max_turns=1, seed=seed)
        return again(seen.prompts[0], seen.trainer)["completion_ids"]

    assert played(0) == played(0) != played(1)
    assert seen.trainer.model.training


def test_a_second_call_at_one_step_has_chance_of_its_own(seen: Seen, babyai: Suite) -> None:
    rollout = rollout_func(babyai, limits=LIMITS, max_turns=1)
    one, two = (rollout(seen.prompts[0], seen.trainer)["completion_ids"] for _ in range(2))
    assert one != two


def test_several_environments_are_played_in_one_rollout(seen: Seen, babyai: Suite, doors: Suite) -> None:
    prompts = [*dataset(doors)["prompt"], *dataset(babyai, limit=1)["prompt"]]
    told = rollout_func(babyai, doors, limits=LIMITS, max_turns=1)(prompts, seen.trainer)
    texts = [seen.trainer.processing_class.decode(ids) for ids in told["prompt_ids"]]
    assert ["Go to the end." in text for text in texts] == [True, True, False]


def test_an_episode_that_the_infrastructure_ended_has_no_reward(
    seen: Seen, doors: Suite, unreliable: Callable[[int], tuple[Suite, Any]]
) -> None:
    suite, _ = unreliable(99)
    prompts = dataset(doors)["prompt"]
    told = rollout_func(suite, limits=LIMITS)(prompts, seen.trainer)
    assert (told["env_reward"], told["env_mask"], told["ending"]) == ([None] * 2, [[0]] * 2, ["error"] * 2)


def test_what_cannot_be_played_is_refused(seen: Seen, babyai: Suite, doors: Suite) -> None:
    rollout = rollout_func(babyai, limits=LIMITS)
    with pytest.raises(BadCall, match=r"unknown environment to play 'doors' \(choose from: babyai\)"):
        rollout(dataset(doors)["prompt"], seen.trainer)
    with pytest.raises(BadCall, match="a prompt names no task"):
        rollout(["Go."], seen.trainer)
    seen.trainer.args.top_p = 0.9
    with pytest.raises(BadCall, match=r"the model's own distribution: top_p=0.9 changes it"):
        rollout(seen.prompts[0], seen.trainer)
    seen.trainer.args.top_p = 1.0
