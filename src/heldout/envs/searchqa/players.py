"""Who plays SearchQA seeing its world: the oracle, what is legal, the oracle's thoughts, plausible mistakes."""

import re
from collections.abc import Iterator

from heldout.envs.searchqa.pages import query
from heldout.envs.searchqa.protocol import Answer, Move, Search, format_move, read
from heldout.envs.searchqa.scoring import matches
from heldout.envs.searchqa.world import Fact, World

TRIES = 2
"""Searches after which the oracle answers a question whose facts nobody wrote down."""

_SENTENCE = re.compile(r"(?<=[.?!])\s+")


def oracle(world: World) -> str:
    """The next action of a player that knows the facts: it still has to read each, then says the last."""
    return format_move(_move(world))


def turns(world: World, limit: int) -> int:
    """How many turns the oracle takes from here to the right answer; 0 where the limit is too low."""
    for taken in range(1, limit + 1):
        match _move(world):
            case Search(text):
                world, _ = world.search(text)
            case Answer(text):
                world, right = world.answer(text)
                return taken if right else 0
    return 0


def count_remaining(world: World) -> int:
    """The facts that are still to be read, and the answer."""
    return len(world.question.facts) - world.known + 1


def legal(world: World) -> list[str]:
    """Searches for the question and for what has been read of, and answers out of what has been read."""
    names = list(dict.fromkeys(passage.name for passage in world.read))
    learned = [fact.object for fact in world.question.facts[: world.known]]
    searches = [world.question.text, *map(query, world.question.facts[: world.known + 1]), *names]
    moves: list[Move] = [*map(Search, searches), *map(Answer, [*learned, *names])]
    return list(dict.fromkeys(format_move(move) for move in map(_plain, moves)))


def thought(world: World, action: str) -> str:
    """What leads to the action: the sentence that was read last on the way, quoted, and what is to be done."""
    if action != oracle(world):
        return "I try something else."
    match read(action):
        case Search() if world.known < len(world.question.facts):
            fact = world.question.facts[world.known]
            return _join(_quote(world), f"I look up {fact.subject}.")
        case Search():
            return "I look it up."
        case _:
            return _join(_quote(world), "So I can answer.")


def mistakes(world: World) -> list[str]:
    """Plausible mistakes, the tempting first: answering before the end, or with a namesake; searching again for
    what was found, or for somebody else; handing over the whole question."""
    facts, known = world.question.facts, world.known
    learned = [fact.object for fact in facts[:known]] or [fact.subject for fact in facts[:1]]
    others = [passage.name for passage in world.read if passage.name not in {fact.subject for fact in facts}]
    moves: list[Move] = [
        *(Answer(name) for name in reversed(learned)),
        *(Answer(name) for name in others[-3:]),
        *(Search(text) for text in world.queries[-1:]),
        *(Search(name) for name in others[-3:]),
        Search(world.question.text),
    ]
    wrong = [move for move in map(_plain, moves) if isinstance(move, Search) or not _right(world, move)]
    best = oracle(world)
    return [action for action in dict.fromkeys(map(format_move, wrong)) if action != best]


def _move(world: World) -> Move:
    """The oracle's: search for the first fact that was not read, and when all were, answer."""
    facts = world.question.facts
    if world.known < len(facts):
        return _next_search(world, facts[world.known])
    if not facts and len(world.queries) < TRIES and not _has_seen_answer(world):
        texts = [world.question.text, *(passage.name for passage in world.read)]
        return _plain(Search(next((text for text in texts if text not in world.queries), texts[0])))
    return Answer(world.question.answers[0])


def _next_search(world: World, fact: Fact) -> Search:
    """By name and relation; where that did not find the page, by the name alone."""
    best = query(fact)
    return Search(best if best not in world.queries else fact.subject)


def _has_seen_answer(world: World) -> bool:
    """Whether a passage that was read holds an answer."""
    texts = [passage.contents.lower() for passage in world.read]
    return any(answer.lower() in text for answer in world.question.answers for text in texts)


def _quote(world: World) -> str:
    """The sentence that states the fact read last on the way; none where none was, or where it holds a tag."""
    if not world.known:
        return ""
    fact = world.question.facts[world.known - 1]
    page = next(passage for passage in world.read if passage.name == fact.subject)
    return next(_holding(page.text, fact.object), "")


def _holding(text: str, name: str) -> Iterator[str]:
    return (sentence for sentence in _SENTENCE.split(text) if name in sentence)


def _join(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _right(world: World, move: Answer) -> bool:
    return matches(move.text, world.question.answers, exact_original=world.exact_original)


def _plain(move: Move) -> Move:
    """A move in one line and without signs that a tag is made of."""
    match move:
        case Search(text):
            return Search(" ".join(text.replace("<", " ").replace(">", " ").split()))
        case Answer(text):
            return Answer(" ".join(text.replace("<", " ").replace(">", " ").split()))
