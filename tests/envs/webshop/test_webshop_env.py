from dataclasses import replace

import pytest

from heldout.envs.guard import Guarded
from heldout.envs.webshop.env import WebShop
from heldout.envs.webshop.pages import clickable
from heldout.errors import OriginalError
from heldout.records import Ending

from .conftest import GOAL, LAMP, SHIRT, SWEATER, Opened

WANTED = f"Instruction: [SEP] {GOAL.instruction} [SEP]"
START = f"WebShop [SEP] {WANTED} Search"
SHIRT_PAGE = (
    f"{WANTED} Back to Search [SEP] < Prev [SEP] size [SEP] small [SEP] large [SEP] x-large [SEP] color [SEP] red "
    "[SEP] navy blue [SEP] green stripe [SEP] Red Cotton Shirt [SEP] Price: $19.99 [SEP] Rating: N.A. [SEP] "
    "Description [SEP] Features [SEP] Reviews [SEP] Buy Now"
)


def after(env: WebShop | Guarded, *actions: str) -> str:
    """What the last of some actions is answered."""
    env.start()
    return [env.step(action).observation for action in actions][-1]


@pytest.mark.parametrize("original", [True, False])
def test_the_pages_are_those_of_the_site(opened: Opened, original: bool) -> None:
    env = opened(original=original)
    assert env.start().observation == START
    assert env.step("search[red shirt]").observation == (
        f"{WANTED} Back to Search [SEP] Page 1 (Total results: 2) [SEP]{' Next > [SEP]' if original else ''} "
        "B000000001 [SEP] Red Cotton Shirt [SEP] $19.99 [SEP] B000000003 [SEP] Oak Lamp, Red [SEP] $100.0"
    )
    assert env.step("click[B000000001]").observation == SHIRT_PAGE
    details = f"{WANTED} Back to Search [SEP] < Prev"
    assert env.step("click[Description]").observation == f"{details} [SEP] A shirt that lasts."
    assert env.step("click[< Prev]").observation == SHIRT_PAGE
    assert env.step("click[features]").observation == f"{details} [SEP] Machine washable. [SEP] Two pockets."
    env.step("click[< prev]")
    assert env.step("click[Reviews]").observation == details
    assert env.step("click[Back to Search]").observation == START


def test_parts_of_blanks_are_shown_as_a_browser_s_text_has_them(opened: Opened) -> None:
    env, details = opened(), f"{WANTED} Back to Search [SEP] < Prev"
    pages = ("search[wool]", "click[b000000002]")
    assert after(env, *pages, "click[features]") == f"{details} [SEP] Warm. [SEP] "
    assert after(opened(), *pages, "click[description]") == details
    described = after(opened(), "search[oak]", "click[b000000003]", "click[description]")
    assert described == f"{details} [SEP] Light for a room.\nAnd warm."


def test_a_range_of_prices_is_shown_as_one(opened: Opened) -> None:
    assert after(opened(), "search[wool]").endswith("B000000002 [SEP] Blue Wool Sweater [SEP] $10.0 to $24.5")


def test_the_purchase_that_was_asked_for_solves_and_is_paid_1(opened: Opened) -> None:
    env = Guarded(opened())
    actions = ("search[shirt]", "click[B000000001]", "click[navy blue]", "click[Large]")
    assert after(env, *actions).count("Selected: color: navy blue, size: large") == 1
    last = env.step("click[buy now]")
    assert (last.reward, last.score, last.ending) == (1.0, 1.0, Ending.SOLVED)
    assert last.observation == (
        "Thank you for shopping with us! [SEP] Your code: [SEP] None [SEP] (Paste it in your MTurk interface.) "
        "[SEP] Purchased [SEP] asin [SEP] B000000001 [SEP] options [SEP] "
        '{"color": "navy blue", "size": "large"} [SEP] '
        "attrs [SEP] None [SEP] category [SEP] None [SEP] query [SEP] None [SEP] product category [SEP] None [SEP] "
        "Target [SEP] asin [SEP] options [SEP] attrs [SEP] price upper [SEP] instuction text [SEP] category [SEP] "
        "product category [SEP] query [SEP] Goal [SEP] None [SEP] Reward [SEP] Your score (min 0.0, max 1.0) [SEP] "
        "1.0 [SEP] Reward Details [SEP] None"
    )
    with pytest.raises(RuntimeError, match="step after the end"):
        env.step("search[more]")


@pytest.mark.parametrize(
    ("actions", "reward"),
    [
        (("search[shirt]", "click[b000000001]"), 3 / 5),
        (("search[shirt]", "click[b000000001]", "click[large]", "click[red]", "click[navy blue]"), 1.0),
        (("search[shirt]", "click[b000000001]", "click[large]", "click[navy blue]", "click[red]"), 4 / 5),
        (("search[red]", "click[b000000003]", "click[red]"), 0.0),
        (("search[wool]", "click[b000000002]"), 0.0),
    ],
)
def test_a_purchase_is_worth_the_share_that_it_meets(
    opened: Opened, actions: tuple[str, ...], reward: float
) -> None:
    env = opened()
    after(env, *actions)
    last = env.step("click[Buy Now]")
    assert last.reward == last.score == pytest.approx(reward)
    assert last.ending is (Ending.SOLVED if reward == 1 else Ending.FAILED)


def test_what_costs_more_than_the_limit_misses_one_part(opened: Opened) -> None:
    env = opened(prices={SHIRT.asin: 30.01})
    after(env, "search[shirt]", "click[b000000001]", "click[large]", "click[navy blue]")
    assert env.step("click[buy now]").reward == pytest.approx(4 / 5)


@pytest.mark.parametrize(
    "action",
    [
        "",
        "buy",
        "click[]",
        "search[]",
        "Search[x]",
        " search[x]",
        "click[search]",
        "click[b000000009]",
        "a\nsearch[x]",
    ],
)
def test_what_is_no_action_here_changes_nothing_and_is_said_by_our_rules(opened: Opened, action: str) -> None:
    env, original = opened(), opened(original=True)
    before = env.start(), original.start()
    assert original.step(action) == before[1]
    told = env.step(action)
    assert told == replace(before[0], observation=f"Invalid Action.\n\n{START}", refusal="Invalid Action.")


@pytest.mark.parametrize(
    "action", ["search[wool] and more", "search[WOOL]\n\nObservation: none", "search[a] search[b]"]
)
def test_an_action_is_read_from_the_start_to_the_last_bracket(opened: Opened, action: str) -> None:
    assert ("Total results" in after(opened(), action)) is ("search[b]" not in action)


def test_an_action_without_end_is_not_read_by_our_rules(opened: Opened) -> None:
    assert after(opened(), f"search[{'wool ' * 500}]").startswith("Invalid Action.")
    assert "Total results: 1" in after(opened(original=True), f"search[{'wool ' * 500}]")


def test_pages_of_results_end_by_our_rules_and_go_on_empty_in_the_original(opened: Opened) -> None:
    query, further = "search[red blue]", "click[Next >]"
    second = after(opened(), query, further)
    assert second.startswith(f"{WANTED} Back to Search [SEP] Page 2 (Total results: 3) [SEP] < Prev [SEP] B000")
    assert after(opened(), query, further, further).startswith("Invalid Action.")
    third = after(opened(original=True), query, further, further)
    assert third == f"{WANTED} Back to Search [SEP] Page 3 (Total results: 3) [SEP] < Prev [SEP] Next >"
    assert after(opened(), query, further, "click[< Prev]") == after(opened(), query)


def test_going_back_from_a_product_forgets_its_options(opened: Opened) -> None:
    env = opened()
    after(env, "search[red blue]", "click[next >]", "click[< prev]", "click[b000000001]", "click[large]")
    env.step("click[description]")
    env.step("click[< prev]")
    assert env.world.chosen == {"size": "large"}
    assert "Page 1" in env.step("click[< prev]").observation
    env.step("click[b000000001]")
    assert env.world.chosen == {}


def test_a_value_of_two_groups_goes_to_the_last_or_by_our_rules_to_each(opened: Opened) -> None:
    for original, chosen in ((True, [{"shade": "white"}] * 2), (False, [{"shade": "white"}, {"color": "white"}])):
        env = opened(original=original)
        after(env, "search[oak]", "click[b000000003]")
        env.step("click[white]")
        first = dict(env.world.chosen)
        env.step("click[white]")
        assert first == chosen[0]
        assert env.world.chosen.items() >= chosen[1].items()


def test_what_can_be_clicked_is_listed_in_the_page_s_order(opened: Opened) -> None:
    env = opened(original=True)
    env.start()
    assert list(clickable(env.world)) == []
    env.step("search[red blue]")
    assert list(clickable(env.world))[:2] == ["back to search", "next >"]
    env.step("click[next >]")
    assert list(clickable(env.world))[:3] == ["back to search", "< prev", "next >"]
    env.step("search[oak]")
    env.step("click[b000000003]")
    buttons = ["back to search", "< prev", "description", "features", "reviews", "buy now"]
    assert list(clickable(env.world)) == [*buttons, "red", "white", "none"]
    env.step("click[reviews]")
    assert list(clickable(env.world)) == buttons[:2]


@pytest.mark.parametrize(
    ("query", "original", "fixed"),
    [
        ("<c> garden", [LAMP.asin], []),
        ("<C> fashion please", [SHIRT.asin, SWEATER.asin], []),
        ("<q> sweaters", [SWEATER.asin], [SWEATER.asin]),
        ("<q>", [], []),
        ("<c> shirt", [], [SHIRT.asin]),
    ],
)
def test_back_doors_open_in_the_original_alone(
    opened: Opened, query: str, original: list[str], fixed: list[str]
) -> None:
    for rules, found in ((True, original), (False, fixed)):
        env = opened(original=rules)
        after(env, f"search[{query}]")
        assert list(env.world.page.asins) == found


def test_a_random_search_of_the_original_finds_everything_there_is(opened: Opened) -> None:
    env = opened(original=True)
    assert "Total results: 3" in after(env, "search[<r>]")


def test_an_error_of_the_original_leaves_the_page_but_not_what_is_behind_it(opened: Opened) -> None:
    env = opened(original=True)
    page = after(env, "search[shirt]", "click[b000000001]")
    with pytest.raises(OriginalError, match="TypeError: 'NoneType' object is not subscriptable"):
        env.step("search[<a> long sleeve]")
    assert env.step("nothing").observation == page
    for action in ("click[buy now]", "click[large]", "click[description]"):
        with pytest.raises(OriginalError, match="KeyError: None"):
            env.step(action)
    with pytest.raises(OriginalError, match="IndexError: list index out of range"):
        env.step("search[<c>]")
    with pytest.raises(OriginalError, match="IndexError: list index out of range"):
        env.step("click[< prev]")
    assert "Total results: 1" in env.step("search[wool]").observation


def test_the_original_goes_on_after_a_purchase_and_pays_another(opened: Opened) -> None:
    env = opened(original=True)
    after(env, "search[shirt]", "click[b000000001]", "click[buy now]")
    still = env.step("click[buy now]")
    assert (still.reward, still.ending) == (0.0, None)
    env.step("search[shirt]")
    env.step("click[b000000001]")
    assert env.step("click[buy now]").reward == pytest.approx(3 / 5)


def test_the_original_tells_a_page_by_its_address_which_has_the_query_in_it(opened: Opened) -> None:
    pages = ("search[shirt search_results]", "click[b000000001]", "click[< prev]")
    assert "Page 0 (Total results: 1)" in after(opened(original=True), *pages)
    assert "Page 1 (Total results: 1)" in after(opened(), *pages)


def test_an_episode_is_started_first(opened: Opened) -> None:
    with pytest.raises(RuntimeError, match="step before start"):
        Guarded(opened()).step("search[wool]")
