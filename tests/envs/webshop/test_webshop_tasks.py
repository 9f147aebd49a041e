from collections import Counter
from pathlib import Path

import pytest

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.envs.lazy import SPLITS
from heldout.envs.registry import open_suite
from heldout.envs.webshop.files import catalogue, goals, prices
from heldout.envs.webshop.product_words import BRANDS
from heldout.envs.webshop.published import checks, published_tasks
from heldout.envs.webshop.tasks import MOST_TURNS, SHARES, generated_tasks, stock, wants
from heldout.errors import BadCall
from heldout.records import Step, Task, digest
from heldout.seeds import derive


def play(suite: Suite, task: Task) -> list[Step]:
    """The oracle's episode."""
    env = suite.open(task)
    steps = [env.start()]
    while steps[-1].ending is None:
        steps.append(env.step(suite.players.oracle(env.world)))
    return steps


@pytest.mark.parametrize(("profile", "count"), [("pocket", 300), ("standard", 60)])
def test_the_oracle_buys_what_is_wanted_in_the_turns_of_the_difficulty(profile: str, count: int) -> None:
    suite = open_suite("webshop", Source(profile=profile))
    for task in suite.tasks("demonstrations")[:count]:
        steps = play(suite, task)
        assert (steps[-1].reward, steps[-1].score) == (1.0, 1.0), task
        assert len(steps) - 1 <= MOST_TURNS
        assert (len(steps) - 1 > 4) == (task.difficulty == "hard"), task


def test_no_two_shoppers_want_the_same_and_half_of_them_are_hard() -> None:
    for split, numbers in SPLITS.items():
        tasks = generated_tasks(split, 0, "pocket")[:200]
        assert len({(task.world["asin"], str(task.world["shop"])) for task in tasks}) == 200
        assert Counter(task.difficulty for task in tasks) == {"easy": 100, "hard": 100}
        assert [task.id for task in tasks[:2]] == [f"webshop_{number}" for number in numbers[:2]]


def test_every_maker_sells_to_one_split_under_every_seed() -> None:
    shares = {brand: SHARES[derive(0, "webshop", "brand", brand) % len(SHARES)] for brand in BRANDS}
    counts = Counter(shares.values())
    assert sum(counts.values()) == 182
    assert min(counts.values()) > 30
    for split in SPLITS:
        for seed in (0, 7):
            for task in generated_tasks(split, seed, "pocket")[::50][:4]:
                products = stock(task.world)[0].products
                assert {shares[product.title.split()[0]] for product in products} == {split}


def test_nobody_wants_what_somebody_of_an_earlier_split_wants() -> None:
    wanted = {
        split: {digest(wants(task.world)) for task in generated_tasks(split, 0, "pocket")[:6000]}
        for split in SPLITS
    }
    assert list(wanted) == ["test", "train", "demonstrations"]
    assert not wanted["test"] & (wanted["train"] | wanted["demonstrations"])
    assert not wanted["train"] & wanted["demonstrations"]


def test_the_shops_of_another_seed_and_profile_are_others() -> None:
    tasks = [
        generated_tasks("test", seed, profile)[0]
        for seed, profile in ((0, "pocket"), (1, "pocket"), (0, "standard"))
    ]
    assert len({digest(task.world) for task in tasks}) == 3
    assert [len(stock(task.world)[0].products) for task in tasks] == [48, 48, 1000]


def test_a_shop_of_the_pocket_profile_is_told_in_few_words() -> None:
    suite = open_suite("webshop", Source())
    pages = [step.observation for task in suite.tasks("test")[:100] for step in play(suite, task)]
    words = [len(page.replace("[SEP]", "").split()) for page in pages]
    assert max(words) < 70
    assert len({word for page in pages for word in page.split()}) < 700


def test_a_shop_of_the_standard_profile_says_as_much_as_the_real_one() -> None:
    shop = stock(generated_tasks("test", 0, "standard")[0].world)[0]
    titles = [len(product.title.split()) for product in shop.products]
    described = [len(product.description.split()) for product in shop.products]
    assert 10 < sum(titles) / len(titles) < 22
    assert 40 < sum(described) / len(described) < 110
    assert sum(len(product.pricing) == 2 for product in shop.products) in range(60, 130)


@pytest.mark.realdata
def test_the_published_ids_are_goals_of_their_pools(data: Path) -> None:
    splits = {split: published_tasks(split, data) for split in SPLITS}
    assert {split: len(tasks) for split, tasks in splits.items()} == {
        "test": 200,
        "train": 3930,
        "demonstrations": 2780,
    }
    first = splits["test"][0]
    assert first.id == "webshop_5238"
    goal = goals(data)[5238]
    assert (first.world["goal"], first.world["asin"], first.world["instruction"]) == (
        5238,
        goal.asin,
        goal.instruction,
    )
    assert splits["train"][0].id == "webshop_6"


@pytest.mark.realdata
@pytest.mark.usefixtures("data")
def test_the_oracle_solves_real_tasks() -> None:
    suite = open_suite("webshop", Source(kind="real"))
    for task in suite.tasks("test"):
        steps = play(suite, task)
        assert steps[-1].score == 1, task
        assert (len(steps) - 1 > 5) == (task.difficulty == "hard"), task


@pytest.mark.realdata
def test_the_real_shop_is_one_for_all_and_its_prices_are_drawn_once(data: Path) -> None:
    assert catalogue(data) is catalogue(data)
    assert len(catalogue(data).products) == 1000
    ranged = [product for product in catalogue(data).products if len(product.pricing) == 2]
    assert len(ranged) == 93
    assert all(min(product.pricing) <= prices(data)[product.asin] <= max(product.pricing) for product in ranged)


@pytest.mark.slow
@pytest.mark.realdata
def test_all_that_is_published_checks(data: Path) -> None:
    found = [(check.what, check.there, check.good, check.faults) for check in checks(data)]
    assert found == [
        ("products with a price", 1000, 1000, ()),
        ("wishes for products", 415, 415, ()),
        ("ids of goals that the oracle reaches in 20 turns", 3930, 3930, ()),
        ("ids of goals that the oracle reaches in 20 turns", 200, 200, ()),
        ("webshop tasks that no other one is", 4130, 4128, ()),
    ]


def test_ids_without_their_products_are_not_resolved(tmp_path: Path) -> None:
    ids = tmp_path / "agentgym_item_ids" / "eval" / "webshop_test.json"
    ids.parent.mkdir(parents=True)
    ids.write_text('[{"item_id": "webshop_7"}]')
    [*_, check] = checks(tmp_path)
    assert (check.there, check.good, check.unresolved, check.faults) == (1, 0, 1, ())


def test_real_tasks_need_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    with pytest.raises(BadCall, match=r"has no webshop/items_shuffle_1000\.json, .*: heldout data fetch webshop"):
        open_suite.__wrapped__("webshop", Source(kind="real"))


def test_what_there_is_not_is_refused_with_what_there_is() -> None:
    with pytest.raises(BadCall, match="unknown split 'exam'"):
        generated_tasks("exam", 0, "pocket")
    for source, told in (
        (Source(profile="tiny"), "unknown profile 'tiny'"),
        (Source(rules="strict"), "unknown rules 'strict'"),
        (Source(kind="web"), "unknown source 'web'"),
    ):
        with pytest.raises(BadCall, match=told):
            open_suite("webshop", source)
