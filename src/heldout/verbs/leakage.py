"""`heldout data leakage`: what of the test tasks stands among the training tasks and the demonstrations."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from heldout.addresses import public_name
from heldout.analysis.leakage import Nearest, Opened, Shared, leakage
from heldout.config import Config, Source, with_overrides
from heldout.envs.base import Suite, content_digest
from heldout.envs.registry import names, open_suite
from heldout.printable import printable, printable_json
from heldout.progress import Progress
from heldout.records import Task
from heldout.reporting.tables import MISSING, Table, align

SPLITS = ("test", "train", "demonstrations")
TASKS = 6_000
"""Of a split, where the call does not say: more than any recipe of ours trains on, and 80 seconds for the five."""

VERBATIM = ("ENVIRONMENT", "TASKS : AMONG", "TASKS", "AMONG", "INSTRUCTION", "OPENING", "CONTENT")
NEAREST = ("ENVIRONMENT", "TASKS : AMONG", "INSTRUCTION", "90 %", "MOST", "OPENING", "90 %", "MOST")
SAID_OF_VERBATIM = "Per cent of the tasks whose instruction, opening or content is among the others:"
SAID_OF_NEAREST = "Similarity to the nearest of the others, 0 to 1: median, 90 %, and the most:"


def data_leakage(*, envs: Sequence[str], limit: int | None, as_json: bool, settings: Sequence[str]) -> None:
    """Prints for each environment three comparisons of its splits, in two tables."""
    source, wanted = with_overrides(Config(), settings).source, envs or names()
    found = list(_shared(wanted, source, limit or TASKS))
    if as_json:
        print(printable_json([{"env": env, **asdict(shared)} for env, shared in found]))
    else:
        print(printable(_format(found)), end="")


def _format(found: Sequence[tuple[str, Shared]]) -> str:
    """What stands there verbatim, and how near the nearest comes."""
    verbatim = Table(VERBATIM, [_verbatim(env, shared) for env, shared in found], keys=2)
    near = Table(NEAREST, [_nearest(env, shared) for env, shared in found], keys=2)
    return f"{SAID_OF_VERBATIM}\n\n{align(verbatim)}\n{SAID_OF_NEAREST}\n\n{align(near)}"


def _opened(suite: Suite, task: Task) -> Opened:
    """What of a task is compared: what is asked, what is seen at the start, what it is made of."""
    observation = suite.open(task).start().observation
    return Opened(instruction=suite.goal(observation), opening=observation, content=content_digest(suite, task))


def _shared(envs: Sequence[str], source: Source, limit: int) -> Iterator[tuple[str, Shared]]:
    suites = [open_suite(name, source) for name in envs]
    with Progress("data leakage", len(suites) * len(SPLITS)) as progress:
        for count, suite in enumerate(suites):
            splits = dict[str, list[Opened]]()
            for split in SPLITS:
                splits[split] = [_opened(suite, task) for task in suite.tasks(split)[:limit]]
                progress.show(count * len(SPLITS) + len(splits))
            yield from ((public_name(suite.name), shared) for shared in leakage(splits))


def _verbatim(env: str, shared: Shared) -> tuple[str, ...]:
    shares = (shared.instruction, shared.opening, shared.content)
    counts = (str(shared.tasks), str(shared.others))
    return (env, _compared(shared), *counts, *(MISSING if each is None else f"{each:.1f} %" for each in shares))


def _nearest(env: str, shared: Shared) -> tuple[str, ...]:
    return (env, _compared(shared), *_spread(shared.nearest_instruction), *_spread(shared.nearest_opening))


def _spread(near: Nearest | None) -> list[str]:
    return [f"{each:.2f}" for each in (near.median, near.ninth, near.most)] if near else [MISSING] * 3


def _compared(shared: Shared) -> str:
    return f"{shared.of} : {shared.among}"
