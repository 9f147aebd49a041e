"""What of an interface makes what is learned carry over: training and measuring with one trait changed.

Table 1's columns are the paper's explanations of its Table 3; here each is a change of its own.
"""

from collections.abc import Iterable

from heldout.analysis.endpoints import Endpoint
from heldout.chains import Chain
from heldout.config import TRAITS, Variant, with_overrides
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.envs.renaming import DEMONSTRATED, HELD_OUT
from heldout.envs.variants import can_change
from heldout.errors import BadCall
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.chains import along, varied
from heldout.study.recipes.measuring import measured_in
from heldout.study.recipes.questions import Sum, cells_of, change, endpoint, mean, minus
from heldout.study.recipes.transfer import others, refuse_fewer, single

CHANGED = ("actions", "feedback", "reward", "words", "observations", "validation")
"""Traits, each with a study of its own."""

UNSEEN = ("reward",)
"""What no observation shows: to measure under it says nothing."""


def interface_studies(asked: Asked) -> tuple[Study, ...]:
    """For each trait the environments that have it, trained as they stand and changed, and measured both ways."""
    refuse_fewer(asked, 2, "interface")
    studies = [_study(asked, trait, envs) for trait in CHANGED if (envs := _having(asked, trait))]
    if not studies:
        raise BadCall(f"none of {', '.join(asked.envs)} has a trait that can be changed ({', '.join(CHANGED)})")
    return tuple(studies)


def _study(asked: Asked, trait: str, envs: dict[str, tuple[str, str]]) -> Study:
    """`envs` have, for each, what the trait is changed to in training, and in measurement."""
    changed = {env: _changed(env, trait, value) for env, (value, _) in envs.items()}
    seen = {} if trait in UNSEEN else {env: _variant(trait, value) for env, (_, value) in envs.items()}
    under = [each for env, variant in seen.items() for each in measured_in(asked, [env], variant=variant)]
    return Study(
        name=f"interface, {trait}",
        base=asked.model,
        chains=along([*map(single, asked.envs), *changed.values()], asked.every, asked.config),
        seeds=asked.seeds,
        measured=(*measured_in(asked, asked.envs), *under),
        config=asked.config,
        endpoints=(_trained(asked, trait, changed), *_met(asked, trait, seen)),
    )


def _trained(asked: Asked, trait: str, changed: dict[str, Chain]) -> Endpoint:
    """What changing the trait in training is worth elsewhere, where it stays."""
    elsewhere = [
        change(single(env), chain, cells_of(others(env, asked.envs), asked.pooled))
        for env, chain in changed.items()
    ]
    return endpoint(f"{trait} changed in training: held out", mean(elsewhere), trait)


def _met(asked: Asked, trait: str, seen: dict[str, Variant]) -> Iterable[Endpoint]:
    """What changing the trait where is measured does to what was learned elsewhere."""
    if seen:
        gains = [
            minus(_gain(asked, env, target, variant.name), _gain(asked, env, target, ""))
            for target, variant in seen.items()
            for env in others(target, asked.envs)
        ]
        yield endpoint(f"{trait} changed where is measured: held out", mean(gains), trait)


def _gain(asked: Asked, env: str, target: str, variant: str) -> Sum:
    return change((), single(env), cells_of([target], asked.pooled), variant)


def _changed(env: str, trait: str, value: str) -> Chain:
    [chain] = varied([single(env)], f"source.variant.{trait}={value}")
    return chain


def _having(asked: Asked, trait: str) -> dict[str, tuple[str, str]]:
    """The environments that have the trait, with what it is changed to in training, and in measurement."""
    suites = ((env, open_suite(env, asked.config.source)) for env in asked.envs)
    return {env: _other(suite, trait) for env, suite in suites if can_change(suite, trait)}


def _other(suite: Suite, trait: str) -> tuple[str, str]:
    """What a trait is not as the suite stands; made-up words are others in training than in measurement."""
    if trait == "words":
        return str(DEMONSTRATED[0]), str(HELD_OUT[0])
    value = next(value for value in TRAITS[trait] if value != suite.variants.stands[trait])
    return value, value


def _variant(trait: str, value: str) -> Variant:
    return with_overrides(Variant(), [f"{trait}={value}"])
