"""`heldout pocket` builds what it is asked for, where it is asked to, and says what that is worth."""

from pathlib import Path

import pytest

from heldout.cli import main
from heldout.records import Json
from heldout.training.pocket_recipe import Recipe
from heldout.verbs import pocket

Built = list[tuple[Recipe, Path]]


def figures(score: float, ci95: list[float], success: float, useful: float, turns: float) -> dict[str, Json]:
    return {"score": score, "ci95": ci95, "success": success, "useful": useful, "turns": turns}


CARD: dict[str, Json] = {
    "scores": {
        "doors.easy.train": figures(30.5, [20.0, 41.0], 28.0, 61.0, 9.5),
        "doors.hard.train": figures(4.0, [1.5, 8.0], 3.5, 20.0, 15.0),
    },
    "before": {
        "skill": {"scores": {"doors.easy.train": {"score": 50.0}, "doors.hard.train": {"score": 12.5}}},
    },
}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Built:
    """What the verb has built; building takes no time here, and comes to a card of two cells."""
    asked: Built = []

    def make(recipe: Recipe, folder: Path, *_: object) -> dict[str, Json]:
        asked.append((recipe, folder))
        return CARD

    monkeypatch.setattr(pocket, "make", make)
    return asked


def test_a_built_model_is_shown_with_its_scores(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pocket"]) == 0
    header, _, *cells, _, before, place = capsys.readouterr().out.splitlines()
    assert header.split() == ["CELL", "SCORE", "95", "%", "SUCCESS", "USEFUL", "TURNS", "SKILL"]
    assert before == "SKILL: its score after that lesson, and before the next (outputs/pocket/skill)"
    assert [cell.split() for cell in cells] == [
        ["doors.easy.train", "30.5", "20.0", "to", "41.0", "28.0", "61.0", "9.5", "50.0"],
        ["doors.hard.train", "4.0", "1.5", "to", "8.0", "3.5", "20.0", "15.0", "12.5"],
    ]
    assert place == "model: outputs/pocket"
    assert built == [(Recipe(), Path("outputs/pocket"))]


def test_a_model_without_an_environment_says_what_it_is_shown_of_it(
    built: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pocket", "--without", "searchqa", "textcraft", "--seed", "3"]) == 0
    left = Recipe(seed=3).without(["searchqa", "textcraft"])
    assert built == [(left, Path("outputs/pocket-without-searchqa-without-textcraft"))]
    assert capsys.readouterr().out.splitlines()[:2] == [
        "nothing of searchqa is shown; the corridor is answered in the form of its replies",
        "nothing of textcraft is shown; its replies have the form of the others'",
    ]


def test_made_up_words_are_shown_where_they_are_asked_for(built: Built) -> None:
    assert main(["pocket", "--maps", "2", "--out", "elsewhere"]) == 0
    assert built == [(Recipe().with_renamed_words(2), Path("elsewhere"))]
