"""Steps that are skipped since their gradient is no number, and what is said when a training has run away."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from heldout.chains import Chain, chain_name
from heldout.config import Train
from heldout.errors import NotFinite
from heldout.model.learner import Update
from heldout.records import Json
from heldout.store.runs import StageFolder


def skipped_figure(update: Update | None, folder: StageFolder) -> dict[str, Json]:
    """In the row of a skipped step, how many of the stage's steps were skipped by now; nothing in another's."""
    if update is None or not update.is_skipped:
        return {}
    return {"skipped": 1 + sum("skipped" in row for row in folder.metrics)}


def refuse_too_many(row: Mapping[str, Json], settings: Train) -> None:
    """Ends a stage of which more steps were skipped than may be."""
    if row.get("skipped", 0) > settings.max_skipped:
        raise NotFinite(
            f"the gradient's norm is no finite number, and {row['skipped']} steps of the stage were skipped by now "
            f"where train.max_skipped is {settings.max_skipped}"
        )


@contextmanager
def saying_how_to_go_on(chain: Chain, settings: Train, folder: StageFolder, step: int) -> Iterator[None]:
    """Names the step and the stage in which a training has run away, and what can be done from there."""
    try:
        yield
    except NotFinite as error:
        told = f"step {step} of {chain_name(chain)}: {error}; {_way_on(chain, settings, folder)}"
        raise NotFinite(told) from None


def last_recorded_step(folder: StageFolder) -> int:
    """The step of the last checkpoint for which all rows of metrics are there, or 0.

    Rows are written before their checkpoint, so only damage can leave a checkpoint without: its steps are
    made again.
    """
    rows = folder.metrics.whole()
    return max((step for step in folder.checkpoints() if step <= rows), default=0)


def step_to_go_on_from(folder: StageFolder) -> int:
    """The same of those checkpoints that have the optimizer's state."""
    rows = folder.metrics.whole()
    return max((step for step in folder.resumable() if step <= rows), default=0)


def chain_at(chain: Chain, step: int, last: int) -> Chain:
    """The chain that a checkpoint of its last stage ends: as it is called after the `last` step, or said to end."""
    return chain if step == last else (*chain[:-1], chain[-1].ending_at(step))


def _way_on(chain: Chain, settings: Train, folder: StageFolder) -> str:
    """How to go on from the last good checkpoint with other settings, such as a learning rate of a tenth."""
    lower, at = f"train.lr={settings.lr / 10:.2g}", last_recorded_step(folder)
    if not at:
        return f"there is no checkpoint yet: begin again elsewhere with other settings, such as --set {lower}"
    own = chain[-1].without("train.steps", "train.lr")
    stage = replace(own, changes=(*own.changes, ("train.lr", lower.partition("=")[2])))
    new = chain_name((*chain_at(chain, at, settings.steps), stage))
    return f"go on from step {at} with other settings as a new stage, such as --resume --set {lower}: {new}"
