"""Named streams: typed-in values, so that no later change moves the chance of a finished run."""

from hypothesis import given
from hypothesis import strategies as st

from heldout.seeds import derive, stream


def test_a_stream_keeps_its_seed_for_ever() -> None:
    assert derive(0) == 3456079177858693020
    assert derive(0, "textcraft", "t_1", 3) == 6898786427239426044
    assert derive(1, "textcraft", "t_1", 3) == 6194066163072490971


def test_equal_names_give_equal_chance_and_other_names_other_chance() -> None:
    assert stream(0, "a", 1).random() == stream(0, "a", 1).random()
    assert stream(0, "a", 1).random() != stream(0, "a", 2).random()
    assert stream(0, "a", 1).random() != stream(1, "a", 1).random()


def test_drawing_from_one_stream_leaves_another_alone() -> None:
    alone = stream(0, "b").random()
    stream(0, "a").random()
    assert stream(0, "b").random() == alone


@given(st.integers(), st.lists(st.text() | st.integers()))
def test_any_name_gives_a_seed_that_fits_a_signed_64_bit_integer(seed: int, path: list[str | int]) -> None:
    assert 0 <= derive(seed, *path) < 2**63


def test_a_name_may_hold_half_a_surrogate_pair() -> None:
    assert derive(0, "a \ud83d") != derive(0, "a \ud83e") != derive(0, "a ?")
