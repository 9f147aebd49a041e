"""Any suite as a task of Inspect: `inspect eval heldout/textcraft -T split=test --model …`.

The task's opening is the first user message and every observation a further one, as in a rollout of ours; the model
is shown nothing else. Scores are ours, from 0 to 1.
"""

from typing import Any

from heldout.analysis.scores import ALL, Cell
from heldout.config import Config, with_overrides
from heldout.envs.base import Suite
from heldout.envs.registry import BUILT_IN, open_suite
from heldout.evaluation.measure import tasks_of
from heldout.extras import name_the_extra
from heldout.records import Ending
from heldout.rollout.episode import answer
from heldout.rollout.limits import TurnLimit

with name_the_extra():
    from inspect_ai import Task, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageUser
    from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
    from inspect_ai.solver import Generate, Solver, TaskState, solver

_PLAYED = "heldout"
"""Where an episode's end stands in a sample's store."""


def heldout_task(
    env: str,
    *,
    split: str = "test",
    difficulty: str = ALL,
    max_turns: int = 20,
    samples: int = 8,
    settings: str = "",
) -> Task:
    """A suite's tasks, each played `samples` times (k of avg@k) for at most `max_turns` turns (K).

    `settings` are those of the environment as after `--set`, with blanks between them. Raises `BadCall` for an
    environment, split or difficulty that there is not.
    """
    suite = open_suite(env, with_overrides(Config(), settings.split()).source)
    tasks = {each.id: each for each in tasks_of(suite, Cell(env=suite.name, split=split, difficulty=difficulty))}
    dataset = MemoryDataset(
        [
            Sample(
                id=each.id,
                input=suite.opening(suite.open(each).start().observation),
                metadata={"env": suite.name, "split": each.split, "difficulty": each.difficulty},
            )
            for each in tasks.values()
        ],
        name=f"{suite.name}.{difficulty}.{split}",
    )
    return Task(
        dataset=dataset,
        solver=_player(suite, tasks, max_turns),
        scorer=[_score(), _success()],
        epochs=samples,
        name=suite.name,
        metadata={"rules": suite.rules, "source": suite.source, "max_turns": max_turns},
    )


@solver  # type: ignore[untyped-decorator]  # Inspect is not there where types are checked
def _player(suite: Suite, tasks: dict[str, Any], max_turns: int) -> Solver:
    """Lets the model and the environment speak in turn."""

    async def play(state: TaskState, generate: Generate) -> TaskState:
        env = TurnLimit(suite.open(tasks[str(state.sample_id)]), max_turns)
        step, turns, reward = env.start(), 0, 0.0
        while not step.ending and not state.completed:
            state = await generate(state)
            step, _ = answer(env, suite, state.output.completion, step)
            turns, reward = turns + 1, reward + step.reward
            if not step.ending:
                state.messages.append(ChatMessageUser(content=step.observation))
        played = {"score": step.score, "success": step.ending is Ending.SOLVED, "ending": str(step.ending or "")}
        state.store.set(_PLAYED, {**played, "turns": turns, "reward": reward, "last": step.observation})
        return state

    return play


@scorer(metrics=[mean(), stderr()], name="score")  # type: ignore[untyped-decorator]
def _score() -> Scorer:
    return _figure("score")


@scorer(metrics=[mean(), stderr()], name="success")  # type: ignore[untyped-decorator]
def _success() -> Scorer:
    return _figure("success")


def _figure(name: str) -> Scorer:
    async def value(state: TaskState, target: Target) -> Score:
        del target
        played = dict(state.store.get(_PLAYED))
        return Score(value=float(played[name]), explanation=played.pop("last"), metadata=played)

    return value


def _named(env: str) -> Any:
    @task(name=env)  # type: ignore[untyped-decorator]
    def made(
        split: str = "test", difficulty: str = ALL, max_turns: int = 20, samples: int = 8, settings: str = ""
    ) -> Task:
        return heldout_task(
            env, split=split, difficulty=difficulty, max_turns=max_turns, samples=samples, settings=settings
        )

    return made


TASKS = {env: _named(env) for env in BUILT_IN}
"""The five by name; another is `heldout_task(ENV)` in a task file of one's own."""
