"""Any suite as a taskset and environment of verifiers: `eval heldout_verifiers --env.taskset.env babyai`.

The task's opening is the first user turn and every observation a further one, as in a rollout of ours; the model is
shown nothing else.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, final

from heldout.analysis.scores import ALL, Cell
from heldout.config import Config, with_overrides
from heldout.envs.base import Suite, find_task
from heldout.envs.registry import open_suite
from heldout.evaluation.measure import tasks_of
from heldout.extras import name_the_extra
from heldout.records import Ending, Step
from heldout.rollout.episode import answer
from heldout.rollout.limits import TurnLimit

with name_the_extra():
    import verifiers.v1 as vf


class _HeldoutData(vf.TaskData):  # type: ignore[misc]  # verifiers is not there where types are checked
    """Which task is played, and how: `name` is the task's id."""

    env: str
    split: str
    max_turns: int
    settings: tuple[str, ...]


class HeldoutConfig(vf.TasksetConfig):  # type: ignore[misc]
    """Under `--env.taskset.*`."""

    env: str = "textcraft"
    """An environment of `heldout envs`, or MODULE:SUITE."""
    split: str = "train"
    """`train` or `test`."""
    difficulty: str = ALL
    """`easy`, `hard` or `all`."""
    max_turns: int | None = None
    """K; none is the environment's own."""
    settings: tuple[str, ...] = ()
    """Other settings of the environment, as after `--set`: `source.variant.actions=hidden`."""


class _HeldoutEnvConfig(vf.EnvConfig):  # type: ignore[misc]
    """One agent, which plays."""

    player: vf.AgentConfig = vf.AgentConfig()


class _HeldoutTask(vf.Task[_HeldoutData]):  # type: ignore[misc]
    """A task; what it is worth the environment says while it is played."""


@final
class HeldoutTaskset(vf.Taskset[_HeldoutTask, HeldoutConfig]):  # type: ignore[misc]
    """A suite's tasks of one split and difficulty, in their order."""

    def load(self) -> Iterator[_HeldoutTask]:
        """The tasks; raises `BadCall` for an environment, split or difficulty that there is not."""
        asked = self.config
        suite = _suite(asked.env, tuple(asked.settings))
        for task in tasks_of(suite, Cell(env=suite.name, split=asked.split, difficulty=asked.difficulty)):
            data = _HeldoutData(
                name=task.id,
                env=asked.env,
                split=asked.split,
                max_turns=asked.max_turns or suite.max_turns,
                settings=asked.settings,
            )
            yield _HeldoutTask(data, asked.task)


@final
class HeldoutEnv(vf.Env[_HeldoutEnvConfig]):  # type: ignore[misc]
    """Plays an episode: the environment is the user.

    The reward is what the episode earned; score, success, turns and the ending's name are metrics beside it.
    """

    async def run(self, task: Any, agents: Any) -> None:
        """One episode."""
        data = task.data
        suite = _suite(data.env, tuple(data.settings))
        env = TurnLimit(suite.open(find_task(suite, data.name, [data.split])), data.max_turns)
        step = env.start()
        rewards, said = [0.0], suite.opening(step.observation)
        async with agents.player.interaction(task) as interaction:
            while not step.ending:
                segment = await interaction.turn(said)
                if segment.terminated:
                    break
                step, _ = answer(env, suite, segment.last_reply, step)
                rewards.append(step.reward)
                said = step.observation
            _record(interaction.trace, step, rewards)


def _record(trace: Any, step: Step, rewards: list[float]) -> None:
    """What an episode came to; one that verifiers ended, by a limit of its own, has its score so far."""
    trace.record_reward("reward", sum(rewards))
    trace.record_metrics(
        {
            "score": step.score,
            "success": float(step.ending is Ending.SOLVED),
            "env_turns": len(rewards) - 1,
            **{f"ending_{each}": float(step.ending is each) for each in Ending if each is not Ending.ERROR},
        }
    )


@cache
def _suite(env: str, settings: tuple[str, ...]) -> Suite:
    return open_suite(env, with_overrides(Config(), settings).source)


__all__ = ["HeldoutEnv", "HeldoutTaskset"]
