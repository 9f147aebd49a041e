from math import log

import numpy as np
import pytest

from heldout.envs.webshop.analyzer import terms
from heldout.envs.webshop.bm25 import Index, round_length
from heldout.envs.webshop.porter import stem

STEMS = """
caresses caress, ponies poni, ties ti, cats cat, feed feed, agreed agre, plastered plaster, motoring motor,
sing sing, conflated conflat, troubled troubl, sized size, hopping hop, falling fall, hissing hiss, fizzed
fizz, failing fail, filing file, happy happi, sky sky, relational relat, conditional condit, valenci valenc,
digitizer digit, conformabli conform, radicalli radic, vietnamization vietnam, predication predic, operator
oper, feudalism feudal, decisiveness decis, hopefulness hope, formaliti formal, sensitiviti sensit,
sensibiliti sensibl, triplicate triplic, formative form, formalize formal, electriciti electr, electrical
electr, hopeful hope, goodness good, revival reviv, allowance allow, inference infer, airliner airlin,
gyroscopic gyroscop, adjustable adjust, defensible defens, irritant irrit, replacement replac, adjustment
adjust, dependent depend, adoption adopt, communism commun, activate activ, angulariti angular, homologous
homolog, effective effect, bowdlerize bowdler, probate probat, rate rate, cease ceas, controll control, roll
roll, generalizations gener, oscillators oscil, element element, is is, by by
"""


@pytest.mark.parametrize("pair", STEMS.replace("\n", " ").split(","), ids=str.strip)
def test_words_are_cut_to_porter_s_stems(pair: str) -> None:
    word, cut = pair.split()
    assert stem(word) == cut


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The men's shirts, and women’s too", ["men", "shirt", "women", "too"]),
        ("slim-fit 3x-large T-shirt", ["slim", "fit", "3x", "larg", "t", "shirt"]),
        ("12.5 oz, 1,000 pcs, 3:1 a.b.c. a:b", ["12.5", "oz", "1,000", "pc", "3", "1", "a.b.c", "a:b"]),
        ('snake_case wi-fi 28" x 28"', ["snake_cas", "wi", "fi", "28", "x", "28"]),
        ("★★ sale ❤️ ok🌸", ["★", "★", "sale", "❤️", "ok", "🌸"]),
        ("锅巴 food カタカナ ひら", ["锅", "巴", "food", "カタカナ", "ひ", "ら"]),
        ("café ½ ²", ["café"]),
        ("[SEP] <r> & %", ["sep", "r"]),
        ("to be or not to be", []),
        ("", []),
    ],
)
def test_a_text_is_the_terms_that_lucene_makes_of_it(text: str, found: list[str]) -> None:
    assert terms(text) == found


def test_a_word_too_long_is_cut_in_two() -> None:
    assert [len(term) for term in terms("x" * 300)] == [255, 45]


def test_lengths_are_kept_exactly_up_to_39_and_in_four_bits_after() -> None:
    lengths = (0, 1, 24, 39, 40, 41, 55, 56, 57, 60, 100, 183, 184, 199, 200)
    assert [round_length(length) for length in lengths] == [
        0,
        1,
        24,
        39,
        40,
        40,
        54,
        56,
        56,
        60,
        96,
        168,
        184,
        184,
        200,
    ]


def test_the_scores_order_texts_by_how_rare_and_how_often_their_words_are() -> None:
    index = Index(
        ["red red shirt", "red lamp with a long cable and a shade", "blue sweater", ""], ["a", "b", "c", "d"]
    )
    assert index.search("red", 5) == (0, 1)
    assert index.search("red shade", 5) == (1, 0)
    assert index.search("sweaters of blue", 1) == (2,)
    assert index.search("the green one", 5) == ()
    assert index.search("", 5) == ()


def test_of_equal_scores_the_lesser_name_comes_first() -> None:
    assert Index(["oak lamp", "oak chair", "oak table"], ["B2", "B3", "B1"]).search("oak", 5) == (2, 0, 1)


def test_a_repeated_word_of_the_query_counts_as_often() -> None:
    index = Index(["oak lamp", "red lamp shade", "red table"], ["a", "b", "c"])
    assert index.search("oak red", 3)[0] == 0
    assert index.search("oak red red red", 3)[0] == 2


def test_an_idf_is_that_of_the_formula() -> None:
    index = Index(["oak", "oak oak", "elm"], ["a", "b", "c"])
    share = np.float32(2 / (2 + np.float32(0.9) * (1 - 0.4 + 0.4 * 2 / (4 / 3))))
    assert index.scores("oak")[1] == pytest.approx(log(1 + 1.5 / 2.5) * share, abs=1e-7)
