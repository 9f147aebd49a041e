"""The shop as it was released: fetched, read as the original reads it, and shopped in."""

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.config import Option, Source
from heldout.data.catalogue import source_of
from heldout.data.fetch import fetch
from heldout.data.folder import ids_path, lacking
from heldout.envs.recorded import Dialogue
from heldout.envs.webshop import suite
from heldout.envs.webshop.files import NEEDS, RELEASED, WISHES, catalogue, goals
from heldout.envs.webshop.human import HUMAN
from heldout.envs.webshop.published import checks
from heldout.envs.webshop.released import products_of
from heldout.errors import BadCall
from heldout.records import Ending, Json

SHIRT: dict[str, Json] = {
    "asin": "B000000001",
    "name": "Red Cotton Shirt",
    "full_description": "A shirt that lasts.",
    "small_description": ["Machine washable.", "Two pockets."],
    "customization_options": {"Size": [{"value": " Large "}, {"value": "S/M"}], "Color": None},
    "pricing": "$10.00 to $1,024.99",
    "category": "fashion",
    "query": " Shirts ",
    "product_category": "Clothing › Men › Shirts",
    "images": ["shirt.jpg"],
}
LAMP = SHIRT | {
    "asin": "B000000002",
    "name": "Oak Lamp",
    "small_description": "Long cable",
    "customization_options": "",
    "pricing": "",
}
WRITTEN: dict[str, Json] = {
    "B000000001": {
        "attributes": ["machine washable", "long sleeve"],
        "instruction": "Find me machine washable shirts",
        "instruction_attributes": ["machine washable"],
    },
    "B000000002": {},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a fetched shop of two products and two goals: one to train on, one to test on."""
    data, source = tmp_path / "data", source_of("webshop")
    for file in source.files[:2]:
        there = tmp_path / Path(file.path).name
        there.write_text(json.dumps([SHIRT, LAMP] if file.path == str(RELEASED) else WRITTEN))
        fetch(source, replace(file, url=there.as_uri(), sum="", bytes=0), data, lambda _: None)
    for number, split in enumerate(("train", "test")):
        ids = data / ids_path("webshop", split)
        ids.parent.mkdir(parents=True)
        ids.write_text(json.dumps([{"item_id": f"webshop_{number}"}]))
    monkeypatch.setenv("HELDOUT_DATA", str(data))
    return data


def test_a_fetched_shop_is_shopped_in_and_the_oracle_buys_what_is_wanted(folder: Path) -> None:
    assert lacking(folder, NEEDS) == []
    real = suite(Source(kind="real"))
    [task] = real.tasks("test")
    episode = real.open(task)
    step = episode.start()
    assert "machine washable shirts with size: " in step.observation
    while step.ending is None:
        step = episode.step(real.players.oracle(episode.world))
    assert (step.ending, step.score) == (Ending.SOLVED, 1.0)


def test_a_published_item_becomes_a_product_as_the_original_reads_it() -> None:
    shirt, lamp = products_of([SHIRT, LAMP], WRITTEN)
    assert (shirt.title, shirt.query, shirt.section) == ("Red Cotton Shirt", "shirts", "fashion")
    assert shirt.options == {"size": ("large", "s | m")}
    assert (shirt.pricing, lamp.pricing) == ((10.0, 1024.99), (100.0,))
    assert (shirt.attributes, lamp.attributes) == (("machine washable", "long sleeve"), ("DUMMY_ATTR",))
    assert (shirt.features, lamp.features, lamp.options) == (
        ("Machine washable.", "Two pockets."),
        ("Long cable",),
        {},
    )


def test_an_item_that_is_there_twice_or_has_no_name_to_order_it_by_is_passed_over() -> None:
    names = ["B000000001", "nan", "B000000001", "B0000000012"]
    assert [product.asin for product in products_of([SHIRT | {"asin": name} for name in names], {})] == names[:1]


def test_a_damaged_file_is_one_line_with_what_mends_it(folder: Path) -> None:
    (folder / RELEASED).write_text('[{"asin": "B1"}]')
    products, *_ = checks(folder)
    [fault] = products.faults
    assert fault.endswith(
        "remove webshop/items_shuffle_1000.json from HELDOUT_DATA, then: heldout data fetch webshop"
    )


def test_without_the_products_one_line_says_what_brings_them(folder: Path) -> None:
    (folder / RELEASED).unlink()
    with pytest.raises(BadCall, match=r"no webshop/items_shuffle_1000\.json: heldout data fetch webshop brings it"):
        suite(Source(kind="real"))


WRITTEN_BY_PEOPLE: dict[str, Json] = {
    "B000000001": [
        {
            "asin": "B000000001",
            "instruction": "i want a machine washable shirt in large.",
            "instruction_attributes": ["machine washable"],
            "instruction_options": ["large"],
        },
        {
            "instruction": "a shirt with sleeves",
            "instruction_attributes": ["long sleeve"],
            "instruction_options": [],
        },
        {"instruction": "any shirt", "instruction_attributes": [], "instruction_options": []},
    ],
    "B000000009": [{"instruction": "a sofa", "instruction_attributes": ["blue"], "instruction_options": []}],
}


def test_human_goals_are_what_people_wrote_of_the_products_there_are(folder: Path) -> None:
    source = Source(kind="real", options=(Option("webshop", "goals", "human"),))
    with pytest.raises(BadCall, match=r"no webshop/items_human_ins\.json: heldout data fetch webshop brings it"):
        suite(source)
    (folder / HUMAN).write_text(json.dumps(WRITTEN_BY_PEOPLE))
    real = suite(source)
    assert "2 goals that people wrote" in real.source
    assert real.data != suite(Source(kind="real")).data
    tasks = [*real.tasks("test"), *real.tasks("train")]
    assert (len(real.tasks("test")), len(real.tasks("train")), len(real.tasks("demonstrations"))) == (1, 1, 0)
    words = {task.world["instruction"].partition(", and price lower than ")[0]: task for task in tasks}
    assert set(words) == {"i want a machine washable shirt in large", "a shirt with sleeves"}
    large = words["i want a machine washable shirt in large"]
    assert (large.world["options"], large.world["attributes"]) == ({"size": "large"}, ["machine washable"])
    for rules in ("fixed", "agentgym"):
        played = suite(replace(source, rules=rules))
        episode = played.open(large)
        step = episode.start()
        while step.ending is None:
            step = episode.step(played.players.oracle(episode.world))
        assert step.score == 1.0
    [*_, check] = real.real_data.checks(folder)
    assert (check.source, check.there, check.good) == ("webshop/items_human_ins.json", 2, 2)


def test_a_dialogue_on_a_human_goal_is_replayed(folder: Path) -> None:
    (folder / HUMAN).write_text(json.dumps(WRITTEN_BY_PEOPLE))
    asked = "i want a machine washable shirt in large, and price lower than 70.00 dollars"
    opening = f"WebShop [SEP] Instruction: [SEP] {asked} [SEP] Search"
    dialogue = Dialogue(
        env="webshop", item=0, place=0, id="a", instruction="", opening=opening, turns=(("x", None),)
    )
    recordings = suite(Source(kind="real")).recordings
    assert recordings is not None
    env = recordings.open(recordings.episode_of(dialogue))
    assert (env.world.goal.instruction, env.world.goal.price_limit) == (asked, 70.0)
    assert env.start().observation == opening


def test_an_option_that_the_product_has_not_is_asked_for_and_cannot_be_chosen(folder: Path) -> None:
    wish = {
        "instruction": "a shirt",
        "instruction_attributes": ["long sleeve"],
        "instruction_options": ["S/M", "blue"],
    }
    (folder / HUMAN).write_text(json.dumps({"B000000001": [wish, wish]}))
    real = suite(Source(kind="real", options=(Option("webshop", "goals", "human"),)))
    [task] = real.tasks("test")
    assert task.world["options"] == {"size": "s | m", "not there 2": "blue"}
    episode = real.open(task)
    step = episode.start()
    while step.ending is None:
        step = episode.step(real.players.oracle(episode.world))
    assert step.score == 0.75  # the attribute, one option of two, the price


def test_human_goals_are_of_real_products_and_other_goals_there_are_not() -> None:
    with pytest.raises(BadCall, match=r"goals=human is for source\.kind=real only"):
        suite(Source(options=(Option("webshop", "goals", "human"),)))
    with pytest.raises(BadCall, match=r"unknown goals of webshop 'people' \(choose from: human, synthetic\)"):
        suite(Source(options=(Option("webshop", "goals", "people"),)))


@pytest.mark.realdata
def test_the_real_products_and_goals_are_those_of_the_release(data: Path, tmp_path: Path) -> None:
    """The release is rebuilt: its fields, and prices put back into words; that file itself nobody here has seen."""
    (tmp_path / "webshop").mkdir()
    (tmp_path / WISHES).symlink_to(data / WISHES)
    with lzma.open(data / "webshop" / "documents_1k.jsonl.xz", "rt", encoding="utf-8") as lines:
        loaded = [json.loads(line)["product"] for line in lines]
    items = [
        {name: product[name] for name in SHIRT} | {"pricing": worded(product["pricing"])} for product in loaded
    ]
    (tmp_path / RELEASED).write_text(json.dumps(items))
    assert catalogue(tmp_path).products == catalogue(data).products
    with lzma.open(data / "webshop" / "derived_goals_6910.jsonl.xz", "rt", encoding="utf-8") as lines:
        derived = [json.loads(line) for line in lines]
    found = goals(tmp_path)
    assert len(found) == len(derived) == 6910
    for goal, row in zip(found, derived, strict=True):
        assert goal.instruction.partition(", and price lower than")[0] == row["instruction_text"]
        assert (goal.asin, dict(goal.options)) == (row["asin"], row["goal_options"])


def worded(pricing: list[float]) -> str:
    return " to ".join(f"${price:,.2f}" for price in pricing)
