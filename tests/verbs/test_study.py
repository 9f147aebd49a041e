"""`heldout study unlock`: leases are taken away by people who know better."""

import os
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.store.lease import LostLease, hold
from heldout.store.runs import StudyFolder


def test_leases_are_taken_away_and_their_holders_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = StudyFolder(tmp_path / "run")
    training, measuring = study.stage("textcraft", 0).lease, study.evaluation("base", 0, 0).lease("textcraft")
    with hold(training, purpose="train"), hold(measuring) as lease:
        assert main(["study", "unlock", str(tmp_path)]) == 0
        said = capsys.readouterr().out.splitlines()
        assert len(said) == 2
        assert said[0].startswith(f"{measuring.parent}: taken from process {os.getpid()} (since ")
        assert said[1].endswith(", to train)")
        with pytest.raises(LostLease):
            lease.check()
    assert main(["study", "unlock", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}: nobody holds anything\n"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "unlock", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"heldout: no study in {tmp_path}/none: it is no folder\n"
