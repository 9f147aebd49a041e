"""The paper's own protocol (§3.2), on the models and the tasks that it names."""

from dataclasses import replace

from heldout.config import with_overrides
from heldout.envs.registry import BUILT_IN
from heldout.errors import BadCall
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.difficulty import difficulty_studies
from heldout.study.recipes.orders import orders_studies
from heldout.study.recipes.sequence import sequence_studies
from heldout.study.recipes.transfer import transfer_studies
from heldout.study.work import DifficultyWork

MODELS = ("Qwen/Qwen2.5-3B-Instruct", "Qwen/Qwen2.5-7B-Instruct")
"""The bases; the larger one is the reference that halves the tasks."""

PROTOCOL = (
    "source.kind=real",
    "source.profile=standard",
    "train.group_size=8",
    "train.max_turns=none",  # each environment's K: 10 WebShop, 5 SearchQA, 30 ALFWorld, 10 BabyAI, 15 TextCraft
    "limits.response_budget=8192",
    "evaluate.samples=8",
    "evaluate.max_turns=20",
    "evaluate.temperature=1",
)
"""What §3.2 says."""

CHOSEN = (
    "limits.reply_tokens=512",
    "source.rules=fixed",
    "train.steps=100",
    "train.tasks=32",
    "train.lr=1e-6",
    "train.kl=0.001",
    "train.clip=0.2",
    "train.temperature=1",
    "train.entropy=0",
)
"""What it leaves open, as it is chosen here, each with its reason in docs/study.md."""

SEEDS = (0, 1, 2)
"""The paper has one run of each training, it seems; three say how far a run can be relied on."""


def paper(asked: Asked) -> tuple[Study, ...]:
    """All of Tables 2, 3 and 6 and Fig. 5, for the model that is asked."""
    if asked.model == "pocket":
        raise BadCall(f"recipe paper is of the paper's models: give --model {' or '.join(MODELS)}")
    whole = replace(
        asked,
        defaults=with_overrides(asked.defaults, [*PROTOCOL, *CHOSEN]),
        envs=asked.envs or tuple(BUILT_IN),
        seeds=asked.seeds or SEEDS,
    )
    parts = (difficulty_studies, transfer_studies, sequence_studies)
    studies = (*(study for part in parts for study in part(whole)), *orders_studies(whole, data=True))
    if whole.config.source.difficulty:
        return studies
    halves = DifficultyWork(model=MODELS[1], envs=whole.envs)
    return tuple(replace(study, halves=halves) for study in studies)
