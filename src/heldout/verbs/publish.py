"""Where a training leaves its checkpoint: under its own name, and under that of the whole road it ends.

The published listing goes on from `outputs/webshop_easy_checkpoint` to `outputs/webshop_all_checkpoint`, once both
difficulties were trained, and from one environment to the next to `outputs/sequential_checkpoint`.
"""

import sys
from dataclasses import replace
from pathlib import Path

from heldout.agents import agent_of
from heldout.chains import Chain, Stage, chain_name, slug_of
from heldout.config import Config
from heldout.errors import HeldoutError
from heldout.printable import printable_line
from heldout.store.published import Published, publish


def own_folder(stage: Stage, config: Config, root: Path) -> Path:
    """`outputs/webshop_easy_checkpoint`; what is changed in the environment or the stage is named too."""
    return _folder(root, stage, config, slug_of("+".join(stage.envs)), stage.difficulty)


def _road_folder(chain: Chain, config: Config, root: Path) -> Path | None:
    """The name of several stages: easy and hard in the same environments, or one environment after another."""
    if len(chain) < 2:
        return None
    last = chain[-1]
    if {stage.envs for stage in chain} != {last.envs}:
        return _folder(root, last, config, "sequential")
    if {stage.difficulty for stage in chain} >= {"easy", "hard"}:
        return _folder(root, last, config, slug_of("+".join(last.envs)), "all")
    return None


def publish_checkpoint(checkpoint: Path, stage: Stage, config: Config, root: Path, run: Path) -> None:
    """Puts a training's last checkpoint there, and says where, and whose it is."""
    agent = agent_of(str(checkpoint))
    assert agent.seed is not None
    made_by = Published(run=str(run), chain=chain_name(agent.chain), seed=agent.seed, step=agent.step)
    own, road = own_folder(stage, config, root), _road_folder(agent.chain, config, root)
    _tell_replaced(own, publish(checkpoint, own, made_by), made_by)
    print(printable_line(f"made by: {made_by}"), printable_line(f"checkpoint: {own}"), sep="\n")
    if road and road != own:
        _publish_again(own, road, made_by)


def _publish_again(own: Path, road: Path, made_by: Published) -> None:
    """Under the road's name too, unless something else has it."""
    again = replace(made_by, by_another_name=True)
    try:
        _tell_replaced(road, publish(own, road, again), again)
    except HeldoutError as error:
        print(printable_line(f"heldout: {error}"), file=sys.stderr)
    else:
        print(printable_line(f"the same: {road}"))


def _tell_replaced(folder: Path, there: Published | None, made_by: Published) -> None:
    if there and str(there) != str(made_by):
        print(printable_line(f"heldout: {folder} was that of {there}"), file=sys.stderr)


def _folder(root: Path, stage: Stage, config: Config, *names: str) -> Path:
    changes = "" if not stage.changes else slug_of(stage.name).rpartition("~")[2]
    return root / "_".join(filter(None, (*names, config.source.variant.name, changes, "checkpoint")))
