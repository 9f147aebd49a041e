"""Lists of actions, and keys with values, as variants word them."""

from heldout.config import AS_IT_STANDS, Variant
from heldout.envs.wording import format_sentence, format_structured, list_actions

SHOWN = Variant(actions="shown")
BOTH = Variant(actions="shown", observations="structured")


def test_actions_are_listed_only_where_a_variant_shows_them() -> None:
    assert list_actions(AS_IT_STANDS, ["look"]) == list_actions(Variant(actions="hidden"), ["look"]) == ""
    assert list_actions(SHOWN, ["get 1 log", "look"]) == '\nAvailable actions: ["get 1 log", "look"]'
    assert list_actions(BOTH, ["get 1 log", "look"]) == "\nactions:\n  - get 1 log\n  - look"


def test_a_sentence_gets_a_key_only_where_observations_are_structured() -> None:
    assert format_sentence(SHOWN, "result", "Got 1 log") == "Got 1 log"
    assert format_sentence(BOTH, "result", "Got 1 log") == "result: Got 1 log"


def test_keys_and_values_are_indented_and_what_is_empty_is_nothing() -> None:
    facts = {"goal": "door", "have": {"log": 2}, "seen": [{"thing": "key 1", "ahead": 3}], "hands": [], "near": {}}
    assert format_structured(facts) == (
        "goal: door\nhave:\n  log: 2\nseen:\n  - thing: key 1\n    ahead: 3\nhands: nothing\nnear: nothing"
    )
