"""Paper §5 (Table 3): what training in one environment is worth in the others."""

from collections.abc import Sequence

from heldout.analysis.endpoints import Endpoint
from heldout.chains import Chain, Stage
from heldout.errors import BadCall
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.chains import along
from heldout.study.recipes.measuring import measured_in
from heldout.study.recipes.questions import Sum, cells_of, change, endpoint, mean, minus

OPEN, CLOSED = ("textcraft", "babyai"), ("alfworld", "searchqa")
"""Where the paper found that nearly everything carries over to, and where hardly anything does."""


def single(env: str) -> Chain:
    """The chain of one stage, on all of an environment's training tasks."""
    return (Stage((env,)),)


def others(env: str, envs: Sequence[str]) -> list[str]:
    """The environments but for one."""
    return [each for each in envs if each != env]


def refuse_fewer(asked: Asked, least: int, what: str) -> None:
    """Refuses too few environments for what is asked of them."""
    if len(asked.envs) < least:
        raise BadCall(f"{what} needs {least} environments or more, not {' and '.join(asked.envs) or 'none'}")


def transfer_studies(asked: Asked) -> tuple[Study, ...]:
    """Each environment trained in, all of them measured before and after."""
    refuse_fewer(asked, 2, "transfer")
    held_out = {env: _gain(asked, env, others(env, asked.envs)) for env in asked.envs}
    held_in = [_gain(asked, env, [env]) for env in asked.envs]
    gap = minus(mean(held_in), mean(list(held_out.values())))
    study = Study(
        name="transfer",
        base=asked.model,
        chains=along(map(single, asked.envs), asked.every, asked.config),
        seeds=asked.seeds,
        measured=measured_in(asked, asked.envs, controls=True, matched=False),
        config=asked.config,
        drift=True,
        endpoints=(
            *(endpoint(f"{env}, held out", of, "held-out") for env, of in held_out.items()),
            endpoint("held in minus held out", gap, "held-in-gap"),
            *_targets(asked),
        ),
    )
    return (study,)


def _gain(asked: Asked, env: str, where: Sequence[str]) -> Sum:
    return change((), single(env), cells_of(where, asked.pooled))


def _targets(asked: Asked) -> list[Endpoint]:
    """Whether what is learned elsewhere arrives in some environments and not in others."""
    if not {*OPEN, *CLOSED} <= set(asked.envs):
        return []
    into = [
        mean([_gain(asked, env, [target]) for target in targets for env in others(target, asked.envs)])
        for targets in (OPEN, CLOSED)
    ]
    return [endpoint(f"into {' and '.join(OPEN)} minus into {' and '.join(CLOSED)}", minus(*into), "targets")]
