"""heldout: train LLM agents by multi-turn reinforcement fine-tuning, measure them where they were not trained.

What a program needs is here, each name loaded when it is first asked for:

    checkpoint = heldout.train("pocket", "textcraft.easy", out="runs/mine")
    rows = heldout.evaluate(checkpoint, ["textcraft", "babyai"], out="runs/mine")
    scores = heldout.summarise(rows)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from heldout.version import __version__

if TYPE_CHECKING:
    from heldout.analysis.pass_curve import pass_change, pass_curve
    from heldout.analysis.scores import Cell, CellScore, Change, paired_change, summarise
    from heldout.api import configure, evaluate, load_suite, report, run_study, train
    from heldout.chains import Chain, Stage, chain_name, parse_chain
    from heldout.config import Config, Source
    from heldout.envs.base import Env, Suite, Traits
    from heldout.integrations.gymnasium import make
    from heldout.records import Ending, Row, Step, Task, Trajectory
    from heldout.study.plan import Measured, Study

_PLACES = {
    "heldout.analysis.pass_curve": ("pass_change", "pass_curve"),
    "heldout.analysis.scores": ("Cell", "CellScore", "Change", "paired_change", "summarise"),
    "heldout.api": ("configure", "evaluate", "load_suite", "report", "run_study", "train"),
    "heldout.chains": ("Chain", "Stage", "chain_name", "parse_chain"),
    "heldout.config": ("Config", "Source"),
    "heldout.envs.base": ("Env", "Suite", "Traits"),
    "heldout.integrations.gymnasium": ("make",),
    "heldout.records": ("Ending", "Row", "Step", "Task", "Trajectory"),
    "heldout.study.plan": ("Measured", "Study"),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}

__all__ = [
    "Cell",
    "CellScore",
    "Chain",
    "Change",
    "Config",
    "Ending",
    "Env",
    "Measured",
    "Row",
    "Source",
    "Stage",
    "Step",
    "Study",
    "Suite",
    "Task",
    "Traits",
    "Trajectory",
    "__version__",
    "chain_name",
    "configure",
    "evaluate",
    "load_suite",
    "make",
    "paired_change",
    "parse_chain",
    "pass_change",
    "pass_curve",
    "report",
    "run_study",
    "summarise",
    "train",
]


def __getattr__(name: str) -> Any:
    """A name that is loaded late, since learning and Gymnasium take long to load."""
    if name not in _PLACE_OF:
        raise AttributeError(f"module 'heldout' has no attribute {name!r}")
    return getattr(import_module(_PLACE_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
