"""What the flags of `heldout study` ask for, as studies and the folders that they lie in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heldout.addresses import public_name
from heldout.agents import PLAYERS, defaults_of
from heldout.chains import parse_chain
from heldout.config import Variant
from heldout.envs.registry import BUILT_IN
from heldout.errors import BadCall
from heldout.model.load import POCKET
from heldout.store.runs import StudyFolder
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.named import SAID, recipe_named, studies_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedStudies:
    """Studies of one base, and the folder that they share."""

    model: str
    studies: tuple[Study, ...]
    folder: StudyFolder


def studies_asked(
    *,
    recipe: str,
    models: Sequence[str],
    chains: Sequence[str],
    envs: Sequence[str],
    seeds: Sequence[int],
    difficulty: str | None,
    every: int | None,
    limit: int | None,
    samples: int | None,
    out: Path | None,
    settings: Sequence[str],
) -> list[AskedStudies]:
    """The recipe's studies for each model that is named; what cannot be is refused, and nothing is made yet."""
    if chains and recipe:
        raise BadCall(f"--chains are a study of their own, and recipe {recipe} has its own: leave one out")
    found, name = recipe_named(recipe), recipe.rpartition(":")[2] or SAID
    given = {"evaluate.tasks": limit, "evaluate.samples": samples}
    flags = [f"{path}={value}" for path, value in given.items() if value is not None]
    several = len(set(models)) > 1
    asked = [
        Asked(
            model=model,
            defaults=defaults_of(model),
            settings=(*flags, *settings),
            envs=tuple(dict.fromkeys(map(public_name, _whole(envs)))),
            seeds=tuple(dict.fromkeys(seeds)),
            difficulty=(difficulty or "").lower(),
            every=every,
            chains=tuple(map(parse_chain, dict.fromkeys(chains))),
            name=name,
        )
        for model in dict.fromkeys(models or [POCKET])
    ]
    if players := [each.model for each in asked if each.model in PLAYERS]:
        raise BadCall(f"{players[0]!r} cannot be trained: name a model (pocket, a folder, or a Hugging Face name)")
    return [
        AskedStudies(
            model=each.model,
            studies=studies_of(found, each),
            folder=StudyFolder(_folder(each, out, several=several)),
        )
        for each in asked
    ]


def _whole(envs: Sequence[str]) -> list[str]:
    """The environments, `all` being the five."""
    return [name for env in envs for name in (BUILT_IN if env == "all" else [env])]


def _folder(asked: Asked, out: Path | None, *, several: bool) -> Path:
    """`runs/pocket-transfer`, with the model and the variant where they are others; one each of several models."""
    model = re.sub(r"[^A-Za-z0-9_.+-]", "-", asked.model.strip("./").replace("/", "--"))[-80:]
    variant: Variant = asked.config.source.variant
    name = "-".join(filter(None, (asked.name, "" if asked.model == POCKET or several else model, variant.name)))
    whole = out or Path("runs") / name
    return whole / model if several else whole
