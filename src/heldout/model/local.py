"""A policy over an engine: words become ids once, and the ids sampled are the ids kept."""

from dataclasses import dataclass
from typing import final

from heldout.model.chat import Chat
from heldout.model.engines.base import Completion, Engine
from heldout.policies.base import Request
from heldout.records import Reply, Stop


@dataclass(slots=True)
class _Conversation:
    """How long a conversation is, and what the open request read and may sample."""

    prompt: int
    length: int = 0
    ended: bool = True
    context: list[int] | None = None
    cut_by_room: bool = False


@final
class LocalPolicy:
    """A local model that replies; conversations beyond the engine's slots wait in `groups`."""

    def __init__(self, chat: Chat, engine: Engine, temperature: float = 1.0) -> None:
        self._chat = chat
        self._engine = engine
        self._temperature = temperature
        self._conversations = dict[str, _Conversation]()
        self._refused = list[tuple[str, Reply]]()

    @property
    def in_flight(self) -> int:
        """How many conversations the engine holds."""
        return self._engine.slots

    def submit(self, request: Request) -> None:
        """Read what is new and begin to sample; a conversation without room for one more token is refused."""
        known = self._conversations.get(request.conversation)
        if known is None:
            context = self._chat.opening(request.text)
            known = self._conversations[request.conversation] = _Conversation(len(context), len(context))
            used = 0
        else:
            context = self._chat.continuation(request.text, ended=known.ended)
            known.length += len(context)
            used = known.length - known.prompt
        room = min(request.response_budget - used, self._engine.context - known.length)
        if room <= 0:
            self._refused.append((request.conversation, Reply(text="", stop=Stop.NO_ROOM)))
            return
        known.context = context
        known.cut_by_room = room < request.reply_tokens
        self._engine.submit(
            request.conversation,
            context,
            min(room, request.reply_tokens),
            seed=request.seed,
            temperature=self._temperature,
        )

    def collect(self) -> list[tuple[str, Reply]]:
        """Some finished replies."""
        refused, self._refused = self._refused, []
        return refused or [(done.conversation, self._reply(done)) for done in self._engine.collect()]

    def release(self, conversation: str) -> None:
        """Forget a conversation, here and in the engine."""
        self._conversations.pop(conversation, None)
        self._engine.release(conversation)

    def close(self) -> None:
        """Forget every conversation."""
        for conversation in list(self._conversations):
            self.release(conversation)

    def _reply(self, done: Completion) -> Reply:
        known = self._conversations[done.conversation]
        known.length += len(done.token_ids)
        known.ended = done.token_ids[-1] == self._chat.end_id
        stop = Stop.NO_ROOM if done.stop is Stop.LENGTH and known.cut_by_room else done.stop
        return self._chat.reply(done.token_ids, done.logprobs, known.context or [], stop)
