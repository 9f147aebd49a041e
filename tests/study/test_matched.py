from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.config import pocket, with_overrides
from heldout.study.matched import matched_episodes
from heldout.study.plan import Study
from heldout.study.recipes.questions import change, endpoint, mean, minus

X = (Cell(env="textcraft", split="test", difficulty="all"),)
Y = (Cell(env="babyai", split="test", difficulty="all"),)
A, LONG, B = (
    parse_chain("textcraft"),
    parse_chain("textcraft[train.steps=40]"),
    parse_chain("babyai[train.steps=10]"),
)


def test_two_sides_of_other_training_episodes_are_told_and_a_base_is_none() -> None:
    study = Study(
        name="sides",
        base="pocket",
        chains=(A, LONG, B),
        seeds=(0,),
        measured=(),
        config=with_overrides(pocket(), ["train.steps=20"]),
        endpoints=(
            endpoint("gain", change((), A, X), ""),
            endpoint("longer", change(A, LONG, X), ""),
            endpoint("gap", minus(change((), A, X), change((), A, Y)), ""),
            endpoint("means", minus(mean([change((), A, X), change((), B, X)]), change((), A, X)), ""),
        ),
    )  # fmt: skip
    assert [(each.endpoint.name, each.told) for each in matched_episodes(study)] == [
        ("gain", ""),
        ("longer", "not matched: 3,840 against 1,920 training episodes"),
        ("gap", ""),
        ("means", "not matched: 960 against 1,920 training episodes"),
    ]
