"""`heldout laws`: whether an environment, ours or anybody's, keeps the laws."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from heldout.addresses import public_name
from heldout.config import Config, with_overrides
from heldout.envs.base import Suite
from heldout.envs.law_results import LawResult, law_results
from heldout.envs.laws import LAWS
from heldout.envs.registry import suite_to_judge
from heldout.errors import HeldoutError
from heldout.printable import printable_json, printable_line

WIDTH = max(len(law.__name__) for law in LAWS)


def laws(*, suite: str, limit: int | None, as_json: bool, settings: Sequence[str]) -> None:
    """Prints a line a law, with the smallest example against it where it is broken; then it fails."""
    found = suite_to_judge(suite, with_overrides(Config(), settings).source)
    seen = list[LawResult]()
    for result in law_results(_with_first_tasks(found, limit) if limit else found):
        seen.append(result)
        if not as_json:
            print(_format_result(result), flush=True)
    if as_json:
        print(printable_json([asdict(each) | {"smallest": each.smallest} for each in seen]))
    if broken := [result.law for result in seen if result.breaches]:
        raise HeldoutError(f"{public_name(suite)} breaks {len(broken)} of {len(seen)} laws: {', '.join(broken)}")


def _format_result(result: LawResult) -> str:
    """A line a law; where it is broken, the smallest example and how many more there are."""
    head = f"{'BROKEN' if result.breaches else 'ok':6}  {result.law:{WIDTH}}  {result.says}"
    if not result.breaches:
        return head
    more = len(result.breaches) - 1
    return f"{head}\n        {printable_line(result.smallest)}" + (f" (and {more} more)" if more else "")


def _with_first_tasks(suite: Suite, limit: int) -> Suite:
    """The suite with the first tasks of each split only."""
    return replace(suite, tasks=lambda split: suite.tasks(split)[:limit])
