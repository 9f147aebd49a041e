"""A dialogue as an episode: the client's part in it, which is to read each reply and hand on what it was paid."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from heldout.envs.react import Misread
from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode, RecordedStep
from heldout.records import Json


def convert_dialogue(
    dialogue: Dialogue, task: Mapping[str, Json], read: Callable[[str], str], paid: Literal["reward", "score"]
) -> RecordedEpisode:
    """The episode behind a dialogue about a task; `paid` is the figure that the client handed on as reward."""
    steps = [_step(reply, Answer(observation=told), read) for reply, told in dialogue.turns]
    if steps:
        figure = Answer(reward=dialogue.reward) if paid == "reward" else Answer(score=dialogue.reward)
        steps[-1] = replace(steps[-1], answer=replace(figure, observation=dialogue.turns[-1][1]))
    return RecordedEpisode(
        env=dialogue.env,
        id=dialogue.id,
        kind="dialogue",
        task={"item": dialogue.item, **task},
        start=dialogue.opening,
        steps=tuple(steps),
    )


def _step(reply: str, answer: Answer, read: Callable[[str], str]) -> RecordedStep:
    try:
        return RecordedStep(action=read(reply), answer=answer)
    except Misread as told:
        return RecordedStep(action="", answer=answer, misread=str(told))
