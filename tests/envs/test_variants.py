"""What each variant changes in each environment, and that it changes nothing else."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from heldout.config import Limits, Option, Source, Variant
from heldout.envs.base import Env, Suite, Variants
from heldout.envs.react import Misread
from heldout.envs.registry import able, names, open_suite
from heldout.envs.renaming import words_in
from heldout.envs.variants import UNIFORM, apply_variant, can_change
from heldout.errors import BadCall
from heldout.policies.privileged import oracle
from heldout.records import Ending, Step, Task
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play


def each_that_can_change(trait: str) -> pytest.MarkDecorator:
    """Every environment of which a variant can change that trait."""
    return pytest.mark.parametrize("name", able(lambda suite: can_change(suite, trait)))


LISTS = {
    "textcraft": "\nAvailable actions: [",
    "babyai": "\nActions: ",
    "searchqa": "\nAvailable actions: [",
    "webshop": "\nAvailable actions: [",
    "alfworld": "\nAVAILABLE ACTIONS: ",
}
NONSENSE = {"webshop": "click[xyzzy]"}


def opened(name: str, **changes: str | int) -> Suite:
    return open_suite(name, Source(variant=Variant(**changes)))  # type: ignore[arg-type]


def begun(suite: Suite, place: int = 0) -> Env:
    env = suite.open(suite.tasks("test")[place])
    env.start()
    return env


def solved(suite: Suite, task: Task) -> list[Step]:
    """The oracle's episode."""
    env = suite.open(task)
    steps = [env.start()]
    while steps[-1].ending is None:
        steps.append(env.step(suite.players.oracle(env.world)))
    assert steps[-1].ending is Ending.SOLVED
    return steps


@each_that_can_change("actions")
def test_shown_lists_actions_until_the_end_and_hidden_never(name: str) -> None:
    shown, hidden = opened(name, actions="shown"), opened(name, actions="hidden")
    for task in shown.tasks("test")[:5]:
        assert all(LISTS[name] in step.observation for step in solved(shown, task)[:-1])
        assert not any(LISTS[name] in step.observation for step in solved(hidden, task))


@each_that_can_change("actions")
@pytest.mark.parametrize("profile", ["pocket", "standard"])
def test_the_instruction_says_of_a_list_what_is_so(name: str, profile: str) -> None:
    shown, hidden = (
        open_suite(name, Source(profile=profile, variant=Variant(actions=value))).instruction
        for value in ("shown", "hidden")
    )
    assert re.search("Each observation (lists|ends)", shown)
    assert not re.search("Each observation (lists|ends)|are listed", hidden)


def test_where_what_can_be_said_is_open_its_shape_is_listed() -> None:
    [webshop, searchqa] = (opened(name, actions="shown") for name in ("webshop", "searchqa"))
    shapes = [
        suite.open(suite.tasks("test")[0]).start().observation.split("\n")[-1] for suite in (webshop, searchqa)
    ]
    assert shapes == [
        'Available actions: ["search[<words>]"]',
        'Available actions: ["<search>query</search>", "<answer>answer</answer>"]',
    ]


def test_a_hidden_list_is_not_told_on_demand() -> None:
    env = begun(opened("babyai", actions="hidden"))
    assert env.step("check available actions").observation.startswith("The action is not recognized. Goal:")


@each_that_can_change("feedback")
def test_uniform_tells_every_refusal_alike_and_leaves_what_else_is_seen(name: str) -> None:
    action = NONSENSE.get(name, "xyzzy")
    plain, uniform = (begun(suite).step(action) for suite in (opened(name), opened(name, feedback="uniform")))
    assert plain.refusal
    assert plain.refusal in plain.observation
    assert uniform.refusal == UNIFORM
    assert uniform.observation == plain.observation.replace(plain.refusal, UNIFORM)


def test_uniform_does_not_say_why() -> None:
    actions = ("get 1 xyzzy", "get 1 2 3", "craft xyzzy using log", "craft 1 xyzzy using 1 oak log", "fly", "")
    answers = [
        begun(opened("textcraft", feedback=value)).step(action) for value in ("", "uniform") for action in actions
    ]
    assert len({step.observation for step in answers[: len(actions)]}) == len(actions)
    assert {step.observation for step in answers[len(actions) :]} == {UNIFORM}


def test_uniform_tells_a_reply_that_holds_no_single_action_the_same() -> None:
    with pytest.raises(Misread, match=UNIFORM):
        opened("textcraft", feedback="uniform", replies="single").read("Action: look\nAction: look")


@pytest.mark.parametrize("name", names())
def test_what_is_carried_out_is_no_refusal(name: str) -> None:
    suite = opened(name)
    assert not any(step.refusal for task in suite.tasks("test")[:20] for step in solved(suite, task))


@each_that_can_change("reward")
def test_a_binary_reward_is_one_for_success_and_scores_stay(name: str) -> None:
    plain, binary = opened(name), opened(name, reward="binary")
    for task in plain.tasks("test")[:5]:
        as_ever, steps = solved(plain, task), solved(binary, task)
        assert [step.reward for step in steps] == [0.0] * (len(steps) - 1) + [1.0]
        assert [(step.score, step.digest) for step in steps] == [(step.score, step.digest) for step in as_ever]


def test_a_binary_reward_pays_nothing_for_a_purchase_that_is_half_right() -> None:
    plain, binary = (_bought_too_early(opened("webshop", reward=value)) for value in ("dense", "binary"))
    assert plain.reward == plain.score == binary.score
    assert 0 < plain.reward < 1
    assert (plain.ending, binary.ending, binary.reward) == (Ending.FAILED, Ending.FAILED, 0.0)


def _bought_too_early(suite: Suite) -> Step:
    """The end of an episode in which the right product was bought without its options."""
    env = suite.open(next(task for task in suite.tasks("test") if task.difficulty == "hard"))
    env.start()
    while not env.world.asin:
        env.step(suite.players.oracle(env.world))
    return env.step("click[Buy Now]")


@pytest.mark.parametrize("name", able(lambda suite: suite.variants.stands.get("reward", "dense") != "dense"))
def test_a_dense_reward_grows_along_the_oracles_way_and_is_one_at_success_alone(name: str) -> None:
    suite = opened(name, reward="dense")
    count = 20 if name == "babyai" else 100
    for task in [*suite.tasks("train")[:count], *suite.tasks("test")[:count]]:
        env = suite.open(task)
        steps, left = [env.start()], list[float]()
        while steps[-1].ending is None:
            left.append(suite.variants.remaining(env.world))
            steps.append(env.step(suite.players.oracle(env.world)))
        rewards = [step.reward for step in steps]
        assert sum(rewards) == pytest.approx(1)
        assert rewards[-1] > 0
        assert all(reward >= 0 for reward in rewards)
        assert all(later <= earlier for earlier, later in pairwise(left))
        assert min(left) > 0


def test_a_dense_reward_pays_each_part_once_and_takes_nothing_back() -> None:
    suite = opened("alfworld", reward="dense")
    env = begun(suite, 1)
    actions = ["go to countertop 1", *["take plate 1 from countertop 1", "put plate 1 in/on countertop 1"] * 2]
    assert [round(env.step(action).reward, 3) for action in actions] == [0, 0.333, 0, 0, 0]


@pytest.mark.slow
def test_a_dense_reward_of_the_grid_pays_the_parts_of_its_instruction() -> None:
    suite = opened("babyai", reward="dense")
    paid = {
        tuple(round(step.reward, 3) for step in solved(suite, task) if step.reward)
        for task in suite.tasks("test")[:90]
    }
    assert {(1.0,), (0.5, 0.5)} <= paid


@each_that_can_change("words")
def test_made_up_words_are_understood_and_the_words_themselves_are_not(name: str) -> None:
    plain, renamed = opened(name), opened(name, words=17)
    for place in range(5):
        said = zip(
            plain.players.legal(begun(plain, place).world),
            renamed.players.legal(begun(renamed, place).world),
            strict=True,
        )
        for word, made_up in said:
            assert not begun(renamed, place).step(made_up).refusal
            if words_in(word) & plain.variants.words and name not in ("searchqa", "webshop"):
                assert begun(renamed, place).step(word).refusal


def test_a_search_for_the_words_themselves_finds_nothing() -> None:
    suite = opened("webshop", words=17)
    env = begun(suite)
    found = env.step("search[shirts pillows headphones soaps cookies]").observation
    assert "Total results: 0" in found


@each_that_can_change("words")
def test_a_renamed_episode_is_the_same_episode_in_other_words(name: str) -> None:
    plain, renamed = opened(name), opened(name, words=3)
    for task in plain.tasks("test")[:10]:
        for one, other in zip(solved(plain, task), solved(renamed, task), strict=True):
            assert (one.reward, one.score, one.ending, one.digest) == (
                other.reward,
                other.score,
                other.ending,
                other.digest,
            )
            assert not words_in(other.observation) & plain.variants.words
            assert len(one.observation.split()) == len(other.observation.split())


GRAMMAR = {
    "textcraft": "crafting commands craft using recipes output inputs result",
    "babyai": "you see seen carry carrying thing place nothing or",
    "searchqa": "doc 1 2 3 title information says",
    "webshop": (
        "sep webshop instruction want you are in a web shop where can search back to page total results see of "
        "what was found products all is for price rating n nobody has rated it its be click this selected chosen "
        "have description features reviews"
    ),
    "alfworld": (
        "you are in the middle of a room looking quickly around see and your task is to on it open it s state next "
        "facing nothing result available actions"
    ),
}
"""Words and keys that only lead from one fact to the next."""


@each_that_can_change("observations")
def test_the_other_form_of_observations_holds_the_same_facts(name: str) -> None:
    form = "plain" if opened(name).traits.structured else "structured"
    for task in opened(name).tasks("test")[:10]:
        for actions in ("", "hidden"):
            usual, other = (solved(opened(name, actions=actions, observations=each), task) for each in ("", form))
            for one, same in zip(usual[:-1], other[:-1], strict=True):
                assert _facts(name, one.observation) == _facts(name, same.observation)
            assert [step.reward for step in usual] == [step.reward for step in other]


def _facts(name: str, text: str) -> set[str]:
    return set(re.findall("[a-z]+|[0-9]+", text.lower())) - set(GRAMMAR[name].split())


def test_what_an_environment_is_already_changes_nothing() -> None:
    already: dict[str, dict[str, str | int]] = {
        "webshop": {"reward": "dense", "actions": "hidden"},
        "searchqa": {"observations": "structured", "feedback": "informative"},
        "babyai": {"actions": "shown", "words": 0},
    }
    for name, changes in already.items():
        suite = opened(name, **changes)
        assert suite.variant.name == ""
        assert suite.recordings is not None
        assert solved(suite, suite.tasks("test")[0]) == solved(opened(name), opened(name).tasks("test")[0])


def test_a_variant_says_only_what_differs_and_changes_the_traits_of_table_1() -> None:
    suite = opened("webshop", reward="binary", actions="shown", observations="structured", words=5)
    assert suite.variant.name == "actions=shown,reward=binary,words=5"
    assert (suite.traits.lists_actions, suite.traits.dense, suite.traits.structured) == (True, False, True)
    assert suite.recordings is None


def test_a_single_answer_is_a_variant_by_either_of_its_names() -> None:
    by_setting = open_suite("searchqa", Source(options=(Option("searchqa", "single_answer", "true"),)))
    by_variant = opened("searchqa", answers="single")
    assert by_setting.variant.name == by_variant.variant.name == "answers=single"
    assert by_setting.data == by_variant.data != opened("searchqa").data
    steps = [begun(suite).step("<answer>Nobody</answer>") for suite in (by_setting, by_variant)]
    assert [step.ending for step in steps] == [Ending.FAILED] * 2


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("babyai", Source(variant=Variant(answers="single")), r"no variant answers=single .* answers: searchqa\)"),
        ("textcraft", Source(rules="agentgym", variant=Variant(actions="shown")), "of the rules `fixed`"),
        ("agentgym:babyai@http://127.0.0.1:9", Source(variant=Variant(words=1)), "a server has no variants"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_what_can(name: str, source: Source, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        open_suite(name, source)


def test_what_cannot_be_changed_here_alone_is_refused_with_the_reason() -> None:
    suite = replace(opened("searchqa"), variants=Variants(fixed={"words": "nobody listed them"}))
    with pytest.raises(BadCall, match="searchqa has no variant words=3: nobody listed them"):
        apply_variant(suite, Source(variant=Variant(words=3)), lambda _: [])


@each_that_can_change("words")
def test_an_oracle_on_a_twin_thinks_and_acts_in_the_words_that_the_agent_reads(name: str) -> None:
    suite = opened(name, actions="hidden", words=2)
    tasks = [Assignment(task=task, attempt=0, seed=0, stream="t") for task in suite.tasks("demonstrations")[:3]]
    for trajectory in play(oracle(lambda _: suite), tasks, Limits(), lambda _: suite):
        said = " ".join(
            [trajectory.opening, *(f"{turn.reply.text} {turn.observation}" for turn in trajectory.turns)]
        )
        assert trajectory.ending is Ending.SOLVED
        assert not words_in(said) & suite.variants.words


GOES_ON = {
    "textcraft": (
        "Thought: wood.\nAction: get 1 oak log\nObservation: Got 1 oak log\nAction: inventory",
        "get 1 oak log",
    ),
    "babyai": ("Action: go to red ball 1\nObservation: It is here.\nAction: pickup red ball 1", "go to red ball 1"),
    "webshop": ("Action: search[red tea]\nObservation: B1 [SEP] tea\nAction: click[b1]", "search[red tea]"),
    "alfworld": ("Action: go to desk 1\nObservation: A mug 1.\nAction: take mug 1 from desk 1", "go to desk 1"),
    "searchqa": (
        "<search>cup</search>\n<information>Ada</information>\n<answer>Ada</answer>",
        "<search>cup</search>",
    ),
}
"""Replies that go on with an observation of their own making, and the action that was chosen by what was seen."""


@pytest.mark.parametrize("name", GOES_ON)
def test_of_a_reply_that_goes_on_the_first_action_is_taken_or_it_is_refused(name: str) -> None:
    reply, first = GOES_ON[name]
    assert opened(name).read(reply) == first
    single = opened(name, replies="single")
    with pytest.raises(Misread, match="Only one 'Action' is allowed per response"):
        single.read(reply)
    assert single.read(reply.partition("\n<information>")[0].partition("\nObservation:")[0]) == first


def test_the_originals_read_a_reply_that_goes_on_each_as_its_client_does() -> None:
    read = {name: open_suite(name, Source(rules="agentgym")).read for name in GOES_ON}
    for name in ("textcraft", "babyai"):
        with pytest.raises(Misread):
            read[name](GOES_ON[name][0])
    for name, last in (("webshop", "click[b1]"), ("alfworld", "take mug 1 from desk 1")):
        assert read[name](GOES_ON[name][0]) == last
    assert read["searchqa"](GOES_ON["searchqa"][0]) == "<search>cup</search>"
    with pytest.raises(BadCall, match="is of the rules `fixed`: those of the originals are as they are"):
        open_suite("webshop", Source(rules="agentgym", variant=Variant(replies="first")))
