"""Table 2 of the paper: what each plan of training comes to on the easy and the hard tasks of its environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.chains import BASE, Stage, parse_chain

DifficultyScores = Mapping[tuple[str, str, str], float]
"""Points by chain, environment and difficulty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanScore:
    """One plan in one environment, in points; None is what was not measured."""

    plan: str
    """`easy`, `easy > hard`, `all[train.steps=80]`, or `base`."""
    env: str
    easy: float | None
    hard: float | None
    all: float | None
    """Of easy and hard, weighted by how many tasks each has; missing where one of them is."""


def plans(
    scores: DifficultyScores, tasks: Mapping[tuple[str, str], int], envs: Sequence[str]
) -> dict[tuple[str, str], PlanScore]:
    """The score of each plan in each environment; `tasks` says how many there are, by environment and difficulty.

    Chains that are trained in another environment too are of another table.
    """
    chains = dict.fromkeys(chain for chain, _, _ in scores)
    table = dict[tuple[str, str], PlanScore]()
    for env in envs:
        for chain in chains:
            if plan := plan_of(chain, env):
                table[plan, env] = _plan_score(scores, tasks, (chain, env), plan)
    return table


def plan_of(chain: str, env: str) -> str:
    """`easy > hard` of `webshop.easy > webshop.hard` in webshop; nothing of a chain that is trained elsewhere."""
    stages = parse_chain(chain)
    if any(stage.envs != (env,) for stage in stages):
        return ""
    return " > ".join(map(_without_env, stages)) or BASE


def weighted_mean(easy: float | None, hard: float | None, tasks: tuple[int, int]) -> float | None:
    """The mean over all tasks, of the means of the easy and of the hard ones."""
    if easy is None or hard is None or not sum(tasks):
        return None
    return (easy * tasks[0] + hard * tasks[1]) / sum(tasks)


def _plan_score(
    scores: DifficultyScores, tasks: Mapping[tuple[str, str], int], place: tuple[str, str], plan: str
) -> PlanScore:
    chain, env = place
    easy, hard = (scores.get((chain, env, difficulty)) for difficulty in ("easy", "hard"))
    counts = tasks.get((env, "easy"), 0), tasks.get((env, "hard"), 0)
    return PlanScore(plan=plan, env=env, easy=easy, hard=hard, all=weighted_mean(easy, hard, counts))


def _without_env(stage: Stage) -> str:
    changes = f"[{' '.join(f'{path}={value}' for path, value in stage.changes)}]" if stage.changes else ""
    return stage.difficulty + changes
