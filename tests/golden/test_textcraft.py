"""Transcripts of AgentGym's TextCraft server (see HELDOUT_GOLDEN's README), replayed in `agentgym` rules."""

import json
import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from heldout.envs.textcraft.env import TextCraft
from heldout.envs.textcraft.language import line
from heldout.envs.textcraft.published import ARCHIVE
from heldout.envs.textcraft.recipes import NAMESPACE, documents, goal_order, grow_book, real_book
from heldout.envs.textcraft.world import Book, World, reachable
from heldout.errors import OriginalError
from heldout.records import Json

pytestmark = pytest.mark.golden

SORTED = "textcraft/dev.jsonl.xz"
PUBLISHED = "textcraft/published_order/dev.jsonl.xz"


@pytest.fixture(scope="module")
def books() -> dict[str, Book]:
    """The tree behind each file of transcripts: that of sorted file names, and the published one."""
    archive = _folder("HELDOUT_DATA") / ARCHIVE
    return {SORTED: grow_book(documents(archive, first=())), PUBLISHED: real_book(archive)}


@pytest.mark.parametrize(("name", "episodes", "steps"), [(SORTED, 120, 1927), (PUBLISHED, 60, 919)])
def test_every_step_is_answered_as_the_original_did(
    books: dict[str, Book], name: str, episodes: int, steps: int
) -> None:
    played = [(episode["id"], list(_differences(episode, books[name]))) for episode in _episodes(name)]
    assert [(which, found) for which, found in played if found] == []
    assert len(played) == episodes
    assert sum(len(episode["steps"]) for episode in _episodes(name)) == steps


@pytest.mark.parametrize("name", [SORTED, PUBLISHED])
def test_the_original_shows_every_recipe_that_could_serve_and_at_most_ten_others(
    books: dict[str, Book], name: str
) -> None:
    for episode in _episodes(name):
        shown = episode["task"]["commands"]
        useful = {line(recipe) for recipe in reachable(books[name], _goal(episode))}
        known = {line(recipe) for recipe in books[name].recipes}
        assert useful <= set(shown) <= known
        assert len(shown) <= len(useful) + 10


def test_published_ids_are_the_published_goals() -> None:
    path = _folder("HELDOUT_GOLDEN") / "textcraft/published_order/goal_order.json"
    goals = json.loads(path.read_text("utf-8"))
    assert [_plain(goal["goal"]) for goal in goals] == list(goal_order())
    assert sum(goal["published"] for goal in goals) == 374


def _differences(episode: Json, book: Book) -> Iterator[tuple[Json, object]]:
    env = TextCraft(World(book, _goal(episode), (), exact_original=True), NAMESPACE)
    env.start()
    for step in episode["steps"]:
        wanted = {key: step[key] for key in ("observation", "reward", "done", "error") if key in step}
        answer = _answer(env, step["action"])
        if answer != wanted:
            yield step, answer


def _answer(env: TextCraft, action: str) -> Json:
    try:
        step = env.step(action)
    except OriginalError as error:
        return {"error": str(error)}
    return {"observation": step.observation, "reward": step.reward, "done": step.ending is not None}


def _episodes(name: str) -> Iterator[Json]:
    with lzma.open(_folder("HELDOUT_GOLDEN") / name, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _goal(episode: Json) -> str:
    return _plain(episode["task"]["goal"])


def _plain(identifier: str) -> str:
    return identifier.removeprefix(NAMESPACE).replace("_", " ")


def _folder(variable: str) -> Path:
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    return Path(os.environ[variable])
