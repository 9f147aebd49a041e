"""`heldout study run`: what studies ask for and their folders do not have is trained and measured."""

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

from heldout.errors import BadCall
from heldout.extras import load
from heldout.printable import printable_line
from heldout.progress import StatusLine
from heldout.reporting.study import answers_text, write_answers
from heldout.study.executors import here, jobs
from heldout.study.outcome import Outcome
from heldout.study.perform import Watch
from heldout.study.run import Executor, run
from heldout.verbs.asking import AskedStudies, studies_asked
from heldout.verbs.progress import PiecesProgress, StudyProgress
from heldout.verbs.study import print_pruned

RAY = "heldout.study.executors.ray:walk"
"""What only `--ray` needs, and only with the extra of that name."""


def study_run(
    *,
    recipe: str,
    models: Sequence[str],
    chains: Sequence[str],
    envs: Sequence[str],
    seeds: Sequence[int],
    difficulty: str,
    every: int | None,
    limit: int | None,
    samples: int | None,
    controls: bool,
    seconds: float | None,
    jobs: int,
    address: str | None,
    keep: str,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Does what is missing of each study; at the end says what failed and what is left."""
    asked = studies_asked(
        recipe=recipe,
        models=models,
        chains=chains,
        envs=envs,
        seeds=seeds,
        difficulty=difficulty,
        every=every,
        limit=limit,
        samples=samples,
        out=out,
        settings=settings,
    )
    executor, last = _executor(jobs, address), None if seconds is None else time.monotonic() + seconds
    outcomes = list[Outcome]()
    for each in asked:
        left = None if last is None else max(0.0, last - time.monotonic())
        outcomes.append(_run_asked(each, executor, seconds=left, controls=controls, keep=keep))
    for outcome in outcomes:
        outcome.raise_if_failed()


def _run_asked(
    asked: AskedStudies, executor: Executor, *, seconds: float | None, controls: bool, keep: str
) -> Outcome:
    """Runs the studies of one folder, and says what came of it."""
    with StatusLine() as line:
        watch: Watch = StudyProgress(line, "study") if executor is here.walk else PiecesProgress(line, "study")
        outcome = run(asked.studies, asked.folder, watch, controls, executor, seconds=seconds, keep=keep)
    for told in outcome.lines:
        print(printable_line(told), file=sys.stderr)
    new = sum(each.is_new for each in outcome.done)
    in_all = len(outcome.done) + len(outcome.failed) + len(outcome.skipped) + len(outcome.left)
    said = [f"{len(outcome.done)} of {in_all} pieces are done, {new} of them now"]
    if outcome.failed:
        said.append(f"{len(outcome.failed)} failed and {len(outcome.skipped)} need them")
    if outcome.left:
        said.append(f"{len(outcome.left)} are left, and the same call goes on with them")
    print(printable_line(f"{asked.folder.root}: {'; '.join(said)}"))
    if outcome.removed:
        print_pruned(asked.folder.root, outcome.removed)
    if not outcome.left:  # half of a study is no answer; who wants to see it calls heldout report
        _print_answers(asked)
    return outcome


def _print_answers(asked: AskedStudies) -> None:
    """What was found, where anything was."""
    found = [answers for answers in write_answers(asked.studies, asked.folder) if answers.scores]
    for answers in found:
        print(f"\n{answers_text(answers)}")
    if found:
        print(printable_line(f"with intervals of every cell, and task by task: {asked.folder.report}"))


def _executor(count: int, address: str | None) -> Executor:
    """Who does the pieces: this process, several here, or a cluster."""
    if address is not None and count > 1:
        raise BadCall(f"--jobs {count} is for this machine, and --ray {address} for a cluster: leave one out")
    if address is not None:
        return cast(Executor, partial(load(RAY), address=address))
    return partial(jobs.walk, jobs=count) if count > 1 else here.walk
