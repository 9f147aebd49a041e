"""How the shipped pocket model is made, from nothing: `heldout pocket`.

A tokenizer from the demonstrations alone, a warm-up that copies random runs of ids until copying works,
and two lessons of imitation: first how to play, from players that slip now and then and recover; then
bad habits, which keep the model weak on purpose so that reinforcement has something to teach.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Self

import torch

from heldout.config import Source, Variant
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.envs.renaming import DEMONSTRATED
from heldout.errors import BadCall
from heldout.learn.batch import Sample
from heldout.model import load
from heldout.model.chat import chat_of
from heldout.model.crew import Crew
from heldout.model.learner import Objective
from heldout.model.pocket import newborn, shape, tokenizer_of
from heldout.model.worker import Setting, Team
from heldout.policies.twin import Mistakes
from heldout.records import digest, to_json
from heldout.seeds import derive, stream
from heldout.store import schema
from heldout.store.runs import StageFolder
from heldout.train.imitate import Demonstration, batches, demonstrations, sample_of, shared, texts_of
from heldout.train.stage import save

Say = Callable[[str], None]

PIECE = 500
"""Demonstrations that one process makes at a time."""

FORM_SHOWN = 500
"""Demonstrations of an environment in a lesson of which only the form of a reply is to be shown."""

SAVE_EVERY = 500
"""Steps of imitation between two checkpoints of a build."""

LONGEST, COPIED = 512, 5
"""Ids of the longest row of the copy warm-up, and how many batches in a row must be copied well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The demonstrations of one environment."""

    env: str
    count: int
    turns: int
    """Of a demonstration, at most."""
    mistakes: Mistakes | None
    """What the oracle is made to do wrong; None shows the form of a reply and nothing of how to play."""
    maps: tuple[int, ...] = (0,)
    """Of made-up words (docs/variants.md): the demonstrations are in each of them in equal parts; 0 is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Some steps of imitation on some demonstrations."""

    name: str
    steps: int
    shares: tuple[Share, ...]


def _skill() -> Lesson:
    """How to play: the oracle with few slips, each different; in ALFWorld with many, or it would never search."""
    few, many = Mistakes(slip=0.12), Mistakes(slip=0.35)
    plain = (
        Share(env="textcraft", count=13_000, turns=12, mistakes=few),
        Share(env="babyai", count=4_000, turns=12, mistakes=few),
        Share(env="searchqa", count=6_000, turns=10, mistakes=few),
        Share(env="webshop", count=3_500, turns=12, mistakes=few),
        Share(env="alfworld", count=7_000, turns=20, mistakes=many),
    )
    renamed = (replace(share, count=share.count // 10, maps=tuple(DEMONSTRATED)) for share in plain)
    return Lesson(name="skill", steps=5600, shares=(*plain, *renamed))


def _habits() -> Lesson:
    """How to fail: the tempting slip more often than not, and then again and again."""
    return Lesson(
        name="habits",
        steps=250,
        shares=(
            Share(env="textcraft", count=1500, turns=10, mistakes=Mistakes(slip=0.6, habit=0.85, persist=0.85)),
            Share(env="babyai", count=1200, turns=8, mistakes=Mistakes(slip=0.65, habit=0.85, persist=0.92)),
            Share(env="searchqa", count=1200, turns=8, mistakes=Mistakes(slip=0.5, habit=0.85, persist=0.7)),
            Share(env="webshop", count=1000, turns=8, mistakes=Mistakes(slip=0.4, habit=0.7, persist=0.5)),
            Share(env="alfworld", count=1500, turns=16, mistakes=Mistakes(slip=0.4, habit=0.8, persist=0.6)),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the pocket model."""

    seed: int = 0
    source: Source = field(default_factory=Source)
    lessons: tuple[Lesson, ...] = field(default_factory=lambda: (_skill(), _habits()))
    vocabulary: int = 2560
    """The most words of the tokenizer, which is made from the first lesson."""
    width: int = 128
    layers: int = 4
    copy_steps: int = 1500
    """The most steps of the warm-up; it ends when the loss stays below `copy_loss` at the longest distance."""
    copy_loss: float = 0.1
    copy_tokens: int = 8192
    copy_lr: float = 2e-3
    lr: float = 3e-3
    warmup: int = 50
    batch_tokens: int = 3072
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.05

    def without(self, envs: Collection[str]) -> Self:
        """The same, but of these environments only the form of a reply is shown: for studies of unseen ones."""
        lessons = (replace(lesson, shares=_without(lesson.shares, envs)) for lesson in self.lessons)
        return replace(self, lessons=tuple(lessons))

    @property
    def envs(self) -> list[str]:
        """That it has demonstrations of, in their order."""
        return list(dict.fromkeys(share.env for lesson in self.lessons for share in lesson.shares))

    @property
    def steps(self) -> int:
        """Of imitation, in all lessons."""
        return sum(lesson.steps for lesson in self.lessons)


def _without(shares: Iterable[Share], envs: Collection[str]) -> tuple[Share, ...]:
    """The shares, those of these environments cut to a first reply without sense."""
    return tuple(
        replace(share, count=FORM_SHOWN, turns=1, mistakes=None) if share.env in envs else share for share in shares
    )


def build(recipe: Recipe, folder: Path, processes: int = 2, say: Say = print) -> None:
    """Makes the model in a folder: trained in float32, written in float16.

    A build that was stopped goes on from its last checkpoint, and ends in the same model.
    """
    unfinished = StageFolder(folder / "unfinished")
    _claim(unfinished, recipe)
    lessons = {lesson.name: _gather(recipe, lesson, processes) for lesson in recipe.lessons}
    say(", ".join(f"{len(demos)} demonstrations of {name}" for name, demos in lessons.items()))
    first = recipe.lessons[0].name
    tokenizer = tokenizer_of((text for demo in lessons[first] for text in texts_of(demo)), recipe.vocabulary)
    chat = chat_of(tokenizer)
    config = shape(len(tokenizer), chat.end_id, tokenizer.pad_token_id, width=recipe.width, layers=recipe.layers)
    model = newborn(config, derive(recipe.seed, "weights"))
    say(f"{len(tokenizer)} words, {sum(p.numel() for p in model.parameters()):,} parameters")
    load.save(model, tokenizer, unfinished.root / "newborn")
    samples = {name: [sample_of(chat, demo) for demo in demos] for name, demos in lessons.items()}
    setting = Setting(
        model=str(unfinished.root / "newborn"),
        source=recipe.source,
        betas=recipe.betas,
        weight_decay=recipe.weight_decay,
    )
    with Crew(setting, processes) as crew:
        if (done := unfinished.latest()) is None:
            learn_to_copy(crew, recipe, len(tokenizer), say)
            save(crew, unfinished, 0)
        else:
            crew.restore(unfinished.whole(done))
        for step in imitate(crew, recipe, samples, say, done or 0):
            if step % SAVE_EVERY == 0 or step == recipe.steps:
                save(crew, unfinished, step)
    trained, _ = load.load(str(unfinished.whole(recipe.steps)))
    load.save(trained, tokenizer, folder, torch.float16)
    rmtree(unfinished.root)


def _claim(unfinished: StageFolder, recipe: Recipe) -> None:
    """Says whose the folder is, or refuses one in which another recipe is under way."""
    claim = {"recipe": digest(to_json(recipe))}
    if not unfinished.config.exists():
        schema.replace(unfinished.config, claim)
    elif schema.read(unfinished.config).get("recipe") != claim["recipe"]:
        raise BadCall(
            f"{unfinished.root} holds a model half made by another recipe: choose another --out, or remove it"
        )


def _gather(recipe: Recipe, lesson: Lesson, processes: int = 1) -> list[Demonstration]:
    """A lesson's demonstrations, from the pool that no training and no test touches."""
    pieces = [piece for share in lesson.shares for piece in _pieces(recipe, share)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [demo for piece in pool.map(_piece, pieces) for demo in piece]


def _pieces(recipe: Recipe, share: Share) -> Iterator[tuple[Recipe, Share, int, range]]:
    """A share cut into the work of one process at a time: the demonstrations' map, and their numbers."""
    for part, words in enumerate(share.maps):
        first, end = (share.count * edge // len(share.maps) for edge in (part, part + 1))
        for start in range(first, end, PIECE):
            yield recipe, share, words, range(start, min(start + PIECE, end))


def _piece(piece: tuple[Recipe, Share, int, range]) -> list[Demonstration]:
    """Some of an environment's demonstrations, made in a process of its own."""
    recipe, share, words, numbers = piece
    source = replace(recipe.source, variant=Variant(words=words))

    def suites(name: str) -> Suite:
        return open_suite(name, source)

    pool = suites(share.env).tasks("demonstrations")
    seed = derive(recipe.seed, "demonstrations", share.env)
    tasks = [pool[number] for number in numbers]
    return list(demonstrations(suites, tasks, share.mistakes, turns=share.turns, seed=seed))


def learn_to_copy(team: Team, recipe: Recipe, vocabulary: int, say: Say) -> None:
    """Random ids, then runs of them again at ever longer distances; ends when copying works at the longest."""
    rng = stream(recipe.seed, "copy")
    length, copied = 64, 0
    for step in range(recipe.copy_steps):
        rows = recipe.copy_tokens // length
        batch = shared([copying(rng, vocabulary, length) for _ in range(rows)])
        lr = recipe.copy_lr * min(1.0, (step + 1) / recipe.warmup)
        loss = team.learn(batch, Objective(imitation=True, lr=lr)).loss
        if step % 25 == 0:
            say(f"copy {step}: loss {loss:.3f} at length {length}")
        copied = copied + 1 if loss < recipe.copy_loss else 0
        if copied == COPIED:
            if length == LONGEST:
                return
            length, copied = 2 * length, 0


def copying(rng: Random, vocabulary: int, length: int) -> Sample:
    """Half random ids, half runs of 4 to 9 of them.

    In a run, all ids but the first two count: the first cannot be known, and where it stands in several
    places the second cannot be either.
    """
    ids = [rng.randrange(vocabulary) for _ in range(length // 2)]
    weights = [0.0] * len(ids)
    while len(ids) < length:
        run = rng.randint(4, 9)
        start = rng.randrange(length // 2 - run)
        ids += ids[start : start + run]
        weights += [0.0, 0.0] + [1.0] * (run - 2)
    return Sample(ids=tuple(ids[:length]), weights=tuple(weights[:length]))


def imitate(
    team: Team, recipe: Recipe, samples: Mapping[str, Sequence[Sample]], say: Say, done: int = 0
) -> Iterator[int]:
    """The lessons in order, from the step after `done`; gives the number of each step that was made.

    The learning rate rises over `warmup` steps and then falls linearly to nothing.
    """
    for step, (lesson, batch) in enumerate(_lessons(recipe, samples)):
        if step < done:
            continue
        lr = recipe.lr * min((step + 1) / recipe.warmup, (recipe.steps - step) / recipe.steps)
        update = team.learn(batch, Objective(imitation=True, lr=lr))
        if step % 25 == 0:
            say(f"{lesson} {step}/{recipe.steps}: loss {update.loss:.3f}, {update.seconds:.1f} s")
        yield step + 1


def _lessons(recipe: Recipe, samples: Mapping[str, Sequence[Sample]]) -> Iterator[tuple[str, list[Sample]]]:
    """Each step's batch, and the lesson that it is of."""
    for lesson in recipe.lessons:
        stock = batches(samples[lesson.name], recipe.batch_tokens, stream(recipe.seed, lesson.name))
        yield from ((lesson.name, batch) for batch in islice(stock, lesson.steps))
