"""Recorded episodes of BabyAI: a world is a level and a seed."""

from heldout.envs.babyai.env import BabyAI, OriginalBabyAI
from heldout.envs.babyai.levels import place
from heldout.envs.babyai.world import World
from heldout.envs.base import Env
from heldout.envs.dialogues import convert_dialogue
from heldout.envs.react import plain_action
from heldout.envs.recorded import Dialogue, RecordedEpisode
from heldout.errors import BadCall, choose_from


def open_recording(episode: RecordedEpisode, *, rules: str) -> Env:
    """The world that a recording names by `level` and `seed`, or by the two in one number, `data_idx`."""
    level, seed = _level_and_seed(episode)
    if rules == "agentgym":
        return _original(level, seed)
    return BabyAI(World(level, seed))


def episode_of(dialogue: Dialogue) -> RecordedEpisode:
    """The episode behind a dialogue; AgentGym's client hands on the score as reward.

    Some logs were made with an item's place in their list as its number: the opening tells which it was.
    """
    numbers = (dialogue.item, dialogue.place)
    openings = {number: _original(*place(number)).start().observation for number in numbers}
    number = next((number for number in numbers if openings[number] == dialogue.opening), dialogue.item)
    level, seed = place(number)
    task = {"data_idx": number, "level": level, "seed": seed}
    return convert_dialogue(dialogue, task, plain_action, paid="score")


def _original(level: int, seed: int) -> OriginalBabyAI:
    return OriginalBabyAI(World(level, seed, original=True))


def _level_and_seed(episode: RecordedEpisode) -> tuple[int, int]:
    task = episode.task
    if "level" in task and "seed" in task:
        return _whole("level", task["level"]), _whole("seed", task["seed"])
    if "data_idx" in task:
        return place(_whole("data_idx", task["data_idx"]))
    raise BadCall(
        f"a task of BabyAI has level and seed, or data_idx ({choose_from('level', task, lead='there are')})"
    )


def _whole(name: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise BadCall(f"{name} is a whole number from 0, not {value!r}")
    return value
