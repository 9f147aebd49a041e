import copy
from collections.abc import Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Source
from heldout.errors import BadCall, HeldoutError, NotFinite
from heldout.learn.batch import Sample
from heldout.learn.methods import IMITATION, METHODS, Method
from heldout.model import load
from heldout.model.learner import Learner, Objective
from heldout.model.parameters import WholeParameters
from heldout.model.pocket import init_model, model_config

STILL = Objective(lr=0.0, max_grad_norm=1e9)
"""An update whose gradient is looked at, and that changes nothing."""


def logits(model: Any, sample: Sample) -> Tensor:
    out: Tensor = model(input_ids=torch.tensor([sample.ids])).logits[0]
    return out


def logps(model: Any, sample: Sample) -> Tensor:
    """Of each id after the first, from a plain forward pass."""
    return logits(model, sample).log_softmax(-1)[:-1].gather(1, torch.tensor(sample.ids)[1:, None])[:, 0]


def batch(model: Any) -> list[Sample]:
    """Three sequences of different lengths; even positions are read, odd ones were sampled by the model itself."""
    rows = [
        Sample(
            ids=tuple(5 + (7 * at + 31 * length) % 400 for at in range(length)),
            weights=tuple(1 / (3 * (length // 2)) if at % 2 else 0.0 for at in range(length)),
            advantage=advantage,
        )
        for length, advantage in ((6, 1.5), (12, -0.5), (24, -1.0))
    ]
    with torch.no_grad():
        return [replace(row, logprobs=(0.0, *logps(model, row).tolist())) for row in rows]


def scalar(sample: Sample) -> float:
    assert isinstance(sample.advantage, float)
    return sample.advantage


def policy_gradient(model: Any, samples: Sequence[Sample]) -> tuple[float, list[Tensor]]:
    """-Σ w A log π by hand, with logits at every position, and its gradient."""
    parts = [
        -(torch.tensor(sample.weights[1:]) * scalar(sample) * logps(model, sample)).sum() for sample in samples
    ]
    return sum(part.item() for part in parts), list(
        torch.autograd.grad(torch.stack(parts).sum(), list(model.parameters()))
    )


def gradient(model: Any) -> Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def distance(one: Tensor, other: Tensor) -> float:
    """Relative to the first."""
    return float((one - other).norm() / one.norm())


def test_one_update_is_the_plain_policy_gradient(worker: Worker) -> None:
    samples = batch(worker.model)
    _, by_hand = policy_gradient(worker.model, samples)
    update = worker.learn(samples, STILL)
    expected = torch.cat([each.flatten() for each in by_hand])
    assert distance(expected, gradient(worker.model)) < 1e-5
    assert update.grad_norm == pytest.approx(float(expected.norm()), rel=1e-5)
    # Every ratio is 1.
    assert update.loss == pytest.approx(-sum(scalar(s) * sum(s.weights) for s in samples), abs=1e-6)
    assert (update.tokens, update.clip_fraction, update.kl) == (21, 0.0, 0.0)
    assert update.mismatch < 1e-5


def test_entropy_is_the_mean_of_the_trained_positions(worker: Worker) -> None:
    samples = batch(worker.model)
    with torch.no_grad():
        logp = torch.cat([logits(worker.model, sample).log_softmax(-1)[0:-1:2] for sample in samples])
    by_hand = -(logp.exp() * logp).sum(-1).mean()
    assert worker.learn(samples, STILL).entropy == pytest.approx(float(by_hand), rel=1e-5)


class Forbidding(torch.nn.Module):
    """A head that never says one word."""

    def __init__(self, head: Any, word: int) -> None:
        super().__init__()
        self.head, self.word = head, word

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = self.head(hidden)
        return out.index_fill(-1, torch.tensor(self.word), -torch.inf)


def test_a_word_that_cannot_be_said_adds_nothing_to_the_entropy(worker: Worker) -> None:
    model = copy.deepcopy(worker.model)
    samples = batch(model)
    model.set_output_embeddings(Forbidding(model.get_output_embeddings(), 499))
    update = Learner(model).learn(samples, replace(STILL, entropy=0.1))
    assert 0 < update.entropy < log(worker.model.config.vocab_size)
    assert update.grad_norm > 0


@pytest.mark.parametrize("method", [IMITATION, *METHODS.values()], ids=["imitation", *METHODS])
def test_micro_batches_add_up_to_the_gradient_of_one_batch(worker: Worker, method: Method) -> None:
    samples, objective = batch(worker.model), replace(STILL, method=replace(method, kl=0.0), entropy=0.01)
    whole = worker.learn(samples, objective)
    together = gradient(worker.model)
    cut = worker.learn(samples, replace(objective, batch_tokens=1))
    assert distance(together, gradient(worker.model)) < 1e-6
    assert cut.loss == pytest.approx(whole.loss, rel=1e-5)


def test_imitation_minimises_the_weighted_negative_log_likelihood(worker: Worker) -> None:
    samples = batch(worker.model)
    loss, _ = policy_gradient(worker.model, [replace(each, advantage=1.0) for each in samples])
    assert worker.learn(samples, replace(STILL, method=IMITATION)).loss == pytest.approx(loss, rel=1e-5)
    first, *_, last = [worker.learn(samples, Objective(method=IMITATION, lr=1e-3)).loss for _ in range(10)]
    assert last < first - 0.1


def test_an_engine_that_differs_is_weighed_out(worker: Worker) -> None:
    [sample] = batch(worker.model)[:1]
    worker.learn([sample], STILL)
    plain = gradient(worker.model)
    for shift, weight in ((log(1.5), 1.5), (log(3), 2.0), (-log(2), 0.5)):
        shifted = replace(sample, logprobs=tuple(each - shift for each in sample.logprobs))
        update = worker.learn([shifted], STILL)
        assert distance(weight * plain, gradient(worker.model)) < 1e-5
        assert update.mismatch == pytest.approx(abs(shift), rel=1e-4)


def test_of_several_updates_the_first_policy_is_the_old_one(worker: Worker) -> None:
    samples = batch(worker.model)
    narrow = Objective(lr=1e-4, method=Method(clip=1e-6, clip_high=1e-6, kl=0.0))
    once = worker.learn(samples, narrow)
    assert once.clip_fraction == 0
    worker.load(worker.config.model)
    twice = worker.learn(
        samples, Objective(lr=1e-4, method=Method(clip=1e-6, clip_high=1e-6, kl=0.0), updates_per_batch=2)
    )
    assert twice.clip_fraction > 0.25


def test_a_gradient_is_cut_to_its_largest_norm(worker: Worker) -> None:
    update = worker.learn(batch(worker.model), replace(STILL, max_grad_norm=0.01))
    assert update.grad_norm > 0.02
    assert float(gradient(worker.model).norm()) == pytest.approx(0.01, rel=1e-3)


def test_a_kl_term_needs_a_reference(worker: Worker) -> None:
    with pytest.raises(HeldoutError, match="needs a reference model"):
        worker.learn(batch(worker.model), replace(STILL, method=Method(kl=0.1)))


def test_the_kl_term_pulls_back_to_the_reference(tiny: Path) -> None:
    worker = Worker(WorkerConfig(model=str(tiny), source=Source(), reference=str(tiny)))
    samples = [replace(each, advantage=0.0) for each in batch(worker.model)]
    assert worker.learn(samples, replace(STILL, method=Method(kl=0.1))).kl == pytest.approx(0.0, abs=1e-6)
    with torch.no_grad():
        for parameter in worker.model.parameters():
            parameter *= 1.05
    pulls = [worker.learn(samples, Objective(lr=2e-5, method=Method(kl=0.1))).kl for _ in range(5)]
    assert pulls[0] > 1e-3
    assert pulls == sorted(pulls, reverse=True)


@pytest.mark.parametrize("estimator", ["k2", "k3", "exact"])
def test_a_student_comes_nearer_to_its_teacher(tiny: Path, estimator: str) -> None:
    worker = Worker(WorkerConfig(model=str(tiny), source=Source(), reference=str(tiny)))
    with torch.no_grad():
        for parameter in worker.model.parameters():
            parameter *= 1.05
    method = replace(METHODS["distill"], kl_estimator=estimator)
    rows = batch(worker.model)
    samples = [replace(each, weights=(0.0,) * len(each.ids), kl_weights=each.weights) for each in rows]
    seen = [worker.learn(samples, Objective(method=method, lr=2e-5)) for _ in range(5)]
    assert [each.kl for each in seen] == sorted((each.kl for each in seen), reverse=True)
    assert seen[0].loss > seen[-1].loss > 0


def test_the_exact_kl_is_the_mean_of_the_log_ratio_under_the_policy(tiny: Path) -> None:
    worker = Worker(WorkerConfig(model=str(tiny), source=Source(), reference=str(tiny)))
    reference = copy.deepcopy(worker.model)
    with torch.no_grad():
        for parameter in worker.model.parameters():
            parameter *= 1.05
    [sample] = batch(worker.model)[:1]
    with torch.no_grad():
        ours, its = (logits(model, sample).log_softmax(-1)[:-1] for model in (worker.model, reference))
    said = torch.tensor(sample.weights)[1:] > 0
    expected = float((ours.exp() * (ours - its)).sum(-1)[said].mean())
    method = replace(METHODS["distill"], loss_aggregation="token")
    assert worker.learn([sample], replace(STILL, method=method)).kl == pytest.approx(expected, rel=1e-4)


def test_a_reference_of_other_words_is_refused(tiny: Path) -> None:
    with pytest.raises(BadCall, match=r"has others than .*: choose a reference with the same tokenizer"):
        Worker(WorkerConfig(model=str(tiny), source=Source(), reference="pocket"))


def test_an_entropy_bonus_spreads_the_policy(worker: Worker) -> None:
    samples = [replace(each, advantage=0.0) for each in batch(worker.model)]
    spread = [worker.learn(samples, Objective(lr=1e-3, entropy=0.1)).entropy for _ in range(5)]
    assert spread == sorted(spread)


@pytest.mark.parametrize("advantage", [float("nan"), float("inf")])
def test_a_gradient_that_is_no_number_updates_nothing(worker: Worker, advantage: float) -> None:
    samples = batch(worker.model)
    worker.learn(samples, Objective(lr=1e-3))
    before = state(worker)
    update = worker.learn([replace(samples[0], advantage=advantage)], Objective(lr=1e-3))
    assert (update.is_skipped, update.optimizer_steps) == (True, 0)
    assert same(before, state(worker))


def test_after_a_step_that_was_skipped_the_next_is_as_if_it_had_not_been(worker: Worker, tiny: Path) -> None:
    samples = batch(worker.model)
    worker.learn([replace(samples[0], advantage=float("nan"))], Objective(lr=1e-3))
    worker.learn(samples, Objective(lr=1e-3))
    other = Worker(WorkerConfig(model=str(tiny), source=Source()))
    other.learn(samples, Objective(lr=1e-3))
    assert same(state(worker), state(other))


def test_one_token_that_the_policy_has_all_but_forgotten_leaves_the_kl_gradient_finite(tiny: Path) -> None:
    """Its difference to the reference is above 88.7, where exp is inf in float32."""
    worker = Worker(WorkerConfig(model=str(tiny), source=Source(), reference=str(tiny)))
    samples = [replace(each, advantage=0.0) for each in batch(worker.model)]
    with torch.no_grad():
        worker.model.get_output_embeddings().weight *= 1000
        worker.model.get_output_embeddings().weight[samples[0].ids[1]] *= -1
    update = worker.learn(samples, replace(STILL, method=Method(kl=0.1)))
    assert update.kl > 1e7
    assert not update.is_skipped


@pytest.mark.parametrize("where", ["model.norm.weight", "lm_head.weight"])
def test_weights_that_are_no_numbers_are_not_saved(worker: Worker, tmp_path: Path, where: str) -> None:
    with torch.no_grad():
        worker.model.get_parameter(where)[0] = float("nan")
    with pytest.raises(NotFinite, match=r"^the weights hold NaN or inf in '.*', so no checkpoint is written$"):
        worker.save(tmp_path)
    assert not list(tmp_path.iterdir())


def state(worker: Worker) -> dict[str, Tensor]:
    """Copies of all weights and moments."""
    parameters = worker.learner.parameters
    assert isinstance(parameters, WholeParameters)
    optimizer = parameters.optimizer
    kept = {
        f"{parameter}.{moment}": value
        for parameter, weights in worker.model.named_parameters()
        for moment, value in optimizer.state.get(weights, {}).items()
    }
    return {name: value.clone() for name, value in (worker.model.state_dict() | kept).items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_saved_goes_on_bit_for_bit(worker: Worker, tiny: Path, tmp_path: Path) -> None:
    samples, objective = batch(worker.model), Objective(lr=1e-3)
    for _ in range(2):
        worker.learn(samples, objective)
    worker.save(tmp_path)
    saved = state(worker)
    worker.learn(samples, objective)
    other = Worker(WorkerConfig(model=str(tiny), source=Source()))
    other.learn(samples[:1], objective)
    other.restore(tmp_path)
    assert same(state(other), saved)
    other.learn(samples, objective)
    assert same(state(other), state(worker))


def test_what_is_saved_can_be_read_by_whoever_may_read_its_folder(worker: Worker, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    worker.save(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("*.safetensors")}
    assert modes == {"model.safetensors": 0o644, "optimizer.safetensors": 0o644}


def narrow() -> tuple[Learner, list[Sample]]:
    """A learner of a model in bfloat16, and what it learns."""
    model = init_model(model_config(512, end_id=1, pad_id=0, width=32, layers=2), seed=0).bfloat16()
    return Learner(model), [replace(each, logprobs=()) for each in batch(model)]


def weights(learner: Learner) -> Tensor:
    return torch.cat([p.detach().float().flatten() for p in learner.model.parameters()])


SMALL = Objective(method=IMITATION, lr=1e-5)
"""Steps of a tenth of what a bfloat16 number of 0.02 can tell apart."""


@pytest.mark.slow
def test_small_steps_add_up_in_a_model_of_few_bits() -> None:
    learner, samples = narrow()
    before = weights(learner)
    exact = Learner(copy.deepcopy(learner.model).float())
    for _ in range(40):
        learner.learn(samples, SMALL)
        exact.learn(samples, SMALL)
    moved, expected = weights(learner) - before, weights(exact) - before
    assert learner.model.dtype == torch.bfloat16
    assert distance(expected, moved) < 0.3


def test_a_model_of_few_bits_goes_on_bit_for_bit_from_what_was_saved(tmp_path: Path) -> None:
    learner, samples = narrow()
    for _ in range(3):
        learner.learn(samples, SMALL)
    learner.save(tmp_path / "optimizer.safetensors")
    other, _ = narrow()
    other.model.load_state_dict(learner.model.state_dict())
    other.reset_optimizer()
    other.restore(tmp_path / "optimizer.safetensors")
    for each in (learner, other):
        for _ in range(3):
            each.learn(samples, SMALL)
        each.save(tmp_path / f"{id(each)}.safetensors")
    saved = [load_file(tmp_path / f"{id(each)}.safetensors") for each in (learner, other)]
    assert torch.equal(weights(learner), weights(other))
    assert same(*saved)


def test_a_model_of_few_bits_begins_again_from_other_weights() -> None:
    learner, samples = narrow()
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    learner.learn(samples, replace(SMALL, lr=1e-2))
    learner.model.load_state_dict(before)
    learner.reset_optimizer()
    learner.learn(samples, replace(SMALL, lr=0.0))
    assert same(before, learner.model.state_dict())


def test_to_begin_is_to_forget(worker: Worker, tiny: Path, tmp_path: Path) -> None:
    fresh = state(worker)
    worker.learn(batch(worker.model), Objective(lr=1e-3))
    assert not same(fresh, state(worker))
    worker.load(str(tiny))
    assert same(fresh, state(worker))
    worker.save(tmp_path, state=False)
    assert not (tmp_path / "optimizer.safetensors").exists()
    assert torch.equal(*(load_file(at / "model.safetensors")["model.norm.weight"] for at in (tiny, tmp_path)))


def test_a_share_of_nothing_still_takes_the_step_of_all(tiny: Path) -> None:
    """A process without rows of its own adds zeros, and gets the others' gradient."""
    model, _ = load.load(str(tiny))

    def reduce(tensor: Tensor) -> None:
        tensor += 1

    update = Learner(model, reduce=reduce).learn([], Objective(lr=1e-3))
    assert update.grad_norm == pytest.approx(sum(p.numel() for p in model.parameters()) ** 0.5, rel=1e-4)
