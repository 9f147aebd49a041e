"""`heldout train`: one stage of reinforcement fine-tuning."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from heldout.agents import PLAYERS, agent_of
from heldout.chains import Stage, parse_chain
from heldout.errors import BadCall
from heldout.printable import printable_line
from heldout.progress import StatusLine
from heldout.store.published import published_in
from heldout.store.runs import StudyFolder
from heldout.study.once import train_once
from heldout.study.perform import open_workspace
from heldout.study.plan import Study
from heldout.training.figures import StepMetrics
from heldout.verbs.progress import StudyProgress
from heldout.verbs.publish import own_folder, publish_checkpoint
from heldout.verbs.settings import resolve_config, run_folder


def train(
    *,
    model: str,
    env: str,
    difficulty: str,
    difficulty_file: str | None,
    n_samples: int | None,
    max_response_length: int | None,
    max_turns: int | None,
    algorithm: str,
    resume: bool,
    seed: int,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Trains an agent and says where its checkpoint lies."""
    if model in PLAYERS:
        raise BadCall(f"{model!r} cannot be trained: name a model (pocket, a folder, or a Hugging Face name)")
    flags = {
        "train.group_size": n_samples,
        "limits.response_budget": max_response_length,
        "train.max_turns": max_turns,
        "train.algorithm": algorithm,
        "source.difficulty": difficulty_file,
    }
    config = resolve_config(model, flags, settings)
    stage = _requested_stage(env, difficulty)
    agent = agent_of(model, config.chat_template)
    folder = StudyFolder(out or run_folder("train", agent, config.source.variant))
    outputs = out or Path("outputs")
    published_in(own_folder(stage, config, outputs))  # what would be refused at the end is refused now
    study = Study(name=folder.root.name, base=model, chains=((stage,),), seeds=(seed,), measured=(), config=config)
    with StatusLine() as line:
        place = open_workspace(study, folder, StudyProgress(line, "run"))
        checkpoint, trained, news = train_once(place, resume=resume)
    if news:
        print(printable_line(news))
    for told in _warnings(trained.metrics):
        print(printable_line(f"heldout: {told}"), file=sys.stderr)
    print(printable_line(f"metrics: {trained.metrics.path}"))
    publish_checkpoint(checkpoint, stage, config, outputs, folder.root)


def _warnings(rows: Iterable[StepMetrics]) -> list[str]:
    """What of a training's steps its user should hear of, a line each."""
    steps = list(rows)
    skipped = [row["step"] for row in steps if "skipped" in row]
    too_long = sum(row.get("openings_too_long", 0) for row in steps)
    told = list[str]()
    if skipped:
        which = ", ".join(map(str, skipped))
        told.append(f"{len(skipped)} steps were skipped, since the gradient's norm was no finite number ({which})")
    if too_long:
        told.append(
            f"{too_long} episodes ended out_of_tokens before the first reply: their openings do not fit into the "
            "model's context"
        )
    return told


def _requested_stage(text: str, difficulty: str) -> Stage:
    """The stage that `--env` and `--difficulty` ask for: an environment, or a stage as chains are written."""
    chain = parse_chain(text)
    if len(chain) != 1:
        raise BadCall(
            f"train makes one stage, such as textcraft or babyai+webshop, not {len(chain)} as in {text!r}"
        )
    [stage] = chain
    if difficulty != "all" and stage.difficulty not in ("all", difficulty):
        raise BadCall(f"--env {text} and --difficulty {difficulty} ask for different tasks: leave one out")
    return replace(stage, difficulty=difficulty) if difficulty != "all" else stage
