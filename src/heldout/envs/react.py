"""Reading one action out of a reply in the ReAct form `Thought: … Action: …` (Yao et al., 2022)."""

import re

_ACTION = re.compile(r"Action:\s*(.*?)(?=\n|$)", re.DOTALL)
_FIRST = re.compile(r"^[ \t>*#-]*Action:\s*([^\n]*)", re.MULTILINE)
_GOES_ON = re.compile(r"\s*\b(?:Observation|Thought|Action)(?: \d+)?:")
_UNWANTED = re.compile(r"[^A-Za-z0-9, ]+")

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT_BEFORE = re.compile(r"\A.*</think>", re.DOTALL | re.IGNORECASE)

SEVERAL = "Error: Only one 'Action' is allowed per response. Please adjust your response."


class Misread(Exception):
    """A reply that holds no single action; its text is what the agent is told, and the turn is spent."""


def react_reply(thought: str, action: str) -> str:
    """A thought and an action as one reply."""
    return f"Thought: {thought}\nAction: {action}"


def without_thoughts(reply: str) -> str:
    """A reply without what its agent only thinks, between `<think>` and `</think>`: no action is read there.

    A thought that is not closed goes to the reply's end: it was cut off, and nothing was said. What stands before a
    `</think>` that nothing opened is a thought as well: some templates open it in the prompt.
    """
    return _THOUGHT_BEFORE.sub("", _THOUGHT.sub("", reply))


def plain_action(reply: str) -> str:
    """The words of the one `Action:` line, other signs dropped; none is the empty action.

    Raises `Misread` where a reply holds several.
    """
    found = _ACTION.findall(reply)
    if len(found) > 1:
        raise Misread(SEVERAL)
    return plain(found[0] if found else "")


def first_action(reply: str) -> str:
    """The words of the first `Action:` line, other signs dropped; none is the empty action."""
    return plain(first_line(reply))


def first_line(reply: str) -> str:
    """What follows the first `Action:` in its line, as it stands; one that begins a line comes before others.

    A reply that goes on has made up the observation itself: only its first action was chosen by what was seen. What
    is only thought is left out.
    """
    said = without_thoughts(reply)
    found = _FIRST.search(said) or _ACTION.search(said)
    return _GOES_ON.split(found[1])[0].strip() if found else ""


def count_actions(reply: str) -> int:
    """How many actions a reply says it takes, thoughts left out."""
    return without_thoughts(reply).count("Action:")


def plain(line: str) -> str:
    """The letters, digits and commas of a line, its words one blank apart: all that an action may hold."""
    return " ".join(_UNWANTED.sub("", line).split())


def whole_action(reply: str) -> str:
    """All that follows the last `Action:`, as AgentGym's WebShop and ALFWorld read it (spec §0.4).

    Without one, the whole reply where it holds an action of WebShop's form, else the empty action.
    """
    reply = reply.removesuffix("</s>")
    _, found, action = reply.rpartition("Action:")
    if found:
        return action.strip()
    return reply if "search[" in reply or "click[" in reply else ""
