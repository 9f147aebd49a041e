"""One episode of SearchQA, in `fixed` rules and the original's."""

import pytest

from heldout.config import Config, Option, Source, with_overrides
from heldout.envs.guard import Guarded
from heldout.envs.searchqa import suite
from heldout.envs.searchqa.env import INVALID, POCKET, RIGHT, WRONG, SearchQA
from heldout.envs.searchqa.options import SearchQAOptions
from heldout.envs.searchqa.passages import Passage, Shelf
from heldout.envs.searchqa.world import Question, World
from heldout.records import Ending

SHELF = Shelf(tuple(Passage(str(number), f"Page {number}\nText {number}.") for number in range(5)))
ASKED = Question("Where was Ada born?", ("Oak Hill", "Oakhill"))
SINGLE = Option("searchqa", "single_answer", "true")


def episode(*, exact_original: bool = False, single_answer: bool = False) -> SearchQA:
    opened = SearchQA(World(ASKED, SHELF, exact_original=exact_original), single_answer=single_answer)
    assert opened.start().observation == "Question: Where was Ada born?"
    return opened


def test_an_agent_searches_reads_three_passages_and_answers() -> None:
    playing = episode()
    found = playing.step("<think>I look.</think><search>Ada</search>")
    assert found.observation == (
        "<information>Doc 1(Title: Page 0) Text 0.\nDoc 2(Title: Page 1) Text 1.\nDoc 3(Title: Page 2) Text 2."
        "</information>"
    )
    assert (found.reward, found.score, found.ending) == (0.0, 0.0, None)
    right = playing.step("<answer>oak hill</answer>")
    assert (right.observation, right.reward, right.score, right.ending) == (RIGHT, 1.0, 1.0, Ending.SOLVED)


def test_a_wrong_answer_is_told_and_the_agent_may_guess_again() -> None:
    playing = episode()
    wrong = playing.step("<answer>Fox Mill</answer>")
    assert (wrong.observation, wrong.reward, wrong.ending) == (WRONG, 0.0, None)
    assert playing.step("<answer>Oakhill.</answer>").ending is Ending.SOLVED


def test_a_single_answer_ends_the_episode_either_way() -> None:
    wrong = episode(single_answer=True).step("<answer>Fox Mill</answer>")
    assert (wrong.observation, wrong.score, wrong.ending) == (
        "Sorry, your answer is incorrect.",
        0.0,
        Ending.FAILED,
    )
    assert episode(single_answer=True).step("<answer>Oak Hill</answer>").ending is Ending.SOLVED


def test_single_answer_is_a_setting_and_another_data_digest() -> None:
    plain, single = suite(Source()), suite(Source(options=(SINGLE,)))
    assert plain.data != single.data
    assert (plain.options, single.options) == (SearchQAOptions(), SearchQAOptions(single_answer=True))
    assert with_overrides(Config(), ["source.options.searchqa.single_answer=true"]).source == Source(
        options=(SINGLE,)
    )
    task = single.tasks("test")[0]
    assert single.open(task).step("<answer>nobody</answer>").ending is Ending.FAILED
    assert plain.open(task).step("<answer>nobody</answer>").ending is None


def test_what_is_no_action_is_told_so() -> None:
    assert episode().step("Oak Hill").observation == INVALID
    assert SearchQA(World(ASKED, SHELF), POCKET).step("").observation == POCKET.invalid


def test_an_episode_is_over_when_it_is_over_and_only_the_original_pays_again() -> None:
    playing = Guarded(episode())
    playing.start()
    playing.step("<answer>Oak Hill</answer>")
    with pytest.raises(RuntimeError, match="after the end"):
        playing.step("<answer>Oak Hill</answer>")
    original = episode(exact_original=True)
    assert [original.step("<answer>Oak Hill</answer>").reward for _ in range(3)] == [1.0, 1.0, 1.0]


def test_the_state_is_what_was_read_and_answered() -> None:
    one, other = episode(), episode()
    assert one.step("<search>a</search>").digest == other.step("<search>b</search>").digest
    assert one.step("hm").digest == other.step("<search>c</search>").digest
    assert one.step("<answer>x</answer>").digest != other.step("<search>c</search>").digest


@pytest.mark.parametrize("exact_original", [True, False])
def test_half_a_surrogate_pair_is_answered(exact_original: bool) -> None:
    playing = episode(exact_original=exact_original)
    assert playing.step("<answer>\ud800</answer>").observation == WRONG
    assert playing.step("<search>\ud800</search>").observation.startswith("<information>Doc 1")


def test_a_value_is_not_changed_by_what_is_tried() -> None:
    world = World(ASKED, SHELF)
    later, found = world.search("Ada")
    assert (world.read, len(later.read), len(found)) == ((), 3, 3)
    again, right = later.search("Ada")[0].answer("Oak Hill")
    assert (len(again.read), again.queries, again.guesses, right) == (3, ("Ada", "Ada"), ("Oak Hill",), True)
    assert not world.solved
    assert again.solved
