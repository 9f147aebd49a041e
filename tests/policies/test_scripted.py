"""The toy policies."""

from heldout.policies.base import Request
from heldout.policies.scripted import ScriptedPolicy, script
from heldout.records import Reply
from heldout.testing import make_task

TASK = make_task(world={"doors": 2})


def request(conversation: str, turn: int) -> Request:
    return Request(
        conversation=conversation, task=TASK, turn=turn, text="…", reply_tokens=8, response_budget=64, seed=turn
    )


def test_scripted_says_its_lines_in_order_in_every_conversation_and_then_the_last() -> None:
    policy = script("one", "two")
    for turn in (0, 1, 2):
        policy.submit(request("a", turn))
    policy.submit(request("b", 0))
    assert policy.collect() == [
        ("a", Reply(text="one")),
        ("a", Reply(text="two")),
        ("a", Reply(text="two")),
        ("b", Reply(text="one")),
    ]
    assert policy.collect() == []


def test_spoken_answers_with_a_function_of_the_request() -> None:
    policy = ScriptedPolicy(lambda request: f"{request.conversation} at {request.seed}")
    policy.submit(request("a", 5))
    assert policy.collect() == [("a", Reply(text="a at 5"))]
