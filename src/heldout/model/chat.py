"""A chat template as pieces of ids: what is sampled stays as it was sampled.

A conversation's ids are its opening, then in turn a reply's sampled ids and the ids that lead to the
next reply. Contents are tokenised once, as plain text: a special token's name inside an observation is
words, not the token.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from heldout.errors import BadCall
from heldout.model.bounded import bounded
from heldout.records import Json, Reply, Stop, Trajectory, Turn

OWN = ("chatml", "chatml-no-thinking", "deepseek-r1")
"""Chat templates of ours, which only append: for families whose own rewrite earlier turns (docs/models.md)."""
TEMPLATE_DATE = date(2024, 7, 26)
"""Today, for templates that ask: the same prompt on every day, and what Llama's own says where it cannot ask."""
_TODAY = re.compile(r"""strftime_now\(\s*(?P<quote>['"])(?P<format>[^'"]*)(?P=quote)\s*\)""")

_FIRST, _REPLY, _NEXT = "<first>", "<reply>", "<next>"
_THOUGHTFUL = "<think>\n<inner>\n</think>\n\n<reply>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A tokenizer and the fixed ids that its template puts around contents."""

    tokenizer: Tokenizer
    """Reads special-token strings as plain words."""
    before_opening: tuple[int, ...]
    before_reply: tuple[int, ...]
    end_id: int
    """The token that ends a reply."""
    before_observation: tuple[int, ...]
    """What the template puts after an end token, before the next user content."""

    def opening(self, text: str) -> list[int]:
        """The ids of the whole prompt: the template, the first message, and the call for a reply."""
        return [*self.before_opening, *self.plain(text), *self.before_reply]

    def continuation(self, text: str, *, ended: bool) -> list[int]:
        """The ids from a reply to the call for the next one; a reply that was cut gets its end token here."""
        end = [] if ended else [self.end_id]
        return [*end, *self.before_observation, *self.plain(text), *self.before_reply]

    def spelled(self, trajectory: Trajectory) -> Trajectory:
        """The same episode with the ids that the model would have read and said: somebody else has played it."""
        turns, words = list[Turn](), [turn.reply.text for turn in trajectory.turns]
        ids = self.dialogue(trajectory.opening, words, [turn.observation for turn in trajectory.turns])
        for turn, (read, said) in zip(trajectory.turns, ids, strict=True):
            reply = Reply(
                text=turn.reply.text,
                context_ids=tuple(read),
                token_ids=tuple(said),
                logprobs=(0.0,) * len(said),
            )
            turns.append(replace(turn, reply=reply))
        return replace(trajectory, turns=tuple(turns))

    def dialogue(
        self, opening: str, said: Sequence[str], observed: Sequence[str]
    ) -> Iterator[tuple[list[int], list[int]]]:
        """Of each reply: the ids that were read before it, and its own to its end; the last observation is not
        read."""
        for turn, words in enumerate(said):
            read = self.continuation(observed[turn - 1], ended=True) if turn else self.opening(opening)
            yield read, [*self.plain(words), self.end_id]

    def plain(self, text: str) -> list[int]:
        """The ids of a text in which nothing is special."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def reply(self, ids: tuple[int, ...], logprobs: tuple[float, ...], context: list[int], stop: Stop) -> Reply:
        """What was sampled, with its words; the token that ended it, whichever the model chose, has none."""
        words = ids[:-1] if stop is Stop.END else ids
        text = self.tokenizer.decode(list(words), skip_special_tokens=False)
        return Reply(text=text, context_ids=tuple(context), token_ids=ids, logprobs=logprobs, stop=stop)


def chat_of(tokenizer: Any, end_ids: Iterable[int] = ()) -> Chat:
    """The pieces of a transformers tokenizer's chat template; `end_ids` are those at which the model itself ends.

    Refused with the reason: no template, one that cannot render a conversation without a system message, one that
    rewrites history when a turn is added (the ids that were sampled would no longer be the ids that are read), one
    whose replies have no end token, and one whose pieces have other ids than the whole that it renders.
    """
    if not tokenizer.chat_template:
        raise BadCall(
            "the tokenizer has no chat template, so it is no model to talk with; heldout needs one to hold a "
            "conversation: give one by --chat-template (a file, or one of: " + ", ".join(sorted(OWN)) + ")"
        )
    first = _render(tokenizer, [_FIRST])
    longer = _render(tokenizer, [_FIRST, _REPLY, _NEXT])
    _refuse_parts(tokenizer, first)
    _refuse_rewriting(tokenizer, first, longer)
    before_opening, _, before_reply = first.partition(_FIRST)
    joint, _, after = longer.removeprefix(first + _REPLY).partition(_NEXT)
    if after != before_reply:
        raise BadCall("the chat template ends a later user turn otherwise than the first; it cannot be appended to")
    joint_ids = tokenizer.encode(joint, add_special_tokens=False)
    ends = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder, *end_ids}
    if not joint_ids or joint_ids[0] not in ends:
        raise BadCall(
            f"the chat template ends a reply with {joint[:20]!r}, which is no special token, so nothing would end "
            "a reply: use a template whose replies end with one (--chat-template)"
        )
    for plain, fixed in _readings(tokenizer):
        chat = Chat(
            tokenizer=plain,
            before_opening=tuple(tokenizer.encode(before_opening, add_special_tokens=False)),
            before_reply=tuple(fixed(before_reply)),
            end_id=joint_ids[0],
            before_observation=tuple(joint_ids[1:]),
        )
        if _as_a_whole(tokenizer, chat):
            return chat
    raise BadCall(
        "the tokenizer gives pieces of a conversation other ids than the whole that its chat template renders, so "
        "the model would read what it was not trained on (some put a space before every text); use another "
        "--chat-template, with special tokens around contents"
    )


def template_of(name: str) -> str:
    """The text of a chat template: one of ours by its name, or a file's."""
    if name in OWN:
        return (files("heldout.model") / "templates" / f"{name}.jinja").read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadCall(f"no chat template {name!r}: {why} (choose from: a file, {', '.join(sorted(OWN))})") from None


def _refuse_parts(tokenizer: Any, first: str) -> None:
    if _FIRST in first:
        return
    parts = [{"role": "user", "content": [{"type": "text", "text": _FIRST}]}]
    if _FIRST in _rendered(tokenizer, parts):
        raise BadCall(
            "the chat template takes contents as lists of parts, and loses a text; use one that takes texts "
            "(--chat-template)"
        )
    raise BadCall("the chat template loses what a user says; use another (--chat-template)")


def _refuse_rewriting(tokenizer: Any, first: str, longer: str) -> None:
    """Refuses a template with which a longer conversation does not begin as the shorter one did."""
    if longer.startswith(first) and not longer.startswith(first + _REPLY) and _REPLY in longer:
        put = longer.removeprefix(first).partition(_REPLY)[0]
        raise BadCall(
            f"the chat template puts {put!r} before a reply that it does not put before the model speaks, so the "
            "ids sampled would not be the ids read; use one that only appends (--chat-template)"
        )
    thoughtful = _render(tokenizer, [_FIRST, _THOUGHTFUL, _NEXT])
    if not longer.startswith(first + _REPLY) or not thoughtful.startswith(first + _THOUGHTFUL):
        raise BadCall(
            "the chat template rewrites earlier turns when one is added (it may strip past thinking), so the ids "
            "sampled would not be the ids read; use one that only appends: --chat-template FILE, or one of: "
            + ", ".join(OWN)
        )


def _readings(tokenizer: Any) -> Iterator[tuple[Tokenizer, Callable[[str], list[int]]]]:
    """Ways to read a content, and the fixed text after it: as the tokenizer does, and without a space put before.

    Tokenizers in the manner of SentencePiece put one before a text; inside a conversation there is none.
    """
    written = json.loads(tokenizer.backend_tokenizer.to_str())
    prefixless = _prefixless(written)

    def as_it_is(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False))

    yield _plain(written), as_it_is
    if prefixless == written:
        return
    bare = Tokenizer.from_str(json.dumps(prefixless))
    yield _plain(prefixless), as_it_is
    yield _plain(prefixless), lambda text: list(bare.encode(text, add_special_tokens=False).ids)


def _plain(written: Json) -> Tokenizer:
    """A tokenizer to which no text is special, whoever says it: `<think>` in an observation is a word too.

    Tokens that were added for runs of blanks stay, since they are only a shorter way to write the same.
    """
    added = [
        {**each, "special": each["special"] or bool(each["content"].strip())} for each in written["added_tokens"]
    ]
    plain = Tokenizer.from_str(json.dumps({**written, "added_tokens": added}))
    plain.encode_special_tokens = True
    plain.no_truncation()
    plain.no_padding()
    return plain


def _prefixless(written: Json) -> Json:
    """The same tokenizer, as its file says it, without a space before a text."""
    if isinstance(written, list):
        kept = [each for each in written if not (isinstance(each, dict) and each.get("type") == "Prepend")]
        return [_prefixless(each) for each in kept]
    if not isinstance(written, dict):
        return written
    changed = {name: value if name == "model" else _prefixless(value) for name, value in written.items()}
    if changed.get("type") == "Metaspace":
        changed["prepend_scheme"] = "never"
    if changed.get("type") == "ByteLevel":
        changed["add_prefix_space"] = False
    if isinstance(changed.get("normalizer"), dict) and changed["normalizer"].get("type") == "Prepend":
        changed["normalizer"] = None
    return changed


def _as_a_whole(tokenizer: Any, chat: Chat) -> bool:
    """Whether the pieces of a conversation have the ids of all of it."""
    opening, reply, observation = "Turn 1: a red key.", "Thought: take it.\nAction: take key", "You have it."
    pieces = [*chat.opening(opening), *chat.plain(reply), *chat.continuation(observation, ended=False)]
    whole = tokenizer.encode(_render(tokenizer, [opening, reply, observation]), add_special_tokens=False)
    return pieces == list(whole)


def _as_of_the_date(call: re.Match[str]) -> str:
    return repr(TEMPLATE_DATE.strftime(call["format"]))


def _render(tokenizer: Any, contents: list[str]) -> str:
    roles = ("user", "assistant")
    return _rendered(tokenizer, [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)])


def _rendered(tokenizer: Any, messages: list[dict[str, Any]]) -> str:
    """A conversation as the template renders it: only here does a template run, in a process with bounds."""

    def render() -> str:
        template = _TODAY.sub(_as_of_the_date, tokenizer.get_chat_template())
        return str(
            tokenizer.apply_chat_template(
                messages, chat_template=template, tokenize=False, add_generation_prompt=True
            )
        )

    return bounded(render, "the chat template refuses a conversation of user and assistant")
