from dataclasses import replace

import pytest

from heldout.envs.webshop.catalogue import Product
from heldout.envs.webshop.goals import Choices
from heldout.envs.webshop.nouns import every_word, nouns_by_rule
from heldout.envs.webshop.reward import Kind, count_attributes_met, count_options_met, kind_of
from heldout.envs.webshop.similarity import first_colour, is_similar, token_set_ratio

from .conftest import GOAL, LAMP, SHIRT, SWEATER


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("fuzzy wuzzy was a bear", "wuzzy fuzzy was a bear", 100),
        ("machine wash", "machine washable", 86),
        ("easy clean", "easy care", 74),
        ("large", "('size', 'x-large')", 100),
        ("navy blue", "('color', 'navy')", 63),
        ("red", "('color', 'blue')", 15),
        ("light weight", "lightweight", 96),
        ("crème", "crme", 100),
        ("琥珀", "amber", 0),
        ("", "red", 0),
        ("★", "★", 0),
    ],
)
def test_texts_are_as_alike_as_thefuzz_says(one: str, other: str, ratio: int) -> None:
    assert token_set_ratio(one, other) == token_set_ratio(other, one) == ratio


def test_a_likeness_above_85_is_enough() -> None:
    assert is_similar("light weight", "lightweight")
    assert not is_similar("easy clean", "easy care")


def test_a_colour_is_the_first_of_the_alphabet_that_a_text_holds() -> None:
    assert first_colour("navy blue") == "blue"
    assert first_colour("covered in rust") == "red"
    assert first_colour("extra wide") == "extra wide"


@pytest.mark.parametrize(
    ("chosen", "original", "fixed"),
    [
        ((("size", "large"), ("color", "navy blue")), 2, 2),
        ((("size", "x-large"), ("color", "navy blue")), 1, 1),
        ((("size", "large"), ("color", "sky blue")), 2, 1),
        ((("size", "large"),), 1, 1),
        ((("color", "large"),), 1, 0),
        ((), 0, 0),
    ],
)
def test_options_are_counted_by_words_in_common_or_by_our_rules_exactly(
    chosen: Choices, original: int, fixed: int
) -> None:
    assert count_options_met(chosen, GOAL, exact_original=True) == original
    assert count_options_met(chosen, GOAL, exact_original=False) == fixed


def test_in_the_original_a_value_whose_words_the_goal_s_has_is_right() -> None:
    goal = replace(GOAL, options=(("size", "x-large"),))
    assert count_options_met((("size", "large"),), goal, exact_original=True) == 1
    assert count_options_met((("size", "large"),), goal, exact_original=False) == 0


def test_in_the_original_a_goal_of_a_bare_colour_is_missed_by_a_name_with_two() -> None:
    goal = replace(GOAL, options=(("color", "navy"),))
    assert count_options_met((("color", "navy blue"),), goal, exact_original=True) == 0
    assert count_options_met((("color", "navy"),), goal, exact_original=True) == 1


@pytest.mark.parametrize(("product", "met"), [(SHIRT, 2), (SWEATER, 0), (LAMP, 0)])
def test_an_attribute_is_known_or_stands_in_the_texts(product: Product, met: int) -> None:
    assert count_attributes_met(product, GOAL) == met


def test_an_attribute_that_only_the_features_name_is_met() -> None:
    assert count_attributes_met(replace(SHIRT, attributes=()), GOAL) == 1


def test_products_are_of_a_kind_by_query_by_path_or_by_title() -> None:
    assert kind_of(SHIRT, SHIRT, every_word) == Kind(same_query=True, same_category=True, title=1.0)
    assert kind_of(SWEATER, SHIRT, every_word) == Kind(same_query=False, same_category=False, title=0.0)
    women = replace(SHIRT, title="Cotton Skirt", category="Clothing › Women › Shirts")
    assert kind_of(women, SHIRT, every_word) == Kind(same_query=True, same_category=True, title=1 / 3)
    assert kind_of(SHIRT, replace(SHIRT, title=""), every_word).title == 0.2


@pytest.mark.parametrize(
    ("same", "title", "factor"),
    [(True, 1.0, 1.0), (True, 0.1, 1.0), (True, 0.05, 0.1), (True, 0.0, 0.0), (False, 0.3, 1.0), (False, 0.2, 0.5)],
)
def test_titles_with_little_in_common_count_against_the_same_shelf(same: bool, title: float, factor: float) -> None:
    assert Kind(same_query=same, same_category=False, title=title).factor == factor


@pytest.mark.parametrize(
    ("title", "nouns"),
    [
        ("Men's Slim-fit T-Shirt,Long Sleeves", "men slim fit t shirt long sleeves"),
        ("High Waisted Shorts with Pocket(S to XXL), 2 Pack", "high waisted shorts pocket(s xxl pack"),
        ("a washable table cover for the beautiful home, 12in", "table cover home"),
        ("24/7 - & 3D", ""),
    ],
)
def test_our_rules_take_words_with_capitals_for_nouns_and_of_others_most(title: str, nouns: str) -> None:
    assert nouns_by_rule(title) == tuple(nouns.split())
