from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from heldout.backend.worker import Worker
from heldout.errors import HeldoutError

FullDisk = Callable[[int], AbstractContextManager[None]]


@pytest.mark.parametrize("file", ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"])
def test_a_model_that_a_full_disk_refuses_is_one_line_whichever_library_writes(
    file: str, worker: Worker, full_disk: FullDisk, tmp_path: Path
) -> None:
    worker.save(tmp_path / "whole")
    size = (tmp_path / "whole" / file).stat().st_size
    (tmp_path / "cut").mkdir()
    with pytest.raises(HeldoutError) as said, full_disk(size - 1):
        worker.save(tmp_path / "cut")
    assert str(said.value).startswith(f"could not write {tmp_path / 'cut'}: ")
    assert "File too large" in str(said.value)
    assert "\n" not in str(said.value)
