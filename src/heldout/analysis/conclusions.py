"""What may be said of an endpoint: the words, kept apart from the mathematics."""

from enum import StrEnum

from heldout.analysis.estimates import EndpointResult

LEVEL = 0.05
"""Of the family, after Holm."""


class Conclusion(StrEnum):
    """What a result shows; that nothing is shown is never called the same."""

    HIGHER = "higher"
    LOWER = "lower"
    NOT_TOLD_APART = "not told apart"
    EQUIVALENT = "equivalent"
    NOT_SHOWN_EQUIVALENT = "not shown to be equivalent"
    GIVEN_THIS_RUN = "given this run"
    MISSING = "missing"


def conclude(result: EndpointResult) -> Conclusion:
    """The word for a result: of one training it is only ever that this run came out so."""
    estimate, p = result.estimate, result.adjusted
    if estimate is None or p is None:
        return Conclusion.MISSING
    if estimate.given_this_run:
        return Conclusion.GIVEN_THIS_RUN
    if result.endpoint.margin is not None:
        return Conclusion.EQUIVALENT if p < LEVEL else Conclusion.NOT_SHOWN_EQUIVALENT
    if p >= LEVEL:
        return Conclusion.NOT_TOLD_APART
    return Conclusion.HIGHER if estimate.value > 0 else Conclusion.LOWER
