from pathlib import Path

from heldout.records import Row
from heldout.store.gathered import gather
from heldout.store.rows import Rows
from heldout.testing import make_row


def test_a_file_that_cannot_be_read_is_left_out_and_said_and_the_others_stand(tmp_path: Path) -> None:
    whole, torn, gone, foreign = (
        Rows(tmp_path / f"{name}.jsonl", Row) for name in ("whole", "torn", "gone", "foreign")
    )
    whole.extend([make_row(), make_row(attempt=1)])
    torn.extend([make_row(env="grid")])
    with torn.path.open("ab") as file:
        file.write(b'{"study":"de')
    foreign.path.write_text('{"weather":"fine"}\n')
    found = gather([whole, torn, gone, foreign])
    assert found.rows == (make_row(), make_row(attempt=1), make_row(env="grid"))
    assert [line.replace(f"{tmp_path}/", "") for line in found.left_out] == [
        "torn.jsonl ends in half a line after 1 rows, which is left out",
        "gone.jsonl is not there: nothing was measured",
        "foreign.jsonl is damaged: line 1: Row has no field 'weather' (it has 30, the nearest: attempt, max_turns, "
        "step): nothing of it is taken",
    ]


def test_a_line_that_is_no_json_is_torn_at_the_end_and_damage_before_it(tmp_path: Path) -> None:
    file = Rows(tmp_path / "a.jsonl", Row)
    assert not file.is_torn
    file.add(make_row())
    assert not file.is_torn
    file.path.write_bytes(file.path.read_bytes() + b"{half\n")
    assert file.is_torn
    assert gather([file]).rows == (make_row(),)
    file.path.write_bytes(b"{half\n" + file.path.read_bytes())
    [why] = gather([file]).left_out
    assert "line 1 is not JSON" in why
