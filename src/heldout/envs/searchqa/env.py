"""SearchQA in words (spec §2.4): one episode, in `fixed` rules or the original's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from heldout.config import AS_IT_STANDS, Variant
from heldout.envs import wording
from heldout.envs.searchqa.passages import Passage
from heldout.envs.searchqa.protocol import SHAPES, Answer, Search, format_passages, format_passages_plainly, read
from heldout.envs.searchqa.world import World
from heldout.records import Ending, Step

RIGHT = "Congratulations! You have answered the question correctly."
WRONG = "Sorry, your answer is incorrect. Please try again."
INVALID = (
    "Your previous action is invalid. If you want to search, you should put the query between <search> and "
    "</search>. If you want to give the final answer, you should put the answer between <answer> and </answer>. "
    "Please try again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said to an answer, and to what is no action."""

    right: str = RIGHT
    wrong: str = WRONG
    invalid: str = INVALID


POCKET = Words(
    right="Correct.",
    wrong="Incorrect. Try again.",
    invalid="Invalid. Say <search>query</search> or <answer>answer</answer>.",
)


@final
class SearchQA:
    """One episode of one question.

    A wrong answer is told and play goes on, in both sets of rules: the paper's protocol (Q-SQ2). With
    `single_answer` the first answer ends the episode, as in Search-R1.
    """

    def __init__(
        self,
        world: World,
        words: Words | None = None,
        *,
        single_answer: bool = False,
        variant: Variant = AS_IT_STANDS,
    ) -> None:
        self._world = world
        self._variant = variant
        self._words = words or Words()
        self._single_answer = single_answer
        self._over = False

    @property
    def world(self) -> World:
        """The question and what has been read."""
        return self._world

    def start(self) -> Step:
        """The question."""
        return self._step(f"Question: {self._world.question.text}")

    def step(self, action: str) -> Step:
        """The answer to one action, whole reply or bare block; the original plays on at the end, and pays again."""
        match read(action, exact_original=self._world.exact_original):
            case Search(query):
                self._world, found = self._world.search(query)
                return self._step(self._format_passages(found))
            case Answer(text):
                return self._judge(text)
            case None:
                return replace(self._step(self._words.invalid), refusal=self._words.invalid)

    def _format_passages(self, passages: Sequence[Passage]) -> str:
        if self._variant.observations == "plain":
            return format_passages_plainly(passages)
        return format_passages(passages, exact_original=self._world.exact_original)

    def _judge(self, text: str) -> Step:
        self._world, right = self._world.answer(text)
        if right:
            return self._end(self._words.right, Ending.SOLVED, reward=1.0)
        if self._single_answer:
            return self._end(self._words.wrong.partition(".")[0] + ".", Ending.FAILED)
        return self._step(self._words.wrong)

    def _end(self, said: str, ending: Ending, reward: float = 0.0) -> Step:
        self._over = True
        return self._step(said, reward).cut(ending)

    def _step(self, said: str, reward: float = 0.0) -> Step:
        shapes = "" if self._over else wording.list_actions(self._variant, SHAPES)
        return Step(said + shapes, reward=reward, score=float(self._world.solved), digest=self._world.digest)
