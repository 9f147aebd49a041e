import os
from pathlib import Path

import pytest


@pytest.fixture
def data() -> Path:
    """The folder of the real task data; tests that need it are skipped without it."""
    if "HELDOUT_DATA" not in os.environ:
        pytest.skip("HELDOUT_DATA is not set")
    return Path(os.environ["HELDOUT_DATA"])
