from heldout.envs.recorded import Answer
from heldout.envs.replay import Difference
from heldout.reporting.differences import format_difference


def difference(recorded: Answer, ours: Answer, *, step: int = 4, action: str = "go") -> Difference:
    fields = recorded.apart(ours)
    return Difference(episode="two-1", step=step, action=action, fields=fields, recorded=recorded, ours=ours)


def test_recorded_and_ours_stand_one_above_the_other() -> None:
    recorded = Answer(observation="Inventory: [dirt] (2) ", reward=0.0, done=False)
    ours = Answer(observation="Inventory: [dirt] (2)", reward=1.0, done=False)
    assert format_difference(difference(recorded, ours)).splitlines() == [
        'two-1, step 4: "go"',
        '  observation  recorded  "Inventory: [dirt] (2) "',
        '               ours      "Inventory: [dirt] (2)"',
        "  reward       recorded  0.0",
        "               ours      1.0",
    ]


def test_a_start_has_no_action() -> None:
    lines = format_difference(
        difference(Answer(observation="2 doors."), Answer(observation="3 doors."), step=0, action="")
    )
    assert lines.startswith("two-1, start\n")


def test_an_error_reply_stands_beside_what_was_answered_instead() -> None:
    lines = format_difference(difference(Answer(observation="Door 4.", reward=0.0), Answer(error="nothing beyond")))
    assert lines.splitlines()[1:] == [
        '  error        recorded  "Door 4."',
        '               ours      error "nothing beyond"',
    ]


def test_long_texts_are_cut_to_where_they_part_and_lie_below_each_other() -> None:
    same = "There is a grey key 1 right in front of you. " * 9
    lines = format_difference(
        difference(Answer(observation=f"{same}A wall.{same}"), Answer(observation=f"{same}A box."))
    )
    _, recorded, ours = lines.splitlines()
    assert recorded == f"  observation  recorded  …in front of you. A wall.{same}"[:99] + "…"
    assert ours == '               ours      …in front of you. A box."'
    assert all(len(line) <= 100 for line in lines.splitlines())


def test_what_a_terminal_cannot_print_is_written_out() -> None:
    lines = format_difference(
        difference(Answer(observation="a\nb\x1b\ud800é"), Answer(observation=""), action="x" * 200 + "\n")
    )
    first, second, _ = lines.splitlines()
    assert len(first) == 100
    assert second.endswith(r'"a\nb\x1b\ud800é"')
