"""The catalogue names official sources, each with its licence, and says which command brings a file."""

import re
from pathlib import PurePosixPath

import pytest

from heldout.data.catalogue import Source, fetching, source_of, sources
from heldout.errors import BadCall


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_a_source_says_its_licence_and_its_files_stay_in_the_folder(source: Source) -> None:
    assert source.licence
    assert source.what
    assert source.home.startswith("https://")
    for file in source.files:
        path = PurePosixPath(file.path)
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert re.fullmatch(r"https://\S+|hf://(datasets|models)/[^/@]+/[^/@]+@[^/]+/\S+", file.url)
        assert re.fullmatch(r"|sha256:[0-9a-f]{64}|git:[0-9a-f]{40}", file.sum)
        assert re.fullmatch(r"|sha256:[0-9a-f]{64}", file.contents)


def test_no_two_files_have_one_place() -> None:
    places = [file.path for source in sources() for file in source.files]
    assert len(places) == len(set(places))


def test_the_published_ids_are_as_long_as_they_are() -> None:
    ids = source_of("agentgym_ids")
    assert (len(ids.files), ids.bytes) == (9, 524705)
    assert source_of("textcraft").bytes == 0


def test_a_file_is_brought_by_its_source() -> None:
    assert fetching("textcraft/recipes.tar.xz") == "heldout data fetch textcraft"
    assert fetching("agentgym_item_ids/train/babyai_train.json") == "heldout data fetch agentgym_ids"
    assert fetching("windows/panes.json") is None


def test_what_lies_below_a_fetched_folder_or_is_made_of_fetched_files_is_brought_by_their_source() -> None:
    assert fetching("alfworld/json_2.1.1/train") == "heldout data fetch alfworld"
    assert fetching("alfworld/json_2.1.10") is None
    assert fetching("searchqa/corpus.jsonl.xz") == "heldout data fetch searchqa"


def test_one_command_brings_several_files() -> None:
    ids = "agentgym_item_ids/eval/webshop_test.json"
    assert fetching("webshop/items_shuffle_1000.json", ids, ids) == "heldout data fetch webshop agentgym_ids"
    assert fetching("webshop/items_shuffle_1000.json", "windows/panes.json") is None


def test_an_unknown_source_is_told_with_the_nearest() -> None:
    with pytest.raises(BadCall, match="unknown source 'textkraft'; did you mean 'textcraft'"):
        source_of("textkraft")


def test_what_has_no_sum_says_that_its_first_fetch_is_trusted_and_has_a_bound() -> None:
    assert source_of("agentgym_ids").trusted == source_of("textcraft").trusted == source_of("webshop").trusted == ()
    assert source_of("alfworld").trusted == ("alfworld/json_2.1.1",)
    for source in sources():
        assert all(file.bytes or file.most for file in source.files)
