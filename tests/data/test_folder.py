"""The published ids are read from the folder that HELDOUT_DATA names, and nothing else is taken for them."""

from pathlib import Path

import pytest

from heldout.data.folder import data_folder, published_ids, published_numbers
from heldout.errors import BadCall


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """Where the training ids of an environment are written."""
    path = tmp_path / "agentgym_item_ids" / "train" / "doors_train.json"
    path.parent.mkdir(parents=True)
    return path


def test_ids_stand_in_the_lists_order(lists: Path, tmp_path: Path) -> None:
    lists.write_text('[{"item_id": "doors_12"}, {"item_id": "doors_3"}]')
    assert published_ids(tmp_path, "doors", "train") == ["doors_12", "doors_3"]
    assert published_numbers(tmp_path, "doors", "train") == [12, 3]


@pytest.mark.parametrize("text", ["", "7", "[7]", '[{"id": "doors_1"}]'])
def test_a_file_that_is_no_list_of_ids_is_named(text: str, lists: Path, tmp_path: Path) -> None:
    lists.write_text(text)
    with pytest.raises(BadCall, match=r"doors_train\.json is no list of objects with an item_id such as doors_0$"):
        published_ids(tmp_path, "doors", "train")


@pytest.mark.parametrize("item", ["windows_3", "doors_x", "doors", "doors_-1"])
def test_an_id_of_another_form_is_named(item: str, lists: Path, tmp_path: Path) -> None:
    lists.write_text(f'[{{"item_id": "{item}"}}]')
    with pytest.raises(BadCall, match=rf"doors_train\.json: '{item}' is no id such as doors_0$"):
        published_numbers(tmp_path, "doors", "train")


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        BadCall, match=r"could not read .*eval/doors_test\.json: No such file .* HELDOUT_DATA has to"
    ):
        published_ids(tmp_path, "doors", "test")


def test_without_a_folder_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELDOUT_DATA", "")
    with pytest.raises(BadCall, match=r"^HELDOUT_DATA is not set"):
        data_folder()
