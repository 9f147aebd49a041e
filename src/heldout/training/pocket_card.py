"""What the pocket model is worth, written beside it; and whether a model built anew is worth the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree

from heldout.agents import agent_of, open_agent, suites_of
from heldout.analysis.scores import Cell, CellScore, summarise
from heldout.chains import BASE
from heldout.config import Evaluate, pocket
from heldout.errors import HeldoutError
from heldout.evaluation.measure import Identity, measure
from heldout.model.load import place_of
from heldout.records import Json, to_json
from heldout.store.files import read_json, replace_json, sha256_of
from heldout.store.rows import Memory
from heldout.training.pocket_build import Say, befores, build, unfinished_in
from heldout.training.pocket_recipe import CARD, Recipe
from heldout.version import __version__

WEIGHTS = "model.safetensors"
TASKS, ATTEMPTS = 48, 4
"""Training tasks of each cell that the scores are taken from, and plays of each: no test task is opened here, since
recipes are chosen by these scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One cell's score in the shipped model and in the one built anew."""

    cell: str
    shipped: Mapping[str, Json]
    rebuilt: Mapping[str, Json]

    @property
    def agree(self) -> bool:
        """Whether the two 95 % intervals overlap."""
        (low, high), (other_low, other_high) = self.shipped["ci95"], self.rebuilt["ci95"]
        return bool(low <= other_high and other_low <= high)


def make(recipe: Recipe, folder: Path, processes: int, say: Say, part: float = 1.0) -> dict[str, Json]:
    """Builds the model, measures it, and writes its card; stopped anywhere, it goes on from the last checkpoint.

    It is measured on that part of the tasks that a shipped model is measured on.
    """
    build(recipe, folder, processes, say)
    card = _write_card(recipe, folder, processes, max(1, round(part * TASKS)))
    rmtree(unfinished_in(folder).root)
    return card


def _write_card(recipe: Recipe, folder: Path, processes: int, tasks: int) -> dict[str, Json]:
    """Measures a built model and writes how it was made, its hash and its scores beside it; and those of what it
    was after each lesson but the last."""
    places = befores(recipe, folder)
    before = {name: _worth(recipe, place, processes, tasks) for name, place in places.items()}
    card = {
        "heldout": __version__,
        "recipe": to_json(recipe),
        **_worth(recipe, folder, processes, tasks),
        "before": before,
    }
    replace_json(folder / CARD, card)
    return card


def _worth(recipe: Recipe, folder: Path, processes: int, tasks: int) -> dict[str, Json]:
    """A model's hash and scores."""
    scores = _scores_of(recipe.envs, str(folder), processes, tasks)
    return {"sha256": sha256_of(folder / WEIGHTS), "scores": scores}


def check(recipe: Recipe, folder: Path, processes: int, say: Say) -> list[Compared]:
    """Builds the shipped model's recipe anew and compares each cell's score."""
    shipped = read_json(Path(place_of("pocket")) / CARD)
    if shipped["scores"].keys() != (cells := {cell.name for cell in _cells(recipe.envs)}):
        there, now = min(shipped["scores"]), min(cells)
        raise HeldoutError(f"the shipped model's scores are of other tasks ({there}) than a build's ({now})")
    rebuilt = make(recipe, folder, processes, say)
    return [
        Compared(cell=cell, shipped=score, rebuilt=rebuilt["scores"][cell])
        for cell, score in shipped["scores"].items()
    ]


def _scores_of(envs: Iterable[str], model: str, processes: int, tasks: int) -> dict[str, Json]:
    """avg@4 at K = 20 on training tasks of each environment, in points."""
    config = replace(pocket(), evaluate=Evaluate(tasks=tasks, samples=ATTEMPTS), processes=processes)
    identity = Identity(study="pocket", base="pocket", model=agent_of(model).identity, chain=BASE, seed=0, step=0)
    with open_agent(model, config) as agent:
        rows = measure(
            agent.play,
            suites_of(config),
            _cells(envs),
            identity=identity,
            settings=config.evaluate,
            limits=config.limits,
            rows=Memory(),
            trajectories=Memory(),
        )
    return {score.cell.name: _figures(score) for score in summarise(rows)}


def _cells(envs: Iterable[str]) -> list[Cell]:
    return [Cell(env=env, split="train", difficulty=level) for env in envs for level in ("easy", "hard")]


def _figures(score: CellScore) -> dict[str, Json]:
    return {
        "score": round(100 * score.score, 2),
        "ci95": [round(100 * end, 2) for end in score.ci95],
        "success": round(100 * score.success, 2),
        "useful": round(100 * score.useful, 2),
        "turns": round(score.turns, 2),
        "endings": dict(score.endings),
        "n": score.n,
        "k": score.k,
    }
