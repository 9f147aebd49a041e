"""Chains as axes: measured along the way, lengthened, and counted by what they train on."""

from collections.abc import Iterable, Sequence

from heldout.analysis.scores import ALL, Cell
from heldout.chains import Chain, Stage
from heldout.config import Config
from heldout.envs.registry import open_suite
from heldout.evaluation.measure import tasks_of


def along(chains: Iterable[Chain], every: int | None, config: Config) -> tuple[Chain, ...]:
    """The chains, and each after every so many steps of its last stage: one training, looked at several times."""
    found = list[Chain]()
    for chain in chains:
        last = _steps(chain, config)[-1] if chain else 0
        earlier = range(every, last, every) if every else ()
        found += [(*chain[:-1], chain[-1].ending_at(step)) for step in earlier]
        found.append(chain)
    return tuple(dict.fromkeys(found))


def prefixes(chains: Iterable[Chain]) -> tuple[Chain, ...]:
    """The chains, and what each was after every stage; each once, shorter ones first."""
    found = {chain[:length]: None for chain in chains for length in range(1, len(chain) + 1)}
    return tuple(sorted(found, key=len))


def _steps(chain: Chain, config: Config) -> tuple[int, ...]:
    """The steps of each stage."""
    return tuple(stage.apply_to(config).train.steps for stage in chain)


def training_episodes(chain: Chain, config: Config) -> int:
    """How many episodes a chain is trained on, all its stages together."""
    settings = [stage.apply_to(config).train for stage in chain]
    return sum(each.steps * each.tasks * each.group_size for each in settings)


def longer(chain: Chain, config: Config, times: int) -> Chain:
    """The chain with its last stage so many times as long."""
    return (*chain[:-1], chain[-1].ending_at(_steps(chain, config)[-1] * times))


def varied(chains: Iterable[Chain], *changes: str) -> tuple[Chain, ...]:
    """The chains with all their stages changed: `train.kl=0.001`, `source.variant.actions=hidden`."""
    pairs = tuple((path, value) for path, _, value in (change.partition("=") for change in changes))
    return tuple(
        tuple(Stage(each.envs, each.difficulty, each.weights, (*each.changes, *pairs)) for each in chain)
        for chain in chains
    )


def by_data(envs: Sequence[str], config: Config, difficulty: str = ALL) -> Stage:
    """A mixture that draws each environment by how many training tasks it has, as all available data does."""
    cells = [Cell(env=env, split="train", difficulty=difficulty) for env in envs]
    counts = tuple(len(tasks_of(open_suite(cell.env, config.source), cell)) for cell in cells)
    return Stage(tuple(envs), difficulty, counts)


def names_in(chains: Sequence[Chain]) -> tuple[str, ...]:
    """The environments that the chains train in, each once."""
    return tuple(dict.fromkeys(env for chain in chains for stage in chain for env in stage.envs))
