"""What is trained in which order, and how people write it: one grammar for calls, folders, rows and reports.

    chain    = "base" | stage (" > " stage)*
    stage    = tasks ["." difficulty] ["[" change (" " change)* "]"]
    tasks    = env | mixture | "(" mixture ")"          parentheses where a mixture's difficulty follows
    mixture  = [weight "*"] env ("+" [weight "*"] env)*
    change   = path "=" value                           as in `--set`, of train.*, limits.* and source.variant.*

`parse_chain` and `chain_name` are each other's inverse. Difficulty `all` is not written.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from math import gcd

from heldout.addresses import public_name, without_credentials
from heldout.config import Config, setting_text, with_overrides
from heldout.errors import BadCall

BASE = "base"
"""The chain of no stage: the model that every chain starts from."""

DIFFICULTIES = ("easy", "hard", "all")

CHANGEABLE = ("train.", "limits.", "source.variant.")
"""What a stage may change begins with one of these: it decides the weights, and nothing else does."""

POINTLESS = {
    "limits.max_turns": "the turns of an episode in training are train.max_turns",
    "train.save_every": "how often is saved changes no weights: give it with --set",
    "train.max_skipped": "how many steps may be skipped changes no weights: give it with --set",
}
"""A setting that a stage cannot change → why."""

LONGEST_SLUG = 80
"""Signs of a slug, its hash apart: two of them and a seed stay below the 255 that a name may have."""

_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
"""What no file can be called on Windows, whatever follows a point."""

_RESERVED = re.compile(r"[\s>*+()\[\]=,]")
"""What an environment's name cannot hold, since the grammar does."""


@dataclass(frozen=True, slots=True, order=True)
class Stage:
    """One training run: some environments at one difficulty, and what is set otherwise for it alone.

    An environment on a server is named without what opens its address (`addresses.public_name`).
    `weights` are the environments' shares of a mixture, in whole numbers without a common divisor; none is equal
    shares. `changes` are settings by their dotted paths, in order; `train.steps` names where the stage ends.
    """

    envs: tuple[str, ...]
    difficulty: str = "all"
    weights: tuple[int, ...] = ()
    changes: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "envs", tuple(map(public_name, self.envs)))
        if not self.envs or len(set(self.envs)) < len(self.envs):
            raise BadCall(
                f"a stage has one environment or several different ones, not {', '.join(self.envs) or 'none'}"
            )
        for env in self.envs:
            if env in ("", BASE) or _RESERVED.search(env):
                raise BadCall(
                    f"no environment can be named {env!r}: a name is not {BASE}, and has no blank "
                    "and none of > * + ( ) [ ] = , in it"
                )
        object.__setattr__(self, "weights", _normal_weights(self.envs, self.weights))
        object.__setattr__(self, "changes", _normal_changes(self.changes))

    @property
    def name(self) -> str:
        """As people write it: `webshop.easy`, `(2*babyai+webshop).easy`, `textcraft[train.kl=0.01]`."""
        weights = self.weights or (1,) * len(self.envs)
        mixed = "+".join(
            env if weight == 1 else f"{weight}*{env}" for env, weight in zip(self.envs, weights, strict=True)
        )
        # A name such as `grid.easy` would be read as an environment and a difficulty.
        is_plain = self.difficulty == "all" and _without_difficulty(mixed) == (mixed, "")
        bracketed = f"({mixed})" if len(self.envs) > 1 and not is_plain else mixed
        changes = f"[{' '.join(f'{path}={value}' for path, value in self.changes)}]" if self.changes else ""
        return (bracketed if is_plain else f"{bracketed}.{self.difficulty}") + changes

    def apply_to(self, config: Config) -> Config:
        """The configuration with the stage's own settings in it."""
        return with_overrides(config, (f"{path}={value}" for path, value in self.changes))

    def without(self, *paths: str) -> "Stage":
        """The stage without these changes."""
        kept = tuple((path, value) for path, value in self.changes if path not in paths)
        return Stage(self.envs, self.difficulty, self.weights, kept)

    def ending_at(self, step: int) -> "Stage":
        """The stage, said to end at that step."""
        rest = self.without("train.steps")
        return Stage(self.envs, self.difficulty, self.weights, (*rest.changes, ("train.steps", str(step))))


Chain = tuple[Stage, ...]
"""Stages in order; the base is the chain of none."""


def chain_name(chain: Chain) -> str:
    """As people write it: `webshop.easy > webshop.hard`; `base` for no stage."""
    return " > ".join(stage.name for stage in chain) or BASE


def parse_chain(text: str) -> Chain:
    """The chain that `chain_name` wrote, or a person; what cannot be read is refused with what it should be."""
    if re.match(r"\s*merge\s*\(", text):
        raise BadCall(f"{text!r}: merge(A, B) is kept for checkpoints that are joined, which are not there yet")
    if text.strip() in ("", BASE):
        return ()
    return tuple(_parse_stage(part.strip(), text) for part in text.split(">"))


def training_chain(chain: Chain) -> Chain:
    """The chain whose last stage ends nowhere in particular: two lengths of a stage are one training."""
    return (*chain[:-1], chain[-1].without("train.steps"))


def stream_name(chain: Chain) -> str:
    """What streams of chance are named by: environments, difficulties and their order, never what was changed.

    So a stage and the same stage with another setting meet the same tasks and stay paired.
    """
    return " > ".join(f"{'+'.join(stage.envs)}.{stage.difficulty}" for stage in chain) or BASE


def slug_of(name: str) -> str:
    """A chain's name, or an environment's, in paths: `webshop.easy > webshop.hard` is `webshop.easy--webshop.hard`.

    A name that is long, has signs that a path should not have, or is one that Windows keeps for itself, is cut or
    loses them, and gets a hash: no name leads out of the folder that its slug is put in.
    """
    plain = re.sub(r"\s*>\s*", "--", name)
    kept = re.sub(r"[^a-z0-9_.+@-]+", "-", plain.lower()).strip("-.")[:LONGEST_SLUG]
    if kept and kept == plain and "--" not in name and kept.partition(".")[0] not in _DEVICES:
        return kept
    stem, dot, rest = kept.partition(".")
    kept = f"{stem}-{dot}{rest}" if stem in _DEVICES else kept
    return f"{kept}~{sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


def _normal_weights(envs: Sequence[str], weights: Sequence[int]) -> tuple[int, ...]:
    if not weights:
        return ()
    if len(weights) != len(envs) or any(type(weight) is not int or weight < 1 for weight in weights):
        raise BadCall(
            f"a mixture has a whole number from 1 up for each environment, not {tuple(weights)} for {tuple(envs)}"
        )
    divisor = gcd(*weights)
    shares = tuple(weight // divisor for weight in weights)
    return () if len(set(shares)) == 1 else shares


def _normal_changes(changes: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The changes in order of their paths, their values as settings are printed; each path once."""
    normal = sorted((path, _normal_value(path, value)) for path, value in changes)
    for (path, _), (other, _) in pairwise(normal):
        if path == other:
            raise BadCall(f"a stage changes {path} twice")
    return tuple(normal)


def _normal_value(path: str, value: str) -> str:
    if path in POINTLESS:
        raise BadCall(f"a stage cannot change {path}: {POINTLESS[path]}")
    if not path.startswith(CHANGEABLE):
        raise BadCall(f"a stage changes settings of train.*, limits.* and source.variant.* only, not {path!r}")
    text = setting_text(Config(), path, value.lower() if path == "train.algorithm" else value)
    if not text or _RESERVED.search(text):
        raise BadCall(f"a stage's {path} has a value without blanks and > * + ( ) [ ] = , in it, not {value!r}")
    return text


def _parse_stage(text: str, whole: str) -> Stage:
    found = re.fullmatch(r"(?P<tasks>[^\[\]]+?)\s*(?:\[(?P<changes>[^\[\]]*)\])?", text)
    if not found:
        raise _unreadable(text, whole)
    tasks, difficulty = _without_difficulty(found["tasks"])
    inner = re.fullmatch(r"\((.+)\)", tasks)
    if "+" in tasks and not inner and difficulty:
        raise BadCall(
            f"{text!r} can be read in two ways: write ({tasks}).{difficulty} for a mixture of {difficulty} tasks"
        )
    parts = [
        re.fullmatch(r"(?:(\d+)\s*\*)?\s*([^\s*()]+)", part.strip())
        for part in (inner[1] if inner else tasks).split("+")
    ]
    if not all(parts):
        raise _unreadable(text, whole)
    weighted = [(int(part[1] or 1), part[2]) for part in parts if part]
    return Stage(
        tuple(env for _, env in weighted),
        difficulty or "all",
        tuple(weight for weight, _ in weighted),
        tuple(_parse_change(change, text) for change in (found["changes"] or "").split()),
    )


def _parse_change(text: str, stage: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise BadCall(f"{stage!r}: a change is path=value, such as train.kl=0.01, not {text!r}")
    return path, value


def _without_difficulty(tasks: str) -> tuple[str, str]:
    """The tasks, and the difficulty at their end if one is there."""
    found = re.fullmatch(rf"(.+)\.({'|'.join(DIFFICULTIES)})", tasks)
    return (found[1], found[2]) if found else (tasks, "")


def _unreadable(stage: str, chain: str) -> BadCall:
    stage, chain = without_credentials(stage), without_credentials(chain)
    return BadCall(
        f"{chain!r} is no chain: {stage!r} is no stage (write webshop.easy > webshop.hard, babyai+webshop, "
        "(2*textcraft+webshop).easy, textcraft[train.kl=0.01 train.steps=40], or base)"
    )
