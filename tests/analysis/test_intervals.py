import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from heldout.analysis.crossed import Floats
from heldout.analysis.intervals import (
    change_interval,
    mean_interval,
    mean_intervals,
    moments,
    normalised_interval,
)

tables = st.tuples(st.integers(1, 4), st.integers(2, 8)).flatmap(
    lambda shape: arrays(float, shape, elements=st.floats(0, 1, width=16))
)


def only(values_ST: object) -> tuple[float, float, float]:
    found = moments(np.array([values_ST], float))
    return float(found.mean_N[0]), float(found.variance_N[0]), float(found.df_N[0])


def test_two_seeds_on_three_tasks_counted_by_hand() -> None:
    """Mean squares: of the seeds 3 · 0.5, of the tasks twice their means' variance, of the rest 1 / 2."""
    mean, variance, df = only([[1, 2, 3], [1, 4, 4]])
    assert mean == 2.5
    by_seed, by_task, rest = 3 * 0.5, 2 * np.var([1, 3, 3.5], ddof=1), 0.5
    assert variance == pytest.approx((by_seed - rest + by_task) / 6)
    assert df == pytest.approx((by_seed - rest + by_task) ** 2 / (by_seed**2 / 1 + by_task**2 / 2 + rest**2 / 2))


def test_seeds_that_differ_less_than_chance_add_nothing() -> None:
    mean, variance, df = only([[0, 1, 0, 1], [1, 0, 0, 1]])
    assert mean == 0.5
    by_task, rest = 2 * np.var([0.5, 0.5, 0, 1], ddof=1), 1 / 3
    assert variance == pytest.approx(by_task / 8)
    assert df == pytest.approx(by_task**2 / (by_task**2 / 3 + rest**2 / 3))


def test_one_seed_has_the_tasks_variance() -> None:
    assert only([[0, 1, 1, 0]]) == pytest.approx((0.5, 1 / 12, 3))


def test_tasks_that_a_seed_lacks_are_in_the_mean_and_not_in_the_variance() -> None:
    mean, variance, _ = only([[0.2, 0.4, 0.9], [0.4, 0.8, np.nan]])
    assert mean == pytest.approx(2.7 / 5)
    assert variance == only([[0.2, 0.4], [0.4, 0.8]])[1]


def test_yes_and_no_on_many_tasks_is_wilson_with_t() -> None:
    """Of 30 in 100 Wilson's interval is (0.2189, 0.3959); t with 99 df is a little wider."""
    low, high = mean_interval(np.array([[1.0] * 30 + [0.0] * 70]))
    assert (low, high) == pytest.approx((0.2189, 0.3959), abs=0.002)
    assert high - low > 0.3959 - 0.2189


def test_scores_beyond_one_have_a_t_interval() -> None:
    values = np.array([[0.0, 1.5, 3.0, 2.5]])
    expected = stats.t.interval(0.95, 3, loc=1.75, scale=stats.sem(values[0]))
    assert mean_interval(values) == pytest.approx(expected)
    assert mean_interval(np.array([[2.0]])) == (-np.inf, np.inf)


def test_all_or_nothing_has_a_width_by_the_number_of_tasks() -> None:
    assert mean_interval(np.zeros((3, 12))) == pytest.approx((0.0, 0.2876), abs=1e-3)
    assert mean_interval(np.ones((1, 50))) == pytest.approx((0.9252, 1.0), abs=1e-3)
    assert mean_interval(np.array([[0.5]])) == (0.0, 1.0)


def test_a_change_of_nothing_has_a_width_and_a_large_one_is_the_paired_t() -> None:
    flat = np.zeros((1, 12))
    low, high = change_interval(flat, flat)
    assert low < 0 < high
    rng = np.random.default_rng(0)
    before, noise = rng.uniform(0.3, 0.6, (1, 200)), rng.normal(0.2, 0.05, (1, 200))
    low, high = change_interval(before, before + noise)
    expected = stats.ttest_rel((before + noise)[0], before[0]).confidence_interval()
    assert low <= expected.low
    assert high >= expected.high
    assert high - low < 3 * (expected.high - expected.low)


def test_a_normalised_score_is_at_least_as_unsure_as_the_change_over_the_floor() -> None:
    score, floor, ceiling = np.array([[0.5, 0.4, 0.8]]), np.array([[0.0, 0.2, 0.1]]), np.array([[1.0, 0.6, 0.9]])
    low, high = normalised_interval(score, floor, ceiling)
    distance = float((ceiling - floor).mean())
    change = change_interval(floor, score)
    assert low <= change[0] / distance
    assert high >= change[1] / distance


@settings(max_examples=50)
@given(tables)
def test_many_tables_are_as_each_alone(table: Floats) -> None:
    low_N, high_N = mean_intervals(np.stack([table, table[::-1]]))
    assert (low_N[0], high_N[0]) == pytest.approx(mean_interval(table))
    assert (low_N[1], high_N[1]) == pytest.approx((low_N[0], high_N[0]))
    assert 0 <= low_N[0] < high_N[0] <= 1


@settings(max_examples=50)
@given(tables)
def test_failures_are_successes_turned_round(table: Floats) -> None:
    low, high = mean_interval(table)
    assert mean_interval(1 - table) == pytest.approx((1 - high, 1 - low), abs=1e-6)
    before = np.full((1, table.shape[1]), 0.5)
    low, high = change_interval(before, table)
    assert change_interval(1 - before, 1 - table) == pytest.approx((-high, -low), abs=1e-6)
