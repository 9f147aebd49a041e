"""A chat template as pieces of ids: what is sampled stays as it was sampled.

A conversation's ids are its opening, then in turn a reply's sampled ids and the ids that lead to the
next reply. Contents are tokenised once, as plain text: a special token's name inside an observation is
words, not the token.
"""

from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError
from tokenizers import Tokenizer

from heldout.errors import BadCall
from heldout.records import Reply, Stop

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

    def plain(self, text: str) -> list[int]:
        """The ids of a text in which nothing is special."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def reply(self, ids: tuple[int, ...], logprobs: tuple[float, ...], context: list[int], stop: Stop) -> Reply:
        """What was sampled, with its words; the token that ended it, whichever the model chose, has none."""
        words = ids[:-1] if stop is Stop.END else ids
        text = self.tokenizer.decode(list(words), skip_special_tokens=False)
        return Reply(text=text, context_ids=tuple(context), token_ids=ids, logprobs=logprobs, stop=stop)


def chat_of(tokenizer: Any) -> Chat:
    """The pieces of a transformers tokenizer's chat template.

    Refused with the reason: no template, one that cannot render a conversation without a system message,
    one that rewrites history when a turn is added (the ids that were sampled would no longer be the ids
    that are read), and one whose replies have no end token.
    """
    if not tokenizer.chat_template:
        raise BadCall("the tokenizer has no chat template; heldout needs one to hold a conversation")
    first = _render(tokenizer, [_FIRST])
    longer = _render(tokenizer, [_FIRST, _REPLY, _NEXT])
    thoughtful = _render(tokenizer, [_FIRST, _THOUGHTFUL, _NEXT])
    if not longer.startswith(first + _REPLY) or not thoughtful.startswith(first + _THOUGHTFUL):
        raise BadCall(
            "the chat template rewrites earlier turns when one is added (it may strip past thinking), so "
            "the ids sampled would not be the ids read; use a template that only appends"
        )
    before_opening, _, before_reply = first.partition(_FIRST)
    joint, _, after = longer.removeprefix(first + _REPLY).partition(_NEXT)
    if after != before_reply:
        raise BadCall("the chat template ends a later user turn otherwise than the first; it cannot be appended to")
    joint_ids = tokenizer.encode(joint, add_special_tokens=False)
    if not joint_ids or joint_ids[0] not in tokenizer.all_special_ids:
        raise BadCall(f"the chat template ends a reply with {joint[:20]!r}, which is no special token")
    plain = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    plain.encode_special_tokens = True
    plain.no_truncation()
    plain.no_padding()
    return Chat(
        tokenizer=plain,
        before_opening=tuple(tokenizer.encode(before_opening, add_special_tokens=False)),
        before_reply=tuple(tokenizer.encode(before_reply, add_special_tokens=False)),
        end_id=joint_ids[0],
        before_observation=tuple(joint_ids[1:]),
    )


def _render(tokenizer: Any, contents: list[str]) -> str:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": content} for i, content in enumerate(contents)]
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except TemplateError as error:
        raise BadCall(f"the chat template refuses a conversation of user and assistant: {error}") from None
