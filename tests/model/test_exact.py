"""Token-exactness: the ids sampled are the ids kept, and a plain forward pass agrees with them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

import pytest
import torch
from tokenizers import Tokenizer, decoders, models

from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Limits, Source
from heldout.envs.base import Suite
from heldout.learn.batch import sequence_of
from heldout.model.chat import Chat
from heldout.model.engines.base import Completion, Weights
from heldout.model.engines.hf import HfEngine
from heldout.model.local import LocalPolicy
from heldout.records import Ending, Stop, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

Suites = Callable[[str], Suite]

LIMITS = Limits(max_turns=3, response_budget=600, reply_tokens=24)


@pytest.fixture(scope="module")
def shared(tiny: Path) -> Worker:
    return Worker(WorkerConfig(model=str(tiny), source=Source()))


def assigned(suites: Suites, env: str, count: int, attempts: int = 1) -> list[Assignment]:
    tasks = suites(env).tasks("train")[:count]
    return [Assignment(task=task, attempt=k, seed=0, stream="exact") for task in tasks for k in range(attempts)]


def played(
    worker: Worker, suites: Suites, assignments: Iterable[Assignment], limits: Limits = LIMITS, **engine: float
) -> list[Trajectory]:
    """In the order of their names; `engine` has slots, context and temperature."""
    made = HfEngine(
        worker.model,
        slots=int(engine.get("slots", 32)),
        context=int(engine.get("context", 4096)),
        end_ids=[worker.chat.end_id],
    )
    done = play(LocalPolicy(worker.chat, made, engine.get("temperature", 1.0)), assignments, limits, suites)
    return sorted(done, key=lambda each: each.stream)


@pytest.fixture(scope="module")
def many(shared: Worker, trio: Suites) -> list[Trajectory]:
    """216 episodes, of up to three turns, in three environments."""
    work = [each for env in ("corridor", "textcraft", "babyai") for each in assigned(trio, env, 18, attempts=4)]
    return played(shared, trio, work)


def largest_error(worker: Worker, ids: Sequence[int], sampled: Sequence[bool], logprobs: Sequence[float]) -> float:
    """Between what was recorded and a plain forward pass over the ids, at temperature 1."""
    with torch.no_grad():
        logp_TV = worker.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    known_T = logp_TV[:-1].gather(1, torch.tensor(ids)[1:, None])[:, 0]
    said_T = torch.tensor(sampled[1:])
    return float((known_T - torch.tensor(logprobs[1:])).abs()[said_T].max())


def ids_of(chat: Chat, trajectory: Trajectory) -> list[int]:
    """What a conversation's ids must be: the opening, and what was sampled and observed in turn."""
    ids = chat.opening(trajectory.opening)
    for turn, after in zip(trajectory.turns, [*trajectory.turns[1:], None], strict=True):
        said = turn.reply.token_ids
        ids += said
        if after is not None and after.reply.token_ids:
            ids += chat.continuation(turn.observation, ended=said[-1] == chat.end_id)
    return ids


def test_a_plain_forward_pass_gives_the_recorded_log_probabilities(shared: Worker, many: list[Trajectory]) -> None:
    assert len(many) == 216
    assert sum(len(each.turns) > 1 for each in many) >= 200
    assert Counter(turn.reply.stop for each in many for turn in each.turns).keys() == {Stop.END, Stop.LENGTH}
    assert max(largest_error(shared, *sequence_of(each)) for each in many) < 1e-4


def test_a_conversation_is_its_opening_and_what_was_said_and_observed_in_turn(
    shared: Worker, many: list[Trajectory]
) -> None:
    for each in many:
        ids, sampled, _ = sequence_of(each)
        assert ids == ids_of(shared.chat, each)
        assert sum(sampled) == each.generated_tokens
        assert len(ids) - len(each.turns[0].reply.context_ids) == each.response_length


def test_a_rollout_that_decodes_and_encodes_again_would_be_caught(shared: Worker, many: list[Trajectory]) -> None:
    """The words are the same, the ids are not: what would be trained on was never sampled."""
    chat, caught = shared.chat, 0
    for each in many:
        replies = [turn.reply for turn in each.turns]
        again = [chat.plain(reply.text) + [chat.end_id] * (reply.stop is Stop.END) for reply in replies]
        if again == [list(reply.token_ids) for reply in replies]:
            continue
        words = [chat.tokenizer.decode(ids, skip_special_tokens=False) for ids in again]
        assert [text.removesuffix("<|im_end|>") for text in words] == [reply.text for reply in replies]
        turns = zip(each.turns, again, strict=True)
        encoded = [replace(turn, reply=replace(turn.reply, token_ids=tuple(ids))) for turn, ids in turns]
        ids, sampled, _ = sequence_of(replace(each, turns=tuple(encoded)))
        _, _, logprobs = sequence_of(each)
        logprobs = (logprobs + [0.0] * len(ids))[: len(ids)]
        caught += ids != ids_of(chat, each) and largest_error(shared, ids, sampled, logprobs) > 1e-2
    assert caught > 20


@final
class Dictated:
    """An engine that samples given ids: the toy beside `HfEngine`."""

    slots, context = 4, 1000

    def __init__(self, *replies: Sequence[int]) -> None:
        self._replies = iter(replies)
        self._open = list[str]()

    def submit(
        self, conversation: str, ids: Sequence[int], max_tokens: int, *, seed: int, temperature: float = 1.0
    ) -> None:
        """Take a request."""
        del ids, max_tokens, seed, temperature
        self._open.append(conversation)

    def collect(self) -> list[Completion]:
        """The next reply for each open request."""
        asked, self._open = self._open, []
        return [self._said(conversation, tuple(next(self._replies))) for conversation in asked]

    def release(self, conversation: str) -> None:
        """Nothing is kept."""

    def rest(self) -> None:
        """Nothing is kept."""

    def update(self, weights: Weights) -> None:
        """There are none."""
        del weights

    def _said(self, conversation: str, ids: tuple[int, ...]) -> Completion:
        return Completion(conversation=conversation, token_ids=ids, logprobs=(-1.0,) * len(ids), stop=Stop.END)


def test_ids_are_kept_as_sampled_where_a_tokenizer_would_choose_others(trio: Suites) -> None:
    spelling = "Action: read n"
    vocabulary = {piece: id for id, piece in enumerate(["<end>", "?", *sorted(set(spelling)), "re"])}
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=[("r", "e")], unk_token="?"))
    bpe.decoder = decoders.Fuse()
    chat = Chat(tokenizer=bpe, before_opening=(), before_reply=(), end_id=0, before_observation=())
    spelled = [vocabulary[sign] for sign in spelling]
    split = [*spelled, 0]
    [trajectory] = play(
        LocalPolicy(chat, Dictated(split, split)), assigned(trio, "corridor", 1), replace(LIMITS, max_turns=2), trio
    )
    reply = trajectory.turns[0].reply
    assert reply.text == spelling
    assert reply.token_ids == tuple(split)
    again = chat.plain(reply.text)
    assert bpe.decode(again) == reply.text
    assert again != spelled
    assert len(again) == len(spelled) - 1


@pytest.mark.slow
@pytest.mark.parametrize("slots", [1, 3])
def test_few_slots_are_shared_by_many_conversations(
    shared: Worker, trio: Suites, many: list[Trajectory], slots: int
) -> None:
    work = [each for env in ("babyai", "corridor") for each in assigned(trio, env, 7)]
    done = played(shared, trio, work, slots=slots)
    assert len(done) == 14
    assert max(largest_error(shared, *sequence_of(each)) for each in done) < 1e-4
    known = {each.stream: each for each in many}
    assert [ids(each) for each in done] == [ids(known[each.stream]) for each in done]


def ids(trajectory: Trajectory) -> list[tuple[int, ...]]:
    return [turn.reply.token_ids for turn in trajectory.turns]


def test_the_same_streams_give_the_same_episodes_whoever_else_plays(
    shared: Worker, trio: Suites, many: list[Trajectory]
) -> None:
    work = assigned(trio, "corridor", 18, attempts=4)
    some = played(shared, trio, work[::3], slots=8)
    assert some == played(shared, trio, work[::3], slots=8)
    known = {each.stream: ids(each) for each in many}
    assert [ids(each) for each in some] == [known[each.stream] for each in some]


def test_greedy_decoding_says_the_likeliest_token_each_time(shared: Worker, trio: Suites) -> None:
    for each in played(shared, trio, assigned(trio, "corridor", 6), temperature=0.0):
        ids, sampled, logprobs = sequence_of(each)
        with torch.no_grad():
            best = shared.model(input_ids=torch.tensor([ids])).logits[0].argmax(-1).tolist()
        assert all(best[at - 1] == ids[at] for at, said in enumerate(sampled) if said)
        assert set(logprobs) == {0.0}


def test_log_probabilities_are_those_of_the_distribution_sampled_from(shared: Worker, trio: Suites) -> None:
    [each] = played(shared, trio, assigned(trio, "corridor", 1), temperature=0.5)
    ids, sampled, logprobs = sequence_of(each)
    with torch.no_grad():
        logp_TV = (shared.model(input_ids=torch.tensor([ids])).logits[0] / 0.5).log_softmax(-1)
    known = [float(logp_TV[at - 1, ids[at]]) for at, said in enumerate(sampled) if said]
    assert known == pytest.approx(
        [logprob for logprob, said in zip(logprobs, sampled, strict=True) if said], abs=1e-4
    )


def test_a_reply_cut_at_its_cap_gets_its_end_token_as_context(shared: Worker, trio: Suites) -> None:
    done = played(shared, trio, assigned(trio, "textcraft", 8), replace(LIMITS, reply_tokens=5))
    cut = [
        (turn.reply, after.reply)
        for each in done
        for turn, after in zip(each.turns, each.turns[1:], strict=False)
        if turn.reply.stop is Stop.LENGTH
    ]
    assert len(cut) > 8
    for reply, after in cut:
        assert len(reply.token_ids) == 5
        assert shared.chat.end_id not in reply.token_ids
        assert after.context_ids[0] == shared.chat.end_id
    assert max(largest_error(shared, *sequence_of(each)) for each in done) < 1e-4


def test_an_episode_that_spends_its_budget_is_out_of_tokens(shared: Worker, trio: Suites) -> None:
    limits = replace(LIMITS, response_budget=60, max_turns=20)
    done = played(shared, trio, assigned(trio, "babyai", 12), limits)
    spent = [each for each in done if each.ending is Ending.OUT_OF_TOKENS]
    assert len(spent) > 6
    assert all(each.response_length <= 60 for each in done)
    for each in spent:
        last = each.turns[-1].reply
        assert last.stop is Stop.NO_ROOM
        assert not last.token_ids or each.response_length == 60
    assert max(largest_error(shared, *sequence_of(each)) for each in done) < 1e-4


def test_an_episode_that_fills_the_context_is_out_of_tokens(shared: Worker, trio: Suites) -> None:
    work = assigned(trio, "babyai", 12)
    free = played(shared, trio, work, replace(LIMITS, max_turns=20), slots=5)
    longest = max(len(shared.chat.opening(each.opening)) for each in free)
    ids, sampled, _ = max(map(sequence_of, free), key=lambda sequence: len(sequence[0]))
    in_a_reply = (at for at in range(longest + 30, len(ids)) if sampled[at - 1] and sampled[at])
    context = next(in_a_reply)
    done = played(shared, trio, work, replace(LIMITS, max_turns=20), context=context, slots=5)
    assert Counter(each.ending for each in done)[Ending.OUT_OF_TOKENS] > 6
    lengths = [len(sequence_of(each)[0]) for each in done]
    assert max(lengths) <= context
    assert context in lengths
    assert max(largest_error(shared, *sequence_of(each)) for each in done) < 1e-4


def test_a_prompt_longer_than_the_context_is_never_begun(shared: Worker, trio: Suites) -> None:
    [each] = played(shared, trio, assigned(trio, "babyai", 1), context=50)
    assert each.ending is Ending.OUT_OF_TOKENS
    assert sequence_of(each) == ([], [], [])


def test_a_model_may_end_a_reply_in_several_ways(shared: Worker, trio: Suites, many: list[Trajectory]) -> None:
    """Another end token than the template's: it is sampled, has no words, and the template's follows as context."""
    chat = shared.chat
    common = Counter(id for each in many for id in each.turns[0].reply.token_ids[:-1]).most_common(1)[0][0]
    engine = HfEngine(shared.model, slots=8, context=4096, end_ids=[chat.end_id, common])
    done = list(play(LocalPolicy(chat, engine), assigned(trio, "textcraft", 8), LIMITS, trio))
    pairs = [pair for each in done for pair in zip(each.turns, each.turns[1:], strict=False)]
    others = [(turn.reply, after.reply) for turn, after in pairs if turn.reply.token_ids[-1] == common]
    assert others
    for reply, after in others:
        assert reply.stop is Stop.END
        assert reply.text == chat.tokenizer.decode(list(reply.token_ids[:-1]), skip_special_tokens=False)
        assert after.context_ids[0] == chat.end_id
    assert max(largest_error(shared, *sequence_of(each)) for each in done) < 1e-4
