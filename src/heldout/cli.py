"""The command line: parse, call, and one clear line where something is wrong.

A verb is named as `module:function` and loaded when it is called, so `--help` answers at once.
Exit status: 0 done, 1 something failed, 2 a call that cannot be, 130 interrupted, 143 terminated.
"""

import os
import re
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn, final

from heldout.config import ALGORITHMS
from heldout.errors import BadCall, HeldoutError, choose_from, unknown
from heldout.extras import load
from heldout.printable import printable_line
from heldout.stops import STATUSES, WORDS, Stops, forget_interrupts, mend_streams
from heldout.verbs import flags
from heldout.version import __version__

_FLAG = re.compile(r"--[a-z-]+")

BROKEN_PIPE = 141
"""What a shell reports for a process that SIGPIPE ended."""


@final
class _Parser(ArgumentParser):
    """argparse, whose complaint is one of our errors instead of a page of usage and an exit."""

    def error(self, message: str) -> NoReturn:
        """A bad call, in one line."""
        verb = self.prog.removeprefix("heldout").strip()
        raise BadCall(f"{verb}: {message}" if verb else message)


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb does, where its function is, and the flags that are that function's arguments."""

    summary: str
    place: str
    flags: Callable[[ArgumentParser], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit status."""
    status = 0
    mend_streams()
    try:
        status = _status(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        _print_no_more()
        return BROKEN_PIPE
    except OSError as error:  # only the flush gets here: what was printed goes to a disk that is full
        _print_no_more()
        return status or _print_error(f"could not print: {error.strerror}", HeldoutError.status)
    return status


def _print_no_more() -> None:
    """Sends what is still to be printed nowhere, so that the interpreter's last flush is quiet too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _status(words: Sequence[str]) -> int:
    with Stops() as stops:
        try:
            verb, arguments = parse(words)
            with _saying_that_it_loads():
                function = load(verb.place)
            function(**arguments)
        except BrokenPipeError:
            raise
        except BaseException as error:
            if stops.signal or isinstance(error, KeyboardInterrupt):
                stop = stops.signal or signal.SIGINT
                forget_interrupts()
                return _print_error(WORDS[stop], STATUSES[stop])
            return _failure(error)
    return 0


@contextmanager
def _saying_that_it_loads() -> Iterator[None]:
    """On a terminal a word that goes away again: torch and transformers take seconds to load."""
    if not sys.stderr.isatty():
        yield
        return
    print("loading …", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _failure(error: BaseException) -> int:
    """The exit status of what ended a command line; a mistake of ours goes on to be seen whole."""
    match error:
        case HeldoutError():
            return _print_error(str(error), error.status)
        case OSError():
            return _print_error(str(error), HeldoutError.status)
        case SystemExit():  # argparse has printed what --help or --version asked for
            return int(error.code or 0)
    raise error


def parse(words: Sequence[str]) -> tuple[Verb, dict[str, object]]:
    """The verb that a command line names, and the arguments of its function."""
    parser, verbs = _parsers()
    if not words:
        parser.print_help()
        raise BadCall("name a verb")
    _check_names(words)
    values, strange = parser.parse_known_args([_with_hyphens(word) for word in words])
    arguments = vars(values)
    name = " ".join(filter(None, (arguments.pop("verb"), arguments.pop("inner", None))))
    if strange:
        raise unknown(f"argument of {name}", strange[0], set(_FLAG.findall(verbs[name].format_usage())))
    protocol = arguments.pop("protocol", None)
    return replace(VERBS[name], place=PROTOCOLS[str(protocol)]) if protocol else VERBS[name], arguments


def _check_names(words: Sequence[str]) -> None:
    """Refuses a first word that names no verb, and after the name of a family one that names none of its verbs."""
    first, second = [*words, ""][:2]
    if first.startswith("-"):
        return
    if first not in FAMILIES and first not in VERBS:
        raise unknown("verb", first, {name.partition(" ")[0] for name in VERBS})
    if first in FAMILIES and not second.startswith("-"):
        known = [name.partition(" ")[2] for name in VERBS if name.startswith(f"{first} ")]
        if not second:
            raise BadCall(f"{first}: say what ({choose_from(first, known)})")
        if second not in known:
            raise unknown(first, second, known)


def print_help(*, words: Sequence[str]) -> None:
    """What `VERB --help` prints, or without a verb `heldout --help`."""
    parse([*words, "--help"])


def _print_error(message: str, status: int) -> int:
    print(f"heldout: {printable_line(message)}", file=sys.stderr)
    return status


def _with_hyphens(word: str) -> str:
    """A flag's underscores as hyphens: `--max_turns` is `--max-turns`."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value


def _parsers() -> tuple[ArgumentParser, dict[str, ArgumentParser]]:
    parser = _Parser(
        "heldout", description="Train LLM agents by multi-turn RL; measure what they learned elsewhere."
    )
    parser.add_argument("--version", action="version", version=f"heldout {__version__}")
    families = {"": parser.add_subparsers(dest="verb", metavar="verb", required=True)}
    verbs = dict[str, ArgumentParser]()

    def added(name: str, family: str, summary: str) -> _Parser:
        return families[family].add_parser(name, help=summary, description=summary, allow_abbrev=False)

    for name, verb in VERBS.items():
        family, _, own = name.rpartition(" ")
        if family not in families:
            parser_of_family = added(family, "", FAMILIES[family])
            families[family] = parser_of_family.add_subparsers(dest="inner", metavar="what", required=True)
        verbs[name] = added(own, family, verb.summary)
        verb.flags(verbs[name])
    return parser, verbs


def _demo_flags(parser: ArgumentParser) -> None:
    parser.add_argument("--env", metavar="E", help="the environment to train in (the one that shows more)")
    parser.add_argument(
        "--model",
        default="pocket",
        metavar="M",
        help="pocket, or one of `heldout pocket --with` that knows it (pocket)",
    )
    flags.seeds(parser, "of training and measurement: one for a quick look, which holds that run only (0 1 2)")
    flags.out(parser, "where the run lies (runs/demo)")
    flags.changes(parser)


def _envs_flags(parser: ArgumentParser) -> None:
    flags.as_json(parser)
    flags.changes(parser)


def _config_flags(parser: ArgumentParser) -> None:
    flags.model(parser, "oracle", "random", "random-legal", required=False)
    flags.as_json(parser)
    flags.changes(parser)


def _help_flags(parser: ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="VERB", help="a verb, such as train or bench envs (all)")


def _data_check_flags(parser: ArgumentParser) -> None:
    flags.envs(parser, "environments whose data is looked at (all)", required=False)
    flags.as_json(parser)


def _data_leakage_flags(parser: ArgumentParser) -> None:
    flags.envs(parser, "environments whose splits are compared (all)", required=False)
    flags.limit(parser, "look at the first N tasks of each split only (6000)")
    flags.as_json(parser)
    flags.changes(parser)


def _data_list_flags(parser: ArgumentParser) -> None:
    flags.as_json(parser)


def _data_fetch_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "wanted", nargs="+", metavar="NAME", help="sources of `heldout data list`, such as alfworld"
    )
    parser.add_argument(
        "--from", dest="mirror", metavar="URL", help="a folder that has the files: https://… or file://…"
    )
    flags.as_json(parser)


def _data_prepare_flags(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="ENV", help="an environment: searchqa")
    flags.as_json(parser)


def _play_flags(parser: ArgumentParser) -> None:
    parser.add_argument("env", metavar="ENV", help="an environment of `heldout envs`")
    parser.add_argument(
        "--task", metavar="ID", help="the task's id, as here or as it was published (one drawn by the seed)"
    )
    flags.difficulty(parser)
    flags.difficulty_file(parser)
    flags.max_turns(parser, "20")
    flags.seed(parser)
    flags.changes(parser)


def _laws_flags(parser: ArgumentParser) -> None:
    place = (
        "an environment of `heldout envs`, or MODULE:SUITE: a Suite there, or a function of a Source that gives one"
    )
    parser.add_argument("suite", metavar="ENV", help=place)
    flags.limit(parser, "look at the first N tasks of each split only")
    flags.as_json(parser)
    flags.settings(parser)


def _replay_flags(parser: ArgumentParser) -> None:
    what = "a file or a folder of episodes, dialogues or our own trajectories"
    forms = "JSON lines, an array or indented JSON, plain, .gz, .xz or .zst"
    parser.add_argument("file", type=Path, metavar="PATH", help=f"{what}: {forms}")
    rules = "agentgym, as the original servers answer, or fixed (as it was played: agentgym, trajectories fixed)"
    flags.rules(parser, rules, default=None)
    flags.limit(parser, "at most the first N episodes")
    parser.add_argument("--env", metavar="E", help="the environment of dialogues whose item_id is a number alone")
    steps = "after how many actions the recorded ALFWorld ended an episode (50)"
    parser.add_argument("--max-steps", type=flags.count, metavar="N", help=steps)
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the episodes are written with our answers")
    flags.changes(parser)


def _pocket_flags(parser: ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="fail unless its scores agree with the shipped one's")
    parser.add_argument(
        "--with",
        dest="others",
        metavar="E",
        nargs="+",
        action=flags.Names,
        default=[],
        help="environments that it is shown beside its own: yours",
    )
    parser.add_argument(
        "--without",
        metavar="E",
        nargs="+",
        action=flags.Names,
        default=[],
        help="environments of which it is shown nothing, or only in what form to reply, and that in the corridor",
    )
    words = "show some demonstrations in the made-up words of maps 1 to N too (none)"
    parser.add_argument("--maps", type=flags.count, metavar="N", help=words)
    parser.add_argument(
        "--part",
        type=flags.share,
        default=1.0,
        metavar="P",
        help="make this part of it, such as 0.01, for a try (1)",
    )
    flags.out(parser, "where to build it (outputs/pocket)")
    flags.seed(parser)
    flags.settings(parser)


def _train_flags(parser: ArgumentParser) -> None:
    flags.model(parser)
    what = "the environment to train in, or a stage such as babyai+webshop or 'textcraft[train.kl=0.01]'"
    parser.add_argument("--env", required=True, metavar="E", help=what)
    flags.difficulty(parser)
    flags.difficulty_file(parser)
    parser.add_argument("--n-samples", type=flags.count, metavar="G", help="trajectories of a task (8)")
    parser.add_argument(
        "--max-response-length", type=flags.count, metavar="L", help="tokens after the prompt (8192)"
    )
    flags.max_turns(parser, "the environment's own")
    said = f"by what it learns: {', '.join(ALGORITHMS)} (grpo)"
    algorithm = flags.one_of("algorithm", *ALGORITHMS)
    parser.add_argument("--algorithm", type=algorithm, default="grpo", metavar="A", help=said)
    again = "go on where an earlier run stopped; with other settings as a new stage"
    parser.add_argument("--resume", action="store_true", help=again)
    flags.seed(parser)
    flags.out(parser, "where the run lies (runs/…)")
    flags.changes(parser)


def _evaluate_flags(parser: ArgumentParser) -> None:
    flags.model(parser, "oracle", "random", "random-legal")
    flags.envs(parser, "the environments to play")
    flags.difficulty(parser)
    flags.difficulty_file(parser)
    parser.add_argument(
        "--split", type=flags.one_of("split", "train", "test"), default="test", help="train or test (test)"
    )
    parser.add_argument(
        "--metric", type=flags.metric, dest="samples", metavar="avg@k", help="plays of each task (avg@8)"
    )
    flags.max_turns(parser, "20")
    flags.limit(parser, "at most N tasks of each environment and difficulty")
    flags.seed(parser, None, "0; a checkpoint's is the one that trained it")
    beside = (
        "measure what a score must beat beside the model: players, other temperatures, its base (docs/study.md)"
    )
    parser.add_argument("--controls", action="store_true", help=beside)
    curve = "also how many tasks are done by one of 1, 2, 4 … k attempts, each with its interval"
    parser.add_argument("--pass-at", dest="curve", action="store_true", help=curve)
    flags.as_json(parser)
    flags.out(parser, "where rows and trajectories lie (runs/…)")
    flags.changes(parser)


def _study_plan_flags(parser: ArgumentParser) -> None:
    flags.study(parser)
    flags.as_json(parser)


def _study_unlock_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a study's folder, such as runs/demo")


def _study_run_flags(parser: ArgumentParser) -> None:
    flags.study(parser)
    last = "begin no piece after so long, such as 90s, 30m, 2h or 1h30m; the same call goes on (no limit)"
    parser.add_argument("--for", dest="seconds", type=flags.duration, metavar="TIME", help=last)
    jobs = "so many pieces at a time, each with the processes that the configuration says (1)"
    parser.add_argument("--jobs", type=flags.count, default=1, metavar="N", help=jobs)
    cluster = "pieces are tasks of a Ray cluster that sees the folder: auto (the one here) or its address"
    parser.add_argument("--ray", dest="address", metavar="ADDRESS", help=cluster)
    flags.keep(parser, "all")


def _study_status_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a study's folder, such as runs/demo")
    flags.as_json(parser)


def _study_prune_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a study's folder, such as runs/demo")
    flags.keep(parser, "ends")


def _report_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a study's folder, such as runs/pocket-transfer"
    )
    flags.as_json(parser)


def _difficulty_flags(parser: ArgumentParser) -> None:
    flags.model(parser, "oracle", "random", "random-legal")
    flags.envs(parser, "the environments to measure")
    parser.add_argument("--n-samples", type=flags.count, dest="samples", metavar="K", help="plays of each task (8)")
    flags.max_turns(parser, "20")
    flags.limit(parser, "at most N tasks of each split, drawn by hash")
    flags.seed(parser)
    flags.as_json(parser)
    flags.out(parser, "where difficulty.json, rows and the report lie (runs/…)")
    flags.changes(parser)


def _bench_rollout_flags(parser: ArgumentParser) -> None:
    parser.add_argument("--model", default="pocket", metavar="M", help="as for train (pocket)")
    parser.add_argument("--env", default="textcraft", metavar="E", help="the environment to play (textcraft)")
    parser.add_argument(
        "--in-flight", type=flags.count, default=64, metavar="N", help="conversations at a time (64)"
    )
    parser.add_argument(
        "--episodes", type=flags.count, metavar="N", help="in each run (twice as many as in flight)"
    )
    parser.add_argument(
        "--rival",
        choices=("generate", "padded"),
        default="generate",
        help="transformers' generate, or its attention over padded rows of our cache (generate)",
    )
    flags.rounds(parser, 3, "runs of each engine, in turn (3)")
    flags.seed(parser)
    flags.as_json(parser)
    flags.changes(parser)


def _serve_flags(parser: ArgumentParser) -> None:
    parser.add_argument("env", metavar="ENV", help="an environment of `heldout envs`")
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help="who may call: this machine (127.0.0.1)")
    parser.add_argument("--port", type=flags.port, default=36001, metavar="N", help="0 is any that is free (36001)")
    token = "its paths begin with it: HELDOUT_SERVE_TOKEN, or one that is made (only beyond this machine)"
    parser.add_argument("--token", nargs="?", const="", metavar="TOKEN", help=token)
    names = "other names that it may be called by, NAME or NAME:PORT"
    parser.add_argument(
        "--allow-host", dest="allowed", nargs="+", action="extend", default=[], metavar="NAME", help=names
    )
    parser.add_argument(
        "--protocol",
        type=flags.one_of("protocol", *PROTOCOLS),
        default="agentgym",
        metavar="P",
        help="what clients speak: agentgym or openenv (agentgym)",
    )
    flags.rules(parser, "agentgym or fixed (agentgym for its own protocol, else fixed)", default=None)
    parser.add_argument(
        "--max-episodes",
        type=flags.count,
        default=1000,
        metavar="N",
        help="episodes that may be open at once (1000)",
    )
    parser.add_argument(
        "--idle-seconds",
        type=flags.count,
        default=3600,
        metavar="S",
        help="an unused episode is closed after (3600)",
    )
    shown = "with openenv, what an observation has beside its text: admissible_actions, task, score, success"
    parser.add_argument("--show", dest="shown", nargs="+", action="extend", default=[], metavar="FIELD", help=shown)
    flags.as_json(parser)
    flags.settings(parser)


def _bench_serve_flags(parser: ArgumentParser) -> None:
    parser.add_argument("--env", default="textcraft", metavar="E", help="the environment to serve (textcraft)")
    parser.add_argument("--episodes", type=flags.count, default=2000, metavar="N", help="in the soak (2000)")
    parser.add_argument("--in-flight", type=flags.count, default=64, metavar="N", help="clients at a time (64)")
    parser.add_argument("--steps", type=flags.count, default=2000, metavar="N", help="timed, by one client (2000)")
    waits = "good clients are timed, without and with half-sent calls beside them (25)"
    parser.add_argument("--seconds", type=flags.seconds, default=25.0, metavar="S", help=waits)
    flags.seed(parser)
    flags.as_json(parser)
    flags.settings(parser)


def _bench_envs_flags(parser: ArgumentParser) -> None:
    flags.envs(parser, "the environments (every one)", required=False)
    file = "recorded episodes, as for replay: their actions are played, and no other environments"
    parser.add_argument("--file", dest="files", nargs="+", type=Path, default=[], metavar="FILE", help=file)
    flags.rules(parser, "agentgym or fixed (fixed; with a file agentgym)", default=None)
    flags.limit(parser, "tasks of each environment (100), or the first N episodes of each file (all)")
    flags.rounds(parser, 5, "rounds, everything in turn (5)")
    parser.add_argument("--seconds", type=flags.seconds, default=1.0, metavar="S", help="of a round, at least (1)")
    flags.seed(parser)
    flags.as_json(parser)
    flags.changes(parser)


def _bench_train_flags(parser: ArgumentParser) -> None:
    parser.add_argument("--model", default="pocket", metavar="M", help="as for train (pocket)")
    parser.add_argument("--env", default="textcraft", metavar="E", help="the environment to train in (textcraft)")
    flags.difficulty(parser, "easy")
    parser.add_argument(
        "--tasks", type=flags.count, metavar="N", help="tasks of a step (6: all then takes some minutes)"
    )
    parser.add_argument("--samples", type=flags.count, metavar="G", help="trajectories of a task (8)")
    flags.rounds(parser, 3, "steps of each approach, in turn (3)")
    flags.seed(parser)
    flags.as_json(parser)
    flags.changes(parser)


def _bench_coverage_flags(parser: ArgumentParser) -> None:
    trials = "simulated studies under each condition (200: minutes; 2000 is what docs/statistics.md has)"
    parser.add_argument("--trials", type=flags.count, default=200, metavar="N", help=trials)
    parser.add_argument("--part", type=flags.count, default=1, metavar="P", help="every P-th condition only (1)")
    flags.seed(parser)
    flags.as_json(parser)


PROTOCOLS = {
    "agentgym": "heldout.verbs.serve.agentgym:serve_agentgym",
    "openenv": "heldout.verbs.serve.openenv:serve_openenv",
}
"""What `heldout serve` may speak, and the verb's function that speaks it."""
FAMILIES = {
    "data": "look after the tasks and their data",
    "study": "ask a question, answer it, and look after its folder",
    "bench": "measure ourselves: speed beside others, and intervals",
}
"""Verbs whose second word says what."""
VERBS = {
    "demo": Verb(
        "train the pocket agent and show what it learned elsewhere", "heldout.verbs.demo:demo", _demo_flags
    ),
    "envs": Verb("list the environments", "heldout.verbs.envs:envs", _envs_flags),
    "config": Verb("every setting, and what it can be", "heldout.verbs.config:config", _config_flags),
    "help": Verb("what a verb does, and its flags", "heldout.cli:print_help", _help_flags),
    "play": Verb("play a task yourself, in the agent's words", "heldout.verbs.play:play", _play_flags),
    "laws": Verb("whether an environment, ours or yours, keeps the laws", "heldout.verbs.laws:laws", _laws_flags),
    "replay": Verb(
        "play recorded episodes again; fail where we answer otherwise", "heldout.verbs.replay:replay", _replay_flags
    ),
    "data check": Verb("whether the real tasks' data is whole", "heldout.verbs.data:data_check", _data_check_flags),
    "data leakage": Verb(
        "what of the test tasks stands in train and demonstrations",
        "heldout.verbs.leakage:data_leakage",
        _data_leakage_flags,
    ),
    "data list": Verb(
        "the official sources of the real tasks' data", "heldout.verbs.fetch:data_list", _data_list_flags
    ),
    "data fetch": Verb("bring files of sources here", "heldout.verbs.fetch:data_fetch", _data_fetch_flags),
    "data prepare": Verb(
        "make what an environment reads of what was fetched",
        "heldout.verbs.prepare:data_prepare",
        _data_prepare_flags,
    ),
    "pocket": Verb("build the pocket model from nothing", "heldout.verbs.pocket:pocket", _pocket_flags),
    "train": Verb("train an agent in one environment", "heldout.verbs.train:train", _train_flags),
    "evaluate": Verb("measure an agent", "heldout.verbs.evaluate:evaluate", _evaluate_flags),
    "study run": Verb(
        "train and measure what a study asks and its folder does not have",
        "heldout.verbs.study_run:study_run",
        _study_run_flags,
    ),
    "study status": Verb(
        "what of a study is done, running, failed and left",
        "heldout.verbs.study_status:study_status",
        _study_status_flags,
    ),
    "study prune": Verb(
        "remove checkpoints that nothing goes on from", "heldout.verbs.study:study_prune", _study_prune_flags
    ),
    "study plan": Verb(
        "what a study comes to before it runs: its pieces, cost and questions",
        "heldout.verbs.study_plan:study_plan",
        _study_plan_flags,
    ),
    "study unlock": Verb(
        "take leases away from processes that will not come back",
        "heldout.verbs.study:study_unlock",
        _study_unlock_flags,
    ),
    "report": Verb("what a folder's studies have found", "heldout.verbs.report:report", _report_flags),
    "difficulty": Verb(
        "tell easy tasks from hard by a reference model", "heldout.verbs.difficulty:difficulty", _difficulty_flags
    ),
    "bench rollout": Verb(
        "our engine beside transformers' generate",
        "heldout.verbs.bench.rollout:bench_rollout",
        _bench_rollout_flags,
    ),
    "serve": Verb(
        "an environment for programs that speak AgentGym or OpenEnv", PROTOCOLS["agentgym"], _serve_flags
    ),
    "bench serve": Verb(
        "2,000 episodes, good and bad, through the server",
        "heldout.verbs.bench.serve:bench_serve",
        _bench_serve_flags,
    ),
    "bench envs": Verb(
        "how many tasks are opened and actions answered in a second",
        "heldout.verbs.bench.envs:bench_envs",
        _bench_envs_flags,
    ),
    "bench coverage": Verb(
        "how often our intervals hold a truth that is known",
        "heldout.verbs.bench.coverage:bench_coverage",
        _bench_coverage_flags,
    ),
    "bench train": Verb(
        "a training step of ours beside TRL's, part by part",
        "heldout.verbs.bench.train:bench_train",
        _bench_train_flags,
    ),
}
