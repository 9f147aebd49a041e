"""Errors: what a caller reads, and the exit status that goes with it."""

import pytest

from heldout.errors import BadCall, HeldoutError, OriginalError, Unavailable, unknown


def test_an_unknown_name_is_told_with_the_nearest_and_all_choices() -> None:
    error = unknown("environment", "textcarft", ["webshop", "textcraft"])
    assert str(error) == (
        "unknown environment 'textcarft'; did you mean 'textcraft'? (choose from: textcraft, webshop)"
    )


def test_a_name_near_to_none_gets_no_suggestion() -> None:
    assert str(unknown("verb", "xyzzy", ["demo"])) == "unknown verb 'xyzzy' (choose from: demo)"


@pytest.mark.parametrize(
    ("kind", "status"), [(BadCall, 2), (HeldoutError, 1), (Unavailable, 1), (OriginalError, 1)]
)
def test_a_bad_call_exits_with_2_and_a_failure_with_1(kind: type[HeldoutError], status: int) -> None:
    assert issubclass(kind, HeldoutError)
    assert kind.status == status
