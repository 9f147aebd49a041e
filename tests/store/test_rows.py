from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.errors import HeldoutError
from heldout.records import Reply
from heldout.store.metrics import Metrics
from heldout.store.rows import Memory, Rows, RowStore

ONE, TWO, THREE = Reply(text="one", token_ids=(1, 2)), Reply(text="two\n|\u2028"), Reply(text="three")


def rows(folder: Path) -> Rows[Reply]:
    return Rows(folder / "replies.jsonl", Reply)


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_a_file_and_a_list_are_read_alike(tmp_path: Path, kind: str) -> None:
    store: RowStore[Reply] = rows(tmp_path) if kind == "file" else Memory[Reply]()
    assert (len(store), list(store)) == (0, [])
    store.add(ONE)
    store.extend([TWO, THREE])
    assert list(store) == [ONE, TWO, THREE]
    assert len(store) == 3


@pytest.mark.parametrize("torn", [b'{"text": "tw', b'{"text": "two"}', b'{"text": "tw\n', b"\n", b"\x00\x00\n"])
def test_a_torn_last_line_is_passed_over_then_cut_away(tmp_path: Path, torn: bytes) -> None:
    rows(tmp_path).add(ONE)
    with rows(tmp_path).path.open("ab") as file:
        file.write(torn)
    again = rows(tmp_path)
    assert list(again) == [ONE]
    again.add(THREE)
    assert list(again) == [ONE, THREE]


def test_a_file_torn_in_its_first_line_is_begun_again(tmp_path: Path) -> None:
    rows(tmp_path).path.write_bytes(b'{"te')
    rows(tmp_path).add(ONE)
    assert list(rows(tmp_path)) == [ONE]


def test_a_broken_line_elsewhere_is_named_by_its_number(tmp_path: Path) -> None:
    rows(tmp_path).add(ONE)
    path = rows(tmp_path).path
    path.write_bytes(path.read_bytes() + b"broken\n" + path.read_bytes())
    with pytest.raises(HeldoutError, match=r"replies\.jsonl is damaged: line 2 is not JSON"):
        list(rows(tmp_path))


def test_a_row_of_another_kind_is_named_by_its_number(tmp_path: Path) -> None:
    rows(tmp_path).path.write_text('{"colour": "red"}\n')
    with pytest.raises(HeldoutError, match=r"line 1: Reply has no field 'colour'"):
        list(rows(tmp_path))


@settings(max_examples=50)
@given(texts=st.lists(st.text(), min_size=1, max_size=4), cut=st.integers(min_value=0, max_value=60))
def test_wherever_a_write_is_cut_the_rows_before_it_stay(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], cut: int
) -> None:
    store = rows(tmp_path_factory.mktemp("rows"))
    said = [Reply(text=text) for text in texts]
    store.extend(said)
    data = store.path.read_bytes()
    store.path.write_bytes(data[: max(0, len(data) - cut)])
    left = list(Rows(store.path, Reply))
    assert left == said[: len(left)]
    again = Rows(store.path, Reply)
    again.add(ONE)
    assert list(again) == [*left, ONE]


def test_metrics_are_cut_back_to_a_step(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in (1, 2, 3):
        metrics.add({"step": step, "reward": step / 3})
    before = metrics.path.read_bytes()
    metrics.cut_to(2)
    assert list(metrics) == [{"step": 1, "reward": 1 / 3}, {"step": 2, "reward": 2 / 3}]
    metrics.add({"step": 3, "reward": 1.0})
    assert metrics.path.read_bytes() == before


def test_metrics_that_were_never_written_are_cut_to_nothing(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.cut_to(0)
    assert len(metrics) == 0
    assert not metrics.path.exists()
