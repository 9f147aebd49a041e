"""Recorded episodes of ALFWorld: which released game was behind them."""

from heldout.data.folder import data_folder
from heldout.envs.alfworld.env import LISTED, MOST_STEPS, AlfWorld, OriginalAlfWorld
from heldout.envs.alfworld.games import house, parse_name
from heldout.envs.alfworld.published import RELEASE, list_games
from heldout.envs.alfworld.words import available
from heldout.envs.alfworld.world import World
from heldout.envs.base import Env
from heldout.envs.dialogues import convert_dialogue
from heldout.envs.react import whole_action
from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode
from heldout.errors import BadCall, choose_from


def open_recording(episode: RecordedEpisode, *, rules: str) -> Env:
    """The game that a recording names by its release, split and id.

    By the original's rules the opening lists the actions where the recorded one does: the server gives them beside
    it, and AgentGym's client puts them there.
    """
    task = episode.task
    spelled = parse_name(game) if isinstance(game := task.get("game"), str) else None
    if spelled:  # a path says more than its last two folders
        said = {"game": spelled.id, "data": spelled.release, "split": spelled.split}
        task = {**{name: value for name, value in said.items() if value}, **task, "game": spelled.id}
    found = [task.get(name, default) for name, default in (("data", RELEASE), ("split", "train"), ("game", None))]
    if not all(isinstance(value, str) for value in found):
        raise BadCall(
            f"a task of ALFWorld has game, and data and split ({choose_from('game', task, lead='there are')})"
        )
    release, split, game = found
    world = World(house(data_folder(), release, split, game), original=rules == "agentgym")
    if not world.original:
        return AlfWorld(world)
    return OriginalAlfWorld(
        world,
        lists_actions=episode.start is None or LISTED in episode.start,
        most_steps=episode.max_steps or MOST_STEPS,
    )


def episode_of(dialogue: Dialogue) -> RecordedEpisode:
    """The episode behind a dialogue; the number in its `item_id` is AgentGym's index."""
    places = list_games(data_folder())
    if dialogue.item >= len(places):
        raise BadCall(f"there is no alfworld_{dialogue.item}: AgentGym lists {len(places)} games")
    split, game = places[dialogue.item]
    task = {"data": RELEASE, "split": split, "game": game}
    return convert_dialogue(dialogue, task, whole_action, paid="reward")


def beside(world: World) -> Answer:
    """What a recording has beside each step: what can be done next."""
    return Answer(available=tuple(available(world)))
