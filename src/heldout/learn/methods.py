"""What an update minimises, as data: an algorithm is a row of named parts, and each part can be set by itself.

No learner is loaded here: plans, memory and help read it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from heldout.config import REFERENCES, Train
from heldout.errors import BadCall, unknown

PARTS: Mapping[str, tuple[str, ...]] = {
    "baseline": ("group", "leave_one_out", "batch", "none"),
    "scale": ("group", "batch", "none"),
    "credit": ("trajectory", "turn", "state"),
    "surrogate": ("clipped", "clipped_weight", "likelihood", "none"),
    "keep": ("all", "solved"),
    "ratio": ("token", "sequence", "product"),
    "loss_aggregation": ("sequence", "token", "constant"),
    "kl_estimator": ("k1", "k2", "k3", "exact"),
    "kl_in": ("loss", "reward"),
    "agreeing": ("skip", "count"),
    "truncated": ("train", "mask", "penalise"),
}
"""Settings of `train.*` whose values are names, and these names (docs/methods.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """An algorithm's parts, with nothing left to say."""

    baseline: str = "group"
    """What a reward is set against: the mean of its `group`, of the others in it, of the `batch`, or nothing."""
    scale: str = "group"
    """By what deviation an advantage is divided: that of its `group`'s rewards, of the `batch`'s advantages,
    none."""
    credit: str = "trajectory"
    """Whether a token's advantage is its `trajectory`'s, its `turn`'s, or its turn's beside others in its
    `state`."""
    surrogate: str = "clipped"
    """Eq. 5's minimum; the likelihood under a `clipped_weight`; the `likelihood` alone; `none`, with a KL term."""
    keep: str = "all"
    """Which trajectories the policy term learns from."""
    sampled: bool = True
    """Whether the policy itself said the tokens."""
    ratio: str = "token"
    """Whose ratio is clipped: a `token`'s, the geometric mean of a `sequence`'s, or their `product`."""
    loss_aggregation: str = "sequence"
    """A mean over each `sequence`, then over sequences; a mean over `token`s; a sum over a `constant` length."""
    clip: float = 0.2
    """ε below 1."""
    clip_high: float = 0.2
    """ε above 1."""
    kl: float = 0.001
    """β."""
    kl_estimator: str = "k3"
    kl_in: str = "loss"
    agreeing: str = "skip"
    """Whether groups whose rewards agree `count` in the policy term's mean; they add nothing to its sum."""
    draws: int = 0
    """How often tasks are drawn again in the place of groups that agree."""
    truncated: str = "train"
    """What becomes of trajectories that the budget of tokens cut short."""
    overlong: float = 0.0
    """The last share of the budget of tokens, in which a trajectory's reward falls by up to 1."""
    discount: float = 1.0
    """γ of a turn's return."""
    state_weight: float = 0.0
    """ω: what the advantage among equal states counts beside that of the trajectory."""

    @property
    def is_off_policy(self) -> bool:
        """Whether tokens come from an engine whose policy may not quite be the learner's, and are weighed for
        that."""
        return self.sampled and self.surrogate != "likelihood"

    @property
    def has_kl_loss(self) -> bool:
        """Whether the KL term is in the loss: one over all groups."""
        return bool(self.kl) and self.kl_in == "loss"

    @property
    def has_kl_reward(self) -> bool:
        """Whether the KL term is taken off the reward."""
        return bool(self.kl) and self.kl_in == "reward"

    @property
    def is_by_group(self) -> bool:
        """Whether rewards are compared within a group, so that a group whose rewards agree says nothing."""
        return self.baseline in ("group", "leave_one_out") and self.scale != "batch"


IMITATION = Method(
    surrogate="likelihood", sampled=False, baseline="none", scale="none", loss_aggregation="token", kl=0.0
)
"""Each token that was said is made likelier, by its weight alone."""

METHODS: Mapping[str, Method] = {
    "grpo": Method(),
    "dr_grpo": Method(scale="none", loss_aggregation="constant", kl=0.0),
    "dapo": Method(clip_high=0.28, loss_aggregation="token", kl=0.0, draws=10, overlong=0.2),
    "gspo": Method(ratio="sequence", clip=3e-4, clip_high=4e-4, kl=0.0),
    "rloo": Method(
        baseline="leave_one_out", scale="none", ratio="product", kl=0.05, kl_estimator="k1", kl_in="reward"
    ),
    "reinforce++": Method(
        baseline="batch", scale="batch", loss_aggregation="token", kl=1e-4, kl_estimator="k1", kl_in="reward"
    ),
    "reinforce++-baseline": Method(scale="batch", loss_aggregation="token", kl=1e-4, kl_estimator="k2"),
    "gigpo": Method(credit="state", discount=0.95, state_weight=1.0, kl=0.01),
    "cispo": Method(surrogate="clipped_weight", clip=1.0, clip_high=4.0, loss_aggregation="token", kl=0.0),
    "imitate": IMITATION,
    "reject": Method(
        surrogate="likelihood", keep="solved", baseline="none", scale="none", loss_aggregation="token", kl=0.0
    ),
    "distill": Method(surrogate="none", baseline="none", scale="none", kl=1.0, kl_estimator="exact"),
}
"""Algorithms by their names, each with its paper's values (docs/methods.md has the sources)."""

_OWN = tuple(field.name for field in fields(Method))
"""The settings of `train.*` that a method has too: where one is empty or none, the method's own stands."""


def method_of(train: Train) -> Method:
    """What a stage's settings come to; names that there are not, and parts that cannot go together, are refused."""
    known = _method_named(train.algorithm)
    said = {name: value for name in _OWN if (value := getattr(train, name, None)) not in (None, "")}
    if "clip" in said:
        said.setdefault("clip_high", said["clip"])
    for name, choices in PARTS.items():
        if name in said and said[name] not in choices:
            raise unknown(f"train.{name}", said[name], choices)
    method = replace(known, **said)
    _refuse_nonsense(method, train)
    return method


def _method_named(name: str) -> Method:
    """The algorithm of that name, however it is capitalised; another is refused with the choices."""
    if name.lower() not in METHODS:
        raise unknown("algorithm", name, METHODS)
    return METHODS[name.lower()]


def _refuse_nonsense(method: Method, train: Train) -> None:
    """Refuses what would not do what it says."""
    if method.has_kl_loss and method.kl_estimator == "k1":
        raise BadCall(
            "train.kl_estimator=k1 in the loss has no gradient on the average: use k2 or k3, or kl_in=reward"
        )
    if method.has_kl_reward and method.kl_estimator != "k1":
        raise BadCall(
            f"train.kl_in=reward takes kl_estimator=k1, which is unbiased there, not {method.kl_estimator}"
        )
    if method.ratio != "token" and method.credit != "trajectory":
        raise BadCall(
            f"train.ratio={method.ratio} has one ratio for a trajectory, credit={method.credit} several advantages"
        )
    if method.ratio != "token" and method.loss_aggregation != "sequence":
        raise BadCall(
            f"train.ratio={method.ratio} has one term for a trajectory: loss_aggregation is sequence, "
            f"not {method.loss_aggregation}"
        )
    if method.credit != "trajectory" and not method.is_by_group:
        raise BadCall(
            f"train.credit={method.credit} compares within a group: baseline is group, scale group or none"
        )
    if method.credit != "trajectory" and method.has_kl_reward:
        raise BadCall(f"train.kl_in=reward takes credit=trajectory, not {method.credit}")
    if method.surrogate == "none" and not method.has_kl_loss:
        raise BadCall(f"{train.algorithm} learns by the KL term in the loss alone: train.kl is above 0")
    if method.surrogate == "none" and train.reference in REFERENCES:
        raise BadCall(f"{train.algorithm} learns from a teacher: name its folder, train.reference=FOLDER")
    if method.draws and not method.is_by_group:
        raise BadCall(
            "train.draws draws in the place of groups that agree: with a batch's baseline or scale none does"
        )
    if method.draws and method.has_kl_loss:
        raise BadCall(
            "train.draws leaves groups that agree out, and a KL term in the loss is of all groups: set train.kl=0"
        )
    if train.group_size < 2 and method.baseline in ("group", "leave_one_out"):
        raise BadCall(
            f"{train.algorithm} compares the trajectories of a group: it needs 2 samples or more, "
            f"not {train.group_size}"
        )
