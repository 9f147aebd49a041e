"""A study from nothing to its report, small: one step, two tasks a cell, a tiny model."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from heldout.analysis.scores import Cell
from heldout.chains import Stage, parse_chain
from heldout.config import Config, Evaluate, Limits, Train, Variant, with_overrides
from heldout.errors import BadCall
from heldout.records import Ending, Row, Trajectory
from heldout.reporting.chain import findings, write_report
from heldout.store.files import read_json, replace_json
from heldout.store.runs import StudyFolder
from heldout.study.perform import Watch
from heldout.study.plan import Measured, Study
from heldout.study.results import evaluation_of, read_drift, read_tuned, rows_of
from heldout.study.run import run
from heldout.training.figures import StepMetrics

pytestmark = pytest.mark.slow

CHAIN = (Stage(("babyai",), "easy"),)
CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=8),
    train=Train(steps=1, tasks=2, group_size=2, max_turns=2, lr=1e-3, kl=0.001),
    evaluate=Evaluate(samples=2, max_turns=1, tasks=2),
    processes=1,
)


@dataclass
class Watching(Watch):
    """Remembers what a study did."""

    steps: list[str] = field(default_factory=list)
    played: Counter[str] = field(default_factory=Counter)

    def step(self, chain: str, row: StepMetrics, steps: int) -> None:
        """A training step."""
        self.steps.append(f"{chain} {row['step']}/{steps}")

    @contextmanager
    def playing(self, title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
        """Episodes."""
        before = self.played.total()
        yield lambda _: self.played.update([title])
        assert self.played.total() == before + episodes


@dataclass(frozen=True)
class Ran:
    """A study that was run, and what was seen of it."""

    study: Study
    folder: StudyFolder
    seen: Watching


@pytest.fixture(scope="module")
def ran(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    study = Study(
        name="small",
        base=str(tiny),
        chains=(CHAIN,),
        seeds=(0,),
        measured=tuple(
            Measured(cell=Cell(env=env, split="test", difficulty="easy")) for env in ("babyai", "textcraft")
        ),
        config=CONFIG,
    )
    folder, seen = StudyFolder(tmp_path_factory.mktemp("study") / "small"), Watching()
    run([study], folder, seen)
    return Ran(study, folder, seen)


def test_a_study_trains_each_stage_and_measures_before_after_and_the_controls(ran: Ran) -> None:
    assert ran.seen.steps == ["babyai.easy 1/1"]
    matched = read_json(evaluation_of(ran.study, ran.folder, CHAIN, 0).matched(1.0))["temperature"]
    played = Counter[str]({"match the base to babyai.easy@1, seed 0": 48})
    for cell in ran.study.cells:
        tuned = read_tuned(ran.study, ran.folder, cell)
        assert tuned is not None
        played[f"choose the base's temperature for {cell.name}, seed 0"] = 24 + 4 * 48
        for name, temperature, count in (
            ("base", 1, 4),
            ("babyai.easy", 1, 4),
            ("base", 0, 2),
            ("base", matched, 4),
            ("base", tuned.temperature, 4 if tuned.temperature else 2),
            *((player, 1, 4) for player in ("random", "random-legal", "oracle")),
        ):
            played[f"{name} on {cell.name}, temperature {temperature:.2g}"] = count
    assert ran.seen.played == played, "and nothing is played twice"


def test_running_again_plays_nothing_more(ran: Ran) -> None:
    before = {path: path.stat().st_size for path in ran.folder.root.rglob("*.jsonl*")}
    again = Watching()
    run([ran.study], ran.folder, again)
    assert (again.steps, again.played) == ([], Counter())
    assert {path: path.stat().st_size for path in ran.folder.root.rglob("*.jsonl*")} == before


def test_the_report_is_a_page_a_curve_and_figures_for_programs(ran: Ran) -> None:
    write_report(ran.study, ran.folder)
    assert sorted(path.name for path in ran.folder.report.iterdir()) == [
        "README.md",
        "curve.png",
        "curve.svg",
        "summary.json",
    ]
    summary = json.loads((ran.folder.report / "summary.json").read_text())
    assert set(summary) == {"base", "trained", "controls", "change", "wall_seconds", "steps", "source"}
    assert (summary["source"]["kind"], summary["source"]["rules"]) == ("generated", "fixed")
    assert list(summary["controls"]) == [
        *("random", "random-legal", "oracle"),
        *("greedy", "best_temperature", "matched_entropy"),
    ]
    assert summary["controls"]["oracle"]["textcraft.easy"]["mean"] == 0.0, "a turn is too few for it"
    assert summary["trained"]["textcraft.easy"]["normalised"] is None
    for scores in (summary["base"], summary["trained"], summary["change"], *summary["controls"].values()):
        assert {"babyai.easy", "textcraft.easy"} <= set(scores)
    assert set(summary["change"]["babyai.easy"]) == {"mean", "ci95", "seeds", "of_seeds", "given_this_run"}
    assert (summary["base"]["babyai.easy"]["n"], summary["base"]["babyai.easy"]["k"]) == (2, 2)
    assert summary["controls"]["greedy"]["babyai.easy"]["k"] == 1
    assert (summary["steps"], summary["wall_seconds"] > 0) == (1, True)


def test_what_cannot_be_in_the_same_folder_is_refused_with_both_values(
    ran: Ran,
) -> None:
    other = replace(ran.study, config=with_overrides(ran.study.config, ["limits.reply_tokens=9"]))
    with pytest.raises(
        BadCall, match=r"holds another run: limits.reply_tokens is 8 there, and 9 was asked"
    ) as caught:
        run([other], ran.folder, Watching())
    assert "\n" not in str(caught.value)
    with pytest.raises(BadCall, match=r"holds another study: its base is tiny \(.*\) there, and pocket \("):
        run([replace(ran.study, base="pocket")], ran.folder, Watching())
    assert list(read_json(ran.folder.study)["entries"]) == [ran.study.digest], "what was refused leaves no mark"


def test_rows_are_those_that_the_study_wants_each_once(ran: Ran) -> None:
    """Broken episodes, other turn limits and other temperatures lie in the same file."""
    rows = rows_of(ran.study, ran.folder, (), 0, 1.0)
    assert len(rows) == 8
    file = ran.folder.evaluation("base", 0, 0).rows("babyai")
    first: Row = next(row for row in rows if row.env == "babyai")
    others: list[Row] = [
        replace(first, ending=Ending.ERROR.value),
        replace(first, max_turns=7),
        replace(first, prompt="another"),
        replace(first, attempt=9),
    ]
    kept = file.path.read_bytes()
    file.extend(others)
    assert rows_of(ran.study, ran.folder, (), 0, 1.0) == rows
    file.path.write_bytes(kept)


def test_an_attempt_that_only_broke_off_is_lost_and_told_in_the_report(ran: Ran) -> None:
    """The first of the four episodes of the base in one cell, broken; it has the name that the base had then."""
    file = ran.folder.evaluation("base", 0, 0).rows("babyai")
    kept = file.path.read_bytes()
    rows = list(file)
    first = next(row for row in rows if row.temperature == 1.0)
    lost = replace(first, ending=Ending.ERROR.value, score=0.0, base="its name before")
    file.path.write_bytes(b"")
    file.extend([lost if row == first else row for row in rows])
    found = rows_of(ran.study, ran.folder, (), 0, 1.0)
    assert [(row.ending == Ending.ERROR, row.base) for row in found] == [(True, "tiny")] + [(False, "tiny")] * 7
    write_report(ran.study, ran.folder)
    page = (ran.folder.report / "README.md").read_text()
    assert "- base, babyai.easy: 1 of 4 attempts lost to errors, counted in no figure\n" in page
    summary = json.loads((ran.folder.report / "summary.json").read_text())["base"]["babyai.easy"]
    assert [summary[name] for name in ("k", "asked", "played", "lost")] == [1, 4, 3, 1]
    file.path.write_bytes(kept)


def test_rows_by_rules_of_before_are_not_those_of_a_study_that_is_run_again(ran: Ran) -> None:
    """Here the rules were others when the study was first asked; nothing of them is in the report."""
    kept = ran.folder.study.read_bytes()
    before = read_json(ran.folder.study)
    for facts in before["entries"][ran.study.digest]["cells"].values():
        facts["rules_version"] += 1
    replace_json(ran.folder.study, before)
    assert rows_of(ran.study, ran.folder, (), 0, 1.0) == []
    run([ran.study], ran.folder, Watching())
    assert len(rows_of(ran.study, ran.folder, (), 0, 1.0)) == 8
    ran.folder.study.write_bytes(kept)


def test_a_matched_temperature_that_is_the_study_s_own_makes_the_base_its_own_control(ran: Ran) -> None:
    path = evaluation_of(ran.study, ran.folder, CHAIN, 0).matched(1.0)
    kept = read_json(path)
    replace_json(path, {**kept, "temperature": 1.0})
    found = findings(ran.study, ran.folder)
    replace_json(path, kept)
    matched = next(control for control in found.controls if control.name == "matched_entropy")
    assert set(matched.temperatures.values()) == {1.0}
    assert matched.scores == found.base
    assert matched.change == found.change


def test_what_was_not_measured_is_left_out(ran: Ran) -> None:
    path = evaluation_of(ran.study, ran.folder, CHAIN, 0).matched(1.0)
    away = path.rename(path.with_suffix(".away"))
    assert "matched_entropy" not in [control.name for control in findings(ran.study, ran.folder).controls]
    away.rename(path)


@dataclass
class Played:
    """How much was made of each kind."""

    steps: int
    episodes: int


def grown(study: Study, folder: StudyFolder) -> Played:
    """What running a study again makes; what was there is still there, byte for byte."""
    before = {path: path.read_bytes() for path in folder.root.rglob("*.jsonl*") if path.name != "sessions.jsonl"}
    seen = Watching()
    run([study], folder, seen, controls=False)
    for path, content in before.items():
        assert path.read_bytes()[: len(content)] == content, path
    return Played(len(seen.steps), seen.played.total())


def test_a_study_grows_and_only_what_is_missing_is_made(tiny: Path, tmp_path: Path) -> None:
    """By a seed, a chain, a cell, more samples, a longer stage; another way of saving; then nothing is left."""
    cells = [Measured(cell=Cell(env=env, split="test", difficulty="easy")) for env in ("babyai", "textcraft")]
    folder = StudyFolder(tmp_path / "grows")
    first = Study(
        name="grows", base=str(tiny), chains=(CHAIN,), seeds=(0,), measured=tuple(cells[:1]), config=CONFIG
    )
    assert grown(first, folder) == Played(steps=1, episodes=8)
    seeds = replace(first, seeds=(0, 1))
    assert grown(seeds, folder) == Played(steps=1, episodes=8)
    chains = replace(seeds, chains=(CHAIN, (*CHAIN, Stage(("textcraft",), "easy", changes=(("train.kl", "0"),)))))
    assert grown(chains, folder) == Played(steps=2, episodes=8)
    wider = replace(chains, measured=tuple(cells))
    assert grown(wider, folder) == Played(steps=0, episodes=2 * 3 * 4)
    deeper = replace(wider, config=with_overrides(CONFIG, ["evaluate.samples=3"]))
    assert grown(deeper, folder) == Played(steps=0, episodes=2 * 3 * 2 * 2)
    longer = replace(first, chains=((CHAIN[0].ending_at(2),),))
    assert grown(longer, folder) == Played(steps=1, episodes=4)
    assert grown(replace(deeper, config=with_overrides(deeper.config, ["train.save_every=1"])), folder) == Played(
        0, 0
    )
    for study in (first, seeds, chains, wider, deeper, longer):
        assert grown(study, folder) == Played(0, 0)
        found = [rows_of(study, folder, chain, seed, 1.0) for chain in ((), *study.chains) for seed in study.seeds]
        assert {len(rows) for rows in found} == {2 * study.config.evaluate.samples * len(study.measured)}
    renamed = StudyFolder(folder.root.rename(tmp_path / "elsewhere"))
    assert grown(replace(deeper, name="elsewhere"), renamed) == Played(0, 0)


@pytest.mark.very_slow
def test_a_longer_stage_is_the_shorter_one_gone_on_with(tiny: Path, tmp_path: Path) -> None:
    """A stage of two steps, at once and in two studies, ends in the same weights bit for bit."""
    once, twice = StudyFolder(tmp_path / "once"), StudyFolder(tmp_path / "twice")
    short = Study(name="s", base=str(tiny), chains=(CHAIN,), seeds=(0,), measured=(), config=CONFIG)
    long = replace(short, chains=((CHAIN[0].ending_at(2),),))
    run([long], once, Watching())
    for study in (short, long):
        run([study], twice, Watching())
    ends = [folder.stage("babyai.easy", 0).checkpoint(2) / "model.safetensors" for folder in (once, twice)]
    assert ends[0].read_bytes() == ends[1].read_bytes()


def test_a_cell_is_measured_under_a_variant_beside_itself(ran: Ran, tmp_path: Path) -> None:
    cell, hidden = Cell(env="babyai", split="test", difficulty="easy"), Variant(actions="hidden")
    measured = (Measured(cell=cell), Measured(cell=cell, variant=hidden))
    study = replace(ran.study, chains=(), measured=measured)
    folder, seen = StudyFolder(tmp_path / "both"), Watching()
    run([study], folder, seen, controls=False)
    rows = rows_of(study, folder, (), 0, CONFIG.evaluate.temperature)
    assert [(row.variant, row.task == rows[0].task) for row in rows] == [
        *[("", True)] * 2, *[("", False)] * 2, *[("actions=hidden", True)] * 2, *[("actions=hidden", False)] * 2
    ]  # fmt: skip
    assert rows[0].prompt != rows[4].prompt
    run([study], folder, again := Watching(), controls=False)
    assert (seen.played.total(), again.played.total()) == (8, 0)


def test_a_kl_term_holds_on_to_the_base_or_to_where_the_stage_begins(tiny: Path, tmp_path: Path) -> None:
    moved = "babyai[limits.response_budget=4000 train.algorithm=imitate]"  # the first stage is to move the weights
    chains = (f"{moved} > babyai.easy", f"{moved} > babyai.easy[train.reference=stage_start]")
    config = with_overrides(CONFIG, ["train.lr=0.01"])
    study = Study(
        name="anchors",
        base=str(tiny),
        chains=tuple(map(parse_chain, chains)),
        seeds=(0,),
        measured=(),
        config=config,
    )
    folder = StudyFolder(tmp_path / "anchors")
    run([study], folder, Watch())
    to_base, to_start = (next(iter(folder.stage(chain, 0).metrics))["kl"] for chain in chains)
    assert to_base > 1e-4
    assert to_start == pytest.approx(0, abs=1e-9)
    trained = [read_json(folder.stage(chain, 0).config)["training"]["stages"][1] for chain in chains]
    assert trained[0]["reference"] != trained[1]["reference"]
    assert "reference" not in trained[0]["train"]


def test_the_forward_kl_from_the_base_is_taken_in_what_the_base_said(tiny: Path, tmp_path: Path) -> None:
    cells = [Cell(env=env, split="test", difficulty="easy") for env in ("babyai", "textcraft")]
    study = Study(
        name="drift",
        base=str(tiny),
        chains=(CHAIN, (Stage(("babyai",), "easy", (), (("train.lr", "1e-9"),)),)),
        seeds=(0,),
        measured=tuple(Measured(cell=cell, controls=False) for cell in cells),
        config=with_overrides(CONFIG, ["train.algorithm=imitate", "train.lr=0.01", "limits.response_budget=4000"]),
        drift=True,
    )
    folder = StudyFolder(tmp_path / "drift")
    outcome = run([study], folder, Watch(), controls=False)
    outcome.raise_if_failed()
    moved, still = study.chains
    for env in ("babyai", "textcraft"):
        far, near = (read_drift(study, folder, chain, 0, env) for chain in (moved, still))
        assert far is not None
        assert near is not None
        assert far.kl > 1e-4
        assert abs(near.kl) < 1e-6
        assert (far.episodes, far.tokens) == (2, near.tokens)
    assert all(each.episodes == 0 for each in run([study], folder, Watch(), controls=False).done)
