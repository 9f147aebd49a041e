"""A recipe by its name, and what of its studies is refused before anything runs."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.scores import Cell
from heldout.chains import chain_name, parse_chain
from heldout.config import Variant, pocket
from heldout.errors import BadCall, HeldoutError
from heldout.study.plan import Measured, Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.named import recipe_named, studies_of

CELL = Cell(env="textcraft", split="test", difficulty="easy")
ALL = replace(CELL, difficulty="all")


def asked(*chains: str, **more: object) -> Asked:
    return Asked(defaults=pocket(), chains=tuple(map(parse_chain, chains)), **more)  # type: ignore[arg-type]


def study(**other: object) -> Study:
    whole = Study(
        name="mine",
        base="pocket",
        chains=(parse_chain("textcraft"),),
        seeds=(0,),
        measured=(Measured(cell=CELL), Measured(cell=CELL, variant=Variant(actions="shown"))),
        config=pocket(),
    )
    return replace(whole, **other)  # type: ignore[arg-type]


def question(*terms: tuple[float, str, Cell, str], name: str = "q") -> Endpoint:
    of = tuple(
        Term(weight=weight, chain=chain, cell=cell, variant=variant) for weight, chain, cell, variant in terms
    )
    return Endpoint(name=name, terms=of)


def test_a_call_says_its_chains_itself_and_asks_what_each_is_worth_elsewhere() -> None:
    [said] = studies_of(recipe_named(""), asked("textcraft > webshop", "textcraft+webshop", seeds=(0, 1), every=16))
    assert [chain_name(chain) for chain in said.chains] == [
        "textcraft > webshop[train.steps=16]",
        "textcraft > webshop[train.steps=32]",
        "textcraft > webshop",
        "textcraft+webshop[train.steps=16]",
        "textcraft+webshop[train.steps=32]",
        "textcraft+webshop",
    ]
    assert said.seeds == (0, 1)
    assert len(said.measured) == 10
    first = said.endpoints[0]
    assert (first.name, len(first.terms)) == ("textcraft > webshop, held out", 6)
    assert {round(term.weight, 3) for term in first.terms} == {0.333, -0.333}
    assert {term.cell.env for term in first.terms} == {"babyai", "searchqa", "alfworld"}


def test_a_recipe_of_yours_is_read_from_its_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("SEEDS = (3, 4)\n")
    (tmp_path / "mine.py").write_text(
        "from beside import SEEDS\n"
        "from heldout.study.recipes.asked import Asked\n"
        "from heldout.study.plan import Study\n"
        "from heldout.chains import parse_chain\n"
        "def two(asked: Asked) -> Study:\n"
        "    return Study(name='two', base=asked.model, chains=(parse_chain('textcraft'),), seeds=SEEDS,\n"
        "                 measured=(), config=asked.config)\n"
        "def broken(asked):\n    return 1 / 0\n"
        "def wrong(asked):\n    return 'a study'\n"
    )
    before = list(sys.path)
    [found] = studies_of(recipe_named(f"{tmp_path}/mine.py:two"), asked())
    assert (found.name, found.seeds) == ("two", (3, 4))
    assert sys.path == before
    with pytest.raises(HeldoutError, match=r"mine.py:broken raises ZeroDivisionError"):
        studies_of(recipe_named(f"{tmp_path}/mine.py:broken"), asked())
    with pytest.raises(BadCall, match="a recipe gives a Study or a tuple of them, not 'a study'"):
        studies_of(recipe_named(f"{tmp_path}/mine.py:wrong"), asked())
    with pytest.raises(BadCall, match=r"unknown recipe in .*mine.py 'tow'; did you mean 'two'\?"):
        recipe_named(f"{tmp_path}/mine.py:tow")
    with pytest.raises(BadCall, match=r"no file '.*other.py' \(beside it lie: .*beside.py, .*mine.py\)"):
        recipe_named(f"{tmp_path}/other.py:two")
    with pytest.raises(BadCall, match="no_such_module cannot be read: ModuleNotFoundError"):
        recipe_named("no_such_module:two")
    with pytest.raises(BadCall, match=r"unknown recipe 'mine' .*; yours is named as FILE.py:function"):
        recipe_named("mine")


@pytest.mark.parametrize(
    ("studies", "told"),
    [
        ((), "a recipe gives one study or several, not none"),
        ((study(), study()), "the recipe has the study mine twice"),
        ((study(), study(name="b", base="other")), "have one base, not 2: pocket, other"),
        ((study(seeds=()),), "study 'mine' has no seeds"),
        ((study(seeds=(1, 1)),), "study 'mine' has the seed 1 twice"),
        ((study(measured=(Measured(cell=CELL),) * 2),), "has the cell textcraft.easy twice"),
        ((study(chains=(parse_chain("textkraft"),)),), "unknown environment 'textkraft'; did you mean 'textcraft'"),
        (
            (
                study(),
                study(name="b", config=replace(pocket(), slots=3, limits=replace(pocket().limits, reply_tokens=9))),
            ),
            "studies 'mine' and 'b' train textcraft by different settings: say the change in the stage",
        ),
    ],
)
def test_studies_that_cannot_be_are_refused(studies: tuple[Study, ...], told: str) -> None:
    with pytest.raises(BadCall, match=told):
        studies_of(lambda _: studies, asked())


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        (question((1, "textcraft", CELL, "")), "its weights add up to 0"),
        (question((1, "textcraft", CELL, ""), (-0.9, "base", CELL, "")), "its weights add up to 0"),
        (
            question((1, "webshop", CELL, ""), (-1, "base", CELL, "")),
            "endpoint 'q' of study 'mine': unknown chain 'webshop'",
        ),
        (question((1, "textcraft", ALL, ""), (-1, "base", ALL, "")), "textcraft.all is not measured"),
        (
            question((1, "textcraft", CELL, "actions=hidden"), (-1, "base", CELL, "")),
            r"textcraft.easy\[actions=hidden\] is not measured",
        ),
    ],
)
def test_a_question_of_what_is_not_measured_is_refused(endpoint: Endpoint, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        studies_of(lambda _: study(endpoints=(endpoint,)), asked())


def test_a_question_may_be_of_easy_and_hard_together_or_of_a_cell_under_a_variant() -> None:
    both = (Measured(cell=CELL), Measured(cell=replace(CELL, difficulty="hard")))
    together = question((1, "textcraft", ALL, ""), (-1, "base", ALL, ""))
    assert studies_of(lambda _: study(measured=both, endpoints=(together,)), asked())
    shown = question((1, "textcraft", CELL, "actions=shown"), (-1, "base", CELL, "actions=shown"))
    assert studies_of(lambda _: study(endpoints=(shown,)), asked())


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"seeds": (1,)}, r"makes no use of --seeds 1: its studies have 0"),
        ({"envs": ("webshop",)}, "makes no use of --envs webshop: its studies have textcraft"),
        (
            {"chains": (parse_chain("webshop"),)},
            r"makes no use of --chains 'webshop': it has its own: choose from: textcraft",
        ),
        ({"difficulty": "hard"}, "makes no use of --difficulty hard"),
        ({"every": 5}, "makes no use of --every 5"),
        ({"settings": ("train.lr=1",)}, r"makes no use of train.lr=1.0: study 'mine' has 0.0002"),
    ],
)
def test_what_a_recipe_makes_no_use_of_is_refused_and_not_ignored(flags: dict[str, object], told: str) -> None:
    with pytest.raises(BadCall, match=told):
        studies_of(lambda _: study(), replace(asked(), **flags))  # type: ignore[arg-type]
    assert studies_of(lambda _: study(), replace(asked(), seeds=(0,), settings=("train.lr=2e-4",)))
