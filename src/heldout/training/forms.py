"""The form of an environment's replies without the environment: the corridor, answered in that form."""

import re
from dataclasses import replace
from functools import cache, partial

from heldout.config import Source
from heldout.envs import corridor
from heldout.envs.base import Suite
from heldout.envs.react import react_reply
from heldout.envs.registry import open_suite
from heldout.errors import BadCall

_SLOT = re.compile(r"\{[^{}]+\}")


def has_a_form_of_its_own(suite: Suite) -> bool:
    """Whether its replies look other than `Thought: …`, `Action: …`."""
    return suite.players.reply is not react_reply


@cache
def corridor_in_the_form_of(env: str, source: Source) -> Suite:
    """The corridor, where replies are written as that environment's are, and nothing else is of it.

    The first shape of its actions reads the note, the second opens a door.
    """
    suite, plain = open_suite(env, source), corridor.suite(source)
    shapes = [shape for shape in suite.actions if _SLOT.search(shape)][:2]
    if len(shapes) < 2:
        raise BadCall(f"{env} has not two shapes of actions with a slot, in which the form of its replies is shown")
    note, door = (partial(_SLOT.sub, string=shape) for shape in shapes)
    told = "One of two doors leads out, and a note says which."
    said = {"read note": note("note"), **{f"open {each} door": door(each) for each in corridor.COLOURS}}
    heard = {shaped: action for action, shaped in said.items()}
    return replace(
        plain,
        instruction=f"{told} Actions: {note('note')}, {door('colour')}.",
        read=lambda reply: heard.get(suite.read(reply), ""),
        players=replace(plain.players, reply=lambda thought, action: suite.players.reply(thought, said[action])),
    )
