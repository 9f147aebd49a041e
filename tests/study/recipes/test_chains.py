from heldout.chains import chain_name, parse_chain
from heldout.config import pocket
from heldout.study.recipes.chains import along, longer, prefixes, training_episodes


def test_a_chain_is_measured_along_its_last_stage() -> None:
    [chain] = [parse_chain("textcraft > babyai[train.steps=30]")]
    assert [chain_name(each) for each in along([chain], 10, pocket())] == [
        "textcraft > babyai[train.steps=10]",
        "textcraft > babyai[train.steps=20]",
        "textcraft > babyai[train.steps=30]",
    ]
    assert along([chain, ()], None, pocket()) == (chain, ())


def test_what_a_chain_was_after_each_stage_is_a_chain_once() -> None:
    found = prefixes([parse_chain("a > b > c"), parse_chain("a > c")])
    assert list(map(chain_name, found)) == ["a", "a > b", "a > c", "a > b > c"]


def test_a_chain_is_counted_by_the_episodes_that_it_is_trained_on() -> None:
    easy, all_ = parse_chain("textcraft.easy > textcraft.hard[train.group_size=4]"), parse_chain("textcraft")
    assert training_episodes(all_, pocket()) == 40 * 12 * 8 == 3840
    assert training_episodes(easy, pocket()) == 3840 + 1920
    assert training_episodes(longer(all_, pocket(), 2), pocket()) == 7680
    assert training_episodes((), pocket()) == 0
