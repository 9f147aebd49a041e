"""BM25 over passages: what is found, in which order, and what a corpus costs."""

from math import log

import pytest

from heldout.envs.searchqa.bm25 import Bm25, terms_of
from heldout.envs.searchqa.passages import Corpus, Passage

PAGES = (
    Passage("0", '"Ada Grant"\nAda Grant was born in Oak Hill. Her teacher was Ben Reed.'),
    Passage("1", '"Ben Reed"\nBen Reed was born in Fox Mill.'),
    Passage("2", '"Oak Hill"\nOak Hill lies in North Alba.'),
    Passage("3", '"Rivers"\nThe rivers of North Alba are many.'),
)


def found(query: str, count: int = 3, pages: tuple[Passage, ...] = PAGES) -> list[str]:
    return [passage.id for passage in Bm25(Corpus(pages)).search(query, count)]


def test_the_page_about_a_name_comes_before_one_that_mentions_it() -> None:
    assert found("Oak Hill") == ["2", "0"]
    assert found("Where was Ben Reed born?") == ["1", "0"]


def test_only_so_many_are_found_and_only_what_shares_a_term() -> None:
    assert found("born", 1) == ["1"]
    assert found("of the and") == found("") == found("zebra") == found("\ud800") == []


def test_plurals_and_case_do_not_matter() -> None:
    assert found("RIVER") == ["3"]
    assert terms_of("The cities, Rivers and Boxes of James") == ["city", "river", "boxe", "jame"]
    assert terms_of("bus grass lies heroes") == ["bus", "grass", "ly", "heroe"]


def test_ties_go_to_the_earlier_passage() -> None:
    same = tuple(Passage(str(number), "title\nthe same words") for number in range(9))
    assert found("same words", 3, same) == ["0", "1", "2"]


def test_a_score_is_that_of_the_formula() -> None:
    index = Bm25(Corpus((Passage("0", "a b\ncat cat dog"), Passage("1", "b\ndog"))))
    # Two passages of 4 and 2 terms ("a" is a stop word); "cat" twice in the first.
    norm = 0.9 * (1 - 0.4 + 0.4 * 4 / 3)
    assert max(index._weights) == pytest.approx(log(1 + (2 - 1 + 0.5) / (1 + 0.5)) * 2 / (2 + norm), rel=1e-6)


def test_a_corpus_gives_back_what_was_put_in() -> None:
    pages = (*PAGES, Passage("é", "ünï\ncode 東京"), Passage("", ""))
    corpus = Corpus(pages)
    assert len(corpus) == 6
    assert tuple(corpus[number] for number in range(6)) == pages
    with pytest.raises(IndexError):
        corpus[6]


def test_a_title_is_the_first_line_and_a_name_has_no_quotes() -> None:
    ada, bare = PAGES[0], Passage("", "Rivers")
    assert (ada.title, ada.name, ada.text[:9]) == ('"Ada Grant"', "Ada Grant", "Ada Grant")
    assert (bare.title, bare.name, bare.text) == ("Rivers", "Rivers", "")
