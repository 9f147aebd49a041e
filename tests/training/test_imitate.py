from collections.abc import Callable
from itertools import islice
from random import Random

import pytest

from heldout.backend.worker import Worker
from heldout.envs.base import Suite
from heldout.errors import HeldoutError
from heldout.learn.batch import Sample
from heldout.policies.privileged import OracleNoise
from heldout.training.imitate import OBSERVED, Demonstration, batches, demonstrations, normalise_weights, sample_of

Suites = Callable[[str], Suite]

DEMO = Demonstration(opening="Two doors.", said=("read note", "open red door"), observed=("The note: red.", "Out."))


def test_a_demonstration_is_a_player_s_episode_in_words(trio: Suites) -> None:
    pool = trio("corridor").tasks("demonstrations")
    [demo] = demonstrations(trio, pool, [0], OracleNoise(error_rate=0, repeat_rate=0), max_turns=3, seed=0)
    assert demo.opening.endswith("A corridor with a red door and a blue door. A note lies on the floor.")
    assert demo.said == (
        "Thought: The note knows the way.\nAction: read note",
        "Thought: The red door leads out.\nAction: open red door",
    )
    assert demo.observed == ("The note says: red.", "You are out.")


def test_a_clumsy_player_slips_and_recovers(trio: Suites) -> None:
    pool, noise = trio("corridor").tasks("demonstrations"), OracleNoise(error_rate=0.5, repeat_rate=0.5)
    demos = list(demonstrations(trio, pool, range(20), noise, max_turns=3, seed=0))
    assert demos == list(demonstrations(trio, pool, range(20), noise, max_turns=3, seed=0))
    slipped = [demo for demo in demos if "Nothing happens." in demo.observed]
    assert len(slipped) > 5
    assert any(demo.observed[-1] == "You are out." for demo in slipped)


def test_more_demonstrations_than_tasks_are_of_the_same_tasks_with_other_mistakes(trio: Suites) -> None:
    pool, noise = trio("corridor").tasks("demonstrations"), OracleNoise(error_rate=0.5)
    demos = list(demonstrations(trio, pool, range(3 * len(pool)), noise, max_turns=3, seed=0))
    assert len(pool) == 20
    assert len(demos) == 60
    once = demonstrations(trio, pool, range(len(pool)), noise, max_turns=3, seed=0)
    assert {demo.opening for demo in demos} == {demo.opening for demo in once}
    assert len(set(demos)) > 40


def test_what_was_said_weighs_one_and_what_was_read_a_little(worker: Worker) -> None:
    chat = worker.chat
    sample = sample_of(chat, DEMO)
    said = [[*chat.plain(reply), chat.end_id] for reply in DEMO.said]
    read = [chat.opening("Two doors."), chat.continuation("The note: red.", ended=True)]
    assert list(sample.ids) == [*read[0], *said[0], *read[1], *said[1]]
    weights = [[OBSERVED] * len(read[0]), [1.0] * len(said[0]), [OBSERVED] * len(read[1]), [1.0] * len(said[1])]
    assert list(sample.weights) == [weight for part in weights for weight in part]


def test_a_batch_s_weights_sum_to_one() -> None:
    batch = normalise_weights([Sample(ids=(1, 2, 3), weights=(0.2, 1.0, 1.0)), Sample(ids=(4,), weights=(0.3,))])
    assert batch[0].weights == pytest.approx((0.08, 0.4, 0.4))
    assert batch[1].weights == pytest.approx((0.12,))


def test_every_sample_comes_once_a_round() -> None:
    samples = [Sample(ids=(number,) * 10, weights=(1.0,) * 10) for number in range(12)]
    stock = list(islice(batches(samples, 30, Random(0)), 8))
    assert [len(batch) for batch in stock] == [3] * 8
    first, second = ([sample.ids[0] for batch in part for sample in batch] for part in (stock[:4], stock[4:]))
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second


def test_fewer_demonstrations_than_one_batch_are_refused() -> None:
    with pytest.raises(HeldoutError, match="10 ids of demonstrations do not fill one batch of 30"):
        next(batches([Sample(ids=(1,) * 10, weights=(1.0,) * 10)], 30, Random(0)))
