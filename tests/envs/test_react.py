import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.config import Source
from heldout.envs.react import SEVERAL, Misread, first_action, first_line, plain, plain_action, without_thoughts
from heldout.envs.registry import BUILT_IN, open_suite

ACTIONS = st.lists(st.text("abXY019,", min_size=1, max_size=6), min_size=1, max_size=5).map(" ".join)
PIECES = ("Action:", "Thought:", "\n", " ", "get 2 oak_logs", "“", ",", "**")
REPLIES = st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=8).map("".join)


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


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("<think>I could say Action: get 9 x</think>\nAction: get 1 a", "\nAction: get 1 a"),
        ("<think>a</think>Action: get 1 a<Think>b</THINK>", "Action: get 1 a"),
        ("<think>Action: get 1 a, or", ""),  # cut off before anything was said
        ("so I will: Action: get 9 x</think>Action: get 1 a", "Action: get 1 a"),  # opened in the prompt
        ("Action: get 1 a", "Action: get 1 a"),
        ("<think></think>", ""),
    ],
)
def test_what_is_only_thought_is_left_out(reply: str, said: str) -> None:
    assert without_thoughts(reply) == said


@pytest.mark.parametrize("env", [*BUILT_IN, "heldout.envs.corridor:suite"])
def test_no_environment_reads_an_action_inside_a_thought(env: str) -> None:
    suite = open_suite(env, Source())
    action = "answer" if env == "searchqa" else "look"
    spoken, wrong = suite.players.reply("", action), suite.players.reply("", "buy it")
    if env == "searchqa":
        spoken, wrong, action = "<answer>Oslo</answer>", "<answer>Rome</answer>", "<answer>Oslo</answer>"
    for before in (f"<think>{wrong}</think>", f"{wrong}</think>\n"):
        assert suite.read(f"{before}{spoken}") == action
    assert suite.read(f"<think>hm. {spoken}") == ""


@pytest.mark.parametrize("env", ["textcraft", "babyai"])
def test_the_originals_clients_read_thoughts_too(env: str) -> None:
    with pytest.raises(Misread):
        open_suite(env, Source(rules="agentgym")).read("<think>Action: a</think>\nAction: b")


def test_several_actions_in_a_reply_are_a_misread() -> None:
    with pytest.raises(Misread, match="Only one 'Action' is allowed per response") as caught:
        plain_action("Action: get 1 a\nAction: get 1 b")
    assert str(caught.value) == SEVERAL


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ("Action: get 1 a\nObservation: Got 1 a\nAction: get 1 b", "get 1 a"),
        ("Action: get 1 a Observation: Got 1 a Action: get 1 b", "get 1 a"),
        ("Action: get 1 a Observation 1: Got 1 a", "get 1 a"),
        ("Thought: the next Action: is clear.\nAction: get 1 a", "get 1 a"),
        ("I take it. Action: get 1 a", "get 1 a"),
        ("Action:\nsearch[red tea, 12.5]\n\nAction: click[b1]", "search[red tea, 12.5]"),
        ("> **Action:** get 1 a", "** get 1 a"),
        ("get 1 a", ""),
    ],
)
def test_the_first_action_is_the_one_that_was_chosen_by_what_was_seen(reply: str, line: str) -> None:
    assert first_line(reply) == line
    assert first_action(reply) == plain(line)


@given(thought=st.text().filter(lambda text: "Action:" not in text), action=ACTIONS, after=REPLIES)
def test_whatever_a_reply_goes_on_with_its_first_action_is_read(thought: str, action: str, after: str) -> None:
    assert first_action(f"Thought: {thought}\nAction: {action}\n{after}") == action


@given(REPLIES)
def test_any_reply_holds_one_action_of_letters_digits_and_commas_or_is_a_misread(reply: str) -> None:
    try:
        action = plain_action(reply)
    except Misread:
        assert reply.count("Action:") > 1
    else:
        assert plain(action) == action
        assert all(sign == " " or sign == "," or (sign.isascii() and sign.isalnum()) for sign in action)


@given(thought=st.text().filter(lambda text: "Action:" not in text), action=ACTIONS, after=st.just("") | REPLIES)
def test_an_action_that_is_said_is_the_action_that_is_read(thought: str, action: str, after: str) -> None:
    reply = f"Thought: {thought}\nAction: {action}"
    assert plain_action(reply) == action
    assert plain_action(f"{reply}\n{after.replace('Action:', '')}") == action


@given(actions=st.lists(ACTIONS, min_size=2, max_size=4))
def test_no_number_of_actions_but_one_is_carried_out(actions: list[str]) -> None:
    with pytest.raises(Misread):
        plain_action("\n".join(f"Action: {action}" for action in actions))
