"""Before anything is played: does an engine sample from the distribution that the learner learns?

A short rollout in pieces, longer than any window that a run can reach, is compared with one plain forward pass over
the same ids, and that pass with one over padded rows, as the learner makes it. What differs is refused with its
figure; a model whose memory cannot lie in rows gets the engine that it is right with.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from torch import Tensor

from heldout.errors import HeldoutError, in_one_line
from heldout.model.engines.base import Completion
from heldout.model.engines.hf import HfEngine
from heldout.model.engines.masks import windows_of
from heldout.model.engines.packed import PackedEngine
from heldout.model.engines.single import SingleEngine
from heldout.model.head import body_of, head_of
from heldout.records import Json, digest, from_json, to_json
from heldout.store.files import read_json, replace_json
from heldout.version import __version__

MOST = 1e-3
"""In float32, how far any log-probability may be from that of the plain pass, in nats."""
MOST_NARROW = 0.03
"""In fewer bits, how far they may be on average: rounding alone makes 0.008 of thirty layers in bfloat16."""
SHORT = 40
"""How long the longest conversation of a proof is where there is no window to pass."""
KEPT_SECONDS = 2.0
"""A proof that took longer is kept for the next time."""

LocalEngine = PackedEngine | HfEngine | SingleEngine
"""An engine that samples from a model in this process."""
Make = Callable[..., LocalEngine]
ENGINES: Mapping[str, Make] = {
    "rows": PackedEngine,
    "rows, padded": HfEngine,
    "single": SingleEngine,
    "single, id by id": partial(SingleEngine, one_by_one=True),
}
"""From the fastest to the slowest: the first that is exact is taken."""

_PIECES = (((0.5, 4), (0.5, 6), (0.1, 3)), ((0.1, 5), (0.2, 3), (0.05, 5)), ((0.3, 2), (0.05, 4), (0.2, 2)))
"""Of three conversations, turn by turn: the share of the longest length that is read, and how many are sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Which engine is exact for a model, and how exact it was."""

    engine: str
    """A name of `ENGINES`."""
    difference: float
    """In nats: the largest in float32, the mean in fewer bits."""


def engine_for(model: Any, *, slots: int, context: int, end_ids: Sequence[int]) -> LocalEngine:
    """The fastest engine that samples this model exactly; none is one line with every engine's reason."""
    proof = kept_proof(model, context)
    return ENGINES[proof.engine](model, slots=slots, context=context, end_ids=end_ids)


def kept_proof(model: Any, context: int) -> Proof:
    """A proof by what it is of: weights, shape, number format, device, length, versions; made if there is none."""
    path = _folder() / f"{_identity(model, context)}.json"
    with suppress(HeldoutError):  # a file that is damaged proves nothing
        kept = from_json(Proof, read_json(path))
        if kept.engine in ENGINES:
            return kept
    begun = time.perf_counter()
    proof = prove(model, context)
    if time.perf_counter() - begun > KEPT_SECONDS:
        with suppress(HeldoutError):  # a place that cannot be written in makes the next proof cost as much again
            replace_json(path, to_json(proof))
    return proof


def prove(model: Any, context: int) -> Proof:
    """The first engine that is exact over a context of so many ids."""
    length = length_of_proof(model.config, context)
    padded = _padded(model, length)
    if not padded <= bound_of(model):
        raise HeldoutError(
            f"{type(model).__name__} gives other log-probabilities to a row beside a longer one: {padded:.2g} nats "
            f"where {bound_of(model):g} is the bound, so no batch of it can be learned from"
        )
    reasons = list[str]()
    for name, make in ENGINES.items():
        try:
            difference = rollout_difference(model, make, length)
        except Exception as error:  # a model's own code, on a cache that it may not know: it fails in every way
            reasons.append(f"{name}: {in_one_line(error)}"[:160])
            continue
        if difference <= bound_of(model):
            return Proof(engine=name, difference=difference)
        reasons.append(f"{name}: {difference:.2g} nats from a plain forward pass, over {bound_of(model):g}")
    raise HeldoutError(f"{type(model).__name__} cannot be sampled exactly ({'; '.join(reasons)})")


def bound_of(model: Any) -> float:
    """How large a difference may be."""
    return MOST if model.dtype.itemsize >= 4 else MOST_NARROW


def length_of_proof(config: Any, context: int) -> int:
    """Longer than the longest window that a conversation of `context` ids can leave."""
    reached = [window for window in windows_of(config) if window < context]
    return min(context - 16, max([SHORT, *(window + SHORT for window in reached)]))


@torch.inference_mode()
def rollout_difference(model: Any, make: Make, length: int) -> float:
    """What an engine says of ids that it samples, beside what one plain forward pass says of them."""
    engine = make(model, slots=len(_PIECES), context=length * 3, end_ids=())
    rng = Random(0)
    words = _words(model)
    temperature = _temperature(model, words[:length])
    ids: list[list[int]] = [[] for _ in _PIECES]
    said: list[list[tuple[int, float]]] = [[] for _ in _PIECES]
    turns = [0] * len(_PIECES)

    def submit(number: int) -> None:
        share, count = _PIECES[number][turns[number]]
        read = [rng.choice(words) for _ in range(max(2, int(share * length)))]
        ids[number] += read
        engine.submit(str(number), read, count, seed=turns[number], temperature=temperature)

    for number in range(len(_PIECES)):
        submit(number)
    while done := engine.collect():
        for completion in done:
            number = int(completion.conversation)
            _note(completion, ids[number], said[number])
            turns[number] += 1
            if turns[number] < len(_PIECES[number]):
                submit(number)
            else:
                engine.release(completion.conversation)
    differences = list[float]()
    for row, spoken in zip(ids, said, strict=True):
        logp_T = _logp(model, torch.tensor([row], device=model.device), temperature)[0]
        differences += [abs(float(logp_T[at - 1]) - logprob) for at, logprob in spoken]
    return _summed(model, differences)


def _padded(model: Any, length: int) -> float:
    try:
        return padding_difference(model, length)
    except Exception as error:  # a model's own code
        raise HeldoutError(f"{type(model).__name__} cannot read two rows at once: {error}") from None


@torch.inference_mode()
def padding_difference(model: Any, length: int) -> float:
    """What a row's log-probabilities change by when a longer one, and its own padding, stands beside it."""
    rng = Random(1)
    words = _words(model)
    long = [rng.choice(words) for _ in range(length)]
    short = [rng.choice(words) for _ in range(length * 2 // 3)]
    temperature = _temperature(model, short)
    padded = torch.tensor([long, short + [0] * (length - len(short))], device=model.device)
    beside = _logp(model, padded, temperature)[1]
    alone = _logp(model, torch.tensor([short], device=model.device), temperature)[0]
    return _summed(model, (beside[: len(alone)] - alone).abs().tolist())


def _note(completion: Completion, ids: list[int], said: list[tuple[int, float]]) -> None:
    for token, logprob in zip(completion.token_ids, completion.logprobs, strict=True):
        said.append((len(ids), logprob))
        ids.append(token)


def _summed(model: Any, differences: list[float]) -> float:
    """The figure that `bound_of` bounds; a difference that is no number is none that is small."""
    total = sum(differences)
    if total != total:
        return float("inf")
    return max(differences) if bound_of(model) == MOST else total / len(differences)


def _logits(model: Any, ids_BT: Tensor) -> Tensor:
    """Of each next id, B × T-1 × V, by the pass that the learner makes."""
    hidden_BTE = body_of(model)(input_ids=ids_BT, use_cache=False).last_hidden_state
    return head_of(model)(hidden_BTE[:, :-1])


def _temperature(model: Any, ids: Sequence[int]) -> float:
    """One at which no id is certain: of what is certain every engine says the same."""
    return max(1.0, float(_logits(model, torch.tensor([ids], device=model.device)).std()))


def _logp(model: Any, ids_BT: Tensor, temperature: float) -> Tensor:
    """Of each id after the first, B × T-1."""
    logp_BTV = (_logits(model, ids_BT) / temperature).log_softmax(-1)
    return logp_BTV.gather(2, ids_BT[:, 1:, None])[:, :, 0]


def _words(model: Any) -> list[int]:
    """Ids to read: those that stand for something of their own in this model are not among them."""
    config = model.config.get_text_config()
    own = {value for name, value in config.to_dict().items() if name.endswith("token_id") and type(value) is int}
    return [each for each in range(min(config.vocab_size, 32_000)) if each not in own]


def _identity(model: Any, context: int) -> str:
    """What a proof is of; the weights by their sums, so that it does not matter where they came from."""
    config: Json = model.config.to_dict()
    return digest(
        {
            "weights": [float(each.detach().sum(dtype=torch.float64)) for each in model.parameters()],
            "config": {name: str(value) for name, value in config.items() if name != "_name_or_path"},
            "format": [str(model.dtype), model.device.type],
            "engines": list(ENGINES),
            "length": length_of_proof(model.config, context),
            "versions": [__version__, transformers.__version__, torch.__version__],
        }
    )


def _folder() -> Path:
    """Where proofs are kept, as other programs keep what they can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "heldout" / "proofs"
