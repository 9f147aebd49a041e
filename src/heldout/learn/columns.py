"""Trajectories as columns: the form in which TRL takes rollouts."""

from collections.abc import Sequence
from typing import Any

from heldout.learn.batch import sequence_of
from heldout.records import Ending, Trajectory

NOTHING = 0
"""The id that stands where there is none; it is masked."""


def columns(played: Sequence[Trajectory]) -> dict[str, list[Any]]:
    """A prompt, and a completion in which what the environment said is masked; a row for each trajectory.

    An episode that the infrastructure ended teaches nothing: all of it is masked, and its reward is None, which
    TRL leaves out of the group.
    """
    rows = dict[str, list[Any]](prompt_ids=[], completion_ids=[], logprobs=[], env_mask=[], env_reward=[])
    for each in played:
        ids, sampled, logprobs = sequence_of(each)
        broken = each.ending is Ending.ERROR
        prompt = len(each.turns[0].reply.context_ids) if each.turns else 0
        rows["prompt_ids"].append(ids[:prompt] or [NOTHING])
        rows["completion_ids"].append(ids[prompt:] or [NOTHING])
        rows["logprobs"].append(logprobs[prompt:] or [0.0])
        rows["env_mask"].append([int(own and not broken) for own in sampled[prompt:]] or [0])
        rows["env_reward"].append(None if broken else each.reward)
    return rows
