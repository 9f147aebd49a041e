"""The games as they were released: fetched from an archive, read one by one, and played."""

import json
import lzma
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.config import Source
from heldout.data.catalogue import source_of
from heldout.data.fetch import fetch
from heldout.data.folder import ids_path, lacking
from heldout.envs.alfworld import suite
from heldout.envs.alfworld.games import FILES, game_in, games, place
from heldout.envs.alfworld.published import NEEDS, checks
from heldout.errors import BadCall
from heldout.records import Ending

LIGHT = "look_at_obj_in_light-AlarmClock-None-DeskLamp-301/trial_T20190907_174127_043461"
DESK = "pick_and_place_simple-Mug-None-Desk-308/trial_T20190908_125200_737896"
FIRST, SECOND, TEST = (f"pick_heat_then_place_in_recep-Mug-None-Cabinet-{n}/trial_{n}" for n in (1, 2, 3))


@pytest.fixture
def folder(tmp_path: Path, released: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three fetched games, of which AgentGym lists one to train on and one to test on."""
    archive, data = tmp_path / "json_2.1.1_tw-pddl.zip", tmp_path / "data"
    with zipfile.ZipFile(archive, "w") as packed:
        for split, name in (("train", FIRST), ("train", SECOND), ("valid_train", TEST)):
            packed.writestr(f"json_2.1.1/{split}/{name}/game.tw-pddl", released)
            packed.writestr(f"json_2.1.1/{split}/{name}/traj_data.json", "{}")
    source = source_of("alfworld")
    fetch(source, replace(source.files[0], url=archive.as_uri()), data, lambda _: None)
    for which, name in (("train", FIRST), ("test", TEST)):
        kind, trial = name.split("/")
        mapping = [{"item_id": 0, "task_type": kind, "task_id": trial}]
        (data / "alfworld" / f"agentgym_mappings_{which}.json").write_text(json.dumps(mapping))
        ids = data / ids_path("alfworld", which)
        ids.parent.mkdir(parents=True)
        ids.write_text(json.dumps([{"item_id": f"alfworld_{['train', 'test'].index(which)}"}]))
    monkeypatch.setenv("HELDOUT_DATA", str(data))
    return data


def test_fetched_games_are_played_and_the_oracle_solves_them(folder: Path) -> None:
    assert lacking(folder, NEEDS) == []
    real = suite(Source(kind="real"))
    for split, name in (("train", FIRST), ("test", TEST), ("demonstrations", SECOND)):
        [task] = real.tasks(split)
        assert task.world["game"] == name
        episode = real.open(task)
        step = episode.start()
        assert "put a hot mug in cabinet" in step.observation
        while step.ending is None:
            step = episode.step(real.players.oracle(episode.world))
        assert step.ending is Ending.SOLVED


def test_a_game_is_read_when_it_is_asked_for(folder: Path) -> None:
    (folder / "alfworld" / "json_2.1.1" / "train" / SECOND / "game.tw-pddl").write_text("{")
    found = games(folder, "2.1.1", "train")
    assert (list(found), len(found), SECOND in found) == ([FIRST, SECOND], 2, True)
    assert found[FIRST].solvable
    with pytest.raises(
        BadCall, match=r"remove alfworld/json_2\.1\.1 from HELDOUT_DATA, then: heldout data fetch alfw"
    ):
        found[SECOND]


def test_a_look_counts_the_games_of_each_split_and_names_a_damaged_one(folder: Path) -> None:
    (folder / "alfworld" / "json_2.1.1" / "train" / SECOND / "game.tw-pddl").write_text("{")
    train, test, seen, unseen, *ids = checks(folder)
    assert (train.source, train.there, train.good, len(train.faults)) == ("alfworld/json_2.1.1/train", 2, 1, 1)
    assert (test.there, test.good, seen.missing, unseen.missing) == (1, 1, True, True)
    assert [(each.there, each.good) for each in ids] == [(1, 1), (1, 1), (2, 2)]


def test_the_release_is_read_where_both_forms_are_there(folder: Path) -> None:
    (folder / "alfworld" / "games_v211_train.jsonl.xz").write_bytes(b"")
    assert place(folder, "2.1.1", "train") == Path("alfworld/json_2.1.1/train")
    (folder / "alfworld" / "games_v211_valid_seen.jsonl.xz").write_bytes(b"")
    assert place(folder, "2.1.1", "valid_seen") == Path("alfworld/games_v211_valid_seen.jsonl.xz")


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize(
    ("release", "split", "name", "file"),
    [
        ("2.1.1", "valid_unseen", DESK, "game.v211.tw-pddl"),
        ("2.1.2", "valid_unseen", DESK, "game.tw-pddl"),
        ("2.1.2", "train", LIGHT, "game.tw-pddl"),
    ],
)
def test_a_game_as_released_and_its_row_in_the_compact_form_are_one_game(
    data: Path, release: str, split: str, name: str, file: str
) -> None:
    raw = (data / "alfworld" / "raw_samples" / split / name / file).read_text("utf-8")
    assert game_in(raw, name) == games(data, release, split)[name]


@pytest.mark.realdata
def test_a_split_as_released_and_in_the_compact_form_is_the_same_games(data: Path, tmp_path: Path) -> None:
    """The release is rebuilt from the rows, the domains and the grammars: so only its form is tested here."""
    folder, texts = (
        data / "alfworld",
        {path.name: path.read_text("utf-8") for path in (data / "alfworld").glob("*_v211_*.[pt]*")},
    )
    with lzma.open(folder / FILES["2.1.1", "valid_train"], "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        path = tmp_path / "alfworld" / "json_2.1.1" / "valid_train" / row["id"] / "game.tw-pddl"
        path.parent.mkdir(parents=True)
        game = {
            "pddl_domain": texts[f"alfred_domain_v211_{row['domain']}.pddl"],
            "grammar": texts[f"grammar_template_v211_{row['grammar']}.twl2"].replace("@@TASK@@", row["task"]),
            "pddl_problem": row["pddl_problem"],
            "solvable": row["solvable"],
        }
        path.write_text(json.dumps(game))
    assert list(games(tmp_path, "2.1.1", "valid_train").items()) == list(
        games(data, "2.1.1", "valid_train").items()
    )
