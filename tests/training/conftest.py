import pytest

from heldout.policies.privileged import OracleNoise
from heldout.training.pocket_recipe import Lesson, Recipe, Share


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """A recipe of six steps, for a model that is worth nothing."""
    return Recipe(
        lessons=(
            Lesson(
                name="skill",
                steps=6,
                shares=(Share(env="textcraft", count=20, max_turns=2, noise=OracleNoise(error_rate=0.1)),),
            ),
        ),
        width=16,
        layers=1,
        copy_steps=2,
        copy_tokens=128,
        batch_tokens=600,
    )
