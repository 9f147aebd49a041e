"""A study of half a million rows, written, read and analysed: `python tests/analysis/scale.py FOLDER`.

50 checkpoints of 5 training seeds in 5 environments, 100 tasks each (half of them easy), 4 attempts; and a base.
What it takes, in seconds of processor time, is printed as one line of JSON.
"""

import resource
import sys
from collections.abc import Iterator
from itertools import permutations
from json import dumps
from pathlib import Path
from random import Random
from time import process_time

from heldout.analysis.alike import each_once
from heldout.analysis.components import measure_components
from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.estimates import estimate_endpoints
from heldout.analysis.scores import ALL, Cell, CellScore, paired_change, summarise
from heldout.analysis.sequence import sequence, sequential
from heldout.analysis.task_by_task import task_by_task
from heldout.analysis.transfer import Scores, transfer
from heldout.chains import BASE
from heldout.records import Row
from heldout.store.rows import Rows
from heldout.testing import make_row

ENVS = ("alfworld", "babyai", "searchqa", "textcraft", "webshop")
CHAINS = (
    *ENVS,
    *(f"{env}.{difficulty}" for env in ENVS for difficulty in ("easy", "hard")),
    *(" > ".join(pair) for pair in permutations(ENVS, 2)),
    *(" > ".join(order) for order in [*permutations(ENVS, 5)][::8]),
)
SEEDS, TASKS, K = 5, 100, 4


def rows_of(chain: str, seed: int) -> Iterator[Row]:
    """What one checkpoint of one seed played."""
    chance = Random(f"{chain}/{seed}")
    trained = chain != BASE
    for env in ENVS:
        for task in range(TASKS):
            for attempt in range(K):
                score = float(chance.random() < (0.6 if env in chain else 0.3) * (0.5 + task / TASKS))
                yield make_row(
                    study="scale",
                    chain=chain,
                    step=40 * trained,
                    seed=seed,
                    model=f"{chain}-{seed}" if trained else "0f",
                    env=env,
                    task=f"{env}_{task}",
                    difficulty="easy" if task % 2 else "hard",
                    attempt=attempt,
                    score=score,
                    success=score == 1,
                    turns=chance.randint(1, 20),
                    generated_tokens=chance.randint(10, 400),
                    stream=f"evaluate/{chain}@40/K=20/T=1/{env}/{env}_{task}/{attempt}",
                )


def checkpoints() -> list[tuple[str, int]]:
    return [(BASE, 0), *((chain, seed) for chain in CHAINS for seed in range(SEEDS))]


def write(folder: Path) -> None:
    for number, (chain, seed) in enumerate(checkpoints()):
        Rows(folder / f"{number}.jsonl", Row).extend(rows_of(chain, seed))


def read(folder: Path) -> dict[str, list[Row]]:
    found = dict[str, list[Row]]()
    for number, (chain, _) in enumerate(checkpoints()):
        found.setdefault(chain, []).extend(Rows(folder / f"{number}.jsonl", Row))
    return found


def endpoints() -> list[Endpoint]:
    """ΔHeld-Out of each single-stage chain."""
    return [
        Endpoint(
            name=f"{chain}, held out",
            terms=tuple(
                Term(weight=sign / 4, chain=name, cell=Cell(env=env, split="test", difficulty=ALL))
                for env in ENVS
                if env != chain
                for sign, name in ((1, chain), (-1, BASE))
            ),
        )
        for chain in ENVS
    ]


def scores_of(summary: list[CellScore]) -> Scores:
    return {(each.chain, each.env): 100 * each.score for each in summary if each.difficulty == ALL}


def timed(times: dict[str, float], name: str, began: float) -> float:
    now = process_time()
    times[name] = round(now - began, 1)
    return now


def main(folder: Path) -> None:
    write(folder)
    times, began = dict[str, float](), process_time()
    rows = read(folder)
    began = timed(times, "read", began)
    summary = [score for own in rows.values() for score in summarise(own, pool=True)]
    began = timed(times, "summarise", began)
    changes = [paired_change(rows[BASE], own, pool=True) for chain, own in rows.items() if chain != BASE]
    began = timed(times, "paired_change", began)
    results = estimate_endpoints(endpoints(), rows)
    began = timed(times, "endpoints", began)
    measured = measure_components(rows, source="scale")
    began = timed(times, "components", began)
    compared = [task_by_task(rows[BASE], own) for chain, own in rows.items() if chain != BASE]
    began = timed(times, "task_by_task", began)
    scores = scores_of(summary)
    tables = [transfer(scores, ENVS), sequential(scores), *(sequence(scores, c, ENVS) for c in CHAINS if ">" in c)]
    timed(times, "tables", began)
    assert all(result.estimate for result in results)
    assert len(changes) == len(compared) == len(CHAINS)
    figures = {
        "rows": sum(len(each_once(own)) for own in rows.values()),
        "seconds": round(sum(times.values()), 1),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "tables": len(tables),
        "seed_sd": round(measured.seed, 1),
        **times,
    }
    sys.stdout.write(dumps(figures) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
