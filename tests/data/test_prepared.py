"""What was made of fetched files is told from what is stale."""

from pathlib import Path

import pytest

from heldout.data.prepared import STAMPS, put_prepared, stale, stamps
from heldout.errors import HeldoutError

SOURCES = ("doors/a.json", "doors/b.json")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two fetched files, and what was made of them by rule 1."""
    data = tmp_path / "data"
    (data / "doors").mkdir(parents=True)
    for source in SOURCES:
        (data / source).write_text(source)
    made(data, "both")
    return data


def made(data: Path, text: str) -> None:
    new = data / "new"
    new.write_text(text)
    put_prepared(data, {"rooms/all.json": new}, SOURCES, 1)
    assert not new.exists()


def reason(data: Path, rule: int = 1) -> str:
    return stale(data, "rooms/all.json", SOURCES, rule)


def test_what_was_just_made_is_fresh_and_has_an_account(data: Path) -> None:
    assert reason(data) == ""
    assert list(stamps(data)["rooms/all.json"].made_of) == list(SOURCES)
    made(data, "other")
    assert (reason(data), (data / "rooms" / "all.json").read_text()) == ("", "other")


def test_what_another_rule_or_another_file_makes_otherwise_is_stale(data: Path) -> None:
    assert reason(data, rule=2) == "an older heldout made it"
    (data / SOURCES[1]).write_text("changed")
    assert reason(data) == "it was made of another doors/b.json"


def test_what_was_made_stays_fresh_when_its_sources_are_removed(data: Path) -> None:
    for source in SOURCES:
        (data / source).unlink()
    assert reason(data) == ""


def test_what_was_changed_or_stopped_half_way_is_stale(data: Path) -> None:
    (data / "rooms" / "all.json").write_text("bot")
    assert reason(data) == "it is not what was made, or was stopped half-way"
    (data / "rooms" / "all.json").unlink()
    assert reason(data) == "it was not made here"


def test_a_damaged_account_is_named(data: Path) -> None:
    (data / STAMPS).write_text('{"rooms/all.json": {}}')
    with pytest.raises(HeldoutError, match=r"prepared\.json is damaged"):
        reason(data)
