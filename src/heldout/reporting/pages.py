"""The page of a study of one chain, in Markdown."""

from collections.abc import Sequence

from heldout.config import Config
from heldout.records import Trajectory, Turn
from heldout.reporting.examples import Example
from heldout.reporting.findings import Findings, control_table, detail_table, normalised_table, score_table
from heldout.reporting.losses import loss_lines
from heldout.reporting.markdown import code, escape, fence_block
from heldout.reporting.tables import markdown

HELD_OUT = """\
*Held out* means held out of the reinforcement fine-tuning: no task in these tables was trained on, and where the
table says "no", nothing of its kind was. It does not mean never seen. A base model may have met an environment
before: an instruct model on the web, the pocket model in the demonstrations that it imitates. Demonstrations,
training tasks and test tasks are three splits without a world in common, by the hash of their content.
"""

INTERVALS = """\
Scores are avg@k in points from 0 to 100: the mean over tasks of the mean score of a task's k attempts. Square
brackets hold 95 % intervals, over the tasks{seeds} that might have been drawn instead. A change is taken task by
task, so how hard a task is cancels out. The model after the last step is reported, never the best on test. A dash
is a figure that was not measured. Episodes that the infrastructure broke are counted among the endings and nowhere
else; k is what every task has without them.
"""

GIVEN_THIS_RUN = """\
*Given this run*: one training seed says nothing of what another would come to, and no interval here does.
"""

CONTROLS = """\
Some of a gain can come from choosing more sharply among what the base could do already. Three controls measure
that: the base decoded greedily; at the temperature that does best on training tasks; and at the one where it is as
random as the trained model in the states that the trained model visits. What remains over them is not explained by
sharper choice alone. Three players need no model: random has only read the texts, random-legal draws among the
actions that would be carried out, and the oracle knows the solution. T is a temperature.
"""

NORMALISED = """\
A normalised score is (score − random) / (oracle − random) in points: 0 is play that has only read the texts, 100
the solution. Its interval draws the same tasks for all three; a dash stands where the oracle does no better than
random. Success is the share of attempts that did the whole task.
"""

MACHINE_READ = "The same figures for programs are in `summary.json`.\n"


def study_page(findings: Findings, shown: Sequence[Example], curve: str) -> str:
    """The whole page; `curve` is the path of the curve's image, from the page."""
    seeds = " and training seeds" if len(findings.seeds) > 1 else ""
    given = GIVEN_THIS_RUN if len(findings.seeds) == 1 else ""
    intervals = INTERVALS.format(seeds=seeds)
    parts = [
        f"# {escape(findings.study)}: what training on {_trained_on(findings)} changed, there and elsewhere\n",
        _how_measured(findings),
        _how_played(findings.config),
        _section("Before and after", markdown(score_table(findings)), intervals, given, MACHINE_READ),
        _section("Between random and the oracle", markdown(normalised_table(findings)), NORMALISED)
        if findings.trained_normalised
        else "",
        _section("Controls", CONTROLS, markdown(control_table(findings))) if findings.controls else "",
        _section("Learning curve", f"![Score and success by training step, and test scores]({curve})\n"),
        _section("Counts", markdown(detail_table(findings)), _losses(findings)),
        _section("What held out means", HELD_OUT),
        _episodes(shown) if shown else "",
    ]
    return "\n".join(part for part in parts if part)


def _transcript(trajectory: Trajectory) -> str:
    """An episode after its opening: each turn's reply, what it was worth, and the answer to it."""
    turns = [_turn(number, turn) for number, turn in enumerate(trajectory.turns, start=1)]
    return "\n".join([*turns, _format_ending(trajectory)])


def _trained_on(findings: Findings) -> str:
    return escape(f"{findings.trained_env} ({findings.trained_difficulty})")


def _how_measured(findings: Findings) -> str:
    seeds = ", ".join(map(str, findings.seeds))
    cells = escape(", ".join(cell.name for cell in findings.cells))
    return (
        f"The model {code(findings.base_name)} was trained for {findings.config.train.steps} steps on"
        f" {_trained_on(findings)} (chain {code(findings.chain)}, seed {seeds}) and measured before and after"
        f" on the test tasks of {cells}. All of it took {findings.wall_seconds / 60:.1f} minutes.\n"
    )


def _how_played(config: Config) -> str:
    """By which tasks and rules, so that a page never stands for others."""
    source, measured = config.source, config.evaluate
    tasks = f"generated (profile {code(source.profile)})" if source.kind == "generated" else "the published ones"
    halves = f"by the file {code(source.difficulty)}" if source.difficulty else "as each environment has them"
    variant = (
        f" Every environment is the variant {code(source.variant.name)} of itself." if source.variant.name else ""
    )
    return (
        f"The tasks are {tasks}, played by `{source.rules}` rules for at most {measured.max_turns} turns, at"
        f" temperature {measured.temperature:g}. Easy and hard are {halves}.{variant}\n"
    )


def _losses(findings: Findings) -> str:
    """A point for each figure that some attempts are not in."""
    lines = [
        f"{name.replace('_', ' ')}, {line}"
        for name, attempts in findings.attempts.items()
        for line in loss_lines(attempts)
    ]
    return "".join(f"- {escape(line)}\n" for line in lines)


def _section(title: str, *parts: str) -> str:
    return "\n".join([f"## {title}\n", *filter(None, parts)])


def _episodes(shown: Sequence[Example]) -> str:
    rule = (
        "Chosen by rule, not by eye: of the tasks' first attempts, those that gained most, middlingly and least."
        " Equal gains are ordered by the hash of the task.\n"
    )
    return _section("Tasks to read, before and after", rule, *map(_example, shown))


def _example(example: Example) -> str:
    task = example.before.task
    name = escape(f"{task.id} ({task.env}, {task.difficulty})")
    return "\n".join(
        [
            f"### {name}: {example.why}, {100 * example.gain:+.0f} points\n",
            _fold("What both were told first", fence_block(example.before.opening)),
            f"#### Before: {_outcome(example.before)}\n",
            _transcript(example.before),
            f"#### After: {_outcome(example.after)}\n",
            _transcript(example.after),
        ]
    )


def _fold(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n</details>\n"


def _turn(number: int, turn: Turn) -> str:
    said, told = fence_block(turn.reply.text), fence_block(turn.observation)
    return f"**Turn {number}**, reply:\n\n{said}\nObservation, with reward {turn.reward:g}:\n\n{told}"


def _outcome(trajectory: Trajectory) -> str:
    turns = "1 turn" if len(trajectory.turns) == 1 else f"{len(trajectory.turns)} turns"
    return f"{_ending(trajectory)}, score {100 * trajectory.score:.0f}, {turns}"


def _format_ending(trajectory: Trajectory) -> str:
    total = f"reward {trajectory.reward:g}, score {trajectory.score:g}"
    return f"The episode ended: {_ending(trajectory)}; {total}.\n"


def _ending(trajectory: Trajectory) -> str:
    return trajectory.ending.replace("_", " ")
