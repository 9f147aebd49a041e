from collections.abc import Sequence

import numpy as np
import pytest

from heldout.analysis.components import measure_components
from heldout.errors import HeldoutError
from heldout.records import Row
from heldout.testing import make_row


def rows_of(scores: Sequence[Sequence[float]], chain: str, seed: int = 0, env: str = "doors") -> list[Row]:
    """Each task's attempts."""
    trained = chain != "base"
    return [
        make_row(
            chain=chain,
            step=5 * trained,
            seed=seed,
            model=f"{chain}-{seed}" if trained else "0f",
            env=env,
            task=f"t{task}",
            attempt=attempt,
            score=score,
        )
        for task, own in enumerate(scores)
        for attempt, score in enumerate(own)
    ]


def test_without_chance_the_components_are_those_counted_by_hand() -> None:
    """Tasks change by 0, 10 and 20 points, one seed by 2 more and the other by 2 less."""
    base = rows_of([[0.1, 0.1], [0.3, 0.3], [0.2, 0.2]], "base")
    after = [
        row
        for seed, shift in ((0, 0.02), (1, -0.02))
        for row in rows_of([[0.1 + shift] * 2, [0.4 + shift] * 2, [0.4 + shift] * 2], "doors", seed)
    ]
    found = measure_components({"base": base, "doors": after}, source="here")
    assert found.task == pytest.approx(10.0)
    assert found.seed == pytest.approx(8**0.5)  # the variance of 2 and −2
    assert (found.noise, found.k, found.seed_df) == (0.0, 8, 1)
    assert found.seed_task == pytest.approx(0.0, abs=1e-6)


def test_the_noise_is_that_of_the_attempts_on_both_sides_at_the_k_that_is_asked_for() -> None:
    """Attempts of 0 and 1 have a variance of a half: 5,000 in squared points, on either side."""
    base = rows_of([[0, 1], [0, 1], [0, 1]], "base")
    after = [row for seed in (0, 1) for row in rows_of([[0, 1], [0, 1], [0, 1]], "doors", seed)]
    found = measure_components({"base": base, "doors": after}, source="here", k=4)
    assert found.noise == pytest.approx((10_000 / 4) ** 0.5)
    assert (found.task, found.seed) == (0.0, 0.0)  # below 0 by chance


def test_seeds_that_go_together_in_two_environments_are_correlated() -> None:
    rows = {
        "base": [*rows_of([[0.1, 0.1]] * 3, "base"), *rows_of([[0.1, 0.1]] * 3, "base", env="grid")],
        "same": [],
        "other": [],
    }
    for chain, sign in (("same", 1), ("other", -1)):
        for seed in (0, 1, 2):
            rows[chain] += rows_of([[0.5 + 0.1 * seed] * 2] * 3, chain, seed)
            rows[chain] += rows_of([[0.5 + sign * 0.1 * seed] * 2] * 3, chain, seed, env="grid")
    both = {"base": rows["base"], "same": rows["same"]}
    assert measure_components(both, source="").seed_correlation == pytest.approx(1.0)
    assert measure_components(rows, source="").seed_correlation == pytest.approx(0.0, abs=1e-9)


def test_known_components_are_found_again_over_many_cells() -> None:
    """Tasks 8, seeds 4, attempts 30 points each (of 8: 15 a side and change 15)."""
    rng, rows = np.random.default_rng(7), {"base": list[Row]()}
    for chain in range(12):
        env, task_T, base_T = f"e{chain}", 0.08 * rng.normal(size=20), rng.uniform(0.2, 0.5, size=20)
        rows["base"] += rows_of((base_T[:, None] + 0.3 * rng.normal(size=(20, 8))).tolist(), "base", env=env)
        rows[f"c{chain}"] = []
        for seed in range(3):
            mean_T = base_T + 0.2 + task_T + 0.04 * rng.normal()
            rows[f"c{chain}"] += rows_of(
                (mean_T[:, None] + 0.3 * rng.normal(size=(20, 8))).tolist(), f"c{chain}", seed, env
            )
    found = measure_components(rows, source="here")
    assert found.noise == pytest.approx(15, rel=0.05)
    assert found.task == pytest.approx(8, rel=0.2)
    assert found.seed == pytest.approx(4, rel=0.35)
    assert found.seed_df == 24


def test_one_seed_one_task_or_one_attempt_tells_no_component() -> None:
    base = rows_of([[0.1, 0.1], [0.2, 0.3]], "base")
    with pytest.raises(HeldoutError, match="two training seeds or more"):
        measure_components({"base": base, "doors": rows_of([[0.1, 0.1], [0.2, 0.3]], "doors")}, source="")
    single = [row for seed in (0, 1) for row in rows_of([[0.1], [0.2]], "doors", seed)]
    with pytest.raises(HeldoutError, match="two attempts or more: there is none"):
        measure_components({"base": base, "doors": single}, source="")
