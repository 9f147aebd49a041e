import pytest

from heldout.policies.twin import Mistakes
from heldout.training.pocket_recipe import Lesson, Recipe, Share


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """A recipe of six steps, for a model that is worth nothing."""
    return Recipe(
        lessons=(
            Lesson(
                name="skill",
                steps=6,
                shares=(Share(env="textcraft", count=20, turns=2, mistakes=Mistakes(slip=0.1)),),
            ),
        ),
        width=16,
        layers=1,
        copy_steps=2,
        copy_tokens=128,
        batch_tokens=600,
    )
