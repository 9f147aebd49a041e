"""What of a source only WebShop reads: `--set source.options.webshop.goals=human`."""

from dataclasses import dataclass

from heldout.config import Source, with_options
from heldout.errors import BadCall, unknown

GOALS = ("synthetic", "human")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebShopOptions:
    """WebShop's options."""

    goals: str = "synthetic"
    """Real goals: `synthetic`, AgentGym's 6,910, or `human`, what people wrote (items_human_ins.json)."""


def options_of(source: Source) -> WebShopOptions:
    """What a source sets of them, beside the defaults."""
    options = with_options(WebShopOptions(), source, "webshop")
    if options.goals not in GOALS:
        raise unknown("goals of webshop", options.goals, GOALS)
    if options.goals == "human" and source.kind != "real":
        raise BadCall(
            "source.options.webshop.goals=human is for source.kind=real only: people wrote of real products"
        )
    return options
