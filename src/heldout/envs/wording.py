"""Observations as variants word them: a list of actions at the end, or keys and values (docs/variants.md)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from heldout.config import Variant
from heldout.records import Json

_PLAIN_LIST = re.compile(r"\nAvailable actions: \[(.*)\]\Z", re.DOTALL)
_QUOTED = re.compile(r'"(.*?)"(?:, |\Z)')
_STRUCTURED_LIST = re.compile(r"\nactions:((?:\n  - .*)+)\Z")

LISTED = "Each observation ends with the actions that are possible now."


def goal_told(pattern: str) -> Callable[[str], str]:
    """What reads the instruction out of an opening: a pattern's first group, or all where it is not there."""
    told = re.compile(pattern, re.MULTILINE)

    def goal(observation: str) -> str:
        found = told.search(observation)
        return found[1] if found else observation

    return goal


def list_announcement(variant: Variant) -> str:
    """What an instruction adds for a suite that lists no actions by itself."""
    return f"\n\n{LISTED}" if variant.actions == "shown" else ""


def list_actions(variant: Variant, actions: Iterable[str]) -> str:
    """The end of an observation: the actions, where the variant shows them."""
    if variant.actions != "shown":
        return ""
    if variant.observations == "structured":
        return "\n" + format_structured({"actions": [*actions]})
    return "\nAvailable actions: [" + ", ".join(f'"{action}"' for action in actions) + "]"


def listed_actions(observation: str) -> list[str]:
    """The actions that an observation ends with, in either form of `list_actions`; none where it lists none."""
    if plain := _PLAIN_LIST.search(observation):
        return _QUOTED.findall(plain[1])
    structured = _STRUCTURED_LIST.search(observation)
    return structured[1].removeprefix("\n  - ").split("\n  - ") if structured else []


def format_sentence(variant: Variant, key: str, text: str) -> str:
    """A sentence; where observations are structured it stands behind its key."""
    return format_structured({key: text}) if variant.observations == "structured" else text


def format_structured(facts: Mapping[str, Json]) -> str:
    """Keys and values, a line each; what belongs to a key is two blanks further in, and items have a dash."""
    return "\n".join(_lines(facts))


def _lines(facts: Mapping[str, Json]) -> Iterator[str]:
    for key, value in facts.items():
        inside = list(_inside(value))
        yield from [f"{key}:", *(f"  {line}" for line in inside)] if inside else [f"{key}: {_plain(value)}"]


def _inside(value: Json) -> Iterator[str]:
    """The lines below a key; none where the value stands beside it."""
    if isinstance(value, Mapping):
        yield from _lines(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            first, *others = _lines(item) if isinstance(item, Mapping) else [_plain(item)]
            yield from [f"- {first}", *(f"  {line}" for line in others)]


def _plain(value: Json) -> str:
    """A value on its key's line; a list or mapping that comes here is empty."""
    return str(value) if isinstance(value, str | int | float) else "nothing"
