"""Recorded episodes of SearchQA: each says its question, and what its retriever found."""

from heldout.envs.base import Env
from heldout.envs.recorded import Dialogue, RecordedEpisode
from heldout.envs.searchqa.env import SearchQA
from heldout.envs.searchqa.files import answers_in
from heldout.envs.searchqa.passages import Passage, Shelf
from heldout.envs.searchqa.world import Question, World
from heldout.errors import BadCall, choose_from
from heldout.records import Json

BEGINNING = "Question:"


def open_recording(episode: RecordedEpisode, *, rules: str) -> Env:
    """The recorded question, over a retriever that finds the recorded `docs` whatever is searched."""
    text, docs = episode.task.get("question"), episode.task.get("docs", [])
    answers = answers_in(episode.task)
    if not isinstance(text, str) or not answers:
        raise BadCall(
            "a task of SearchQA has a question and golden_answers, and docs where it searches "
            f"({choose_from('question', episode.task, lead='there are')})"
        )
    if not isinstance(docs, list):
        raise BadCall(f"docs is a list of objects with contents, not {docs!r:.60}")
    shelf = Shelf(tuple(map(_passage, docs)))
    return SearchQA(World(Question(text.strip(), answers), shelf, exact_original=rules == "agentgym"))


def episode_of(dialogue: Dialogue) -> RecordedEpisode:
    """Refused: a dialogue of SearchQA names no gold answer, so that its rewards cannot be computed again."""
    raise BadCall(f"{dialogue.id} is a dialogue: those of SearchQA do not say what the right answer was")


def from_question(opening: str) -> str:
    """An opening from its question on: the prompt before it is of our own wording."""
    return opening[max(opening.rfind(BEGINNING), 0) :]


def _passage(value: Json) -> Passage:
    if not isinstance(value, dict) or not isinstance(value.get("contents"), str):
        raise BadCall(f"one of docs is an object with contents, not {value!r:.60}")
    return Passage(str(value.get("id", "")), value["contents"])
