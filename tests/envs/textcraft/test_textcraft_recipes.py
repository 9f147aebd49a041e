import tarfile
from collections import Counter
from io import BytesIO
from json import dumps
from pathlib import Path

import pytest

from heldout.envs.textcraft.language import line
from heldout.envs.textcraft.recipes import goal_order, grow_book, real_book
from heldout.errors import BadCall
from heldout.records import Json


def shapeless(output: str, *needs: str, group: str = "") -> Json:
    """A recipe document; `#name` is a tag."""
    parts = [
        {"tag": f"minecraft:{need[1:]}"} if need[0] == "#" else {"item": f"minecraft:{need}"} for need in needs
    ]
    document = {
        "type": "minecraft:crafting_shapeless",
        "ingredients": parts,
        "result": {"item": f"minecraft:{output}"},
    }
    return document | ({"group": group} if group else {})


def test_a_pattern_is_counted() -> None:
    document = {
        "type": "minecraft:crafting_shaped",
        "pattern": ["###", "###", " X "],
        "key": {
            "#": {"item": "minecraft:oak_planks"},
            "X": [{"item": "minecraft:stick"}, {"item": "minecraft:bone"}],
        },
        "result": {"item": "minecraft:oak_sign", "count": 3},
    }
    assert [line(recipe) for recipe in grow_book([document]).recipes] == [
        "craft 3 oak sign using 6 oak planks, 1 stick"
    ]


def test_other_ways_than_crafting_are_passed_over() -> None:
    assert grow_book([{"type": "minecraft:smelting", "result": "minecraft:stone"}]).recipes == ()


def test_a_single_block_is_not_taken_apart() -> None:
    assert grow_book([shapeless("gold_ingot", "gold_block")]).recipes == ()


def test_the_recipe_that_would_close_a_circle_is_left_out() -> None:
    nugget, ingot = shapeless("iron_nugget", "iron_ingot"), shapeless("iron_ingot", *["iron_nugget"] * 9)
    assert [recipe.output for recipe in grow_book([nugget, ingot]).recipes] == ["iron nugget"]
    assert [line(recipe) for recipe in grow_book([ingot, nugget]).recipes] == [
        "craft 1 iron ingot using 9 iron nugget"
    ]


def test_a_tag_that_nothing_craftable_stands_for_is_an_item() -> None:
    planks = shapeless("oak_planks", "#oak_logs", group="planks")
    book = grow_book([planks, shapeless("chest", "#planks")])
    assert book.tags == {"planks"}
    assert book.is_base("oak logs")
    assert not book.is_base("planks")
    assert book.kinds("planks") == ("oak planks",)


def test_the_published_goals_are_544() -> None:
    assert len(goal_order()) == len(set(goal_order())) == 544
    assert goal_order()[:3] == ("acacia wood", "beacon", "birch wood")
    assert {"iron nugget", "gold ingot", "honey bottle"} <= set(goal_order())


def _archive(path: Path, documents: dict[str, Json]) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        for name, document in documents.items():
            data = dumps(document).encode()
            member = tarfile.TarInfo(f"recipes/{name}.json")
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    return path


def test_a_missing_or_broken_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCall, match=r"cannot read .*recipes\.tar\.xz .*HELDOUT_DATA"):
        real_book(tmp_path / "recipes.tar.xz")
    (tmp_path / "page.tar.xz").write_bytes(b"<html>not found</html>")
    with pytest.raises(BadCall, match=r"cannot read .*page\.tar\.xz"):
        real_book(tmp_path / "page.tar.xz")


@pytest.mark.parametrize(
    "document", [shapeless("chest", "oak_planks"), {}, [], {"type": "minecraft:crafting_shaped"}]
)
def test_an_archive_of_other_things_is_refused(tmp_path: Path, document: Json) -> None:
    archive = _archive(tmp_path / "other.tar.xz", {"chest": document})
    with pytest.raises(BadCall, match=r"other\.tar\.xz does not hold the 860 recipe files"):
        real_book(archive)


@pytest.mark.realdata
def test_the_real_tree_is_that_of_the_published_logs(data: Path) -> None:
    book = real_book(data / "textcraft" / "recipes.tar.xz")
    assert (len(book.recipes), len(book.items), len(book.tags)) == (613, 676, 23)
    assert sum(map(book.is_base, book.items)) == 132

    def depth(name: str) -> int:
        makers = book.makers(name)
        return min(max(depth(need) + 1 for need, _ in recipe.needs) for recipe in makers) if makers else 0

    assert Counter(map(depth, goal_order())) == {1: 140, 2: 280, 3: 113, 4: 11}
    assert [line(recipe) for recipe in book.by_output["gold ingot"]] == ["craft 1 gold ingot using 9 gold nugget"]
