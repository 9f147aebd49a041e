from dataclasses import replace

import pytest

from heldout.config import Config, pocket, with_overrides
from heldout.study.sizes import sizes_of


def test_a_model_that_is_here_is_counted_from_its_files() -> None:
    sizes = sizes_of("pocket", pocket(), "cpu", 2)
    assert sizes is not None
    assert sizes.parameters == 1_096_320
    assert sizes.checkpoint == 1_096_320 * 12
    assert sizes.learning == 2 * (400e6 + 1_096_320 * 23)
    with_reference = sizes_of("pocket", with_overrides(pocket(), ["train.kl=0.1"]), "cpu", 2)
    assert with_reference is not None
    assert with_reference.learning - sizes.learning == 2 * 1_096_320 * 4
    fewer = sizes_of("pocket", replace(pocket(), slots=32), "cpu", 2)
    assert fewer is not None
    assert sizes.playing > fewer.playing


@pytest.mark.parametrize(("name", "billions"), [("Qwen/Qwen2.5-3B-Instruct", 3), ("Qwen/Qwen2.5-0.5B", 0.5)])
def test_a_model_that_is_not_here_is_known_by_its_name_and_not_fetched(name: str, billions: float) -> None:
    sizes = sizes_of(name, Config(), "cuda", 1)
    assert sizes is not None
    assert (sizes.parameters, sizes.said_by) == (billions * 1e9, "its name")
    assert sizes.learning == pytest.approx(400e6 + billions * 1e9 * (23 + 2))


def test_a_name_without_a_size_says_nothing() -> None:
    assert sizes_of("someone/a-model", Config(), "cuda", 1) is None
