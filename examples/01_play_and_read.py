"""One episode, read from its opening to its ending; then a group of eight, and what GRPO makes of it."""

from collections.abc import Iterator
from functools import partial

from heldout.config import Limits, Source
from heldout.envs.registry import open_suite
from heldout.learn.advantages import group_advantages
from heldout.policies.privileged import OracleNoise, noisy_oracle, oracle
from heldout.records import Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import group_by_task, play


def main() -> None:
    """Plays a task of TextCraft as the player that knows the way, then as one that often errs."""
    suites = partial(open_suite, source=Source())
    task = suites("textcraft").tasks("test")[0]

    [trajectory] = play(oracle(suites), attempts(task, 1), Limits(), suites)
    tell(trajectory)

    player = noisy_oracle(suites, OracleNoise(error_rate=0.5, repeat_rate=0.5))
    [group] = group_by_task(play(player, attempts(task, 8), Limits(max_turns=5), suites))
    advantages = group_advantages([each.reward for each in group.trajectories])
    print("\nEight attempts by a player that errs, five turns each:")
    for each, advantage in zip(group.trajectories, advantages, strict=True):
        print(f"{each.attempt}  {each.ending:12}  reward {each.reward:g}  advantage {advantage:+.2f}")


def attempts(task: Task, count: int) -> Iterator[Assignment]:
    """So many attempts at one task; each has chance of its own, the same in every run."""
    for attempt in range(count):
        yield Assignment(task=task, attempt=attempt, seed=0, stream="example")


def tell(trajectory: Trajectory) -> None:
    """What was read and said, in order."""
    print(trajectory.opening)
    for turn in trajectory.turns:
        print(f"\n{turn.reply.text}\n\n{turn.observation}")
    print(f"\n{trajectory.ending}: {len(trajectory.turns)} turns, reward {trajectory.reward:g}")


if __name__ == "__main__":
    main()
