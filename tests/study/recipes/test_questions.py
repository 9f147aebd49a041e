from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.study.recipes.questions import cells_of, change, endpoint, mean, minus

A, B = parse_chain("a"), parse_chain("b")


def weights(of: object) -> dict[tuple[str, str], float]:
    return {(term.chain, term.cell.env): term.weight for term in of.terms}  # type: ignore[attr-defined]


def test_a_gain_is_a_mean_over_cells() -> None:
    asked = endpoint("a, held out", change((), A, cells_of(["x", "y"], "all")), "held-out", 5.0)
    assert weights(asked) == {("a", "x"): 0.5, ("base", "x"): -0.5, ("a", "y"): 0.5, ("base", "y"): -0.5}
    assert (asked.margin, asked.finding) == (5.0, "held-out")
    assert asked.terms[0].cell == Cell(env="x", split="test", difficulty="all")


def test_what_two_sums_share_goes_away_and_means_are_of_sums() -> None:
    x = cells_of(["x"], "easy")
    assert weights(endpoint("", minus(change((), A, x), change((), B, x)), "")) == {("a", "x"): 1, ("b", "x"): -1}
    both = mean([change((), A, x), change((), B, x)])
    assert weights(endpoint("", both, "")) == {("a", "x"): 0.5, ("b", "x"): 0.5, ("base", "x"): -1}
