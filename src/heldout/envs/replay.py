"""Recorded episodes played again, and where we answer otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from heldout.envs.base import Env, World
from heldout.envs.recorded import Answer, RecordedEpisode, RecordedStep
from heldout.errors import OriginalError

OVER = "the episode is over"
"""What an action after the ending is answered, by rules that have no play after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One answer that is not the recorded one."""

    episode: str
    step: int
    """From 1; 0 is the start."""
    action: str
    fields: tuple[str, ...]
    """In what the two differ."""
    recorded: Answer
    ours: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """An episode played again: with our answers, and where these are not the recorded ones."""

    episode: RecordedEpisode
    differences: tuple[Difference, ...]


def nothing_beside(_: World) -> Answer:
    """What is told of a world beside the steps, where nothing is."""
    return Answer()


def replay_episode(
    recorded: RecordedEpisode, env: Env, *, past_end: bool, beside: Callable[[World], Answer] = nothing_beside
) -> Replayed:
    """The recorded actions, played in an environment that was opened for them.

    `past_end`: play goes on after an ending, as the originals' does; else the environment is not asked again.
    `beside`: what can be told of a world beside the step itself, such as what is available.
    """
    start, steps, over = env.start().observation, list[RecordedStep](), False
    available = beside(env.world).available
    for step in recorded.steps:
        answer = Answer(error=OVER) if over else _answer(env, step, beside)
        over = over or (answer.done is True and not past_end)
        steps.append(replace(step, answer=answer))
    ours = replace(recorded, start=start, available=available, steps=tuple(steps))
    return Replayed(episode=ours, differences=tuple(_differences(recorded, ours)))


def _answer(env: Env, step: RecordedStep, beside: Callable[[World], Answer]) -> Answer:
    if step.misread:
        return Answer(observation=step.misread, reward=0.0, score=0.0, done=False)
    try:
        answer = env.step(step.action)
    except OriginalError as error:
        return replace(beside(env.world), error=str(error))
    return replace(
        beside(env.world),
        observation=answer.observation,
        reward=answer.reward,
        score=answer.score,
        done=answer.ending is not None,
    )


def _differences(recorded: RecordedEpisode, ours: RecordedEpisode) -> Iterator[Difference]:
    opening, our_opening = (Answer(observation=each.start, available=each.available) for each in (recorded, ours))
    pairs = [("", opening, our_opening)]
    pairs += [(was.action, was.answer, now.answer) for was, now in zip(recorded.steps, ours.steps, strict=True)]
    for number, (action, was, now) in enumerate(pairs):
        if apart := was.apart(now):
            yield Difference(episode=recorded.id, step=number, action=action, fields=apart, recorded=was, ours=now)
