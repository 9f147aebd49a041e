"""`heldout laws`: whether an environment, ours or anybody's, keeps the laws."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from json import dumps

from heldout.config import Config, changed
from heldout.envs.base import Suite
from heldout.envs.laws import LAWS
from heldout.envs.registry import suite_to_judge
from heldout.envs.verdicts import Verdict, verdicts
from heldout.errors import HeldoutError

WIDTH = max(len(law.__name__) for law in LAWS)


def laws(*, suite: str, limit: int | None, as_json: bool, settings: Sequence[str]) -> None:
    """Prints a line a law, with the smallest example against it where it is broken; then it fails."""
    found = suite_to_judge(suite, changed(Config(), settings).source)
    seen = list[Verdict]()
    for verdict in verdicts(_first(found, limit) if limit else found):
        seen.append(verdict)
        if not as_json:
            print(_told(verdict), flush=True)
    if as_json:
        print(dumps([asdict(each) | {"smallest": each.smallest} for each in seen], indent=2, ensure_ascii=False))
    if broken := [verdict.law for verdict in seen if verdict.breaches]:
        raise HeldoutError(f"{suite} breaks {len(broken)} of {len(seen)} laws: {', '.join(broken)}")


def _told(verdict: Verdict) -> str:
    """A line a law; where it is broken, the smallest example and how many more there are."""
    head = f"{'BROKEN' if verdict.breaches else 'ok':6}  {verdict.law:{WIDTH}}  {verdict.says}"
    if not verdict.breaches:
        return head
    more = len(verdict.breaches) - 1
    return f"{head}\n        {verdict.smallest}" + (f" (and {more} more)" if more else "")


def _first(suite: Suite, limit: int) -> Suite:
    """The suite with the first tasks of each pool only."""
    return replace(suite, tasks=lambda pool: suite.tasks(pool)[:limit])
