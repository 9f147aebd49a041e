"""Recorded episodes of SearchQA: each says its question, and what its retriever found."""

from collections.abc import Mapping
from dataclasses import replace

from heldout.envs.base import Env
from heldout.envs.dialogues import convert_dialogue
from heldout.envs.recorded import Dialogue, RecordedEpisode
from heldout.envs.searchqa import protocol, published
from heldout.envs.searchqa.env import SearchQA
from heldout.envs.searchqa.files import answers_in
from heldout.envs.searchqa.options import SearchQAOptions
from heldout.envs.searchqa.passages import Found, Passage, Retriever, Shelf
from heldout.envs.searchqa.world import Question, World
from heldout.errors import BadCall, choose_from
from heldout.records import Json

BEGINNING = "Question:"


def open_recording(episode: RecordedEpisode, *, rules: str) -> Env:
    """The recorded question, over a retriever that finds the recorded `docs`, or what was `found` for a query."""
    text, docs = episode.task.get("question"), episode.task.get("docs", [])
    answers = answers_in(episode.task)
    if not isinstance(text, str) or not answers:
        raise BadCall(
            "a task of SearchQA has a question and golden_answers, and docs where it searches "
            f"({choose_from('question', episode.task, lead='there are')})"
        )
    found = episode.task.get("found")
    searched: Retriever = Shelf(_passages("docs", docs)) if found is None else Found(_by_query(found))
    return SearchQA(World(Question(text.strip(), answers), searched, exact_original=rules == "agentgym"))


def episode_of(dialogue: Dialogue, *, options: SearchQAOptions) -> RecordedEpisode:
    """The episode behind a dialogue; its question is in the opening, and what was found in the answers.

    A dialogue names no gold answer: it is that of the question in the file of questions.
    """
    question = from_question(dialogue.opening).removeprefix(BEGINNING).strip()
    answers = published.answers_to(question, options)
    if not answers:
        raise BadCall(
            f"no question of the file of questions is {question!r:.120}, so its right answer is not known"
        )
    searches = ((protocol.read(reply, exact_original=True), told or "") for reply, told in dialogue.turns)
    found: dict[str, Json] = {
        move.query: [{"contents": each.contents} for each in protocol.passages_in(told)]
        for move, told in searches
        if isinstance(move, protocol.Search)
    }
    task: dict[str, Json] = {"question": question, "golden_answers": list(answers), "found": found}
    episode = convert_dialogue(dialogue, task, str, paid="reward")
    return replace(episode, start=from_question(dialogue.opening))


def from_question(opening: str) -> str:
    """An opening from its question on: the prompt before it is of our own wording."""
    return opening[max(opening.rfind(BEGINNING), 0) :]


def _by_query(found: Json) -> Mapping[str, tuple[Passage, ...]]:
    if not isinstance(found, dict):
        raise BadCall(f"found is an object of queries, each with a list of passages, not {found!r:.60}")
    return {query: _passages(f"found for {query!r:.40}", docs) for query, docs in found.items()}


def _passages(name: str, docs: Json) -> tuple[Passage, ...]:
    if not isinstance(docs, list):
        raise BadCall(f"{name} is a list of objects with contents, not {docs!r:.60}")
    return tuple(map(_passage, docs))


def _passage(value: Json) -> Passage:
    if not isinstance(value, dict) or not isinstance(value.get("contents"), str):
        raise BadCall(f"one of docs is an object with contents, not {value!r:.60}")
    return Passage(str(value.get("id", "")), value["contents"])
