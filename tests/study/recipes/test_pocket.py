"""The built-in recipes: how many trainings each is, and what each asks."""

from collections import Counter
from collections.abc import Iterable

import pytest

from heldout.chains import chain_name, parse_chain
from heldout.config import pocket
from heldout.errors import BadCall
from heldout.study.plan import Study, plan_together
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.chains import by_data, training_episodes, varied
from heldout.study.recipes.named import BUILT_IN, recipe_named, studies_of
from heldout.study.work import TrainWork

ASKED = Asked(defaults=pocket(), seeds=(0,))


def made(name: str, asked: Asked = ASKED) -> tuple[Study, ...]:
    return studies_of(recipe_named(name), asked)


def trainings(studies: Iterable[Study]) -> int:
    """Different ones, however many of its steps are looked at."""
    works = [piece.work for piece in plan_together(studies, controls=False)]
    return len({(work.chain, work.seed) for work in works if isinstance(work, TrainWork)})


def test_what_the_papers_axes_share_is_trained_once() -> None:
    difficulty, transfer, sequence, orders = (
        made(f"pocket-{axis}") for axis in ("difficulty", "transfer", "sequence", "orders")
    )
    assert [trainings(each) for each in (difficulty, transfer, sequence, orders)] == [25, 5, 25, 11]
    assert trainings((*difficulty, *transfer, *sequence)) == 45
    stages = sum(len(chain) for study in (*difficulty, *sequence) for chain in study.chains if len(chain) > 1)
    alone = sum(
        len(chain) == 1 and "steps" not in chain_name(chain) for study in difficulty for chain in study.chains
    )
    assert stages + alone == 75
    assert trainings(made("pocket-paper")) == 45 + 6 + 1


def test_transfer_asks_what_each_source_is_worth_held_out() -> None:
    [study] = made("pocket-transfer")
    assert [(each.name, each.finding) for each in study.endpoints] == [
        ("textcraft, held out", "held-out"),
        ("babyai, held out", "held-out"),
        ("searchqa, held out", "held-out"),
        ("webshop, held out", "held-out"),
        ("alfworld, held out", "held-out"),
        ("held in minus held out", "held-in-gap"),
        ("into textcraft and babyai minus into alfworld and searchqa", "targets"),
    ]
    first = study.endpoints[0]
    assert {(term.chain, term.cell.env): term.weight for term in first.terms} == {
        (chain, env): weight
        for chain, weight in (("textcraft", 0.25), ("base", -0.25))
        for env in ("babyai", "alfworld", "searchqa", "webshop")
    }
    assert (study.config.evaluate.tasks, study.config.evaluate.samples) == (100, 4)
    assert made("pocket-transfer", Asked(defaults=pocket()))[0].seeds == (0, 1, 2, 3, 4)


def test_a_curriculum_is_set_against_all_tasks_for_as_many_episodes() -> None:
    study = made("pocket-difficulty")[0]
    assert list(map(chain_name, study.chains)) == [
        "textcraft.easy",
        "textcraft.hard",
        "textcraft",
        "textcraft.easy > textcraft.hard",
        "textcraft.hard > textcraft.easy",
        "textcraft[train.steps=80]",
    ]
    [question] = [each for each in study.endpoints if each.finding == "curriculum"]
    sides = {term.chain: term.weight for term in question.terms}
    assert sides == {"textcraft.easy > textcraft.hard": 1, "textcraft[train.steps=80]": -1}
    assert {training_episodes(parse_chain(chain), study.config) for chain in sides} == {7680}


def test_a_sequence_asks_whether_nothing_is_forgotten_within_a_margin() -> None:
    [study] = made("pocket-sequence")
    assert Counter(each.finding for each in study.endpoints) == {
        "forgetting": 5, "downstream": 1, "sequential-elsewhere": 1, "pair-order": 1
    }  # fmt: skip
    assert {each.margin for each in study.endpoints if each.finding == "forgetting"} == {5.0}


def test_orders_are_measured_after_every_stage_and_set_against_the_mixture_of_as_many_episodes() -> None:
    [study] = made("pocket-orders")
    assert Counter(map(len, study.chains)) == {1: 3, 2: 2, 3: 2, 4: 2, 5: 2}
    ends = [chain for chain in study.chains if len(chain) == 5 or len(chain[0].envs) == 5]
    assert {training_episodes(chain, study.config) for chain in ends} == {19200}


def test_an_interface_is_changed_a_trait_at_a_time_in_training_and_where_is_measured() -> None:
    studies = {study.name: study for study in made("pocket-interface")}
    actions = studies["interface, actions"]
    changed = [name for name in map(chain_name, actions.chains) if "[" in name]
    assert changed[1] == "babyai[source.variant.actions=hidden]"
    assert "textcraft[source.variant.actions=shown]" in changed
    assert len(actions.measured) == 20
    assert [each.name for each in actions.endpoints] == [
        "actions changed in training: held out", "actions changed where is measured: held out"
    ]  # fmt: skip
    assert len(studies["interface, reward"].measured) == 10
    assert {each.variant.words for each in studies["interface, words"].measured if each.variant} == {17}


def test_the_papers_recipe_has_its_protocol_and_asks_for_its_models_and_halves() -> None:
    with pytest.raises(BadCall, match=r"give --model Qwen/Qwen2.5-3B-Instruct or Qwen/Qwen2.5-7B-Instruct"):
        made("paper")


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "paper"])
def test_fewer_environments_and_a_finer_look_can_be_asked_of_each(name: str) -> None:
    two = Asked(defaults=pocket(), seeds=(7,), envs=("babyai", "searchqa"), every=10, settings=("train.lr=1e-3",))
    studies = made(name, two)
    assert {study.envs for study in studies} <= {("babyai", "searchqa"), ("babyai",), ("searchqa",)}
    assert {study.config.train.lr for study in studies} == {1e-3}


def test_one_environment_has_nowhere_else() -> None:
    with pytest.raises(BadCall, match="transfer needs 2 environments or more, not babyai"):
        made("pocket-transfer", Asked(defaults=pocket(), envs=("babyai",)))
    with pytest.raises(BadCall, match="easy and hard tasks are compared here: leave --difficulty hard out"):
        made("pocket-difficulty", Asked(defaults=pocket(), difficulty="hard"))


def test_chains_are_changed_in_all_their_stages() -> None:
    found = varied([parse_chain("textcraft > babyai[train.steps=3]")], "train.kl=0.001")
    assert list(map(chain_name, found)) == ["textcraft[train.kl=0.001] > babyai[train.kl=0.001 train.steps=3]"]


def test_a_mixture_by_data_has_the_training_tasks_as_its_weights() -> None:
    stage = by_data(["textcraft", "babyai"], pocket())
    assert (stage.envs, stage.weights) == (("textcraft", "babyai"), ())  # a thousand of each
