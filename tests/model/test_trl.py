"""TRL as an oracle: from the same trajectories our loss is its loss, and every parameter's gradient its gradient.

TRL goes its own road: it pads prompts on the left and completions on the right, makes its own masks and
advantages, computes the old and the reference log-probabilities itself, and then its loss. What differs by
intent is made the same here:

- Its `grpo` averages over each sequence, then over sequences; its `bnpo` over tokens, its `dr_grpo` over a length.
- Its `epsilon_high` is the largest weight of `cispo`, ours how far that is above 1.
- While it trains it divides by the micro-batches that it accumulates; its model in eval mode has one.
- Its KL term is by default multiplied by the ratio (`use_bias_correction_kl`); Eq. 5 has no such factor.
- Its advantages divide by the deviation + 1e-4, ours + 1e-6: rewards of thousands make both vanish.
- Its entropy bonus is always a mean over tokens, ours has the weights of the loss: compared by tokens.
- It weighs the sampling engine out only for vLLM: it is told to, without one, and to cut at 2 as we do.

The weights are float64 on both sides, so what is left is that both compute their logits' sums in float32.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor

from heldout.learn.batch import Sample
from heldout.learn.columns import columns
from heldout.learn.groups import samples
from heldout.learn.losses import IMPORTANCE_WEIGHT_CAP
from heldout.learn.methods import METHODS, Method
from heldout.model import load
from heldout.model.learner import Learner, Objective, Update
from heldout.model.pocket import init_model, model_config, tokenizer_of
from heldout.records import Group, Reply, Trajectory, Turn
from heldout.testing import make_task, make_trajectory, make_turn

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing. is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:You are using 'rollout_func':UserWarning"),
]

Weights = dict[str, Tensor]

TURNS = (
    ((9, 5), (4, 3), (6, 1)),
    ((5, 2), (2, 7)),
    ((12, 9),),
    ((7, 1), (1, 1), (3, 4), (2, 2)),
    ((9, 3),),
    ((5, 4), (5, 6)),
)
"""Of six trajectories: how many ids each of their turns reads and samples."""
REWARDS, GROUP = (1e4, 0.0, 5e3, 0.0, 0.0, 3e3), 3
UPDATES, LENGTH = 3, 4096
PLAIN = Method(kl=0.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A setting of both; `engine` is how far its log-probabilities are from the learner's, at most."""

    objective: Objective
    engine: float

    @property
    def method(self) -> Method:
        """What is minimised."""
        return self.objective.method

    def but(self, **objective: Any) -> "Case":
        """The same with another objective."""
        return replace(self, objective=replace(self.objective, **objective))


def case(method: Method = PLAIN, engine: float = 0.0, **objective: Any) -> Case:
    return Case(Objective(method=method, lr=2e-3, updates_per_batch=UPDATES, max_grad_norm=1e9), engine).but(
        **objective
    )


ANCHORED = Method(kl=0.1)
BY_TOKEN = Method(kl=0.0, loss_aggregation="token")
CASES = {
    "plain": case(),
    "kl": case(ANCHORED),
    "cold": case(ANCHORED, temperature=0.7),
    "hot, by tokens, with an entropy bonus": case(BY_TOKEN, entropy=0.05, temperature=1.3, lr=4e-3),
    "an engine that differs": case(ANCHORED, engine=1.2),
    "dr_grpo": case(METHODS["dr_grpo"]),
    "dapo": case(METHODS["dapo"]),
    "gspo": case(replace(METHODS["gspo"], clip=0.3, clip_high=0.4)),
    "cispo": case(replace(METHODS["cispo"], clip_high=0.2)),
}


@dataclass(frozen=True, slots=True)
class Models:
    """The reference in a folder, with its tokenizer, and the weights that a policy has by now."""

    folder: Path
    start: Weights

    def policy(self, weights: Weights) -> Any:
        """A model with these weights, in float64."""
        model = self.reference()
        model.load_state_dict(weights)
        return model

    def reference(self) -> Any:
        """The reference in float64."""
        return load.load(str(self.folder))[0].double()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Newborns whose words are made louder, so that their distributions are far from uniform."""
    folder = tmp_path_factory.mktemp("trl") / "reference"
    tokenizer = tokenizer_of(["go north", "go south"] * 2, 280)
    config = model_config(len(tokenizer), tokenizer.eos_token_id, tokenizer.pad_token_id, width=32, layers=2)
    reference, stranger = init_model(config, 0), init_model(config, 1)
    with torch.no_grad():
        for model in (reference, stranger):
            model.get_input_embeddings().weight *= 10
    load.save(reference, tokenizer, folder)
    there = stranger.state_dict()
    start = {name: value.lerp(there[name], 0.2).double() for name, value in reference.state_dict().items()}
    return Models(folder, start)


def trajectories(policy: Any, temperature: float, engine: float) -> list[Trajectory]:
    """Random ids in turns, with the policy's log-probabilities as the engine would report them."""
    rng, vocabulary = Random(0), policy.config.vocab_size
    played = list[Trajectory]()
    for turns, reward in zip(TURNS, REWARDS, strict=True):
        ids = [rng.randrange(vocabulary) for read, said in turns for _ in range(read + said)]
        with torch.no_grad():
            logp_TV = (policy(input_ids=torch.tensor([ids])).logits[0] / temperature).log_softmax(-1)
        known = [0.0, *logp_TV[:-1].gather(1, torch.tensor(ids)[1:, None])[:, 0].tolist()]
        reported = [logp + rng.uniform(-engine, engine) for logp in known]
        played.append(trajectory(turns, ids, reported, reward))
    return played


def trajectory(
    turns: Sequence[tuple[int, int]], ids: Sequence[int], logprobs: Sequence[float], reward: float
) -> Trajectory:
    made, at = list[Turn](), 0
    for read, said in turns:
        middle, end = at + read, at + read + said
        replied = Reply(
            text="",
            context_ids=tuple(ids[at:middle]),
            token_ids=tuple(ids[middle:end]),
            logprobs=tuple(logprobs[middle:end]),
        )
        made.append(make_turn(replied))
        at = end
    return make_trajectory(turns=tuple(made), reward=reward)


def ours(models: Models, played: Sequence[Trajectory], case: Case) -> tuple[Any, Update]:
    """A model with the gradient of the last of the case's updates, and what that update did."""
    policy = models.policy(models.start)
    learner = Learner(policy, reference=models.reference())
    return policy, learner.learn(taught(played, case.method), case.objective)


def taught(played: Sequence[Trajectory], method: Method) -> list[Sample]:
    """All trajectories with their advantages, in TRL's groups."""
    groups = [
        Group(task=make_task(), trajectories=tuple(played[at : at + GROUP])) for at in range(0, len(played), GROUP)
    ]
    return samples(groups, replace(method, agreeing="count", overlong=0.0), LENGTH)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Makes TRL's trainers, each with the given trajectories as the rollouts that it asks for."""
    trl = pytest.importorskip("trl", reason="TRL comes with the dev extra")
    datasets = pytest.importorskip("datasets", reason="TRL brings it")

    def trainer(models: Models, played: Sequence[Trajectory], case: Case) -> Any:
        objective = case.objective
        settings = trl.GRPOConfig(
            output_dir=str(tmp_path_factory.mktemp("trainer")),
            loss_type=loss_type(case.method),
            epsilon=case.method.clip,
            epsilon_high=case.method.clip_high + (case.method.surrogate == "clipped_weight"),
            importance_sampling_level=case.method.ratio,
            scale_rewards=case.method.scale,
            max_completion_length=LENGTH,
            beta=case.method.kl,
            use_bias_correction_kl=False,
            entropy_coef=objective.entropy,
            temperature=objective.temperature,
            num_generations=GROUP,
            num_iterations=2,  # else it takes the current log-probabilities for the old ones
            per_device_train_batch_size=len(played),
            vllm_importance_sampling_mode="token_truncate",
            vllm_importance_sampling_clip_max=IMPORTANCE_WEIGHT_CAP,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            report_to="none",
        )
        made = trl.GRPOTrainer(
            model=models.policy(models.start),
            args=settings,
            processing_class=load.load(str(models.folder))[1],
            train_dataset=datasets.Dataset.from_list([{"prompt": "."}]),
            rollout_func=lambda *_: columns(played),
            reward_funcs=lambda env_reward, **_: env_reward,
        )
        made.use_vllm = case.engine > 0  # after it is made: it would start vLLM
        made._last_loaded_step = made.state.global_step  # and would send it the weights
        return made

    return trainer


def assert_same_step(policy: Any, update: Update, trainer: Any, before: Weights, batch: Any) -> None:
    """From the same weights and batch TRL has our loss, and every parameter's gradient."""
    trainer.model.load_state_dict(before)
    trainer.model.zero_grad()
    loss = trainer._compute_loss(trainer.model, batch)
    loss.backward()
    assert update.loss == pytest.approx(loss.item(), abs=1e-6)
    assert max(distances(policy, trainer.model).values()) < 1e-5


def loss_type(method: Method) -> str:
    """TRL's name of what a method averages."""
    if method.surrogate == "clipped_weight":
        return "cispo"
    return {"sequence": "grpo", "token": "bnpo", "constant": "dr_grpo"}[method.loss_aggregation]


def distances(mine: Any, its: Any) -> dict[str, float]:
    """Of each parameter: the largest difference between two gradients, in parts of the largest gradient."""
    pairs = zip(mine.named_parameters(), its.named_parameters(), strict=True)
    return {
        name: float((one.grad - two.grad).abs().max() / two.grad.abs().max()) for (name, one), (_, two) in pairs
    }


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_loss_and_every_gradient_are_trls_at_each_of_several_updates(
    models: Models, theirs: Callable[..., Any], case: Case
) -> None:
    played = trajectories(models.policy(models.start), case.objective.temperature, case.engine)
    trainer = theirs(models, played, case)
    batch = trainer._generate_and_score_completions([{"prompt": "."} for _ in played])
    of_each = [sample.advantage for sample in taught(played, case.method)]
    assert batch["advantages"].flatten().tolist() == pytest.approx(of_each, rel=1e-6)
    before, update = models.start, None
    for updates in range(1, UPDATES + 1):
        policy, update = ours(models, played, case.but(updates_per_batch=updates))
        assert_same_step(policy, update, trainer, before, batch)
        figures = {name: values[-1] for name, values in trainer._metrics["eval"].items()}
        if (case.method.surrogate, case.method.ratio) == ("clipped", "token"):  # else it counts otherwise
            assert update.clip_fraction == pytest.approx(figures["clip_ratio/region_mean"], abs=1e-6)
        assert update.entropy == pytest.approx(figures["entropy"], rel=1e-6)
        assert update.kl == pytest.approx(figures.get("kl", 0.0), abs=1e-6)
        before = policy.state_dict()
    assert update is not None
    assert 0.05 < update.clip_fraction < 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"method": Method(kl=0.1, clip=0.19)},
        {"method": Method(kl=0.102)},
        {"temperature": 1.01},
        {"entropy": 0.001},
        {"lr": 1.9e-3},
    ],
)
def test_the_oracle_sees_a_setting_that_is_a_little_wrong(
    models: Models, theirs: Callable[..., Any], wrong: dict[str, Any]
) -> None:
    right = CASES["kl"]
    played = trajectories(models.policy(models.start), 1.0, 0.0)
    trainer = theirs(models, played, right)
    batch = trainer._generate_and_score_completions([{"prompt": "."} for _ in played])
    before, _ = ours(models, played, right.but(updates_per_batch=2))
    policy, _ = ours(models, played, right.but(**wrong))
    trainer.model.load_state_dict(before.state_dict())
    trainer._compute_loss(trainer.model, batch).backward()
    assert max(distances(policy, trainer.model).values()) > 1e-3


@pytest.mark.slow
def test_rloo_has_trls_loss_and_gradients_of_whole_replies(models: Models, tmp_path: Path) -> None:
    """Of one turn each, since TRL's RLOOTrainer has one mask for what is read and what is learned."""
    trl = pytest.importorskip("trl", reason="TRL comes with the dev extra")
    datasets = pytest.importorskip("datasets", reason="TRL brings it")
    method, (read, *said) = replace(METHODS["rloo"], kl=0.0, clip=0.9, clip_high=3.0), (5, 2, 4, 1, 3, 6, 2)
    ids = [Random(row).choices(range(280), k=read + count) for row, count in enumerate(said)]
    played = [
        trajectory([(read, count)], row, known(models.policy(models.start), row), reward / 1e4)
        for count, row, reward in zip(said, ids, REWARDS, strict=True)
    ]
    trainer = trl.RLOOTrainer(
        model=models.policy(models.start),
        reward_funcs=lambda **_: [],
        args=trl.RLOOConfig(
            output_dir=str(tmp_path),
            epsilon=method.clip,
            epsilon_high=method.clip_high,
            beta=0.0,
            num_generations=GROUP,
            per_device_train_batch_size=len(said),
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            report_to="none",
        ),
        processing_class=load.load(str(models.folder))[1],
        train_dataset=datasets.Dataset.from_list([{"prompt": "."}]),
    )
    longest = max(said)
    there = torch.tensor([[1] * count + [0] * (longest - count) for count in said])
    padded = torch.tensor([[*row, *[0] * (read + longest - len(row))] for row in ids])
    found = taught(played, method)
    batch = {
        "prompt_ids": padded[:, :read],
        "prompt_mask": torch.ones(len(said), read, dtype=torch.long),
        "completion_ids": padded[:, read:],
        "completion_mask": there,
        "old_logps": torch.tensor([sum(each.logprobs) for each in found], dtype=torch.float64),
        "advantages": torch.tensor([each.advantage for each in found], dtype=torch.float64),
    }
    before, update = models.start, None
    for updates in (1, 2):
        policy = models.policy(models.start)
        update = Learner(policy).learn(
            found, Objective(method=method, lr=2e-3, updates_per_batch=updates, max_grad_norm=1e9)
        )
        assert_same_step(policy, update, trainer, before, batch)
        before = policy.state_dict()
    assert update is not None
    assert update.grad_norm > 0.01


def known(policy: Any, ids: Sequence[int]) -> list[float]:
    """The policy's own log-probability of each id, 0 of the first."""
    with torch.no_grad():
        logp_TV = policy(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return [0.0, *logp_TV[:-1].gather(1, torch.tensor(ids)[1:, None])[:, 0].tolist()]
