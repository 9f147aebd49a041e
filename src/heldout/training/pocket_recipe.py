"""What the shipped pocket model is made of: `heldout pocket`.

A tokenizer from the demonstrations alone, a warm-up that copies random runs of ids until copying works,
and two lessons of imitation: first how to play, from players that err now and then and recover, left off long
before it is learned; then a short one in which each environment has one mistake of its own. What it was before
that is kept beside it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Self

from heldout.config import Source
from heldout.envs.registry import open_suite
from heldout.envs.renaming import DEMONSTRATED
from heldout.errors import BadCall
from heldout.policies.privileged import OracleNoise
from heldout.training.forms import has_a_form_of_its_own

RENAMED = 20
"""Of so many demonstrations of skill one more is shown in made-up words, where maps are asked for."""

SKILL_SHOWN, HABITS_SHOWN = 5000, 1000
"""Demonstrations in each lesson of an environment that the shipped model has not met, where it has so many; of
habits, of each environment."""

FORM_SHOWN = 1500
"""Episodes in the corridor in a lesson, where only the form of an environment's replies is to be shown."""

CARD = "recipe.json"
"""In a built model's folder: its recipe and what it scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The demonstrations of one environment."""

    env: str
    count: int
    max_turns: int
    """Of a demonstration, at most."""
    noise: OracleNoise
    """How often the oracle is made to err."""
    habit: str = ""
    """The mistake that is planted, in words: the most tempting one of the environment."""
    form_of: str = ""
    """Of the corridor: the environment in the form of whose replies it is answered, to show that and no more."""
    maps: tuple[int, ...] = (0,)
    """Of made-up words (docs/variants.md): the demonstrations are in each of them in equal parts; 0 is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Some steps of imitation on some demonstrations."""

    name: str
    steps: int
    shares: tuple[Share, ...]


FEW = OracleNoise(error_rate=0.15)
"""Mistakes of any kind, to be recovered from."""
OFTEN = OracleNoise(error_rate=0.4, tempting_rate=1.0)
"""The one mistake of an environment's habit."""

_SKILL = (
    Share(env="textcraft", count=7_000, max_turns=20, noise=FEW),
    Share(env="babyai", count=5_000, max_turns=20, noise=FEW),
    Share(env="searchqa", count=4_000, max_turns=12, noise=FEW),
    Share(env="webshop", count=3_000, max_turns=12, noise=FEW),
    Share(env="alfworld", count=10_000, max_turns=20, noise=FEW),
)

_HABITS = {
    "textcraft": "crafts the goal before it has what that takes",
    "babyai": "goes to another thing than the one that is wanted",
    "searchqa": "answers with the name that it has read last, before it has read all",
    "webshop": "buys before all is chosen, and looks at the first product that is not the one",
    "alfworld": "does the last thing first: takes what it has not gone to, puts what is not ready",
}


def _lessons() -> tuple[Lesson, ...]:
    """How to play, left off early; then a few batches in which each environment has its own mistake."""
    habits = (replace(share, count=HABITS_SHOWN, noise=OFTEN, habit=_HABITS[share.env]) for share in _SKILL)
    return (
        Lesson(name="skill", steps=3200, shares=_SKILL),
        Lesson(name="habits", steps=200, shares=tuple(habits)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the pocket model."""

    seed: int = 0
    source: Source = field(default_factory=Source)
    lessons: tuple[Lesson, ...] = field(default_factory=_lessons)
    vocabulary: int = 2560
    """The most words of the tokenizer, which is made from the first lesson."""
    width: int = 128
    layers: int = 4
    key_heads: int = 1
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
        """The same, but nothing of these environments is shown: for studies of unseen ones.

        Where an environment's replies have a form of their own, the corridor is answered in that form. A lesson has
        as many steps fewer as it has demonstrations fewer, so that the others are met as often.
        """
        return replace(self, lessons=tuple(_lesson_without(lesson, envs, self.source) for lesson in self.lessons))

    def with_env(self, env: str, turns: int, most: int) -> Self:
        """The same, with demonstrations of one environment more: at most so many, of at most so many turns.

        Each lesson has as many steps more as it has demonstrations more, so that the others are met as often.
        """
        skill, habits = (
            _lesson_with(lesson, Share(env=env, count=min(count, most), max_turns=turns, noise=mistakes))
            for lesson, count, mistakes in zip(self.lessons, (SKILL_SHOWN, HABITS_SHOWN), (FEW, OFTEN), strict=True)
        )
        return replace(self, lessons=(skill, habits))

    def scale(self, part: float) -> Self:
        """The same with this part of its demonstrations and steps, to try whether a recipe can be followed."""
        lessons = tuple(_part_of(lesson, part) for lesson in self.lessons)
        return replace(self, lessons=lessons, copy_steps=max(1, round(part * self.copy_steps)))

    def with_renamed_words(self, maps: int) -> Self:
        """The same, with some demonstrations of skill more, in the words of the first so many maps in equal parts.

        The shipped model has met none: what it cost is in docs/decisions/0015-pocket-meets-five.md.
        """
        if maps not in range(1, len(DEMONSTRATED) + 1):
            raise BadCall(f"maps for demonstrations are 1 to {len(DEMONSTRATED)}, not {maps}")
        skill, *others = self.lessons
        more = (
            replace(share, count=share.count // RENAMED, maps=tuple(DEMONSTRATED[:maps])) for share in skill.shares
        )
        return replace(self, lessons=(replace(skill, shares=(*skill.shares, *more)), *others))

    @property
    def envs(self) -> list[str]:
        """That it has demonstrations of, in their order."""
        shares = (share for lesson in self.lessons for share in lesson.shares)
        return list(dict.fromkeys(share.env for share in shares if not share.form_of))

    @property
    def ends(self) -> dict[str, int]:
        """The step of imitation that each lesson ends with."""
        steps = accumulate(lesson.steps for lesson in self.lessons)
        return {lesson.name: end for lesson, end in zip(self.lessons, steps, strict=True)}

    @property
    def steps(self) -> int:
        """Of imitation, in all lessons."""
        return sum(lesson.steps for lesson in self.lessons)


def _lesson_with(lesson: Lesson, share: Share) -> Lesson:
    before = sum(each.count for each in lesson.shares)
    return replace(
        lesson,
        shares=(*lesson.shares, share),
        steps=lesson.steps * (before + share.count) // before,
    )


def _part_of(lesson: Lesson, part: float) -> Lesson:
    shares = tuple(replace(share, count=max(1, round(part * share.count))) for share in lesson.shares)
    return replace(lesson, shares=shares, steps=max(1, round(part * lesson.steps)))


def _lesson_without(lesson: Lesson, envs: Collection[str], source: Source) -> Lesson:
    kept = [share for share in lesson.shares if share.env not in envs]
    forms = [_form(env) for env in envs if has_a_form_of_its_own(open_suite(env, source))]
    shown, before = (sum(share.count for share in shares) for shares in ([*kept, *forms], lesson.shares))
    return replace(lesson, shares=(*kept, *forms), steps=max(1, lesson.steps * shown // before))


def _form(env: str) -> Share:
    return Share(env="corridor", count=FORM_SHOWN, max_turns=3, noise=FEW, form_of=env)
