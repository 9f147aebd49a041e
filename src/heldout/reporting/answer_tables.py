"""A study's answers as tables of words: scores in points, dashes where something was not measured."""

from collections.abc import Callable, Iterable, Sequence

from heldout.analysis.conclusions import conclude
from heldout.analysis.difficulty import rank_correlation
from heldout.analysis.measured import Place
from heldout.analysis.scores import CellScore
from heldout.analysis.task_by_task import Figure
from heldout.analysis.transfer import Transfer, environments_of, mean_of
from heldout.chains import BASE, chain_name
from heldout.reporting.answers import Answers
from heldout.reporting.findings import change_words, given_this_run, interval_words, normalised_words
from heldout.reporting.tables import MISSING, Table


def endpoint_table(answers: Answers) -> Table:
    """Each endpoint: its estimate and interval, the family's p, and what may be said."""
    rows = [
        (
            _question(result.endpoint.name, result.endpoint.margin),
            _signed(result.estimate.value if result.estimate else None),
            _ends(result.estimate.ci95 if result.estimate else None),
            MISSING if result.adjusted is None else f"{result.adjusted:.3f}",
            _seeds_from(result.estimate.seeds_from if result.estimate else "", str(conclude(result))),
        )
        for result in answers.endpoints
    ]
    return Table(("endpoint", "points", f"95 %{_given(answers)}", "p (Holm)", "shown"), rows)


def missing_lines(answers: Answers) -> list[str]:
    """Why endpoints have no estimate, which tasks are in none, and what was not measured."""
    lines = [f"{each.endpoint.name}: {each.missing}" for each in answers.endpoints if each.missing]
    lines += [
        f"{each.endpoint.name}: {each.estimate.left_out} tasks are left out, since not all of it was measured there"
        for each in answers.endpoints
        if each.estimate and each.estimate.left_out
    ]
    return [*lines, *answers.missing]


def transfer_table(answers: Answers) -> Table:
    """Table 3: each chain's score in each environment, and its gains there, elsewhere and on the whole."""
    gains = {each.chain: each for each in answers.transfers}
    rows = [
        (
            chain,
            *(_score(answers.scores.get((chain, place))) for place in answers.places),
            *(_signed(value) for value in _deltas(gains.get(chain))),
        )
        for chain in _chains_of(answers)
    ]
    names = [place_name(place) for place in answers.places]
    return Table(("chain", *names, "Δheld-in", "Δheld-out", "Δoverall"), rows)


def score_table(answers: Answers) -> Table:
    """Every checkpoint in every cell, with intervals, and its change from the base."""
    places = sorted({place for _, place in answers.scores}, key=lambda place: (place[0].env, place))
    rows = [
        (
            chain,
            place_name(place, whole=True),
            str(score.n),
            interval_words(score),
            change_words(answers.changes.get((chain, place))),
            normalised_words(answers.normalised.get((chain, place))),
        )
        for chain in _chains_of(answers)
        for place in places
        if (score := answers.scores.get((chain, place)))
    ]
    given = _given(answers)
    return Table(("chain", "cell", "n", f"score, 95 %{given}", f"change, 95 %{given}", "normalised"), rows, keys=2)


def control_table(answers: Answers) -> Table:
    """What a gain must beat, in each environment."""
    rows = [
        (name.replace("_", " "), *(_score(answers.controls.get((name, place))) for place in answers.places))
        for name in dict.fromkeys(name for name, _ in answers.controls)
    ]
    return Table(("control", *(place_name(place) for place in answers.places)), rows)


def drift_table(answers: Answers) -> Table:
    """The forward KL from the base to each chain's end, in each environment."""
    chains, envs = dict.fromkeys(chain for chain, _ in answers.drift), answers.study.envs
    rows = [(chain, *(_nats(answers.drift.get((chain, env))) for env in envs)) for chain in chains]
    return Table(("chain", *envs), rows)


def drift_line(answers: Answers) -> str:
    """Whether chains that moved more where they trained changed less elsewhere; nothing of fewer than three."""
    pairs = [
        (mean, each.held_out)
        for each in answers.transfers
        if each.held_out is not None
        and (mean := mean_of(answers.drift.get((each.chain, env)) for env in environments_of(each.chain)))
        is not None
    ]
    if len(pairs) < 3 or (found := rank_correlation(*zip(*pairs, strict=True))) is None:
        return ""
    return (
        f"Spearman's rank correlation of the KL where a chain was trained with its change elsewhere: {found:+.2f}, "
        f"over {len(pairs)} chains\n"
    )


def plan_table(answers: Answers) -> Table:
    """Table 2: each plan of training in its environment, on easy, hard and all tasks."""
    rows = [
        (plan, env, *(MISSING if value is None else f"{value:.1f}" for value in (each.easy, each.hard, each.all)))
        for (plan, env), each in answers.plans.items()
    ]
    return Table(("plan", "env", "easy", "hard", "all"), rows, keys=2)


def pair_table(answers: Answers) -> Table:
    """Table 6: what the second stage leaves of the first, and gains over that stage alone."""
    rows = [(each.upstream, each.downstream, _signed(each.retention), _signed(each.gain)) for each in answers.pairs]
    return Table(("first", "second", "retention", "gain over the second alone"), rows, keys=2)


def sequence_table(answers: Answers) -> Table:
    """The field's measures of stages one after another."""
    rows = [
        (
            each.chain,
            MISSING if each.acc is None else f"{each.acc:.1f}",
            _signed(each.bwt),
            _signed(each.fwt),
            _signed(each.fwt_random),
            _signed(_most(each.forgetting.values())),
        )
        for each in answers.sequences
    ]
    return Table(("chain", "ACC", "BWT", "FWT", "FWT over random", "most forgotten"), rows)


def task_table(answers: Answers) -> Table:
    """The base against each chain's end, task by task, in each environment."""
    rows = [
        (
            chain,
            place_name(place),
            f"{each.gained:.1f}",
            f"{each.lost:.1f}",
            f"{each.by_chance:.1f}",
            f"{each.kept:.1f}",
            f"{each.unsolved:.1f}",
            _both(each.turns, "{:.1f}".format),
            _both(each.tokens, "{:.0f}".format),
            _both(each.read, "{:.0f}".format),
            " to ".join(MISSING if share is None else f"{100 * share:.1f}" for share in each.invalid),
        )
        for chain in _chains_of(answers)
        for place in answers.places
        if (each := answers.tasks.get((chain, place)))
    ]
    header = ("gained", "lost", "by chance", "kept", "unsolved", "turns", "tokens", "read", "invalid, %")
    return Table(("chain", "env", *header), rows, keys=2)


def _chains_of(answers: Answers) -> list[str]:
    """The base and the study's chains that were measured, in the study's order."""
    there = {chain for chain, _ in answers.scores}
    return [name for name in (BASE, *map(chain_name, answers.study.chains)) if name in there]


def place_name(place: Place, *, whole: bool = False) -> str:
    """An environment, or a cell, and the variant that it was played in: `babyai[actions=hidden]`."""
    cell, variant = place
    name = cell.name if whole or cell.split != "test" else cell.env
    return f"{name}[{variant}]" if variant else name


def _given(answers: Answers) -> str:
    return given_this_run(answers.study.seeds)


def _question(name: str, margin: float | None) -> str:
    return name if margin is None else f"{name} (within ±{margin:g})"


def _seeds_from(source: str, word: str) -> str:
    return f"{word}; trainings differ as in {source}" if source else word


def _deltas(gains: Transfer | None) -> Sequence[float | None]:
    return (gains.held_in, gains.held_out, gains.overall) if gains else (None, None, None)


def _score(score: CellScore | None) -> str:
    return f"{100 * score.score:.1f}" if score else MISSING


def _nats(value: float | None) -> str:
    return MISSING if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return MISSING if value is None else f"{value:+.1f}"


def _ends(ends: Sequence[float] | None) -> str:
    return f"[{ends[0]:+.1f}, {ends[1]:+.1f}]" if ends else MISSING


def _both(figure: Figure, shown: Callable[[float], str]) -> str:
    return f"{shown(figure.before)} to {shown(figure.after)}"


def _most(values: Iterable[float | None]) -> float | None:
    there = list(values)
    known = [value for value in there if value is not None]
    return max(known) if known and len(known) == len(there) else None
