"""Table 6 of the paper, and the field's measures of training in stages: what comes of the earlier and of the later.

The matrix R has a row for each checkpoint of a chain, from the base to the last stage, and a column for each
environment. ACC, BWT and FWT are those of Lopez-Paz and Ranzato (2017), forgetting that of Chaudhry et al. (2018).
Scores are in points; what was not measured is None, and so is what needs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.analysis.transfer import Scores, difference, mean_of
from heldout.chains import Chain, chain_name, parse_chain
from heldout.errors import BadCall

Matrix = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequential:
    """Two stages against the single ones, in points: the paper's anti-forgetting and transferability."""

    upstream: str
    downstream: str
    retention: float | None
    """Upstream, what the second stage changed: 0 is all retained, below it is forgetting."""
    gain: float | None
    """Downstream, above what the second stage alone comes to from the base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """One checkpoint against another, such as five stages against the joint mixture, in points."""

    differences: Mapping[str, float | None]
    """By environment."""
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceScores:
    """What stages in different environments come to, one after another."""

    chain: str
    envs: tuple[str, ...]
    """The columns of R; those of the stages first, in their order."""
    matrix: Matrix
    """R: row 0 is the base, row i the checkpoint after stage i."""
    acc: float | None
    """ACC: the mean of the last row over the stages' environments."""
    bwt: float | None
    """BWT = mean over i < T of R_T,i − R_i,i: below 0 is forgetting."""
    fwt: float | None
    """FWT = mean over i > 1 of R_i−1,i − b_i, with the base as b: what the stages before are worth in advance."""
    fwt_random: float | None
    """The same with random play as b, as in the definition: what the base can do is in it."""
    forgetting: Mapping[str, float | None]
    """By environment, how far the last row lies below the best row before it; below 0 none was better.

    The best of several measured means is too high by chance, so it is above 0 though nothing is forgotten: BWT has
    no such bias.
    """


def sequential(scores: Scores) -> list[Sequential]:
    """Table 6's pairs: chains of two stages, each in an environment of its own."""
    chains = dict.fromkeys(chain for chain, _ in scores)
    return [_sequential(scores, parse_chain(chain)) for chain in chains if len(stage_envs(chain)) == 2]


def sequence(
    scores: Scores, chain: str, envs: Sequence[str], random: Mapping[str, float] | None = None
) -> SequenceScores:
    """The measures of one chain, of two stages or more in environments of their own; `random` is b beside the base.

    `envs` are further columns of R: what no stage is trained in.
    """
    trained = stage_envs(chain)
    if len(trained) < 2:
        raise BadCall(f"BWT and FWT are of stages in different environments, one each, which {chain!r} has not")
    columns = (*trained, *(env for env in envs if env not in trained))
    matrix = _matrix(scores, parse_chain(chain), columns)
    last, stages = matrix[-1], range(len(trained))
    base = dict(zip(columns, matrix[0], strict=True))
    return SequenceScores(
        chain=chain,
        envs=columns,
        matrix=matrix,
        acc=mean_of(last[: len(trained)]),
        bwt=mean_of(difference(last[i], matrix[i + 1][i]) for i in stages[:-1]),
        fwt=mean_of(difference(matrix[i][i], base[trained[i]]) for i in stages[1:]),
        fwt_random=mean_of(difference(matrix[i][i], (random or {}).get(trained[i])) for i in stages[1:]),
        forgetting={env: _drop([row[i] for row in matrix]) for i, env in enumerate(columns)},
    )


def against(scores: Scores, chain: str, other: str, envs: Sequence[str]) -> Against:
    """What a chain is worth above another, such as the mixture of all its environments."""
    found = {env: difference(scores.get((chain, env)), scores.get((other, env))) for env in envs}
    return Against(differences=found, mean=mean_of(found.values()))


def stage_envs(chain: str) -> tuple[str, ...]:
    """The environment of each stage; of none where a stage mixes several or one comes twice."""
    stages = parse_chain(chain)
    envs = tuple(env for stage in stages for env in stage.envs)
    return envs if len(set(envs)) == len(envs) == len(stages) else ()


def _sequential(scores: Scores, chain: Chain) -> Sequential:
    both, (upstream, downstream) = chain_name(chain), stage_envs(chain_name(chain))
    up, down = (chain_name((stage,)) for stage in chain)
    return Sequential(
        upstream=upstream,
        downstream=downstream,
        retention=difference(scores.get((both, upstream)), scores.get((up, upstream))),
        gain=difference(scores.get((both, downstream)), scores.get((down, downstream))),
    )


def _matrix(scores: Scores, chain: Chain, columns: Sequence[str]) -> Matrix:
    names = [chain_name(chain[:stages]) for stages in range(len(chain) + 1)]
    return tuple(tuple(scores.get((name, env)) for env in columns) for name in names)


def _drop(column: Sequence[float | None]) -> float | None:
    """How far the last lies below the best before it."""
    *earlier, last = column
    known = [value for value in earlier if value is not None]
    return max(known) - last if last is not None and len(known) == len(earlier) else None
