"""`heldout pocket` builds what it is asked for, where it is asked to, and says what that is worth."""

from pathlib import Path

import pytest

from heldout.cli import main
from heldout.model.load import place_of
from heldout.records import Json
from heldout.store.files import read_json
from heldout.training.pocket_recipe import CARD, Recipe
from heldout.verbs import pocket

Built = list[tuple[Recipe, Path]]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Built:
    """What the verb has built; building takes no time here, and comes to the shipped model's card."""
    asked: Built = []

    def make(recipe: Recipe, folder: Path, *_: object) -> dict[str, Json]:
        asked.append((recipe, folder))
        card: dict[str, Json] = read_json(Path(place_of("pocket")) / CARD)
        return card

    monkeypatch.setattr(pocket, "make", make)
    return asked


def test_a_built_model_is_shown_with_its_scores(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pocket"]) == 0
    header, _, *cells, _, place = capsys.readouterr().out.splitlines()
    assert header.split() == ["CELL", "SCORE", "95", "%", "SUCCESS", "USEFUL", "TURNS"]
    scores = read_json(Path(place_of("pocket")) / CARD)["scores"]
    assert [cell.split()[0] for cell in cells] == list(scores)
    assert [float(cell.split()[1]) for cell in cells] == [score["score"] for score in scores.values()]
    assert place == "model: outputs/pocket"
    assert built == [(Recipe(), Path("outputs/pocket"))]


def test_a_model_without_an_environment_is_shown_only_the_form_of_its_replies(built: Built) -> None:
    assert main(["pocket", "--without", "searchqa", "--seed", "3"]) == 0
    assert built == [(Recipe(seed=3).without(["searchqa"]), Path("outputs/pocket-without-searchqa"))]


def test_made_up_words_are_shown_where_they_are_asked_for(built: Built) -> None:
    assert main(["pocket", "--maps", "2", "--out", "elsewhere"]) == 0
    assert built == [(Recipe().with_renamed_words(2), Path("elsewhere"))]
