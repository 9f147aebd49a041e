"""How a pocket model is made by its recipe, and made on where it was stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from multiprocessing import active_children, get_context
from pathlib import Path
from random import Random
from typing import Any

import torch

from heldout.backend.processes import ProcessBackend
from heldout.backend.worker import Backend, WorkerConfig
from heldout.config import Variant
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.errors import BadCall, NotFinite
from heldout.learn.batch import Sample
from heldout.learn.methods import IMITATION
from heldout.model import load
from heldout.model.chat import chat_of
from heldout.model.learner import Objective, Update
from heldout.model.pocket import init_model, model_config, tokenizer_of
from heldout.records import digest, to_json
from heldout.seeds import derive, stream
from heldout.starting import without_interrupts
from heldout.store import schema
from heldout.store.runs import StageFolder
from heldout.training.forms import corridor_in_the_form_of
from heldout.training.imitate import Demonstration, batches, demonstrations, normalise_weights, sample_of, texts_of
from heldout.training.pocket_recipe import CARD, Lesson, Recipe, Share

Say = Callable[[str], None]

PIECE = 500
"""Demonstrations that one process makes at a time."""

SAVE_EVERY = 500
"""Steps of imitation between two checkpoints of a build."""

LONGEST, COPIED = 512, 5
"""Ids of the longest row of the copy warm-up, and how many batches in a row must be copied well."""


def build(recipe: Recipe, folder: Path, processes: int = 2, say: Say = print) -> None:
    """Makes the model in a folder, and in folders inside what it was before each later lesson: trained in
    float32, written in float16.

    A build that was stopped goes on from its last checkpoint, and ends in the same model. The checkpoints stay:
    who calls clears them away once nothing more is to be done with the model.
    """
    unfinished = unfinished_in(folder)
    _claim(unfinished, recipe)
    lessons = {lesson.name: _gather(recipe, lesson, processes) for lesson in recipe.lessons}
    say(", ".join(f"{len(demos)} demonstrations of {name}" for name, demos in lessons.items()))
    first = recipe.lessons[0].name
    tokenizer = tokenizer_of((text for demo in lessons[first] for text in texts_of(demo)), recipe.vocabulary)
    chat = chat_of(tokenizer)
    config = model_config(
        len(tokenizer),
        chat.end_id,
        tokenizer.pad_token_id,
        width=recipe.width,
        layers=recipe.layers,
        key_heads=recipe.key_heads,
    )
    model = init_model(config, derive(recipe.seed, "weights"))
    say(f"{len(tokenizer)} words, {sum(p.numel() for p in model.parameters()):,} parameters")
    load.save(model, tokenizer, unfinished.root / "initial")
    samples = {name: [sample_of(chat, demo) for demo in demos] for name, demos in lessons.items()}
    worker_config = WorkerConfig(
        model=str(unfinished.root / "initial"),
        source=recipe.source,
        betas=recipe.betas,
        weight_decay=recipe.weight_decay,
    )
    with ProcessBackend(worker_config, processes) as backend:
        if (done := unfinished.latest()) is None:
            learn_to_copy(backend, recipe, len(tokenizer), say)
            save(backend, unfinished, 0)
        else:
            backend.restore(unfinished.whole(done))
        for step in imitate(backend, recipe, samples, say, done or 0):
            if step % SAVE_EVERY == 0 or step in recipe.ends.values():
                save(backend, unfinished, step)
    *before, last = recipe.ends.values()
    for place, step in zip(befores(recipe, folder).values(), before, strict=True):
        _publish(unfinished, step, tokenizer, place)
    _publish(unfinished, last, tokenizer, folder)


def befores(recipe: Recipe, folder: Path) -> dict[str, Path]:
    """Where the model lies as it was after each lesson but the last: controls of what the next ones changed."""
    return {lesson.name: folder / lesson.name for lesson in recipe.lessons[:-1]}


def _publish(unfinished: StageFolder, step: int, tokenizer: Any, place: Path) -> None:
    """The model of a checkpoint, in float16."""
    model, _ = load.load(str(unfinished.whole(step)))
    load.save(model, tokenizer, place, torch.float16)


def save(backend: Backend, folder: StageFolder, step: int) -> None:
    """A checkpoint of the build."""
    with folder.saving(step) as partial:
        backend.save(partial)


def unfinished_in(folder: Path) -> StageFolder:
    """Where the checkpoints of a build lie."""
    return StageFolder(folder / "unfinished")


def _claim(unfinished: StageFolder, recipe: Recipe) -> None:
    """Says whose the folder is, or refuses one in which another recipe is under way."""
    claim = {"recipe": digest(to_json(recipe))}
    folder = unfinished.root.parent
    if folder.is_dir() and any(folder.iterdir()) and not (unfinished.root.exists() or (folder / CARD).exists()):
        raise BadCall(f"{folder} holds something else than a model of `heldout pocket`: choose another --out")
    if not unfinished.config.exists():
        schema.replace(unfinished.config, claim)
    elif schema.read(unfinished.config).get("recipe") != claim["recipe"]:
        raise BadCall(
            f"{unfinished.root} holds a model half made by another recipe: choose another --out, or remove it"
        )


def _gather(recipe: Recipe, lesson: Lesson, processes: int = 1) -> list[Demonstration]:
    """A lesson's demonstrations, from the split that no training and no test touches."""
    pieces = [piece for share in lesson.shares for piece in _pieces(recipe, share)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            with without_interrupts():
                made = pool.map(_piece, pieces)  # starts the processes
            return [demo for piece in made for demo in piece]
        except BaseException:  # else all pieces would be made before anybody hears of it
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.kill()
            raise


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
        return corridor_in_the_form_of(share.form_of, source) if share.form_of else open_suite(name, source)

    pool = suites(share.env).tasks("demonstrations")
    seed = derive(recipe.seed, "demonstrations", share.env)
    return list(demonstrations(suites, pool, numbers, share.noise, max_turns=share.max_turns, seed=seed))


def learn_to_copy(backend: Backend, recipe: Recipe, vocabulary: int, say: Say) -> None:
    """Random ids, then runs of them again at ever longer distances; ends when copying works at the longest."""
    rng = stream(recipe.seed, "copy")
    length, copied = 64, 0
    for step in range(recipe.copy_steps):
        rows = recipe.copy_tokens // length
        batch = normalise_weights([copying(rng, vocabulary, length) for _ in range(rows)])
        lr = recipe.copy_lr * min(1.0, (step + 1) / recipe.warmup)
        loss = _learned(backend, batch, lr, f"copy {step}").loss
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
    backend: Backend, recipe: Recipe, samples: Mapping[str, Sequence[Sample]], say: Say, done: int = 0
) -> Iterator[int]:
    """The lessons in order, from the step after `done`; gives the number of each step that was made.

    The learning rate rises over `warmup` steps and then falls linearly to nothing.
    """
    for step, (lesson, batch) in enumerate(_lessons(recipe, samples)):
        if step < done:
            continue
        lr = recipe.lr * min((step + 1) / recipe.warmup, (recipe.steps - step) / recipe.steps)
        update = _learned(backend, batch, lr, f"{lesson} {step}")
        if step % 25 == 0:
            say(f"{lesson} {step}/{recipe.steps}: loss {update.loss:.3f}, {update.seconds:.1f} s")
        yield step + 1


def _learned(backend: Backend, batch: Sequence[Sample], lr: float, step: str) -> Update:
    """One step of imitation; one that runs away ends the build."""
    update = backend.learn(batch, Objective(method=IMITATION, lr=lr))
    if update.is_skipped:
        raise NotFinite(f"{step}: the gradient's norm is {update.grad_norm}: nothing was updated; try a lower lr")
    return update


def _lessons(recipe: Recipe, samples: Mapping[str, Sequence[Sample]]) -> Iterator[tuple[str, list[Sample]]]:
    """Each step's batch, and the lesson that it is of."""
    for lesson in recipe.lessons:
        stock = batches(samples[lesson.name], recipe.batch_tokens, stream(recipe.seed, lesson.name))
        yield from ((lesson.name, batch) for batch in islice(stock, lesson.steps))
