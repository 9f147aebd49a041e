"""A study as data, and the graph of work that it comes to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from heldout.analysis.endpoints import Endpoint
from heldout.analysis.scores import Cell
from heldout.chains import Chain, training_chain
from heldout.config import Config, Variant, without_paths
from heldout.records import digest, to_json
from heldout.study.controls import CONTROL_PLAYERS
from heldout.study.work import (
    DifficultyWork,
    DriftWork,
    MatchWork,
    MeasureWork,
    TrainWork,
    TuneWork,
    Work,
    place_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One cell that a study measures before and after."""

    cell: Cell
    tasks: int | None = None
    """On how many of its tasks; None is as many as the configuration says."""
    controls: bool = True
    """Whether the base is measured here in the controls' ways too; players, which are quick, are everywhere."""
    matched: bool = field(default_factory=lambda: True, metadata={"written": "changed"})
    """Whether the controls hold the base at each chain's entropy: as many episodes again as all chains' ends."""
    variant: Variant | None = field(default_factory=lambda: None, metadata={"written": "changed"})
    """Under which it is measured; None is as the configuration has it, and controls are measured so alone."""

    @property
    def name(self) -> str:
        """The cell's, and the variant's where it has one of its own: `babyai.easy[actions=hidden]`."""
        return place_name(self.cell, self.variant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is to be known, and nothing about how far it is."""

    name: str
    base: str
    """The model that every chain starts from."""
    chains: tuple[Chain, ...]
    seeds: tuple[int, ...]
    measured: tuple[Measured, ...]
    """Where the base and the end of every chain are measured."""
    config: Config
    """Of every stage, but for what a stage says of itself; and of every measurement."""
    halves: DifficultyWork | None = field(default_factory=lambda: None, metadata={"written": "changed"})
    """What tells easy tasks from hard where that is work of the study; None is what the configuration has."""
    drift: bool = field(default_factory=bool, metadata={"written": "changed"})
    """Whether the forward KL from the base is taken of every chain's end, in each environment that is measured."""
    endpoints: tuple[Endpoint, ...] = field(default_factory=tuple, metadata={"written": "changed"})
    """Its questions, named before it runs: one family."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that are measured, each once, under whichever variants."""
        return tuple(dict.fromkeys(each.cell for each in self.measured))

    @property
    def envs(self) -> tuple[str, ...]:
        """The environments that are measured, each once, in their order."""
        return tuple(dict.fromkeys(cell.env for cell in self.cells))

    @property
    def digest(self) -> str:
        """Names the study by its content."""
        return digest(to_json(replace(self, config=without_paths(self.config))))

    def last_step(self, chain: Chain) -> int:
        """Where a chain's last stage ends; 0 of the base."""
        return chain[-1].apply_to(self.config).train.steps if chain else 0

    def samples(self, temperature: float | None) -> int:
        """Attempts at each task: greedy decoding says the same each time, so once is enough."""
        return 1 if temperature == 0 else self.config.evaluate.samples


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """One piece of work, and the pieces that have to be done before it."""

    study: Study = field(hash=False, compare=False)
    """By whose settings it is done; of several studies that want it, the first."""
    work: Work
    needs: tuple[Work, ...] = ()
    """Of the same study."""


def plan(study: Study, controls: bool = True) -> tuple[PlannedWork, ...]:
    """The study as a graph: each piece once, after those that it needs; what two chains share is one piece.

    What tells easy from hard comes first, and all else needs it without saying so: no task is known before.
    """
    first = [PlannedWork(study=study, work=study.halves)] if study.halves else []
    rest = (piece for seed in study.seeds for piece in _of_seed(study, seed, controls))
    pieces = {piece.work: piece for piece in (*first, *rest)}
    return tuple(pieces.values())


def plan_together(studies: Iterable[Study], controls: bool = True) -> tuple[PlannedWork, ...]:
    """The graph of several studies of one folder: what two of them want by the same settings is one piece."""
    pieces = dict[tuple[Config, Work], PlannedWork]()
    for study in studies:
        for piece in plan(study, controls):
            pieces.setdefault((study.config, piece.work), piece)
    return tuple(pieces.values())


def to_train(chains: Iterable[Chain]) -> list[Chain]:
    """Every prefix once, shortest first, so that a shared beginning is trained once."""
    prefixes = {chain[:length] for chain in chains for length in range(1, len(chain) + 1)}
    return sorted(prefixes, key=lambda chain: (len(chain), chain))


def _of_seed(study: Study, seed: int, controls: bool) -> Iterator[PlannedWork]:
    for each in study.measured:
        yield PlannedWork(study=study, work=_measure(study, (), seed, each, study.config.evaluate.temperature))
    yield from _trainings(study, seed)
    ends = {training_chain(chain): chain for chain in sorted(study.chains, key=study.last_step) if chain}
    for chain in study.chains:
        trained = _train(study, chain, seed)
        for each in study.measured:
            work = _measure(study, chain, seed, each, study.config.evaluate.temperature)
            yield PlannedWork(study=study, work=work, needs=(trained,))
        if controls and chain in ends.values():  # not wherever a training is looked at on its way
            yield from _matched(study, chain, seed)
    if controls:
        yield from _controls(study, seed)
    if study.drift:
        yield from _drifts(study, seed)


def _drifts(study: Study, seed: int) -> Iterator[PlannedWork]:
    """After all else of a seed, since they hold two models: by environment, in what the base said there."""
    plain = [each for each in study.measured if each.variant is None]
    for env in dict.fromkeys(each.cell.env for each in plain):
        own = [each for each in plain if each.cell.env == env]
        base = tuple(_measure(study, (), seed, each, study.config.evaluate.temperature) for each in own)
        for chain in filter(None, study.chains):
            work = DriftWork(
                chain=training_chain(chain),
                step=study.last_step(chain),
                seed=seed,
                cells=tuple(each.cell for each in own),
            )
            yield PlannedWork(study=study, work=work, needs=(*base, _train(study, chain, seed)))


def _trainings(study: Study, seed: int) -> Iterator[PlannedWork]:
    """Each training after the one that it goes on from: of a prefix, or of itself to an earlier step."""
    chains = sorted(
        to_train(study.chains), key=lambda chain: (len(chain), training_chain(chain), study.last_step(chain))
    )
    earlier = dict[Chain, TrainWork]()
    for chain in chains:
        work = _train(study, chain, seed)
        shorter = earlier.get(work.chain)
        before = (_train(study, chain[:-1], seed),) if len(chain) > 1 else ()
        yield PlannedWork(study=study, work=work, needs=(shorter,) if shorter else before)
        earlier[work.chain] = work


def _controls(study: Study, seed: int) -> Iterator[PlannedWork]:
    """The base measured greedily, once a task, and at its best temperature; and players, in every cell."""
    for each in (each for each in study.measured if _is_controlled(each)):
        yield PlannedWork(study=study, work=_measure(study, (), seed, each, 0.0))
        tune = TuneWork(cell=each.cell, seed=study.seeds[0])  # one choice for all seeds
        yield PlannedWork(study=study, work=tune)
        warm = replace(_measure(study, (), seed, each, None), found_by=tune)
        yield PlannedWork(study=study, work=warm, needs=(tune,))
    for each in study.measured:
        for player in CONTROL_PLAYERS:
            base = _measure(study, (), seed, each, study.config.evaluate.temperature)
            work = replace(base, player=player, samples=study.config.evaluate.samples)
            yield PlannedWork(study=study, work=work)


def _matched(study: Study, chain: Chain, seed: int) -> Iterator[PlannedWork]:
    """The base measured at the entropy of the chain's end."""
    controlled = [each for each in study.measured if _is_controlled(each) and each.matched]
    match = MatchWork(chain=training_chain(chain), step=study.last_step(chain), seed=seed)
    if controlled:
        yield PlannedWork(study=study, work=match, needs=(_train(study, chain, seed),))
    for each in controlled:
        warm = replace(_measure(study, (), seed, each, None), found_by=match)
        yield PlannedWork(study=study, work=warm, needs=(match,))


def _is_controlled(measured: Measured) -> bool:
    return measured.controls and measured.variant is None


def _train(study: Study, chain: Chain, seed: int) -> TrainWork:
    return TrainWork(chain=training_chain(chain), until=study.last_step(chain), seed=seed)


def _measure(study: Study, chain: Chain, seed: int, measured: Measured, temperature: float | None) -> MeasureWork:
    return MeasureWork(
        chain=training_chain(chain) if chain else (),
        step=study.last_step(chain),
        seed=seed,
        cell=measured.cell,
        variant=measured.variant,
        tasks=measured.tasks or study.config.evaluate.tasks,
        samples=study.samples(temperature),
        temperature=temperature,
    )
