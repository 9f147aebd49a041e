import pytest

from heldout.envs.base import Misread
from heldout.envs.react import SEVERAL, plain_action


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        ("Thought: wood first.\nAction: get 2 oak logs", "get 2 oak logs"),
        ("Action:\nget 2 oak logs\nand so on", "get 2 oak logs"),
        ("**Action:** get 1 x", "get 1 x"),
        ("Action: get 1 oak_log", "get 1 oaklog"),
        ('Action: "Get  1   dirt".', "Get 1 dirt"),
        ("Action: craft 1 a using 1 b, 2 c", "craft 1 a using 1 b, 2 c"),
        ("get 1 dirt", ""),
        ("", ""),
        ("Action:", ""),
    ],
)
def test_the_action_is_the_words_of_its_line(reply: str, action: str) -> None:
    assert plain_action(reply) == action


def test_several_actions_in_a_reply_are_a_misread() -> None:
    with pytest.raises(Misread, match="Only one 'Action' is allowed per response") as caught:
        plain_action("Action: get 1 a\nAction: get 1 b")
    assert str(caught.value) == SEVERAL
