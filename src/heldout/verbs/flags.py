"""The flags that verbs share, and how their values are read."""

import re
from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import final

from heldout.errors import BadCall, unknown

_KEEP = ("all", "ends", "none")
"""Which checkpoints may be kept."""


def metric(text: str) -> int:
    """The k of `avg@k`: how many times each task is played."""
    name, _, k = text.partition("@")
    if name != "avg" or not k.isdecimal() or int(k) < 1:
        raise BadCall(
            f"unknown metric {text!r} (give avg@k, such as avg@8: the mean score of k plays of each task)"
        )
    return int(k)


def count(text: str) -> int:
    """A whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"a whole number from 1 up, not {text!r}")
    return int(text)


def port(text: str) -> int:
    """A port's number."""
    if not text.isdecimal() or int(text) > 65535:
        raise ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """A number of seconds."""
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise ArgumentTypeError(f"a number of seconds, not {text!r}")
    return float(text)


def duration(text: str) -> float:
    """The seconds of a time such as 90s, 30m, 2h or 1h30m."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    if not found or not any(found.groups()):
        raise ArgumentTypeError(f"a time such as 90s, 30m, 2h or 1h30m, not {text!r}")
    return sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))


def share(text: str) -> float:
    """A number above 0, at most 1."""
    if re.fullmatch(r"\d+(\.\d+)?", text) is None or not 0 < float(text) <= 1:
        raise ArgumentTypeError(f"a number above 0, at most 1, not {text!r}")
    return float(text)


def one_of(kind: str, *choices: str) -> Callable[[str], str]:
    """Reads one of these words, in capitals or not; another is refused with the nearest."""

    def chosen(text: str) -> str:
        if text not in choices and text.lower() not in choices:
            raise unknown(kind, text, choices)
        return text

    return chosen


def settings(parser: ArgumentParser) -> None:
    """`--set path=value`."""
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="path=value",
        nargs="+",
        action="extend",
        default=[],
        help="any other setting, such as train.lr=1e-6: `heldout config` lists them",
    )


def changes(parser: ArgumentParser) -> None:
    """`--variant trait=value`, which is `--set source.variant.trait=value`; and `--set`."""
    parser.add_argument(
        "--variant",
        dest="settings",
        type=_parse_trait,
        metavar="trait=value",
        nargs="+",
        action="extend",
        default=[],
        help="change traits of the environments, such as actions=hidden feedback=uniform words=17",
    )
    settings(parser)


def _parse_trait(text: str) -> str:
    """The setting that changes a trait."""
    if "=" not in text:
        raise BadCall(f"--variant takes trait=value, such as actions=hidden, not {text!r}")
    return f"source.variant.{text}"


def seed(parser: ArgumentParser, default: int | None = 0, said: str = "0") -> None:
    """`--seed`; `said` tells the default, and None leaves it to the verb."""
    parser.add_argument("--seed", type=int, default=default, help=f"the seed of every stream of chance ({said})")


def seeds(parser: ArgumentParser, said: str) -> None:
    """`--seeds`, which `--seed` says too."""
    parser.add_argument(
        "--seeds", "--seed", nargs="+", action="extend", type=int, default=[], metavar="S", help=said
    )


def as_json(parser: ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON for a program to read")


def out(parser: ArgumentParser, what: str) -> None:
    """`--out`."""
    parser.add_argument("--out", type=Path, metavar="DIR", help=what)


def model(parser: ArgumentParser, *others: str, required: bool = True) -> None:
    """`--model`: the usual names, and others; and `--chat-template`, which is `--set chat_template=value`."""
    names = ", ".join(["pocket", "a folder", "a GGUF file", "a Hugging Face name", *others])
    parser.add_argument("--model", required=required, metavar="M", help=names)
    parser.add_argument(
        "--chat-template",
        dest="settings",
        type="chat_template={}".format,
        metavar="FILE",
        nargs=1,
        action="extend",
        default=[],
        help="in place of the model's own: a file, chatml, chatml-no-thinking or deepseek-r1",
    )


def difficulty(parser: ArgumentParser, default: str | None = "all", said: str = "") -> None:
    """`--difficulty`; `said` tells what is done without it, where that is none of the three."""
    parser.add_argument(
        "--difficulty",
        type=one_of("difficulty", "easy", "hard", "all"),
        default=default,
        metavar="D",
        help=f"which tasks: easy, hard or all ({said or default})",
    )


def difficulty_file(parser: ArgumentParser) -> None:
    """`--difficulty-file`."""
    parser.add_argument(
        "--difficulty-file",
        metavar="FILE",
        help="what tells easy from hard: a file of `heldout difficulty`, or pocket (the environment itself)",
    )


def max_turns(parser: ArgumentParser, default: str) -> None:
    """`--max-turns`; `default` is told, and None where it is left out."""
    parser.add_argument("--max-turns", type=count, metavar="K", help=f"replies an episode may have ({default})")


def envs(parser: ArgumentParser, what: str, *, required: bool = True) -> None:
    """`--envs`, one or several, with blanks or commas between them; `--env` is the same."""
    parser.add_argument(
        "--envs", "--env", nargs="+", action=Names, required=required, default=[], metavar="E", help=what
    )


@final
class Names(Action):
    """Names in several words, or in one with commas."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: object, option_string: str | None = None
    ) -> None:
        """Adds them to those that the flag was given before."""
        del parser, option_string
        assert isinstance(values, list)
        names = [name for value in values for name in _split(value)]
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), *names])


def _split(names: str) -> list[str]:
    found = [name.strip() for name in names.split(",")]
    if not all(found):
        raise BadCall(f"{names!r} names nothing between two commas: write them as textcraft,babyai")
    return found


def study(parser: ArgumentParser) -> None:
    """What `heldout study` is asked: a recipe, or chains, and what it is to be made of."""
    recipe = "a recipe: one of docs/study.md, FILE.py:function or MODULE:function (with --chains none)"
    parser.add_argument("recipe", nargs="?", default="", metavar="RECIPE", help=recipe)
    models = "what chains start from (pocket); of several, each in a folder of its own in --out"
    parser.add_argument("--model", dest="models", nargs="+", action=Names, default=[], metavar="M", help=models)
    chains = "chains to train, each in quotes, such as 'textcraft > webshop' 'textcraft+webshop'"
    parser.add_argument("--chains", nargs="+", action="extend", default=[], metavar="CHAIN", help=chains)
    envs(parser, "where is measured: environments, or all of the five (the recipe's)", required=False)
    seeds(
        parser, "of training and measurement, several for an interval that holds more than one run (the recipe's)"
    )
    difficulty(parser, default=None, said="easy and hard")
    every = "measure after every N steps of a chain's last stage too, not only at its end"
    parser.add_argument("--every", type=count, metavar="N", help=every)
    limit(parser, "at most N tasks of each cell (the recipe's)")
    parser.add_argument(
        "--metric", type=metric, dest="samples", metavar="avg@k", help="plays of each task (the recipe's, or avg@8)"
    )
    without = "measure no controls: neither players nor the base decoded otherwise"
    parser.add_argument("--no-controls", dest="controls", action="store_false", help=without)
    out(parser, "the study's folder (runs/RECIPE…)")
    changes(parser)


def keep(parser: ArgumentParser, default: str) -> None:
    """`--keep`."""
    what = "checkpoints to keep beside those that are needed: all, each training's last (ends), or none"
    choice = one_of("choice of --keep", *_KEEP)
    parser.add_argument("--keep", type=choice, default=default, metavar="WHAT", help=f"{what} ({default})")


def rules(parser: ArgumentParser, what: str, default: str | None) -> None:
    """`--rules`; None where they are left out and something else decides."""
    choice = one_of("rules", "agentgym", "fixed")
    parser.add_argument("--rules", type=choice, default=default, metavar="R", help=what)


def limit(parser: ArgumentParser, what: str) -> None:
    """`--limit`, and of what it is."""
    parser.add_argument("--limit", type=count, metavar="N", help=what)


def rounds(parser: ArgumentParser, default: int, what: str) -> None:
    """`--rounds`, and of what they are."""
    parser.add_argument("--rounds", type=count, default=default, metavar="N", help=what)
