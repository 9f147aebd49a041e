"""Generated encyclopaedias and the questions on them."""

from collections import Counter
from pathlib import Path
from time import perf_counter
from tracemalloc import get_traced_memory, start, stop

import pytest

from heldout.config import Option, Source
from heldout.envs.base import Suite
from heldout.envs.lazy import SPLITS
from heldout.envs.searchqa import suite
from heldout.envs.searchqa.facts import RELATIONS, SIZES, YEAR, Facts
from heldout.envs.searchqa.names import STOCK, names
from heldout.envs.searchqa.pages import ASKED, NAMED, query, question
from heldout.envs.searchqa.tasks import MOST_TURNS, Name, encyclopaedia, generated_tasks
from heldout.envs.searchqa.world import Fact
from heldout.errors import BadCall
from heldout.records import Ending, Task, digest
from heldout.seeds import stream

PROFILES = pytest.mark.parametrize("profile", ["pocket", "standard"])


def turns(asked: Suite, task: Task) -> int:
    """The turn in which the oracle solves a task; 0 where it does not within K of training."""
    episode = asked.open(task)
    episode.start()
    for turn in range(1, MOST_TURNS + 1):
        if episode.step(asked.players.oracle(episode.world)).ending is Ending.SOLVED:
            return turn
    return 0


def test_splits_have_their_sizes_and_halves() -> None:
    test, train = generated_tasks("test", 0, "pocket"), generated_tasks("train", 0, "pocket")
    assert (len(test), len(train), len(generated_tasks("demonstrations", 0, "pocket"))) == (200, 1000, 20_000)
    assert [task.difficulty for task in test].count("easy") == 100
    assert [task.difficulty for task in train].count("easy") == 500
    assert [task.id for task in test[:3]] == ["searchqa_0", "searchqa_1", "searchqa_2"]
    assert train[-1].id == "searchqa_1999"


EASY_HOPS = {"pocket": (2,), "standard": (1, 2)}


@PROFILES
def test_easy_is_few_facts_and_hard_three_or_four(profile: str) -> None:
    hops = Counter((task.difficulty, len(task.world["facts"])) for task in generated_tasks("test", 0, profile))
    easy = {("easy", hops) for hops in EASY_HOPS[profile]}
    assert set(hops) == easy | {("hard", 3), ("hard", 4)}
    assert min(hops.values()) >= 35


@PROFILES
def test_the_oracle_answers_every_question_within_five_turns(profile: str) -> None:
    asked = suite(Source(profile=profile))
    taken = Counter(turns(asked, task) for split in ("test", "train") for task in asked.tasks(split)[:200])
    assert sum(taken.values()) == 400
    assert set(taken) == {*(hops + 1 for hops in EASY_HOPS[profile]), 4, 5}


def test_no_shorter_way_leads_to_the_answers_of_the_pocket_profile() -> None:
    """Every name on the pages that were found is searched for: no answer is read in the first rounds."""
    asked = suite(Source())
    for task in asked.tasks("test")[:60]:
        world, names = asked.open(task).world, {task.world["question"], task.world["facts"][0][0]}
        for rounds in (1, 2) if task.difficulty == "hard" else (1,):
            found = [passage for name in sorted(names) for passage in world.search(name)[1]]
            facts = [fact for each in found for fact in book(task).of[each.name]]
            names |= {each.name for each in found} | {fact.object for fact in facts}
            assert task.world["answers"][0] not in names, (task.id, rounds)


def book(task: Task) -> Facts:
    """What the encyclopaedia of a task states."""
    return encyclopaedia(Name(**task.world["corpus"])).facts


def test_no_two_tasks_are_alike() -> None:
    worlds = {digest(task.world) for split in SPLITS for task in generated_tasks(split, 0, "pocket")[:1000]}
    assert len(worlds) == 2200


@pytest.mark.slow
def test_ten_thousand_tasks_are_all_answered_in_five_turns_and_no_two_are_alike() -> None:
    asked = suite(Source())
    tasks = [task for split in SPLITS for task in asked.tasks(split)[:8800]]
    assert len(tasks) == len({digest(task.world) for task in tasks}) == 10_000
    taken = Counter(turns(asked, task) for task in tasks)
    assert taken == {3: 5002, 4: 2907, 5: 2091}


@PROFILES
def test_splits_share_no_name_whatever_their_seeds(profile: str) -> None:
    for kind in RELATIONS:
        test, train, shown = (set(names(kind, split, profile)) for split in SPLITS)
        assert test.isdisjoint(train)
        assert shown.isdisjoint(test | train)
        assert min(map(len, (test, train, shown))) >= SIZES[profile][kind] * 0.7


def test_no_question_of_one_split_is_in_another() -> None:
    texts = {
        split: {task.world["question"] for task in generated_tasks(split, 0, "pocket")[:1000]} for split in SPLITS
    }
    assert texts["test"].isdisjoint(texts["train"])
    assert texts["demonstrations"].isdisjoint(texts["test"] | texts["train"])


def test_another_volume_has_other_facts_on_the_same_names() -> None:
    first, second = (encyclopaedia(Name(0, "pocket", "train", volume)).facts for volume in (0, 1))
    both = set(first.of) & set(second.of)
    assert len(both) > 50
    assert sum(first.of[title] == second.of[title] for title in both) < len(both) / 10


def test_another_seed_gives_other_tasks() -> None:
    one, again, other = (digest(generated_tasks("test", seed, "pocket")[0].world) for seed in (0, 0, 1))
    assert one == again != other


@PROFILES
def test_every_thing_has_a_page_that_states_all_its_facts(profile: str) -> None:
    book = encyclopaedia(Name(0, profile, "test", 0))
    assert Counter(thing.kind for thing in book.facts.things) == SIZES[profile]
    for thing in book.facts.things[:: 1 if profile == "pocket" else 20]:
        facts = book.facts.of[thing.title]
        assert sorted(fact.relation for fact in facts) == sorted(RELATIONS[thing.kind])
        [page] = [page for page in book.retriever.search(thing.title, 40) if page.name == thing.title]
        assert all(fact.object in page.text for fact in facts), page


def test_a_capital_lies_in_its_country_and_teachers_are_older() -> None:
    facts = encyclopaedia(Name(0, "standard", "test", 0)).facts
    of = {(fact.subject, fact.relation): fact.object for fact in facts.stated}
    countries = [thing.title for thing in facts.things if thing.kind == "country"]
    assert all(of[of[country, "capital"], "country"] == country for country in countries)
    people = [thing.title for thing in facts.things if thing.kind == "person"]
    born = {person: int(of[person, "birth year"]) for person in people}
    young = [person for person in people if born[of[person, "teacher"]] + 20 > born[person]]
    assert all(born[person] < min(born.values()) + 20 for person in young)


@PROFILES
def test_most_pages_have_namesakes_and_the_same_relation_of_others_is_found_beside_them(profile: str) -> None:
    book = encyclopaedia(Name(0, profile, "test", 0))
    words = Counter(word for title in book.facts.of for word in set(title.split()))
    alike = [title for title in book.facts.of if max(words[word] for word in title.split()) > 1]
    assert len(alike) > 0.95 * len(book.facts.of)
    asked = [Fact(*task.world["facts"][0]) for task in generated_tasks("test", 0, profile)]
    others = [
        [page for page in book.retriever.search(query(fact), 3) if page.name != fact.subject] for fact in asked
    ]
    assert sum(map(len, others)) > 2 * len(asked) * 0.9


def test_works_of_one_name_differ_in_form_and_a_question_says_which() -> None:
    facts = encyclopaedia(Name(0, "pocket", "test", 0)).facts
    works = [thing for thing in facts.things if thing.kind == "work"]
    twice = [name for name, count in Counter(thing.name for thing in works).items() if count == 2]
    assert len(twice) == 10
    [one, other] = [thing for thing in works if thing.name == twice[0]]
    assert one.form != other.form
    asked = question([facts.of[one.title][0]], facts, "pocket", stream(0, "tests"))
    assert asked == f"Who wrote the {one.form} {one.name}?"


def test_a_chain_of_four_facts_is_asked_in_one_sentence() -> None:
    facts = encyclopaedia(Name(0, "pocket", "test", 0)).facts
    [work, *_] = [thing for thing in facts.things if thing.kind == "work"]
    chain = (
        Fact(work.title, "author", "A"),
        Fact("A", "birthplace", "B"),
        Fact("B", "country", "C"),
        Fact("C", "capital", "D"),
    )
    assert question(chain, facts, "pocket", stream(0, "tests")) == (
        f"What is the capital of the country of the birthplace of the author of the {work.form} {work.name}?"
    )


def test_every_relation_can_be_asked_and_all_that_have_pages_can_stand_inside() -> None:
    kinds = {relation: kind for relations in RELATIONS.values() for relation, kind in relations.items()}
    assert set(ASKED) == set(kinds)
    assert set(NAMED) == {relation for relation, kind in kinds.items() if kind != YEAR}


@pytest.mark.parametrize(("profile", "shortest", "longest"), [("pocket", 8, 16), ("standard", 45, 90)])
def test_pocket_pages_are_one_short_sentence_and_standard_ones_a_passage(
    profile: str, shortest: int, longest: int
) -> None:
    book = encyclopaedia(Name(0, profile, "test", 0))
    texts = [book.retriever.search(title, 1)[0].text for title in list(book.facts.of)[::10]]
    lengths = [len(text.split()) for text in texts]
    assert shortest <= min(lengths) <= max(lengths) <= longest
    assert profile == "standard" or all(text.count(".") == 1 for text in texts)


def test_pocket_names_are_made_of_few_words() -> None:
    words = {word for stock in STOCK["pocket"].values() for part in stock for word in part}
    assert len(words) <= 140
    assert all(word.isalpha() and word.isascii() for word in words)


def test_two_hundred_tasks_open_in_an_instant() -> None:
    generated_tasks("test", 98, "pocket")[0]
    began = perf_counter()
    list(generated_tasks("test", 99, "pocket"))
    assert perf_counter() - began < 2  # 0.03 s on an idle core


@PROFILES
def test_an_open_episode_that_has_read_all_it_could_holds_under_a_hundred_kilobytes(profile: str) -> None:
    asked = suite(Source(profile=profile))
    tasks = asked.tasks("test")[:50]
    episodes = [asked.open(task) for task in tasks]
    episodes[0].step("<search>warm</search>")
    start()
    before, _ = get_traced_memory()
    for number, episode in enumerate(episodes):
        for title in list(encyclopaedia(Name(0, profile, "test", 0)).facts.of)[number : number + 20]:
            episode.step(f"<search>{title}</search>")
    after, _ = get_traced_memory()
    stop()
    assert (after - before) / len(episodes) < 100_000
    assert all(len(episode.world.read) > 20 for episode in episodes)


@pytest.mark.parametrize("source", [Source(kind="found"), Source(rules="loose"), Source(profile="huge")])
def test_a_source_that_is_not_there_is_refused(source: Source) -> None:
    with pytest.raises(BadCall, match="choose from"):
        suite(source)


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadCall, match=r"unknown split 'tests'; did you mean 'test'\?"):
        suite(Source()).tasks("tests")


def test_an_invented_encyclopaedia_is_searched_nowhere_else(tmp_path: Path) -> None:
    for name, value in (("retriever", "http://x"), ("corpus", str(tmp_path))):
        with pytest.raises(BadCall, match=r"for source\.kind=real only"):
            suite(Source(options=(Option("searchqa", name, value),)))
