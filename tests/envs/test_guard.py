"""The order of an episode, in every environment."""

from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf, nan

import pytest

from heldout.config import Source
from heldout.envs.base import Env, Suite
from heldout.envs.guard import guard
from heldout.envs.registry import able, names, open_suite
from heldout.errors import BadCall, BadReward, OriginalError
from heldout.records import Step

ORIGINALS = able(lambda suite: "agentgym" in suite.rules_known)
"""The environments that can do as an original server does."""


def opened(suite: Suite) -> Env:
    return suite.open(suite.tasks("test")[0])


def finished(suite: Suite) -> tuple[Env, Step]:
    """An episode that the oracle has solved, and its last step."""
    env = opened(suite)
    step = env.start()
    while step.ending is None:
        step = env.step(suite.players.oracle(env.world))
    return env, step


@pytest.mark.parametrize("name", names())
def test_an_episode_starts_once_is_stepped_then_and_not_after_its_ending(name: str) -> None:
    suite = open_suite(name, Source())
    with pytest.raises(RuntimeError, match="step before start"):
        opened(suite).step("look")
    env, _ = finished(suite)
    with pytest.raises(RuntimeError, match="step after the end"):
        env.step("look")
    with pytest.raises(RuntimeError, match="an episode starts once"):
        env.start()


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_originals_answer_after_the_ending_too(name: str) -> None:
    env, _ = finished(open_suite(name, Source(rules="agentgym")))
    with suppress(OriginalError):
        assert env.step("look").observation


def test_five_environments_have_the_rules_of_an_original() -> None:
    assert ORIGINALS == ["textcraft", "babyai", "searchqa", "webshop", "alfworld"]


@pytest.mark.parametrize("name", names())
def test_rules_that_an_environment_does_not_have_are_refused(name: str) -> None:
    known = open_suite(name, Source()).rules_known
    with pytest.raises(BadCall, match=rf"rules 'others'.*\(.*{known[0]}"):
        open_suite(name, Source(rules="others"))


@dataclass
class Answering:
    """An environment that opens with one step, and answers every action with another."""

    opening: Step
    answer: Step
    world: None = None

    def start(self) -> Step:
        return self.opening

    def step(self, action: str) -> Step:
        del action
        return self.answer


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (Step("Won.", reward=nan), "the reward nan"),
        (Step("Won.", reward=-inf), "the reward -inf"),
        (Step("Won.", reward=1.0, score=inf), "the score inf"),
        (Step("Won.", reward=None), "the reward None"),  # type: ignore[arg-type]
        (Step("Won.", reward="1"), "the reward '1'"),  # type: ignore[arg-type]
        (Step("Won.", reward=10**400), "the reward 1000"),
    ],
)
def test_a_reward_or_score_that_is_no_finite_number_is_refused_where_it_is_given(
    doors: Suite, step: Step, told: str
) -> None:
    refused = f"^doors: task doors_2 gave {told}.*, which is no finite number$"
    with pytest.raises(BadReward, match=refused):
        opened(guard(replace(doors, open=lambda _: Answering(step, Step(""))))).start()
    env = opened(guard(replace(doors, open=lambda _: Answering(Step(""), step))))
    env.start()
    with pytest.raises(BadReward, match=refused):
        env.step("go")
