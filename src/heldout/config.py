"""Settings as frozen values: a configuration is a function that returns one, a variation names what it changes."""

import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from json import loads
from math import inf
from typing import Annotated, Any, TypeVar

from heldout.errors import BadCall, unknown
from heldout.ranges import Range, Ranged

C = TypeVar("C")

Count = Annotated[int, Range(1)]
CountOrNone = Annotated[int | None, Range(1)]
NotNegative = Annotated[int, Range(0)]
Share = Annotated[float, Range(0, 1)]


@dataclass(frozen=True, slots=True, order=True)
class Option:
    """What one environment alone reads of a source, as it is written: `source.options.<env>.<name>=<value>`."""

    env: str
    name: str
    value: str

    @property
    def path(self) -> str:
        """The setting's dotted path."""
        return f"source.options.{self.env}.{self.name}"


TRAITS: Mapping[str, tuple[str, ...]] = {
    "actions": ("shown", "hidden"),
    "answers": ("single",),
    "feedback": ("informative", "uniform"),
    "observations": ("plain", "structured"),
    "replies": ("first", "single"),
    "reward": ("dense", "binary"),
    "validation": ("strict", "lenient"),
}
"""The traits of an environment that a variant can change, and what each can be; beside them there are `words`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """An environment with some traits changed (docs/variants.md); empty is as the environment has it."""

    actions: str = ""
    """Whether every observation lists the actions that are possible: `shown` or `hidden`."""
    answers: str = ""
    """`single`: the first answer ends the episode; the same as `source.options.searchqa.single_answer`."""
    feedback: str = ""
    """What a refused action is told: why (`informative`), or always the same (`uniform`)."""
    observations: str = ""
    """`plain` sentences, or `structured`: keys and values."""
    replies: str = ""
    """Of several actions in a reply the `first` is taken; or it must hold a `single` one, else it is refused."""
    reward: str = ""
    """What trains: `dense` grows with progress, `binary` is 1 for success; score and success stay."""
    validation: str = field(default_factory=str, metadata={"written": "changed"})
    """An action counts only in its exact form (`strict`), or in any that can only mean it (`lenient`)."""
    words: int = 0
    """Verbs and nouns are made up, by the map of that number: 1 to 16 to demonstrate and train, 17 up to test."""

    def __post_init__(self) -> None:
        for trait, choices in TRAITS.items():
            value = getattr(self, trait)
            if value not in ("", *choices):
                raise unknown(f"variant {trait}", value, choices)
        if self.words < 0:
            raise BadCall(f"variant words is 0 (as they are) or the number of a map from 1 up, not {self.words}")

    @property
    def changes(self) -> dict[str, str]:
        """The traits that it changes, by name."""
        values = (
            (each.name, getattr(self, each.name)) for each in sorted(fields(self), key=lambda each: each.name)
        )
        return {name: str(value) for name, value in values if value}

    @property
    def name(self) -> str:
        """What it changes, such as `actions=hidden,reward=binary`; nothing is empty."""
        return ",".join(f"{trait}={value}" for trait, value in self.changes.items())


AS_IT_STANDS = Variant()
"""The environments as they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where tasks come from and by which rules they are played (docs/environments.md)."""

    kind: str = "generated"
    """`generated` from a seed, or `real` files under HELDOUT_DATA."""
    rules: str = "fixed"
    """`fixed`, or `agentgym`: what the original servers do, quirk by quirk."""
    seed: int = 0
    """Of generated tasks."""
    profile: str = "pocket"
    """`pocket` fits a context of 4,096 tokens at K = 20; `standard` is the originals' size."""
    difficulty: str = ""
    """The file that tells easy from hard (docs/difficulty.md), or `pocket`; empty is as the environment has it."""
    options: tuple[Option, ...] = field(default_factory=tuple, metadata={"written": "changed"})
    """What single environments read beside; each environment says which options it has, and checks them."""
    variant: Variant = field(default_factory=Variant, metadata={"written": "changed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Ranged):
    """What ends an episode from outside."""

    max_turns: Count = 20
    """K: how many replies an episode may have."""
    response_budget: Count = 8192
    """Tokens after the prompt, observations included."""
    reply_tokens: Count = 512
    """Tokens that one reply may have."""


ALGORITHMS = (
    "grpo",
    "dr_grpo",
    "dapo",
    "gspo",
    "rloo",
    "reinforce++",
    "reinforce++-baseline",
    "gigpo",
    "cispo",
    "imitate",
    "reject",
    "distill",
)
"""By what a stage can learn: the names of `learn/methods.py` (docs/methods.md)."""


REFERENCES = ("base", "stage_start")
"""What a KL term can hold on to, beside a model that is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Train(Ranged):
    """One stage of learning (paper §3.2 and Appendix C).

    What is empty or none is as the algorithm has it (docs/methods.md).
    """

    algorithm: str = "grpo"
    """By what the stage learns (docs/methods.md)."""
    steps: Count = 100
    """Updates of the model, each on a batch of its own."""
    demonstrations: str = field(default_factory=lambda: "oracle", metadata={"written": "changed"})
    """What `imitate` imitates: the `oracle` on the stage's tasks, or a file of trajectories (.jsonl.zst)."""
    tasks: Count = 32
    """Groups in a step."""
    group_size: Count = 8
    """G: trajectories of a task (paper §3.2); a group of one says nothing to GRPO."""
    max_turns: CountOrNone = None
    """K while training; none is the environment's own (paper §3.2)."""
    temperature: Annotated[float, Range(0, 10, open=True)] = 1.0
    """At which replies are sampled, and learned from."""
    clip: Annotated[float | None, Range(0, 1)] = None
    """ε of Eq. 5: how far a ratio may go below 1, and above; none is the algorithm's (grpo 0.2)."""
    clip_high: Annotated[float | None, Range(0, 10)] = None
    """How far above; none is as below, or the algorithm's where neither is set."""
    baseline: str = ""
    """What a reward is set against: the mean of its `group`, `leave_one_out` of it, the `batch`, or `none`."""
    scale: str = ""
    """By what deviation an advantage is divided: of its `group`, of the `batch`, or `none`."""
    credit: str = ""
    """Whose advantage a token has: its `trajectory`'s, its `turn`'s, or its turn's among equal `state`s too."""
    ratio: str = ""
    """What is clipped: the ratio of a `token`, the mean one of a `sequence`, or the `product` that Eq. 5 prints."""
    discount: Annotated[float | None, Range(0, 1)] = None
    """γ of a turn's return, where credit is by state."""
    state_weight: Annotated[float | None, Range(0)] = None
    """ω: what the advantage among equal states counts beside the trajectory's."""
    lr: Share = 1e-6
    """AdamW's learning rate (paper, Appendix C)."""
    warmup: NotNegative = 0
    """Steps over which the learning rate rises linearly to `lr`."""
    weight_decay: Share = 0.01
    """AdamW's, of all weights."""
    max_grad_norm: Annotated[float, Range(0, open=True)] = 1.0
    """A longer gradient is shortened to this."""
    kl: Annotated[float | None, Range(0)] = None
    """β of Eq. 5; a token's log-ratio to the reference counts up to 20. None is the algorithm's (grpo 0.001)."""
    kl_estimator: str = ""
    """Of the KL term: `k1`, `k2` or `k3` from what was sampled, or `exact` over all words."""
    kl_in: str = ""
    """Where the KL term is: in the `loss`, or taken off the `reward`."""
    reference: str = field(default_factory=lambda: REFERENCES[0], metadata={"written": "changed"})
    """What a KL term holds on to: the `base` that the chain starts from, the `stage_start`, or a teacher: a
    folder, or a name as --model takes it."""
    entropy: Annotated[float, Range(0)] = 0.0
    """Bonus; AgentGym-RL leaves 0.001 on."""
    updates_per_batch: Count = 1
    """Optimizer steps on one batch."""
    loss_aggregation: str = ""
    """Of the loss: `sequence` (mean of each, then over them), `token`, or `constant` (sums over one length)."""
    agreeing: str = ""
    """Groups whose rewards agree: `skip` them in the mean of the policy term, or `count` them."""
    draws: Annotated[int | None, Range(0)] = None
    """How often tasks are drawn again in the place of groups that agree."""
    truncated: str = ""
    """Trajectories that the budget of tokens cut: `train`, `mask`, or `penalise` (their reward less 1)."""
    overlong: Annotated[float | None, Range(0, 1)] = None
    """The last share of that budget, in which a trajectory's reward falls by up to 1."""
    batch_tokens: Count = 8192
    """Tokens in one micro-batch."""
    save_every: Count = 25
    """Steps between two checkpoints; the last step always has one."""
    max_skipped: NotNegative = field(default_factory=lambda: 3, metadata={"written": "changed"})
    """How many of a stage's steps may be skipped, since their gradient has no finite norm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate(Ranged):
    """How a policy is measured (paper §3.2: avg@8 at K = 20)."""

    samples: Count = 8
    """k of avg@k: plays of each task."""
    max_turns: Count = 20
    """K while measuring."""
    temperature: Annotated[float, Range(0, 10)] = 1.0
    """0 decodes greedily."""
    tasks: CountOrNone = None
    """How many tasks of each cell; none is all."""
    round: Count = 512
    """Episodes that are played, and kept, together: what a kill loses at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Ranged):
    """Everything that `--set` can change, by its dotted path."""

    source: Source = field(default_factory=Source)
    limits: Limits = field(default_factory=Limits)
    train: Train = field(default_factory=Train)
    evaluate: Evaluate = field(default_factory=Evaluate)
    chat_template: str = field(default_factory=str, metadata={"written": "changed"})
    """In place of the model's own: a file, or one of ours by name (docs/models.md)."""
    slots: Annotated[int, Range(1, 4096)] = 64
    """Conversations that each process has in flight; what is played side by side decides the last bits."""
    processes: Annotated[int, Range(0, 256)] = 0
    """Processes that play and learn; 0 is one for each GPU, or without any one for each core, at most 2."""


def pocket() -> Config:
    """The defaults for the pocket model: the same run, small enough for two cores."""
    return Config(
        limits=Limits(response_budget=3584, reply_tokens=64),
        train=Train(steps=40, tasks=12, lr=2e-4, warmup=4, kl=0.0, save_every=10),
    )


def under_variant(config: Config, variant: Variant | None) -> Config:
    """The configuration with another variant of its environments; None leaves it."""
    return config if variant is None else replace(config, source=replace(config.source, variant=variant))


def without_paths(config: Config) -> Config:
    """The configuration without the places of files: what counts is what they say, which is told elsewhere."""
    return replace(config, source=replace(config.source, difficulty=""), chat_template="")


def with_overrides(config: C, settings: Iterable[str]) -> C:
    """The configuration with each `dotted.path=value` put in; a wrong path or value is refused with the choices."""
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise BadCall(f"--set takes path=value, not {setting!r}")
        config = _put(config, path.strip().split("."), text.strip(), path.strip())
    return config


def with_options(defaults: C, source: Source, env: str) -> C:
    """An environment's options as a source sets them; one that there is not is refused, and a wrong value."""
    for option in source.options:
        if option.env == env:
            defaults = _put(defaults, option.name.split("."), option.value, option.path)
    return defaults


def setting_text(config: object, path: str, text: str) -> str:
    """A setting's value as it is printed: what `with_overrides` reads as the same value, spelled in one way."""
    value: Any = with_overrides(config, [f"{path}={text}"])
    for name in path.split("."):
        value = getattr(value, name)
    if isinstance(value, float):  # 1e+16 and 1e-06 are 1e16 and 1e-6
        return re.sub(r"e([+-])0*", lambda sign: "e" + sign[1].strip("+"), repr(value).removesuffix(".0"))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _put(config: C, names: list[str], text: str, path: str) -> C:
    name, rest = names[0], names[1:]
    known = [f.name for f in fields(config)]  # type: ignore[arg-type]
    if name not in known:
        raise unknown("setting", path, [path.removesuffix(".".join(names)) + each for each in known])
    value = getattr(config, name)
    if isinstance(config, Source) and name == "options":
        return replace(config, options=_with_option(config.options, rest, text, path))
    if is_dataclass(value):
        if not rest:
            raise unknown("setting", path, [f"{path}.{f.name}" for f in fields(value)])
        return replace(config, **{name: _put(value, rest, text, path)})  # type: ignore[type-var]
    if rest:
        raise BadCall(f"setting {path!r}: {name} has no parts")
    hint = typing.get_type_hints(type(config))[name]
    return replace(config, **{name: _value(hint, text, path)})  # type: ignore[type-var]


def _with_option(options: Iterable[Option], names: list[str], text: str, path: str) -> tuple[Option, ...]:
    """The options in order, with that one among them; which there are only their environment knows."""
    if len(names) < 2 or not all(names):
        raise BadCall(f"an option is set as source.options.ENV.OPTION=value, not {path!r}")
    put = Option(".".join(names[:-1]), names[-1], text)
    return tuple(sorted([put, *(each for each in options if each.path != put.path)]))


def _value(hint: Any, text: str, path: str) -> Any:
    """The text as the field's type."""
    allowed = set(typing.get_args(hint)) or {hint}
    if str in allowed:
        return text
    if type(None) in allowed and text.lower() == "none":
        return None
    try:
        value = loads(text.lower())
        value = float(value) if float in allowed and type(value) is int else value
    except (ValueError, OverflowError, RecursionError):  # no JSON, or a number that no float can be
        value = text
    if type(value) not in allowed or value in (inf, -inf):
        kinds = " or ".join(sorted(t.__name__ for t in allowed))
        raise BadCall(f"setting {path!r} takes {kinds}, not {text!r}")
    return value
