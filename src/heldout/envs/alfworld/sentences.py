"""The six kinds of goals, and how they are said (ALFRED's templates)."""

from heldout.envs.alfworld.house import Goal

SENTENCES = {
    "place": ("put a {thing} in {home}", "put some {thing} on {home}"),
    "two": ("put two {thing} in {home}", "find two {thing} and put them in {home}"),
    "clean": ("put a clean {thing} in {home}", "clean some {thing} and put it in {home}"),
    "hot": ("put a hot {thing} in {home}", "heat some {thing} and put it in {home}"),
    "cool": ("put a cool {thing} in {home}", "cool some {thing} and put it in {home}"),
    "light": ("look at {thing} under the {lamp}", "examine the {thing} with the {lamp}"),
}

_TOLD_BY = {"two": {"two"}, "clean": {"clean"}, "hot": {"hot", "heat"}, "cool": {"cool"}}
"""The words of which a sentence has one where its goal is of that kind, and none where it is of another."""


def kind_of_goal(goal: Goal) -> str:
    """Which of the six kinds a goal is of."""
    if goal.lamp:
        return "light"
    return str(goal.state) if goal.state else "two" if goal.count > 1 else "place"


def sentence(goal: Goal, number: int = 0) -> str:
    """A goal in the words of one of its kind's two templates."""
    said = SENTENCES[kind_of_goal(goal)][number].format(thing=goal.thing, home=goal.home, lamp=goal.lamp)
    return f"Your task is to: {said}."


def says(told: str, goal: Goal) -> bool:
    """Whether a sentence tells its goal (Q-AW3)."""
    if goal.sliced or goal.carrier:
        return True
    words = set(told.lower().rstrip(".").split())
    kinds = {kind for kind, tokens in _TOLD_BY.items() if words & tokens}
    return {goal.thing, goal.home or goal.lamp} <= words and kinds == {kind_of_goal(goal)} & _TOLD_BY.keys()
