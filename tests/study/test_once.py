"""One training in a folder: gone on with, gone on with otherwise, and what its checkpoint says of itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import copytree

import pytest

from heldout.agents import agent_of
from heldout.analysis.scores import Cell, summarise
from heldout.chains import chain_name, parse_chain
from heldout.config import Config, Evaluate, Limits, Train, with_overrides
from heldout.errors import BadCall
from heldout.model.identity import weights_digest
from heldout.records import Json, Trajectory
from heldout.store import lineage
from heldout.store.files import read_json
from heldout.store.lineage import Lineage
from heldout.store.published import Published, publish
from heldout.store.runs import StudyFolder
from heldout.study.once import cells_of, measure_agent, train_once
from heldout.study.perform import Watch, Workspace, open_workspace
from heldout.study.plan import Study

pytestmark = pytest.mark.slow

CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=8),
    train=Train(steps=2, tasks=2, group_size=2, max_turns=2, lr=1e-3, kl=0.0, save_every=1),
    evaluate=Evaluate(samples=1, max_turns=1, tasks=2),
    processes=1,
)


class Steps(Watch):
    """Remembers which steps were made."""

    def __init__(self) -> None:
        self.made = list[str]()

    def step(self, chain: str, row: dict[str, Json], steps: int) -> None:
        """A step."""
        self.made.append(f"{chain} {row['step']}/{steps}")

    def playing(self, title: str, episodes: int) -> AbstractContextManager[Callable[[Trajectory], None]]:
        """Nothing is measured."""
        raise AssertionError(title, episodes)


def workspace(
    model: Path, folder: Path, *settings: str, seed: int = 0, chain: str = "babyai.easy"
) -> tuple[Workspace, Steps]:
    """Where a stage is trained with other settings, and what is made there."""
    study = Study(
        name="once",
        base=str(model),
        chains=(parse_chain(chain),),
        seeds=(seed,),
        measured=(),
        config=with_overrides(CONFIG, settings),
    )
    seen = Steps()
    return open_workspace(study, StudyFolder(folder), seen), seen


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two steps of a stage."""
    folder = tmp_path_factory.mktemp("once") / "run"
    here, seen = workspace(tiny, folder)
    checkpoint, stage, news = train_once(here, resume=False)
    assert (seen.made, news) == (["babyai.easy 1/2", "babyai.easy 2/2"], "")
    assert checkpoint == stage.checkpoint(2)
    return folder


def test_what_decides_no_weights_changes_nothing(tiny: Path, trained: Path) -> None:
    here, seen = workspace(tiny, trained, "train.save_every=7", "evaluate.samples=3")
    checkpoint, _, news = train_once(here, resume=True)
    assert (seen.made, news, checkpoint.name) == ([], "", "step_2")


def test_more_steps_go_on_from_the_last_checkpoint(tiny: Path, trained: Path) -> None:
    here, seen = workspace(tiny, trained, "train.steps=3")
    checkpoint, _, _ = train_once(here)
    assert (seen.made, checkpoint.name) == (["babyai.easy 3/3"], "step_3")


@pytest.mark.parametrize(
    ("settings", "chain", "reason"),
    [
        (
            ("train.kl=0.01",),
            "babyai.easy > babyai.easy[train.kl=0.01]",
            "train.kl is 0.0 there, and 0.01 was asked",
        ),
        pytest.param(
            ("train.lr=1e-4", "limits.reply_tokens=7"),
            "babyai.easy > babyai.easy[limits.reply_tokens=7 train.lr=0.0001]",
            "limits.reply_tokens is 8 there, and 7 was asked",
            marks=pytest.mark.very_slow,
        ),
        pytest.param(
            ("slots=3",),
            "babyai.easy > babyai.easy",
            "slots is 64 there, and 3 was asked",
            marks=pytest.mark.very_slow,
        ),
    ],
)
def test_a_run_that_cannot_go_on_as_it_was_goes_on_as_a_new_stage(
    tiny: Path, trained: Path, settings: tuple[str, ...], chain: str, reason: str
) -> None:
    here, seen = workspace(tiny, trained, "train.steps=2", *settings)
    before = here.folder.stage("babyai.easy", 0)
    last = max(before.checkpoints())
    checkpoint, stage, news = train_once(here, resume=True)
    assert news.startswith(f"{reason}: goes on from step {last} as a new stage, ")
    known = agent_of(str(checkpoint))
    assert chain_name(known.chain) == chain
    assert news.endswith(chain_name(known.chain))
    assert [facts["steps"] for facts in known.stages] == [last, 2]
    assert seen.made[-1:] == [f"{chain_name(known.chain)} 2/2"]
    assert stage.root != before.root


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (("source.seed=3",), r"holds another run: source.seed is 0 there, and 3 was asked"),
        (("source.variant.feedback=uniform",), r"tasks.babyai.variant is  there, and feedback=uniform was asked"),
    ],
)
def test_other_tasks_are_another_run(tiny: Path, trained: Path, settings: tuple[str, ...], reason: str) -> None:
    here, _ = workspace(tiny, trained, *settings)
    with pytest.raises(BadCall, match=reason) as caught:
        train_once(here, resume=True)
    assert "\n" not in str(caught.value)


def test_a_run_is_gone_on_with_only_when_that_is_asked(tiny: Path, trained: Path) -> None:
    here, _ = workspace(tiny, trained)
    with pytest.raises(BadCall, match="holds a run: go on with --resume"):
        train_once(here, resume=False)
    other, _ = workspace(tiny, trained, seed=5)
    with pytest.raises(BadCall, match="holds no run to resume"):
        train_once(other, resume=True)


@pytest.mark.very_slow
def test_a_published_checkpoint_is_the_chain_that_made_it(tiny: Path, trained: Path, tmp_path: Path) -> None:
    """Moved and measured elsewhere, and as a base of another stage."""
    here, _ = workspace(tiny, trained)
    checkpoint, _, _ = train_once(here)
    published = tmp_path / "outputs" / "any_name"
    publish(checkpoint, published, Published(run="runs/here", chain="babyai.easy", seed=0, step=2))
    assert not (published / "optimizer.safetensors").exists()
    agent = agent_of(str(published))
    assert (agent.base, chain_name(agent.chain), agent.step) == ("tiny", "babyai.easy", 2)
    assert agent.identity == here.identity(here.study.chains[0], 2, 0).model
    suite = here.job(here.study.chains[0], 2, 0).suites[0]
    cells = [cells_of(suite, "test", "easy")]
    rows = measure_agent(
        str(published),
        cells,
        CONFIG,
        StudyFolder(tmp_path / "m"),
        seed=0,
        playing=lambda *_: nullcontext(lambda _: None),
    )
    assert {(row.base, row.chain, row.step, row.model) for row in rows} == {
        ("tiny", "babyai.easy", 2, agent.identity)
    }
    assert (tmp_path / "m" / "evaluations" / "babyai.easy@2" / "seed_0" / "babyai.jsonl").exists()
    later, seen = workspace(published, tmp_path / "later", "train.steps=1", chain="textcraft.easy")
    end, _, _ = train_once(later)
    assert seen.made == ["babyai.easy > textcraft.easy 1/1"]
    assert read_json(end / "lineage.json")["chain"] == "babyai.easy > textcraft.easy"
    assert agent_of(str(end)).digest == agent.digest == agent_of(str(tiny)).digest


def test_rows_of_a_checkpoint_have_the_seed_that_trained_it(tiny: Path, tmp_path: Path) -> None:
    for seed in (0, 3):
        checkpoint = Path(copytree(tiny, tmp_path / "runs" / f"{seed}" / "step_2"))
        stage = {"envs": ["babyai"], "seed": seed}
        told = Lineage(
            base="tiny",
            chain="babyai.easy",
            step=2,
            training={"base": "0" * 16, "stages": [stage]},
            weights=weights_digest(checkpoint),
        )
        lineage.write(checkpoint, told)
    cells, silent = [[Cell(env="babyai", split="test", difficulty="easy")]], lambda *_: nullcontext(lambda _: None)
    measured = partial(measure_agent, cells=cells, config=CONFIG, study=StudyFolder(tmp_path / "m"), playing=silent)
    rows = [row for name in ("0", "3") for row in measured(str(tmp_path / "runs" / name / "step_2"), seed=None)]
    assert [(row.chain, row.seed, row.step) for row in rows] == [("babyai.easy", 0, 2)] * 2 + [
        ("babyai.easy", 3, 2)
    ] * 2
    assert len({row.model for row in rows}) == 2
    assert summarise(rows)[0].k == 1
    with pytest.raises(BadCall, match="was trained by seed 3, and its rows say so, not 5: leave --seed out"):
        measured(str(tmp_path / "runs" / "3" / "step_2"), seed=5)


def test_streams_do_not_see_what_is_changed(tiny: Path, tmp_path: Path) -> None:
    plain, _ = workspace(tiny, tmp_path)
    [chain] = plain.study.chains
    other = replace(chain[0], changes=(("train.kl", "0.5"),))
    jobs = [plain.job(each, 2, 0) for each in (chain, (other,))]
    assert {job.stream for job in jobs} == {"babyai.easy"}
    assert jobs[0].training != jobs[1].training
