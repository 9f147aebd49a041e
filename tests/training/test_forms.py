"""An environment that is left out is shown by the form of its replies alone, in another game."""

import pytest

from heldout.config import Source
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall
from heldout.policies.privileged import OracleNoise
from heldout.training.forms import corridor_in_the_form_of, has_a_form_of_its_own
from heldout.training.imitate import demonstrations


def test_only_searchqa_s_replies_are_not_a_thought_and_an_action() -> None:
    own = [name for name in names() if has_a_form_of_its_own(open_suite(name, Source()))]
    assert own == ["searchqa"]


def test_the_corridor_is_answered_in_searchqa_s_tags_and_nothing_else_is_of_it() -> None:
    suite = corridor_in_the_form_of("searchqa", Source())
    pool = suite.tasks("demonstrations")
    [demo] = demonstrations(lambda _: suite, pool, [0], OracleNoise(error_rate=0), max_turns=3, seed=0)
    assert demo.opening == (
        "One of two doors leads out, and a note says which. "
        "Actions: <search>note</search>, <answer>colour</answer>.\n\n"
        "A corridor with a red door and a blue door. A note lies on the floor."
    )
    assert demo.said == (
        "<think>The note knows the way.</think>\n<search>note</search>",
        "<think>The red door leads out.</think>\n<answer>red</answer>",
    )
    assert demo.observed == ("The note says: red.", "You are out.")


def test_mistakes_in_that_form_are_refused_as_in_the_corridor() -> None:
    suite = corridor_in_the_form_of("searchqa", Source())
    env = suite.open(suite.tasks("demonstrations")[0])
    env.start()
    assert env.step(suite.read("<answer>white</answer>")).refusal == "Nothing happens."
    assert env.step(suite.read("<answer>nothing like it</answer>")).refusal == "Nothing happens."
    assert env.step(suite.read("<answer>red</answer>")).score == 1


def test_an_environment_without_two_shapes_to_fill_cannot_show_its_form() -> None:
    with pytest.raises(BadCall, match="babyai has not two shapes of actions with a slot"):
        corridor_in_the_form_of("babyai", Source())
