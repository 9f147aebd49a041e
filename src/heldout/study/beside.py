"""A model and its controls, measured by one call: `heldout evaluate --controls`.

Beside the model are measured: players; the model greedily, and at its best temperature; and of a checkpoint of ours
its base, as it is, in these two ways, and as random as the checkpoint. All rows lie in the call's folder, so that
running again plays nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import final

from heldout.agents import PLAYERS, Agent, Backends, OpenAgent, agent_of, player, suites_of
from heldout.analysis.scores import Cell
from heldout.backend.processes import ProcessBackend
from heldout.chains import chain_name
from heldout.config import AS_IT_STANDS, Config, Variant
from heldout.errors import BadCall, HeldoutError
from heldout.evaluation.measure import Hear, Playing
from heldout.records import Json, Row
from heldout.store.files import read_json, replace_json
from heldout.store.lease import hold
from heldout.store.runs import StudyFolder
from heldout.study import calibrate
from heldout.study.calibrate import Pair, calibration_episodes, tuning_episodes
from heldout.study.controls import CONTROL_PLAYERS, Beside, ControlRows, LeftOut, Matched, Tuned
from heldout.study.facts import tuning_digest
from heldout.study.once import Place, measure_opened, seed_of
from heldout.study.perform import facts_of

THE_MODEL = "model"
"""What the model that was asked for is called beside its controls."""

SINGLE = Variant(answers="single")
"""SearchQA where the first answer is final: measured beside the one where any number may be guessed."""


def measure_with_controls(
    model: str,
    cells: Sequence[Sequence[Cell]],
    config: Config,
    study: StudyFolder,
    *,
    seed: int | None,
    playing: Playing,
    loading: Callable[[str], None] = lambda _: None,
) -> Beside:
    """The rows of a model and of its controls, in each environment's cells."""
    agent = agent_of(model, config.chat_template)
    place = Place(study=study, seed=seed_of(agent, seed), playing=playing)
    # Nothing is learned here: no reference is held in memory.
    config = replace(config, train=replace(config.train, kl=0.0))
    with Backends() as backends:
        table = _Table(cells, config, place, backends, loading)
        table.measure(THE_MODEL, agent)
        for name in CONTROL_PLAYERS:
            if name != model:
                table.measure(name, agent_of(name))
        if model not in PLAYERS:
            table.measure_otherwise("", agent)
            if agent.chain:
                _measure_base(table, agent)
        table.measure_single_answers()
    return table.found


def _measure_base(table: "_Table", agent: Agent) -> None:
    """What a checkpoint started from, if it can be had; it is measured in the checkpoint's cells, by its seed."""
    try:
        base = _base_of(agent, table.config)
    except HeldoutError as refusal:
        table.leave_out("base", refusal)
        return
    table.measure("base", base)
    table.measure_otherwise("base_", base)
    table.measure_matched("base_matched_entropy", agent, base)


def _base_of(agent: Agent, config: Config) -> Agent:
    """The agent that the checkpoint's chain starts from; a model of that name that is another one is refused."""
    base = agent_of(agent.base, config.chat_template)
    if base.identity != agent.digest:
        began = f"{chain_name(agent.chain)} began with {agent.digest}"
        raise BadCall(f"{agent.base} is {base.identity} here, and {began}")
    return base


@final
class _Table:
    """Measures one control after another, with one model in memory at a time."""

    def __init__(
        self,
        cells: Sequence[Sequence[Cell]],
        config: Config,
        place: Place,
        backends: Backends,
        loading: Callable[[str], None],
    ) -> None:
        self.found, self.config = Beside(), config
        self._cells, self._place, self._backends, self._loading = cells, place, backends, loading
        self._loaded: tuple[ProcessBackend, str] | None = None
        self._measured = dict[str, Agent]()
        """Whoever was measured at the settings' temperature."""

    def leave_out(self, name: str, refusal: HeldoutError) -> None:
        """A control cannot be measured."""
        self.found.left_out.append(LeftOut(name=name, why=str(refusal)))

    def measure(self, name: str, agent: Agent) -> None:
        """At the settings' temperature, in all cells; a control that is refused is left out, the model is not."""
        try:
            self._add(name, self._rows(agent, self._cells, self.config))
        except BadCall as refusal:
            if name == THE_MODEL:
                raise
            self.leave_out(name, refusal)
            return
        self._measured[name] = agent

    def measure_single_answers(self) -> None:
        """SearchQA where the first answer is final, by whoever was measured where it is not.

        Comes last: a backend is of one task source, and another takes seconds to start.
        """
        cells = [own for own in self._cells if own[0].env == "searchqa" and self._guesses_again]
        if not cells:
            return
        config = replace(self.config, source=replace(self.config.source, variant=SINGLE))
        for each in [own for own in self.found.measured if own.name in self._measured]:
            place = self.found.measured.index(each)
            try:
                rows = (*each.rows, *self._rows(self._measured[each.name], cells, config))
                self.found.measured[place] = ControlRows(name=each.name, rows=rows)
            except BadCall as refusal:
                if each.name == THE_MODEL:
                    raise
                self.found.measured.remove(each)
                self.leave_out(each.name, refusal)

    def measure_otherwise(self, prefix: str, agent: Agent) -> None:
        """Greedily, once a task, and at the temperature that does best on training tasks of each cell's kind."""
        self._add(f"{prefix}greedy", self._rows(agent, self._cells, _at(self.config, 0.0)))
        name = f"{prefix}best_temperature"
        try:
            tuned = [(cell, self._tuned(agent, cell)) for own in self._cells for cell in own]
        except BadCall as refusal:
            self.leave_out(name, refusal)
            return
        rows = [self._rows(agent, [[cell]], _at(self.config, each.temperature)) for cell, each in tuned]
        self._add(name, [row for own in rows for row in own])

    def measure_matched(self, name: str, trained: Agent, base: Agent) -> None:
        """The base where it is as random as the checkpoint, in the states that the checkpoint visits."""
        try:
            matched = self._matched(trained, base)
        except BadCall as refusal:
            self.leave_out(name, refusal)
            return
        self._add(name, self._rows(base, self._cells, _at(self.config, matched.temperature)))

    @property
    def _guesses_again(self) -> bool:
        """Whether SearchQA lets the agent answer again as it is asked for here."""
        is_as_it_stands = self.config.source.variant == AS_IT_STANDS
        return is_as_it_stands and not suites_of(self.config)("searchqa").variant.name

    def _add(self, name: str, rows: Sequence[Row]) -> None:
        self.found.measured.append(ControlRows(name=name, rows=tuple(rows)))

    def _rows(self, agent: Agent, cells: Sequence[Sequence[Cell]], config: Config) -> list[Row]:
        """An agent's rows at the configuration's temperature."""
        if agent.model in PLAYERS:
            opened = OpenAgent(play=player(agent.model, config))
        else:
            backend = self._load(agent, config)
            play = partial(backend.play, temperature=config.evaluate.temperature)
            opened = OpenAgent(play=play, room=backend.room)
        return measure_opened(agent, opened, cells, config, self._place)

    def _load(self, agent: Agent, config: Config) -> ProcessBackend:
        """A backend that holds the agent's weights."""
        backend = self._backends.open(config, agent.model, to_learn=False)
        if self._loaded != (backend, agent.model):
            self._loading(agent.model)
            backend.load(agent.model)
            self._loaded = backend, agent.model
        return backend

    def _tuned(self, agent: Agent, cell: Cell) -> Tuned:
        facts = facts_of(suites_of(self.config)(cell.env), cell, 0)
        folder = self._place.evaluation(agent)
        path = folder.tuned(cell.name, tuning_digest(facts, self.config))

        def seek(hear: Hear) -> Tuned:
            backend = self._load(agent, self.config)
            return calibrate.tune(backend, cell, self.config, seed=self._place.seed, hear=hear)

        title = f"choose a temperature for {cell.name}"
        return Tuned(**self._kept(path, title, tuning_episodes(cell, self.config), seek))

    def _matched(self, trained: Agent, base: Agent) -> Matched:
        stage, config = trained.chain[-1], self.config
        path = self._place.evaluation(trained).matched(config.evaluate.temperature)
        count = len(calibration_episodes(stage, stage.apply_to(config), self._place.seed))

        def seek(hear: Hear) -> Matched:
            pair, backend = Pair(trained=trained.model, base=base.model), self._load(base, stage.apply_to(config))
            self._loaded = None  # it holds one, then the other
            return calibrate.match(backend, pair, stage, config, seed=self._place.seed, hear=hear)

        return Matched(**self._kept(path, "match the base's entropy", count, seek))

    def _kept(self, path: Path, title: str, episodes: int, seek: Callable[[Hear], Tuned | Matched]) -> Json:
        """What was found before, or is found now."""
        if not path.exists():
            lease, playing = hold(path.parent / f".{path.stem}.lease", purpose=title), self._place.playing
            with lease as own, playing(title, episodes) as hear:
                replace_json(path, asdict(seek(hear)), own.check)
        return read_json(path)


def _at(config: Config, temperature: float) -> Config:
    """The same at another temperature; greedy decoding says the same each time, so once is enough."""
    samples = config.evaluate.samples if temperature else 1
    return replace(config, evaluate=replace(config.evaluate, temperature=temperature, samples=samples))
