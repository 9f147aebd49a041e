from pathlib import Path
from random import Random

import pytest
from zstandard import ZstdCompressor

from heldout.errors import HeldoutError
from heldout.records import Ending, Reply, Trajectory
from heldout.store.trajectories import Trajectories
from heldout.testing import make_trajectory, make_turn


def trajectory(attempt: int, text: str = "Action: left") -> Trajectory:
    reply = Reply(text=text, context_ids=(5, 6), token_ids=(1, 2), logprobs=(-0.25, -1.5))
    turn = make_turn(reply, action="left", observation="It opens.", reward=1.0)
    return make_trajectory(
        attempt=attempt,
        opening="Two doors.",
        turns=(turn,),
        reward=1.0,
        score=1.0,
        ending=Ending.SOLVED,
        stream=f"evaluate/base@0/doors/doors_1/{attempt}",
    )


def file(folder: Path) -> Trajectories:
    return Trajectories(folder / "doors.trajectories.jsonl.zst")


def test_trajectories_come_back_as_they_were(tmp_path: Path) -> None:
    file(tmp_path).add(trajectory(0))
    file(tmp_path).extend([trajectory(1), trajectory(2, "half a pair: \ud800")])
    assert list(file(tmp_path)) == [trajectory(0), trajectory(1), trajectory(2, "half a pair: \ud800")]
    assert len(file(tmp_path)) == 3


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert list(file(tmp_path)) == []


def test_all_can_be_replaced(tmp_path: Path) -> None:
    file(tmp_path).extend([trajectory(0), trajectory(1)])
    file(tmp_path).replace([trajectory(2)])
    assert list(file(tmp_path)) == [trajectory(2)]


def test_frames_longer_than_one_read_come_back(tmp_path: Path) -> None:
    noise = Random(1)
    long = [trajectory(i, noise.randbytes(90_000).hex()) for i in range(3)]
    for one in long:
        file(tmp_path).add(one)
    assert file(tmp_path).path.stat().st_size > 200_000
    assert list(file(tmp_path)) == long


@pytest.mark.parametrize("lost", [1, 10, 100])
def test_a_torn_last_frame_is_passed_over_then_cut_away(tmp_path: Path, lost: int) -> None:
    file(tmp_path).add(trajectory(0))
    file(tmp_path).add(trajectory(1))
    path = file(tmp_path).path
    path.write_bytes(path.read_bytes()[:-lost])
    again = file(tmp_path)
    assert list(again) == [trajectory(0)]
    again.add(trajectory(2))
    assert list(again) == [trajectory(0), trajectory(2)]


def test_what_is_no_frame_is_named(tmp_path: Path) -> None:
    file(tmp_path).path.write_bytes(b"not zstandard at all")
    with pytest.raises(HeldoutError, match=r"doors\.trajectories\.jsonl\.zst is damaged: "):
        list(file(tmp_path))


def test_a_frame_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.zst"
    path.write_bytes(ZstdCompressor().compress(b" " * 10_000_000))
    with pytest.raises(HeldoutError, match="what was added at once is more than 1,000,000 bytes"):
        len(Trajectories(path, longest=1_000_000))
