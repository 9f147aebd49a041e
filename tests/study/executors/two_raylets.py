"""Runs a small study by a Ray cluster of two raylets on this machine, of which one is killed while it trains.

`python two_raylets.py MODEL FOLDER` prints a line of JSON: what came of it, and the seconds that it took.
"""

import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from threading import Thread

os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}

from ray.cluster_utils import Cluster

from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.config import Config, Evaluate, Limits, Train
from heldout.errors import BadCall
from heldout.store.runs import StudyFolder
from heldout.study.executors.ray import walk
from heldout.study.perform import Watch
from heldout.study.plan import Measured, Study
from heldout.study.run import run

CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=8),
    train=Train(steps=12, tasks=4, group_size=4, max_turns=2, lr=1e-3, kl=0.0, save_every=1),
    evaluate=Evaluate(samples=2, max_turns=1, tasks=2),
    processes=1,
)
NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}


def study_of(model: str, processes: int = 1) -> Study:
    """Two chains that begin alike, and one beside them."""
    return Study(
        name="small",
        base=model,
        chains=(parse_chain("textcraft"), parse_chain("textcraft > textcraft.easy"), parse_chain("babyai")),
        seeds=(0,),
        measured=tuple(
            Measured(cell=Cell(env=env, split="test", difficulty="easy")) for env in ("babyai", "textcraft")
        ),
        config=Config(limits=CONFIG.limits, train=CONFIG.train, evaluate=CONFIG.evaluate, processes=processes),
    )


def kill_one(cluster: Cluster, nodes: list[object], root: Path, said: dict[str, object]) -> None:
    """Kills the raylet whose process trains, when a first checkpoint is there."""
    while not list(root.glob("stages/*/*/checkpoints/step_2")):
        time.sleep(0.1)
    cluster.remove_node(nodes[0], allow_graceful=False)
    said["killed"] = time.monotonic()


def main(model: str, root: Path) -> dict[str, object]:
    """What came of it."""
    began, said = time.monotonic(), dict[str, object]()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 80_000_000})
    nodes = [cluster.add_node(**NODE) for _ in range(2)]
    cluster.wait_for_nodes()
    up = time.monotonic()
    folder, executor = StudyFolder(root), partial(walk, address=cluster.address)
    try:
        run([study_of(model, 2)], StudyFolder(root.with_name("large")), Watch(), False, executor)
    except BadCall as refusal:
        said["refused"] = str(refusal)
    connected = time.monotonic()
    Thread(target=kill_one, args=(cluster, nodes, root, said), daemon=True).start()
    outcome = run([study_of(model)], folder, Watch(), False, executor)
    over = time.monotonic()
    again = run([study_of(model)], folder, Watch(), False, executor)
    cluster.shutdown()
    return {
        **said,
        "was_killed": "killed" in said,
        "done": len(outcome.done),
        "lines": outcome.lines,
        "again": sum(each.episodes for each in again.done),
        "seconds_start": up - began,
        "seconds_refusal": connected - up,
        "seconds_run": over - connected,
        "seconds_of_a_look": (time.monotonic() - over) / len(again.done),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
