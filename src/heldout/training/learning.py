"""One update from a step's groups: their advantages and weights, and what is minimised."""

from collections.abc import Sequence
from dataclasses import replace

from heldout.backend.worker import Backend
from heldout.config import Train
from heldout.learn.batch import samples_of
from heldout.learn.groups import samples
from heldout.learn.methods import Method, method_of
from heldout.model.learner import Objective, Tell, Update, unheard
from heldout.records import Group
from heldout.training.figures import learning_rate
from heldout.training.job import Job


def learn(backend: Backend, job: Job, groups: Sequence[Group], step: int, tell: Tell = unheard) -> Update | None:
    """One batch of these groups; without any sampled token no update. `tell` hears of its micro-batches."""
    settings, method = job.config.train, method_of(job.config.train)
    charges = _charges_of(backend, settings, method, groups) if method.has_kl_reward else ()
    taught = samples(groups, method, job.config.limits.response_budget, charges)
    if not taught:
        return None
    update = backend.learn(taught, objective(settings, step), tell)
    tokens = sum(map(len, charges))
    return replace(update, kl=sum(map(sum, charges)) / (method.kl * tokens)) if tokens else update


def _charges_of(
    backend: Backend, settings: Train, method: Method, groups: Sequence[Group]
) -> list[tuple[float, ...]]:
    """A KL term in the reward: of each sampled token of each trajectory β (log π − log π_ref), the k1 estimator."""
    played = [trajectory for group in groups for trajectory in group.trajectories]
    spoken = [trajectory for trajectory in played if trajectory.generated_tokens]
    read = backend.reference_logprobs(
        samples_of(spoken, [1.0] * len(spoken)), settings.temperature, settings.batch_tokens
    )
    anchors = iter(read)
    return [
        tuple(
            method.kl * (own - anchor)
            for own, anchor in zip(
                (each for turn in trajectory.turns for each in turn.reply.logprobs), next(anchors), strict=True
            )
        )
        if trajectory.generated_tokens
        else ()
        for trajectory in played
    ]


def objective(settings: Train, step: int) -> Objective:
    """What the step's update minimises."""
    return Objective(
        method=method_of(settings),
        lr=learning_rate(settings, step),
        entropy=settings.entropy,
        updates_per_batch=settings.updates_per_batch,
        temperature=settings.temperature,
        max_grad_norm=settings.max_grad_norm,
        batch_tokens=settings.batch_tokens,
    )
