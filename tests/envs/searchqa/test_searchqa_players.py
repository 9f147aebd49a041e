"""The oracle, what is legal, the thoughts and the mistakes, on a book of four pages."""

from heldout.config import Limits, Source
from heldout.envs.searchqa import suite
from heldout.envs.searchqa.bm25 import Bm25
from heldout.envs.searchqa.passages import Corpus, Passage, Shelf
from heldout.envs.searchqa.players import legal, mistakes, oracle, thought, turns
from heldout.envs.searchqa.world import Fact, Question, World
from heldout.policies import privileged
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

BOOK = Bm25(
    Corpus(
        (
            Passage("0", "Iron Song (play)\nIron Song is a play of 1801, author Ada Grant, setting Fox Mill."),
            Passage("1", "Ada Grant\nAda Grant was born in Oak Hill in 1770, teacher Ben Reed."),
            Passage("2", "Ada Reed\nAda Reed was born in Fox Mill in 1790, teacher Ada Grant."),
            Passage("3", "Iron Song (novel)\nIron Song is a novel of 1850, author Ada Reed, setting Oak Hill."),
        )
    )
)
FACTS = (Fact("Iron Song (play)", "author", "Ada Grant"), Fact("Ada Grant", "birthplace", "Oak Hill"))
ASKED = Question("Where was the author of the play Iron Song born?", ("Oak Hill",), FACTS)
START = World(ASKED, BOOK)


def test_the_oracle_reads_each_fact_and_then_answers() -> None:
    assert oracle(START) == "<search>Iron Song play author</search>"
    second, _ = START.search("Iron Song play author")
    assert oracle(second) == "<search>Ada Grant birthplace</search>" or second.known == 2
    assert turns(START, 5) in (2, 3)
    assert turns(START, 1) == 0


def test_a_fact_counts_as_known_only_when_its_page_was_read() -> None:
    assert START.known == 0
    read_second, _ = World(ASKED, Shelf((BOOK.search("Ada Grant", 1)[0],))).search("x")
    assert read_second.known == 0
    read_first, _ = World(ASKED, Shelf((BOOK.search("Iron Song play", 1)[0],))).search("x")
    assert read_first.known == 1
    assert oracle(read_first) == "<search>Ada Grant birthplace</search>"


def test_a_search_that_failed_is_tried_by_the_name_alone() -> None:
    lost, _ = World(ASKED, Shelf(())).search("Iron Song play author")
    assert oracle(lost) == "<search>Iron Song (play)</search>"


def test_thoughts_quote_the_sentence_that_leads_on() -> None:
    first = World(ASKED, Shelf((BOOK.search("Iron Song play", 1)[0],)))
    assert thought(first, oracle(first)) == "I look up Iron Song (play)."
    later, _ = first.search("x")
    assert thought(later, oracle(later)) == (
        "Iron Song is a play of 1801, author Ada Grant, setting Fox Mill. I look up Ada Grant."
    )
    done, _ = START.search("Ada Grant Iron Song play")
    assert oracle(done) == "<answer>Oak Hill</answer>"
    assert thought(done, oracle(done)) == (
        "Ada Grant was born in Oak Hill in 1770, teacher Ben Reed. So I can answer."
    )


def test_slips_answer_too_early_or_with_a_namesake_and_never_rightly() -> None:
    read_first, _ = World(ASKED, Shelf((BOOK.search("Iron Song play", 1)[0],))).search("x")
    assert mistakes(read_first) == [
        "<answer>Ada Grant</answer>",
        "<search>x</search>",
        f"<search>{ASKED.text}</search>",
    ]
    done, _ = START.search("Ada Grant Iron Song play")
    assert "<answer>Oak Hill</answer>" not in mistakes(done)
    assert oracle(done) not in mistakes(done)


def test_what_is_legal_grows_with_what_is_read() -> None:
    assert legal(START) == [f"<search>{ASKED.text}</search>", "<search>Iron Song play author</search>"]
    later, _ = START.search("Ada Reed")
    assert "<answer>Ada Reed</answer>" in legal(later)
    assert "<search>Ada Reed</search>" in legal(later)


def test_without_facts_the_oracle_searches_the_question_until_it_reads_an_answer_or_twice() -> None:
    plain = World(Question("Where was\nAda <b>Reed</b> born?", ("Fox Mill",)), BOOK)
    assert oracle(plain) == "<search>Where was Ada b Reed /b born?</search>"
    assert turns(plain, 5) == 2
    lost = World(Question("Where?", ("Nowhere",)), Shelf(()))
    assert turns(lost, 5) == 3


def test_a_player_says_its_thought_and_its_action_in_tags() -> None:
    asked = suite(Source())
    assignment = Assignment(task=asked.tasks("test")[0], attempt=0, seed=0, stream="test")
    [trajectory] = play(privileged.oracle(lambda _: asked), [assignment], Limits(), lambda _: asked)
    assert trajectory.success
    first, last = trajectory.turns[0].reply.text, trajectory.turns[-1].reply.text
    assert first.startswith("<think>I look up ")
    assert "</think>\n<search>" in first
    assert last.endswith("</answer>")
