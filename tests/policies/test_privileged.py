"""The players that see the world, on a copy of it."""

from collections.abc import Callable
from random import Random

from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.policies.privileged import OracleNoise, noisy_oracle, oracle, player, random
from heldout.records import Ending, Task
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

Suites = Callable[[str], Suite]
Tasks = Callable[..., Task]


def attempts(task: Task, count: int) -> list[Assignment]:
    return [Assignment(task=task, attempt=attempt, seed=0, stream="test") for attempt in range(count)]


def test_the_oracle_solves_and_says_its_thought(suites: Suites, task: Tasks) -> None:
    [trajectory] = play(oracle(suites), attempts(task(3), 1), Limits(), suites)
    assert trajectory.ending is Ending.SOLVED
    assert [turn.reply.text for turn in trajectory.turns] == ["Thought: I go.\nAction: go"] * 3


def test_the_random_player_has_its_own_chance_at_every_attempt_and_the_same_in_every_run(
    suites: Suites, task: Tasks
) -> None:
    def endings() -> list[Ending]:
        done = play(random(suites), attempts(task(2), 20), Limits(), suites)
        return [trajectory.ending for trajectory in sorted(done, key=lambda t: t.attempt)]

    assert endings() == endings()
    assert {Ending.SOLVED, Ending.FAILED} == set(endings())


def test_a_twin_lives_as_long_as_its_conversation_and_so_does_the_last_action(suites: Suites, task: Tasks) -> None:
    said = list[str]()

    def choose(_suite: Suite, world: list[int], _rng: Random, last: str) -> str:
        said.append(last)
        return "go" if world[0] == 0 else "jump"

    policy = player(suites, choose)
    for _ in range(2):
        [trajectory] = play(policy, attempts(task(3), 1), Limits(), suites)
        assert [turn.action for turn in trajectory.turns] == ["go", "jump"]
    assert said == ["", "go", "", "go"]


def test_a_clumsy_player_that_never_slips_is_the_oracle_and_one_that_always_does_falls(
    suites: Suites, task: Tasks
) -> None:
    [careful] = play(
        noisy_oracle(suites, OracleNoise(error_rate=0.0, repeat_rate=1.0)), attempts(task(3), 1), Limits(), suites
    )
    [careless] = play(noisy_oracle(suites, OracleNoise(error_rate=1.0)), attempts(task(3), 1), Limits(), suites)
    assert [turn.action for turn in careful.turns] == ["go"] * 3
    assert [turn.action for turn in careless.turns] == ["jump"]
