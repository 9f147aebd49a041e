"""heldout: train LLM agents by multi-turn reinforcement fine-tuning, measure them where they were not trained.

`heldout.make` opens an environment as a `gymnasium.Env`; it is loaded when it is asked for.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heldout.integrations.gymnasium import make as make

__version__ = "0.1.0"

_GYMNASIUM = "heldout.integrations.gymnasium"


def __getattr__(name: str) -> Any:
    """The one name that is loaded late, since Gymnasium is slow to load."""
    if name == "make":
        return import_module(_GYMNASIUM).make
    raise AttributeError(f"module 'heldout' has no attribute {name!r}")


if "gymnasium" in sys.modules:  # who has loaded it finds our ids there, as Gymnasium's users expect of an import
    import_module(_GYMNASIUM)
