"""The released games as tasks: read from the real files, or skipped without them."""

from pathlib import Path

import pytest

from heldout.config import Source
from heldout.data.folder import published_ids
from heldout.envs.alfworld import suite
from heldout.envs.alfworld.env import OriginalAlfWorld
from heldout.envs.alfworld.games import FILES, game_in, games, house
from heldout.envs.alfworld.published import checks, number_of, published_tasks
from heldout.envs.alfworld.world import World
from heldout.envs.base import find_task
from heldout.envs.recorded import RecordedEpisode
from heldout.errors import BadCall
from heldout.records import Ending

pytestmark = pytest.mark.realdata

SAMPLE = "pick_and_place_simple-Mug-None-Desk-308/trial_T20190908_125200_737896"


def test_a_released_file_and_its_compact_row_are_one_household(data: Path) -> None:
    folder = data / "alfworld" / "raw_samples" / "valid_unseen" / SAMPLE
    for release, file in (("2.1.1", "game.v211.tw-pddl"), ("2.1.2", "game.tw-pddl")):
        game = game_in((folder / file).read_text("utf-8"), SAMPLE)
        assert game.house() == house(data, release, "valid_unseen", SAMPLE)


@pytest.mark.parametrize("split", ["valid_seen", "valid_unseen"])
def test_a_walkthrough_wins_its_game_and_so_does_the_oracle(data: Path, split: str) -> None:
    oracle = suite(Source()).players.oracle
    for game in games(data, "2.1.2", split).values():
        for player in ("walkthrough", "oracle"):
            env = OriginalAlfWorld(World(game.house(), original=True))
            step, actions = env.start(), iter(game.walkthrough)
            while step.ending is None:
                step = env.step(next(actions) if player == "walkthrough" else oracle(env.world))
            assert step.ending is Ending.SOLVED, (game.id, player)


def test_every_published_id_is_a_game_of_agentgym_s_index(data: Path) -> None:
    for split, numbers in (("train", range(2420)), ("test", range(2420, 2620))):
        assert [number_of(item, data) for item in published_ids(data, "alfworld", split)] == list(numbers)
    assert number_of("alfworld_2620", data) is None
    assert number_of("look_at_obj_in_light-AlarmClock-None-DeskLamp-301_trial_T0", data) is None


def test_the_splits_are_the_published_ones(data: Path) -> None:
    train, test = published_tasks("train", data), published_tasks("test", data)
    assert (len(train), len(test)) == (2420, 200)
    assert [task.difficulty for task in test].count("easy") == 65
    assert (train[0].id, test[0].id) == ("alfworld_0", "alfworld_2420")
    assert (
        train[0].world["game"] == "look_at_obj_in_light-AlarmClock-None-DeskLamp-301/trial_T20190907_174127_043461"
    )
    with pytest.raises(BadCall, match="unknown split"):
        published_tasks("all", data)


@pytest.mark.slow
def test_a_look_through_the_data_counts_what_is_there_and_what_leads_nowhere(data: Path, tmp_path: Path) -> None:
    """All but the two large files, so that it takes seconds."""
    (tmp_path / "agentgym_item_ids").symlink_to(data / "agentgym_item_ids")
    (tmp_path / "alfworld").mkdir()
    for path in (data / "alfworld").iterdir():
        if path.name not in (FILES["2.1.1", "train"], FILES["2.1.2", "train"]):
            (tmp_path / "alfworld" / path.name).symlink_to(path)
    found = {check.what + check.source: check for check in checks(tmp_path)}
    assert [check.there for check in found.values()] == [0, 200, 187, 195, 0, 200, 140, 134, 2420, 200, 2620]
    assert [check.good for check in found.values()] == [0, 200, 187, 195, 0, 200, 140, 134, 0, 200, 2620]
    assert [check.missing for check in found.values()] == [name in (0, 4) for name in range(11)]
    assert sum(check.unresolved for check in found.values()) == 2420


def test_without_its_folder_one_line_says_so(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    with pytest.raises(BadCall, match=r"which has no alfworld/json_2\.1\.1, .*: heldout data fetch alfworld"):
        suite(Source(kind="real"))
    with pytest.raises(BadCall, match=r"there is no .*valid_seen; .* \(heldout data fetch alfworld brings it\)"):
        games(tmp_path, "2.1.1", "valid_seen")
    with pytest.raises(BadCall, match=r"unknown game of 2\.1\.1 valid_seen"):
        house(data, "2.1.1", "valid_seen", "nowhere")
    with pytest.raises(BadCall, match="unknown release and split"):
        games(data, "1.0", "train")


JOINED = "look_at_obj_in_light-AlarmClock-None-DeskLamp-301_trial_T20190907_174142_375532"
FOLDERS = JOINED.replace("_trial", "/trial")


@pytest.mark.parametrize(
    "spelled",
    [
        JOINED,
        FOLDERS,
        f"alfworld_{JOINED}",
        f"json_2.1.1/train/{FOLDERS}",
        f"/data/alfworld/json_2.1.1/train/{FOLDERS}/game.tw-pddl",
        "alfworld_1",
        "1",
    ],
)
def test_a_game_is_found_however_its_published_id_is_spelled(data: Path, spelled: str) -> None:
    assert data.is_dir()
    assert find_task(suite(Source(kind="real")), spelled).id == "alfworld_1"


def test_a_game_that_is_not_played_is_refused_with_the_nearest_three(data: Path) -> None:
    assert data.is_dir()
    for other in (f"json_2.1.2/train/{FOLDERS}", f"json_2.1.1/valid_seen/{FOLDERS}", "alfworld_2620", f"{JOINED}0"):
        with pytest.raises(BadCall, match=r"has no task .* \(choose from 2620, the nearest: \S+, \S+, \S+\)$"):
            find_task(suite(Source(kind="real")), other)
    with pytest.raises(BadCall, match=r"unknown game of 2\.1\.1 train") as refused:
        house(data, "2.1.1", "train", f"{FOLDERS}0")
    assert len(str(refused.value)) < 700


def test_a_recording_names_its_game_by_a_path_as_well(data: Path) -> None:
    assert data.is_dir()
    recordings = suite(Source()).recordings
    assert recordings is not None
    path = f"json_2.1.1/valid_unseen/{SAMPLE}/game.tw-pddl"
    for task in ({"game": path}, {"game": SAMPLE, "data": "2.1.1", "split": "valid_unseen"}):
        env = recordings.open(RecordedEpisode(env="alfworld", id="a", task=task, steps=()))
        assert env.world.house == house(data, "2.1.1", "valid_unseen", SAMPLE)
