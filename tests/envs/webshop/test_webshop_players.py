from dataclasses import replace

import pytest

from heldout.envs.react import whole_action
from heldout.envs.webshop.catalogue import Catalogue
from heldout.envs.webshop.players import legal, mistakes, oracle, query_for, thought, turns
from heldout.errors import OriginalError

from .conftest import GOAL, LAMP, SHIRT, SWEATER, Opened

WAY = [
    "search[machine washable long sleeve shirts]",
    "click[B000000001]",
    "click[navy blue]",
    "click[large]",
    "click[Buy Now]",
]


def test_the_oracle_searches_with_the_instruction_s_words_chooses_and_buys(opened: Opened) -> None:
    env, said = opened(), []
    step = env.start()
    while step.ending is None:
        said.append((thought(env.world, oracle(env.world)), oracle(env.world)))
        step = env.step(said[-1][1])
    assert [action for _, action in said] == WAY
    assert turns(env.world.shop.catalogue, GOAL) == len(WAY)
    assert [sentence for sentence, _ in said] == [
        "I search for what is wanted.",
        "Red Cotton Shirt for $19.99 may be it. I look at it.",
        "The color should be navy blue.",
        "The size should be large.",
        "All is as it should be. I buy it.",
    ]


@pytest.mark.parametrize("original", [True, False])
@pytest.mark.parametrize(
    ("mistakes", "then"),
    [
        (["search[wool]"], "click[Back to Search]"),
        (["search[red blue]", "click[next >]"], "click[< Prev]"),
        (["search[red]", "click[b000000003]"], "click[< Prev]"),
        (["search[red]", "click[b000000003]", "click[reviews]"], "click[< Prev]"),
        (["search[red]", "click[b000000001]", "click[small]"], "click[navy blue]"),
        (["search[red]", "click[b000000001]", "click[navy blue]", "click[small]"], "click[large]"),
        (["search[red]", "nonsense"], "click[B000000001]"),
    ],
)
def test_the_oracle_goes_on_from_wherever_it_is(
    opened: Opened, original: bool, mistakes: list[str], then: str
) -> None:
    env = opened(original=original)
    env.start()
    for action in mistakes:
        env.step(action)
    assert oracle(env.world) == then
    for _ in range(8):
        step = env.step(oracle(env.world))
        if step.ending:
            break
    assert step.score == 1


@pytest.mark.parametrize("page", ["click[b000000001]", "click[next >]"])
def test_the_oracle_recovers_from_the_original_s_errors(opened: Opened, page: str) -> None:
    env = opened(original=True)
    env.start()
    env.step("search[red blue]")
    env.step(page)
    with pytest.raises(OriginalError):
        env.step("search[<c>]")
    assert oracle(env.world) == "click[Back to Search]"
    step = env.step(oracle(env.world))
    while step.ending is None:
        step = env.step(oracle(env.world))
    assert step.score == 1


def test_the_oracle_turns_pages_forward_to_a_product_that_comes_later(opened: Opened) -> None:
    env = opened(goal=replace(GOAL, asin=SWEATER.asin, attributes=("warm",), options=()))
    env.start()
    env.step("search[red blue shirt]")
    assert SWEATER.asin not in env.world.page.asins
    assert oracle(env.world) == "click[Next >]"


def test_a_product_without_a_word_of_the_instruction_is_searched_by_its_title() -> None:
    shop = Catalogue((SHIRT, replace(LAMP, title="Oak [Lamp]", query="illumination")))
    goal = replace(GOAL, asin=LAMP.asin, attributes=("hypoallergenic",), options=())
    assert query_for(shop, goal) == "oak lamp"
    assert turns(shop, goal) == 3


def test_everything_on_a_page_is_legal_and_a_slip_is_never_the_oracle_s(opened: Opened) -> None:
    env = opened()
    env.start()
    assert legal(env.world)[:2] == ["search[machine washable long sleeve shirts]", "search[shirts]"]
    env.step("search[red]")
    assert legal(env.world) == ["click[back to search]", "click[b000000003]", "click[b000000001]"]
    assert mistakes(env.world) == ["click[B000000003]", "click[Buy Now]", "click[Back to Search]"]
    env.step("click[b000000001]")
    assert {"click[small]", "click[buy now]", "click[features]"} <= set(legal(env.world))
    assert mistakes(env.world)[:3] == ["click[Buy Now]", "click[small]", "click[x-large]"]


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        ("Thought: a\nAction: click[Buy Now]", "click[Buy Now]"),
        ("Action:\nclick[x]\n\nObservation: y", "click[x]\n\nObservation: y"),
        ("search[a]", "search[a]"),
        ("I think search[a]", "I think search[a]"),
        ("hello", ""),
        ("Thought: a Action: b Action: c</s>", "c"),
        ("**Action:** click[x]", "** click[x]"),
    ],
)
def test_a_reply_is_read_as_agentgym_s_client_reads_it(reply: str, action: str) -> None:
    assert whole_action(reply) == action
