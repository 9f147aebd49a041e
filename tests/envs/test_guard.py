"""The order of an episode, in every environment."""

from contextlib import suppress

import pytest

from heldout.config import Source
from heldout.envs.base import Env, Suite
from heldout.envs.registry import able, names, open_suite
from heldout.errors import BadCall, OriginalError
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
