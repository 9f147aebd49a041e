"""What a program needs: train an agent, measure it, run a study, and report what came of it.

`import heldout` offers these names; each does what the verb of that name does, and finds what is there already.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import final

from heldout.agents import defaults_of, suites_of
from heldout.analysis.scores import ALL
from heldout.chains import Stage, parse_chain
from heldout.config import Config, Source, with_overrides
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.errors import BadCall
from heldout.records import Json, Row
from heldout.reporting.chain import write_report
from heldout.reporting.findings import Findings
from heldout.store.runs import StudyFolder
from heldout.study.once import cells_of, measure_agent, train_once
from heldout.study.outcome import Outcome
from heldout.study.perform import Watch, open_workspace
from heldout.study.plan import Study
from heldout.study.run import run

Tell = Callable[[Mapping[str, Json]], None]
"""Hears the figures of each training step."""


def load_suite(name: str, source: Source | None = None) -> Suite:
    """An environment by its name, or at MODULE:SUITE, over a source of tasks."""
    return open_suite(name, source or Source())


def configure(model: str, settings: Sequence[str] = ()) -> Config:
    """The defaults of a model, with each `path=value` put in, as by `--set`."""
    return with_overrides(defaults_of(model), settings)


def train(
    model: str,
    stage: str | Stage,
    *,
    out: Path | str,
    config: Config | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> Path:
    """Trains one stage from a model, and gives the folder of its last checkpoint.

    A run that is in `out` already goes on from its last checkpoint; one that is finished costs a look.
    """
    chain = parse_chain(stage) if isinstance(stage, str) else (stage,)
    if len(chain) != 1:
        raise BadCall(f"train makes one stage, and {stage!r} is {len(chain)}: a Study has chains")
    folder = StudyFolder(Path(out))
    study = Study(
        name=folder.root.name,
        base=model,
        chains=(chain,),
        seeds=(seed,),
        measured=(),
        config=config or configure(model),
    )
    checkpoint, _, _ = train_once(open_workspace(study, folder, _Silent(tell)))
    return checkpoint


def evaluate(
    model: str | Path,
    envs: Sequence[str],
    *,
    out: Path | str,
    config: Config | None = None,
    difficulty: str = ALL,
    split: str = "test",
    seed: int | None = None,
) -> list[Row]:
    """The rows of an agent in some environments; what `out` has is not played again.

    The seed is 0, or that of the training that made the agent.
    """
    name = str(model)
    config = config or configure(name)
    suites = suites_of(config)
    cells = [cells_of(suites(env), split, difficulty) for env in dict.fromkeys(envs)]
    return measure_agent(name, cells, config, StudyFolder(Path(out)), seed=seed, playing=_Silent().playing)


def run_study(
    study: Study | Sequence[Study], out: Path | str, *, watch: Watch | None = None, controls: bool = True
) -> Outcome:
    """Trains and measures what a study, or several of one base, ask for and the folder does not have.

    Raises where a piece failed, when all that can do without it is done.
    """
    studies = [study] if isinstance(study, Study) else study
    outcome = run(studies, StudyFolder(Path(out)), watch or _Silent(), controls)
    outcome.raise_if_failed()
    return outcome


def report(study: Study, out: Path | str) -> Findings:
    """Writes the report of a study of one chain into its folder, and gives what it says."""
    return write_report(study, StudyFolder(Path(out)))


@final
class _Silent(Watch):
    """Watches and says nothing, but for what `tell` does with a step."""

    def __init__(self, tell: Tell | None = None) -> None:
        self._tell = tell

    def step(self, chain: str, row: dict[str, Json], steps: int) -> None:
        """A training step was made."""
        del chain, steps
        if self._tell:
            self._tell(row)
