"""Instructions in an order, as our rules judge them: an action that did one part is not held against the next."""

from functools import partial
from typing import Any

from minigrid.envs.babyai.core.verifier import AfterInstr, BeforeInstr


def judge_in_turn(instruction: Any) -> None:
    """Has the parts of an ordered instruction judged each by its own actions.

    minigrid judges the second part by the very action that did the first. Where parts are strict, as in level 16,
    that action opened the wrong door of the second part, so that the right order fails as the wrong one does. Such
    a failure is passed over; the second part may still be done by the action that did the first.
    """
    if isinstance(instruction, BeforeInstr):
        vars(instruction)["verify"] = partial(_verify, instruction, "a_done", "b_done")
    elif isinstance(instruction, AfterInstr):
        vars(instruction)["verify"] = partial(_verify, instruction, "b_done", "a_done")


def _verify(instruction: Any, first: str, second: str, action: int) -> str:
    was_done = getattr(instruction, first) == "success"
    verdict = str(type(instruction).verify(instruction, action))
    if verdict != "failure" or was_done or getattr(instruction, first) != "success":
        return verdict
    setattr(instruction, second, False)
    return "continue"
