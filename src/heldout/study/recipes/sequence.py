"""Paper §6 (Table 6, Fig. 3 and 7): two environments one after the other."""

from itertools import permutations

from heldout.analysis.endpoints import Endpoint
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.chains import along
from heldout.study.recipes.measuring import measured_in
from heldout.study.recipes.questions import MARGIN, Sum, cells_of, change, endpoint, mean
from heldout.study.recipes.transfer import others, refuse_fewer, single


def sequence_studies(asked: Asked) -> tuple[Study, ...]:
    """Every ordered pair, and the single stages that they begin with: the full matrix at every stage."""
    refuse_fewer(asked, 2, "sequence")
    pairs = [single(first) + single(second) for first, second in permutations(asked.envs, 2)]
    study = Study(
        name="sequence",
        base=asked.model,
        chains=along([*map(single, asked.envs), *pairs], asked.every, asked.config),
        seeds=asked.seeds,
        measured=measured_in(asked, asked.envs),
        config=asked.config,
        drift=True,
        endpoints=tuple(_endpoints(asked)),
    )
    return (study,)


def _endpoints(asked: Asked) -> list[Endpoint]:
    """Forgetting of what came first and reaching what comes second, as equivalences; and what is third."""
    found = [
        endpoint(
            f"{env} first, then another: what is left of it",
            mean([_since(asked, env, then, [env]) for then in others(env, asked.envs)]),
            "forgetting",
            MARGIN,
        )
        for env in asked.envs
    ]
    reached = mean([_beside(asked, first, second) for first, second in permutations(asked.envs, 2)])
    found.append(endpoint("the second stage against that stage alone", reached, "downstream", MARGIN))
    thirds = [
        _since(asked, first, second, [env for env in others(first, asked.envs) if env != second])
        for first, second in permutations(asked.envs, 2)
        if len(asked.envs) > 2
    ]
    if thirds:
        found.append(endpoint("where neither stage trained", mean(thirds), "sequential-elsewhere"))
    if {"babyai", "searchqa"} <= set(asked.envs):
        up, down = single("babyai") + single("searchqa"), single("searchqa") + single("babyai")
        both = change(down, up, cells_of(asked.envs, asked.pooled))
        found.append(endpoint("babyai > searchqa against searchqa > babyai", both, "pair-order"))
    return found


def _since(asked: Asked, first: str, second: str, where: list[str]) -> Sum:
    """What the second stage changes."""
    return change(single(first), single(first) + single(second), cells_of(where, asked.pooled))


def _beside(asked: Asked, first: str, second: str) -> Sum:
    """How a second stage ends in its own environment, against the same stage from the base."""
    return change(single(second), single(first) + single(second), cells_of([second], asked.pooled))
