"""What is wrong with a recipe's studies is told by its name before anything runs."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import isclose

from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.scores import ALL
from heldout.chains import BASE, Chain, chain_name, training_chain
from heldout.config import Config, without_paths
from heldout.envs.registry import refuse_unknown_name
from heldout.errors import BadCall, choose_from, unknown
from heldout.study.plan import Study
from heldout.study.recipes.asked import HALVES, Asked
from heldout.study.recipes.chains import prefixes


def check_studies(studies: Sequence[Study]) -> None:
    """Refuses studies that cannot lie in one folder, and each that asks for what it does not measure."""
    if not studies:
        raise BadCall("a recipe gives one study or several, not none")
    _refuse_twice("the recipe", "study", (study.name for study in studies))
    bases = list(dict.fromkeys(study.base for study in studies))
    if len(bases) > 1:
        raise BadCall(f"the studies of a recipe have one base, not {len(bases)}: {', '.join(bases)}")
    if len({study.halves for study in studies if study.halves}) > 1:
        raise BadCall("the studies of a recipe tell easy from hard in one way: one reference, and the same tasks")
    for study in studies:
        _check(study)
    _refuse_other_trainings(studies)


def refuse_ignored(asked: Asked, studies: Sequence[Study]) -> None:
    """Refuses a recipe that did not use what it was asked: nothing that was said is without effect."""
    chains = {chain_name(chain) for study in studies for chain in study.chains}
    envs = {cell.env for study in studies for cell in study.cells}
    wanted = {"seeds": [asked.seeds] if asked.seeds else [], "envs": asked.envs}
    found: Mapping[str, Iterable[object]] = {"seeds": {study.seeds for study in studies}, "envs": envs}
    for flag, values in wanted.items():
        if values and set(values) != set(found[flag]):
            raise _ignored(f"--{flag} {_words(values)}", f"its studies have {_words(found[flag])}")
    if missing := [name for name in map(chain_name, asked.chains) if name not in chains]:
        raise _ignored(f"--chains {missing[0]!r}", f"it has its own: {choose_from(missing[0], sorted(chains))}")
    if asked.difficulty and {cell.difficulty for study in studies for cell in study.cells} != {asked.difficulty}:
        raise _ignored(f"--difficulty {asked.difficulty}", f"it measures {', '.join(HALVES)}")
    if asked.every and not any(
        dict(chain[-1].changes).get("train.steps") for study in studies for chain in study.chains
    ):
        raise _ignored(f"--every {asked.every}", "no stage of its chains is so long, or it measures ends alone")
    for path in dict.fromkeys(setting.partition("=")[0].strip() for setting in asked.settings):
        _refuse_ignored_setting(path, asked.config, studies)


def _refuse_ignored_setting(path: str, config: Config, studies: Iterable[Study]) -> None:
    wanted = _setting(config, path)
    for study in studies:
        if (there := _setting(study.config, path)) != wanted:
            raise _ignored(f"{path}={wanted}", f"study {study.name!r} has {there}")


def _setting(config: object, path: str) -> object:
    for name in path.split("."):
        config = getattr(config, name, config)  # an option's path goes on in its own environment
    return config


def _ignored(what: str, instead: str) -> BadCall:
    return BadCall(f"the recipe makes no use of {what}: {instead}")


def _words(values: Iterable[object]) -> str:
    return " and ".join(
        sorted(" ".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in values)
    )


def _check(study: Study) -> None:
    where = f"study {study.name!r}"
    if not study.seeds or not (study.chains or study.measured):
        raise BadCall(f"{where} has no {'seeds' if not study.seeds else 'chains, and measures nothing'}")
    if study.halves and study.config.source.difficulty:
        raise BadCall(f"{where} has source.difficulty, and tells easy from hard itself: leave one out")
    _refuse_twice(where, "chain", map(chain_name, study.chains))
    _refuse_twice(where, "seed", study.seeds)
    _refuse_twice(where, "cell", (each.name for each in study.measured))
    _refuse_twice(where, "endpoint", (endpoint.name for endpoint in study.endpoints))
    stages = [stage for chain in study.chains for stage in chain]
    for env in dict.fromkeys([*study.envs, *(env for stage in stages for env in stage.envs)]):
        refuse_unknown_name(env)
    for endpoint in study.endpoints:
        _check_endpoint(study, endpoint, where)


def _check_endpoint(study: Study, endpoint: Endpoint, where: str) -> None:
    told = f"endpoint {endpoint.name!r} of {where}"
    if len(endpoint.terms) < 2 or not isclose(sum(term.weight for term in endpoint.terms), 0, abs_tol=1e-9):
        raise BadCall(f"{told}: its weights add up to 0, since it is a difference of means")
    if endpoint.margin is not None and endpoint.margin <= 0:
        raise BadCall(f"{told}: a margin is more than 0 points, not {endpoint.margin}")
    chains = [BASE, *map(chain_name, study.chains)]
    for term in endpoint.terms:
        if term.chain not in chains:
            raise BadCall(f"{told}: {unknown('chain', term.chain, chains)}")
        _refuse_unmeasured(study, term, told)


def _refuse_unmeasured(study: Study, term: Term, told: str) -> None:
    """Difficulty `all` is measured as a cell, or as easy and hard."""
    measured = {each.name for each in study.measured}
    halves = [replace(term.cell, difficulty=half) for half in HALVES if term.cell.difficulty == ALL]
    ways = [way for way in ([term.cell], halves) if way]
    if not any(measured.issuperset(_name(cell.name, term.variant) for cell in way) for way in ways):
        name = _name(term.cell.name, term.variant)
        raise BadCall(f"{told}: {name} is not measured ({choose_from(name, sorted(measured))})")


def _name(cell: str, variant: str) -> str:
    return f"{cell}[{variant}]" if variant else cell


def _refuse_twice(where: str, what: str, values: Iterable[Hashable]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise BadCall(f"{where} has the {what} {twice[0]} twice")


def _refuse_other_trainings(studies: Iterable[Study]) -> None:
    """In one folder a training is one training: two studies may not have other settings for it."""
    known = dict[Chain, tuple[object, str]]()
    trainings = [(study, part) for study in studies for part in prefixes(study.chains)]
    for study, chain in trainings:
        settings = _deciding(chain, study)
        first, other = known.setdefault(training_chain(chain), (settings, study.name))
        if first != settings:
            raise BadCall(
                f"studies {other!r} and {study.name!r} train {chain_name(training_chain(chain))} by different "
                "settings: say the change in the stage, env[path=value]"
            )


def _deciding(chain: Chain, study: Study) -> object:
    """What of a configuration decides the weights that a training leads to, or may."""
    config = without_paths(chain[-1].without("train.steps").apply_to(study.config))
    train = replace(config.train, steps=1, save_every=1, max_skipped=0)
    before = [study.last_step(chain[:length]) for length in range(1, len(chain))]
    return config.source, config.limits, train, before
