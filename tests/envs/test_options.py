"""What an environment alone reads of a source: written as settings, checked by the environment."""

import pytest

from heldout.config import Config, Option, Source, with_overrides
from heldout.envs.registry import open_suite
from heldout.envs.searchqa.options import SearchQAOptions
from heldout.errors import BadCall
from heldout.records import from_json, to_json

SINGLE = "source.options.searchqa.single_answer"


def source(*settings: str) -> Source:
    return with_overrides(Config(), settings).source


def test_an_option_is_a_setting_of_its_environment() -> None:
    assert open_suite("searchqa", Source()).options == SearchQAOptions()
    assert open_suite("searchqa", source(f"{SINGLE}=true")).options == SearchQAOptions(single_answer=True)


def test_options_are_equal_in_whatever_order_they_were_set_and_the_last_word_counts() -> None:
    corpus = "source.options.searchqa.corpus=a"
    assert source(f"{SINGLE}=false", corpus, f"{SINGLE}=true") == source(f"{SINGLE}=true", corpus)
    assert source(f"{SINGLE}=true").options == (Option("searchqa", "single_answer", "true"),)


def test_a_source_without_options_is_written_as_if_there_were_none() -> None:
    assert "options" not in to_json(Source())
    with_one = source(f"{SINGLE}=true")
    assert from_json(Source, to_json(with_one)) == with_one


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (f"{SINGLE}=maybe", r"setting 'source\.options\.searchqa\.single_answer' takes bool, not 'maybe'"),
        ("source.options.searchqa.single=true", r"'source\.options\.searchqa\.single'.*single_answer"),
        ("source.options.serchqa.single_answer=true", r"unknown environment 'serchqa'; did you mean 'searchqa'\?"),
        ("source.options.textcraft.hard=true", r"textcraft has no options, and so no source\.options\.textcraft"),
    ],
)
@pytest.mark.parametrize("env", ["searchqa", "babyai"])
def test_an_option_that_is_none_is_refused_whatever_is_played(env: str, setting: str, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        open_suite(env, source(setting))


@pytest.mark.parametrize("path", ["source.options", "source.options.searchqa", "source.options..x"])
def test_an_option_says_whose_it_is(path: str) -> None:
    with pytest.raises(BadCall, match=r"an option is set as source\.options\.ENV\.OPTION=value"):
        source(f"{path}=1")
