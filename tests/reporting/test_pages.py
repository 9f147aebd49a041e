from dataclasses import replace

from heldout.analysis.scores import Attempts, Cell
from heldout.config import Config, Evaluate, Source, Variant
from heldout.printable import printable
from heldout.records import Ending, Trajectory
from heldout.reporting.examples import Example, examples
from heldout.reporting.figures import Point, learning_curve, svg
from heldout.reporting.findings import Findings, control_table, detail_table, normalised_table, score_table
from heldout.reporting.pages import study_page
from heldout.reporting.summary import summary
from heldout.reporting.tables import align


def test_the_first_table_says_what_changed_where(findings: Findings) -> None:
    assert score_table(findings).rows == [
        ("textcraft.easy", "yes", "60", "5.0", "40.0 [35.0, 46.2]", "75.0 [70.0, 81.2]", "+35.0 [+29.0, +40.5]"),
        ("textcraft.hard", "no", "60", "2.5", "10.0 [5.0, 16.2]", "20.0 [15.0, 26.2]", "+10.0 [+4.0, +15.5]"),
        ("babyai.easy", "no", "60", "–", "30.0 [25.0, 36.2]", "25.0 [20.0, 31.2]", "-5.0 [-11.0, +0.5]"),
    ]


def test_what_was_not_measured_is_a_dash_never_a_zero(findings: Findings) -> None:
    half = replace(findings, trained=findings.trained[1:], change={}, base=findings.base[:2])
    assert [row[3:] for row in score_table(half).rows] == [
        ("5.0", "40.0 [35.0, 46.2]", "75.0 [70.0, 81.2]", "–"),
        ("2.5", "–", "20.0 [15.0, 26.2]", "–"),
        ("–", "30.0 [25.0, 36.2]", "–", "–"),
    ]


def test_random_play_and_the_oracle_stand_beside_before_and_after_where_they_were_measured(
    findings: Findings,
) -> None:
    oracle = replace(findings.controls[-1], name="oracle")
    both = replace(findings, controls=(*findings.controls, oracle))
    assert score_table(both).header[2:6] == ("n", "random", "oracle", "base")
    assert score_table(replace(findings, controls=())).header[2:4] == ("n", "base")


def test_a_control_has_a_row_only_where_it_was_measured(findings: Findings) -> None:
    rows = control_table(findings).rows
    assert {row[0] for row in rows} == {"textcraft.easy", "textcraft.hard"}
    assert [row[1:5] for row in rows[:3]] == [
        ("greedy", "0.00", "50.0 [45.0, 56.2]", "50.0"),
        ("matched entropy", "0.61", "45.0 [40.0, 51.2]", "45.0"),
        ("random", "–", "5.0 [0.0, 11.2]", "5.0"),
    ]


def test_scores_between_random_and_the_oracle_and_success(findings: Findings) -> None:
    assert normalised_table(findings).rows == [
        ("textcraft.easy", "37.5 [25.0, 50.0]", "75.0 [62.5, 87.5]", "40.0", "75.0"),
        ("textcraft.hard", "–", "–", "10.0", "20.0"),
        ("babyai.easy", "–", "-12.5 [-25.0, 0.0]", "30.0", "25.0"),
    ]
    assert "## Between random and the oracle" not in study_page(replace(findings, trained_normalised={}), [], "")


def test_tables_of_controls_fit_a_terminal(findings: Findings) -> None:
    for table in (control_table(findings), normalised_table(findings)):
        assert max(map(len, align(table, 80).splitlines())) <= 80


def test_a_chain_trained_on_all_is_trained_on_easy_and_hard(findings: Findings) -> None:
    both = replace(findings, trained_difficulty="all")
    assert [row[1] for row in score_table(both).rows] == ["yes", "yes", "no"]


def test_the_counts_of_each_model(findings: Findings) -> None:
    first = detail_table(findings).rows[0]
    assert first == (
        *("textcraft.easy", "base", "8", "40.0", "80.0", "7.2", "123.4"),
        "out of turns 200, solved 280",
    )


def test_the_page_says_how_many_attempts_its_figures_are_not_of(findings: Findings) -> None:
    assert "lost to errors" not in study_page(findings, [], "")
    lossy = {
        "trained": (
            Attempts(cell=Cell(env="b|b", split="test", difficulty="easy"), asked=480, played=475, broken=3),
        ),
        "matched_entropy": (
            Attempts(cell=Cell(env="babyai", split="test", difficulty="hard"), asked=16, played=0, broken=16),
        ),
    }
    page = study_page(replace(findings, attempts=lossy), [], "")
    assert (
        "- trained, b\\|b.easy: 3 of 480 attempts lost to errors and 2 never played, counted in no figure\n"
        "- matched entropy, babyai.hard: 16 of 16 attempts lost to errors, counted in no figure\n"
    ) in page


def test_a_page_says_by_which_tasks_and_rules_it_was_measured(findings: Findings) -> None:
    assert "generated (profile `pocket`), played by `fixed` rules for at most 20 turns" in study_page(
        findings, [], ""
    )
    source = Source(kind="real", rules="agentgym", variant=Variant(words=17))
    renamed = replace(findings, config=Config(source=source, evaluate=Evaluate(max_turns=10, temperature=0.7)))
    page = study_page(renamed, [], "")
    assert "the published ones, played by `agentgym` rules for at most 10 turns, at temperature 0.7" in page
    assert "the variant `words=17`" in page
    assert summary(renamed)["source"]["variant"]["words"] == 17


def test_the_examples_are_the_best_the_middle_and_the_worst(
    gains: tuple[list[Trajectory], list[Trajectory]],
) -> None:
    shown = examples(*gains)
    assert [(one.before.task.id, one.why, one.gain) for one in shown] == [
        ("a", "the largest gain", 1.0),
        ("c", "the middle one", 0.0),
        ("e", "the smallest gain", -1.0),
    ]


def test_few_tasks_are_shown_once_each(gains: tuple[list[Trajectory], list[Trajectory]]) -> None:
    before, after = gains
    assert [one.before.task.id for one in examples(before[:2], after)] == ["a", "b"]
    assert examples(before, []) == []


def test_a_broken_episode_is_no_example(gains: tuple[list[Trajectory], list[Trajectory]]) -> None:
    before, after = gains
    broken = [replace(one, ending=Ending.ERROR) for one in before]
    assert examples(broken, after) == []


def test_the_page_says_what_was_measured_and_what_held_out_means(findings: Findings, tricky: Example) -> None:
    page = study_page(findings, [tricky], "curve.svg")
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Before and after",
        "## Between random and the oracle",
        "## Controls",
        "## Learning curve",
        "## Counts",
        "## What held out means",
        "## Tasks to read, before and after",
    ]
    assert "`pocket` was trained for 30 steps on textcraft (easy) (chain `textcraft.easy`, seed 0)" in page
    assert "(curve.svg)" in page
    assert "held out of the reinforcement fine-tuning" in page
    assert "8.9 minutes" in page


def test_nothing_that_was_said_gets_out_of_its_block(findings: Findings, tricky: Example) -> None:
    page = study_page(findings, [tricky], "curve.svg")
    assert "`````text\n```\n# not a heading\n````\nAction: look\n`````\n" in page


def test_the_interval_of_several_seeds_says_so(findings: Findings) -> None:
    one, two = (study_page(replace(findings, seeds=seeds), [], "curve.svg") for seeds in ((0,), (0, 1)))
    assert "over the tasks that might have been drawn" in one
    assert "*Given this run*: one training seed says nothing" in one
    assert "| trained, given this run | change, given this run |" in one
    assert "over the tasks and training seeds that might have been drawn" in two
    assert "iven this run" not in two
    assert "of each seed" not in one
    assert "| change | of each seed |" in two


def test_the_summary_is_in_points(findings: Findings) -> None:
    result = summary(findings)
    easy = {"mean": 40.0, "ci95": [35.0, 46.25], "success": 40.0, "n": 60, "k": 8, "turns": 7.25, "tokens": 123.4}
    easy |= {"normalised": 37.5, "normalised_ci95": [25.0, 50.0], "seeds": 1, "given_this_run": False}
    assert list(result) == ["base", "trained", "controls", "change", "wall_seconds", "steps", "source"]
    assert result["base"]["textcraft.easy"] == {**easy, "asked": 480, "played": 480, "lost": 0}
    assert result["trained"].keys() == result["base"].keys() == result["change"].keys()
    assert result["change"]["babyai.easy"] == {
        "mean": -5.0,
        "ci95": [-11.0, 0.5],
        "seeds": 1,
        "of_seeds": [-5.0],
        "given_this_run": True,
    }
    assert (result["wall_seconds"], result["steps"]) == (531.3, 30)


def test_the_summary_has_each_control_and_the_change_over_it(findings: Findings) -> None:
    control = summary(findings)["controls"]["matched_entropy"]
    assert control["temperatures"] == {"textcraft.easy": 0.61, "textcraft.hard": 0.61}
    assert control["textcraft.easy"]["normalised"] == 45.0
    assert control["textcraft.hard"]["normalised"] is None
    assert summary(findings)["controls"]["random"]["temperatures"] == {}
    assert control["textcraft.easy"]["mean"] == 45.0
    assert control["change"]["textcraft.hard"]["ci95"] == [-7.5, 4.0]


def test_a_hostile_name_marks_nothing_up_and_hides_nothing(findings: Findings, tricky: Example) -> None:
    name = "`x`\n# b | <script> [c](https://d)\x1b[2J\u202e"
    shown = r"\`x\` \# b \| \<script\> [c\](https:\//d)\\x1b[2J\\u202e"
    cell = Cell(env=name, split="test", difficulty="easy")
    hostile = replace(
        findings,
        study=name,
        base_name=name,
        chain=name,
        trained_env=name,
        base=(replace(findings.base[0], env=name),),
        trained=(replace(findings.base[0], env=name),),
        change={cell: findings.change[findings.base[0].cell]},
        controls=(),
    )
    before, after = (
        replace(each, task=replace(each.task, id=name, env=name)) for each in (tricky.before, tricky.after)
    )
    page = study_page(hostile, [Example("the largest gain", before, after)], "curve.svg")
    assert page.startswith(f"# {shown}: what training on {shown} (easy) changed")
    assert f"### {shown} ({shown}, " in page
    assert f"| {shown}.easy | yes |" in page
    assert r"The model `` `x` # b | <script> [c](https://d)\x1b[2J\u202e `` was" in page
    assert printable(page) == page


def test_a_figure_takes_any_name(findings: Findings) -> None:
    point = Point(1, replace(findings.base[0], env="$x^$ \x1b \u202e"))
    assert rb"\x1b" in svg(learning_curve([], [point]))
