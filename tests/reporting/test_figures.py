from dataclasses import replace

from heldout.reporting.figures import Point, learning_curve, png, svg
from heldout.reporting.findings import Findings

METRICS = [{"step": step, "score": step / 40, "success": step / 50, "loss": 1.0} for step in range(1, 31)]


def points(findings: Findings) -> list[Point]:
    return [Point(0, score) for score in findings.base] + [Point(30, score) for score in findings.trained]


def test_a_curve_is_the_same_bytes_each_time(findings: Findings) -> None:
    first, again = (learning_curve([METRICS], points(findings)) for _ in range(2))
    assert svg(first) == svg(again)
    assert b"<dc:date>" not in svg(first)


def test_a_curve_is_drawn_as_png_too(findings: Findings) -> None:
    assert png(learning_curve([METRICS], points(findings))).startswith(b"\x89PNG")


def test_axes_say_what_they_show_in_which_unit(findings: Findings) -> None:
    training, babyai, textcraft = learning_curve([METRICS], points(findings)).axes
    assert (training.get_xlabel(), training.get_ylabel()) == (
        "training step",
        "mean of the step's episodes (points, 0 to 100)",
    )
    assert [panel.get_title() for panel in (babyai, textcraft)] == [
        "Tests of babyai; 95 % intervals",
        "Tests of textcraft; 95 % intervals",
    ]
    for panel, levels in ((babyai, ["easy"]), (textcraft, ["easy", "hard"])):
        assert panel.get_ylabel() == "avg@8 (points, 0 to 100)"
        assert [text.get_text() for text in panel.get_legend().get_texts()] == levels


def test_scores_of_fewer_attempts_are_told_on_the_axis(findings: Findings) -> None:
    fewer = replace(findings.base[0], k=6)
    _, panel = learning_curve([], [Point(0, fewer), Point(30, findings.base[0])]).axes
    assert panel.get_ylabel() == "avg@k, k from 6 to 8 (points, 0 to 100)"


def test_each_environment_has_a_panel_and_no_empty_one_is_seen(findings: Findings) -> None:
    envs = ("alfworld", "babyai", "searchqa", "webshop")
    scores = [Point(step, replace(findings.base[0], env=env)) for env in envs for step in (0, 30)]
    panels = learning_curve([METRICS], scores).axes
    assert len(panels) == 6
    seen = [panel.get_title().partition(";")[0].partition(",")[0] for panel in panels if panel.get_visible()]
    assert seen == ["On training tasks", *(f"Tests of {env}" for env in envs)]


def test_without_test_scores_there_is_one_panel() -> None:
    [panel] = learning_curve([METRICS]).axes
    assert [line.get_label() for line in panel.get_lines()] == ["score", "success"]


def test_a_step_that_learned_nothing_is_left_out() -> None:
    [panel] = learning_curve([[*METRICS, {"step": 31, "score": None}]]).axes
    assert len(panel.get_lines()[0].get_xydata()) == 30


def test_a_point_that_rounding_puts_outside_its_interval_is_drawn(findings: Findings) -> None:
    flat = replace(findings.base[0], score=0.3, ci95=(0.1 + 0.2, 0.1 + 0.2))
    assert png(learning_curve([], [Point(0, flat)])).startswith(b"\x89PNG")


def test_several_seeds_have_a_thin_line_each_and_their_mean() -> None:
    other = [{**row, "score": row["score"] + 0.1, "success": row["success"]} for row in METRICS[:20]]
    [panel] = learning_curve([METRICS, other]).axes
    first, second, mean, *_ = panel.get_lines()
    assert [len(line.get_xydata()) for line in (first, second, mean)] == [30, 20, 20]  # no mean of some seeds only
    assert mean.get_xydata()[0].tolist() == [1, 7.5]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["score", "success"]
