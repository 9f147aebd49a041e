from heldout.envs.webshop.goals import ANY_PRICE, Wish, draw_prices, goal_of, goals_of, original_prices

from .conftest import LAMP, SHIRT, SWEATER

PRODUCTS = {product.asin: product for product in (SHIRT, SWEATER, LAMP)}


def test_a_product_with_a_range_of_prices_costs_something_within() -> None:
    prices = draw_prices(PRODUCTS.values())
    assert (prices[SHIRT.asin], prices[LAMP.asin]) == (19.99, 100.0)
    assert 10 <= prices[SWEATER.asin] <= 24.5
    assert draw_prices(PRODUCTS.values()) == prices
    assert original_prices(PRODUCTS.values(), 11) != original_prices(PRODUCTS.values(), 12) != prices


def test_a_goal_says_options_and_limit_in_the_original_s_words() -> None:
    wish = Wish(asin=SHIRT.asin, text="Find me a shirt", attributes=("long sleeve",))
    goal = goal_of(wish, (("color", "red"), ("size", "small")), 40.0)
    assert (
        goal.instruction == "Find me a shirt with color: red, and size: small, and price lower than 40.00 dollars"
    )
    assert goal_of(wish, (), ANY_PRICE).instruction == "Find me a shirt"


def test_each_choice_of_options_is_a_goal_and_all_of_a_wish_have_one_limit() -> None:
    wish = Wish(asin=SHIRT.asin, text="Find me a shirt", attributes=("long sleeve",))
    goals = goals_of(PRODUCTS, [wish], {SHIRT.asin: 19.99})
    assert len({goal.options for goal in goals}) == len(goals) == 9
    assert {group for goal in goals for group, _ in goal.options} == {"color", "size"}
    [limit] = {goal.price_limit for goal in goals}
    assert limit in (30.0, 40.0, 50.0)


def test_what_is_dearer_than_all_limits_has_none() -> None:
    wish = Wish(asin=SWEATER.asin, text="Find me a sweater", attributes=("warm",))
    [goal] = goals_of(PRODUCTS, [wish], {SWEATER.asin: 985.0})
    assert (goal.instruction, goal.price_limit, goal.options) == ("Find me a sweater", ANY_PRICE, ())
