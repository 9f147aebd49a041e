"""Small texts whose shares and similarities were counted by hand."""

import pytest

from heldout.analysis.leakage import Opened, Shared, leakage, nearest, pairs_of, share_verbatim


def opened(*instructions: str) -> list[Opened]:
    """Tasks that are asked so, each seen in a room, its content the first word."""
    return [
        Opened(instruction=each, opening=f"a room {each}", content=each.partition(" ")[0]) for each in instructions
    ]


def test_pairs_are_of_words_in_lower_case_and_of_the_ends() -> None:
    assert pairs_of("Open the red door.") == {
        ("", "open"),
        ("open", "the"),
        ("the", "red"),
        ("red", "door"),
        ("door", ""),
    }
    assert pairs_of("") == {("", "")}


def test_similarity_is_the_share_of_pairs_that_both_have() -> None:
    # ^open open-the the-red red-door door$ and ^open open-the the-blue blue-door door$: 3 of 7
    assert nearest(["open the red door"], ["open the blue door"]) == [pytest.approx(3 / 7)]
    assert nearest(["open the red door"], ["Open the red door!", "open the blue door"]) == [1.0]
    assert nearest(["open"], ["door"]) == [0.0]
    assert nearest(["", "open"], ["", "open"]) == [1.0, 1.0]


def test_a_task_is_not_its_own_neighbour() -> None:
    texts = ["open the red door", "open the blue door", "go"]
    assert nearest(texts, texts, own=True) == pytest.approx([3 / 7, 3 / 7, 0.0])
    assert share_verbatim(texts, texts, own=True) == 0.0
    assert share_verbatim([*texts, "go"], [*texts, "go"], own=True) == 50.0


def test_what_stands_there_is_counted_sign_for_sign() -> None:
    assert share_verbatim(["go", "go", "wait", "Go"], ["go", "stay"]) == 50.0


def test_three_comparisons_are_made() -> None:
    found = leakage(
        {
            "test": opened("go left", "go right", "wait"),
            "train": opened("go left", "stay here"),
            "demonstrations": [],
        }
    )
    first, nothing, own = found
    assert (first.of, first.among, first.tasks, first.others) == ("test", "train", 3, 2)
    assert first.instruction == first.opening == pytest.approx(100 / 3)
    assert first.content == pytest.approx(200 / 3)  # both that go
    # go left is there; go right shares ^go of 5 pairs with go left; wait shares nothing
    near = first.nearest_instruction
    assert near is not None
    assert (near.median, near.ninth, near.most) == pytest.approx((1 / 5, 0.84, 1.0))
    assert nothing == Shared(of="test", among="demonstrations", tasks=3, others=0)
    assert (own.of, own.among, own.tasks, own.others, own.instruction) == ("train", "train", 2, 1, 0.0)


def test_a_split_of_one_task_has_no_others() -> None:
    *_, own = leakage({"test": [], "train": opened("go"), "demonstrations": []})
    assert own == Shared(of="train", among="train", tasks=1, others=0)
