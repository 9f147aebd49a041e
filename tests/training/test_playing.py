"""Which groups a step plays and learns from, with a backend whose rewards are planted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from heldout.backend.worker import Backend
from heldout.chains import Stage
from heldout.config import Config, Limits, Train
from heldout.envs.base import Suite
from heldout.errors import BadCall
from heldout.learn.batch import Sample
from heldout.learn.methods import method_of
from heldout.model.learner import Objective, Tell, Update, unheard
from heldout.records import Ending, Reply, Trajectory
from heldout.rollout.episode import Assignment
from heldout.store.trajectories import Trajectories
from heldout.testing import make_trajectory, make_turn
from heldout.training.job import Job
from heldout.training.learning import learn
from heldout.training.playing import play_step
from heldout.training.stage import pools_of


@dataclass
class Planted:
    """Rewards by task and attempt; what is learned is kept."""

    reward: Callable[[int, int], float]
    """Of the task's place in the order in which tasks were first asked for, and the attempt."""
    asked: list[str] = field(default_factory=list)
    learned: list[tuple[Sample, ...]] = field(default_factory=list)

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """One turn of two tokens each, in another order than asked."""
        del limits, temperature
        for each in reversed(list(assignments)):
            if each.task.id not in self.asked:
                self.asked.append(each.task.id)
            reward = self.reward(self.asked.index(each.task.id), each.attempt)
            turn = make_turn(Reply(text="", token_ids=(1, 2), logprobs=(-0.5, -0.25)), reward=reward)
            yield make_trajectory(
                task=each.task,
                attempt=each.attempt,
                stream=each.name,
                reward=reward,
                turns=(turn,),
                ending=Ending.FAILED,
            )

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Update:
        """Keeps them."""
        del objective, tell
        self.learned.append(tuple(samples))
        zero: dict[str, Any] = dict.fromkeys(
            ("loss", "grad_norm", "entropy", "clip_fraction", "kl", "mismatch", "seconds"), 0.0
        )
        return Update(tokens=1, optimizer_steps=1, **zero)

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """Each token as likely as one in e."""
        del temperature, batch_tokens
        return [(-1.0,) * sum(weight > 0 for weight in sample.weights) for sample in samples]

    def spell(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """Two ids a turn."""
        ids: dict[str, Any] = {"context_ids": (7,), "token_ids": (8, 9), "logprobs": (0.0, 0.0)}
        return [
            replace(each, turns=tuple(replace(turn, reply=replace(turn.reply, **ids)) for turn in each.turns))
            for each in trajectories
        ]


def job_of(suite: Suite, **settings: Any) -> Job:
    train = Train(tasks=4, group_size=2, **settings)
    return Job(base="b", chain=(Stage((suite.name,)),), suites=(suite,), config=Config(train=train), seed=0)


def step_of(job: Job, backend: Planted, step: int = 1) -> tuple[list[Trajectory], list[str]]:
    """All that was played, and the tasks of the groups that may be learned from."""
    played, groups = play_step(job, cast("Backend", backend), step, pools_of(job))
    return played, [group.task.id for group in groups]


@pytest.fixture
def corridor(trio: Callable[[str], Suite]) -> Suite:
    return trio("corridor")


def test_without_draws_all_groups_are_kept(corridor: Suite) -> None:
    backend = Planted(lambda task, attempt: float(task == 1 and attempt))
    played, tasks = step_of(job_of(corridor), backend)
    assert (len(played), len(tasks)) == (8, 4)
    assert [each.stream for each in played] == sorted(each.stream for each in played)


def test_other_tasks_are_drawn_in_the_place_of_groups_that_agree(corridor: Suite) -> None:
    """Of the first four tasks one is useful, of the next three two, of the one after that that one."""
    useful = {1, 4, 6, 7}
    backend = Planted(lambda task, attempt: float(task in useful and attempt))
    played, tasks = step_of(job_of(corridor, algorithm="dapo"), backend)
    assert sorted(tasks) == sorted(backend.asked[place] for place in useful)
    assert len(backend.asked) == 8
    assert len(played) == 16
    assert len({each.stream for each in played}) == 16


def test_drawing_ends_with_what_there_is(corridor: Suite) -> None:
    backend = Planted(lambda task, attempt: float(task == 2 and attempt))
    _, tasks = step_of(job_of(corridor, algorithm="dapo", draws=2), backend)
    assert tasks == [backend.asked[2]]
    assert len(backend.asked) == len(set(backend.asked)) <= 4 + 3 + 3


def test_what_is_drawn_is_a_function_of_the_step_and_the_seed(corridor: Suite) -> None:
    drawn = list[tuple[str, ...]]()
    for step in (1, 1, 2):
        backend = Planted(lambda task, attempt: float(task > 5 and attempt))
        step_of(job_of(corridor, algorithm="dapo"), backend, step)
        drawn.append(tuple(backend.asked))
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_kl_term_in_the_reward_is_charged_and_told(corridor: Suite) -> None:
    """log π − log π_ref is 0.5 and 0.75 at the two tokens: at β = 0.1 each trajectory pays 0.125, and all alike."""
    job = job_of(corridor, algorithm="rloo", kl=0.1)
    backend = Planted(lambda _, attempt: float(attempt))
    _, groups = play_step(job, cast("Backend", backend), 1, pools_of(job))
    update = learn(cast("Backend", backend), job, groups, 1)
    assert update is not None
    assert update.kl == pytest.approx(0.625)
    assert sorted({sample.advantage for sample in backend.learned[0]}) == pytest.approx([-1.0, 1.0])
    assert method_of(job.config.train).kl_in == "reward"


def test_a_kl_term_in_the_reward_of_reinforce_is_charged_from_each_token_on(corridor: Suite) -> None:
    job = job_of(corridor, algorithm="reinforce++", kl=0.4)
    backend = Planted(lambda _, attempt: float(attempt))
    _, groups = play_step(job, cast("Backend", backend), 1, pools_of(job))
    learn(cast("Backend", backend), job, groups, 1)
    [good] = {sample.advantage for sample in backend.learned[0] if sample.advantage[-1] > 0}  # type: ignore[index]
    # Charges of 0.2 and 0.3: returns 0, 0.2, -1 and -0.8, whose mean is -0.4 and whose deviation is 0.509902.
    assert good == pytest.approx((0.784465, 1.176697), abs=1e-6)


def test_the_oracle_shows_as_many_episodes_as_reinforcement_would_play(corridor: Suite) -> None:
    backend, job = Planted(lambda *_: 0.0), job_of(corridor, algorithm="imitate")
    played, groups = play_step(job, cast("Backend", backend), 1, pools_of(job))
    assert len(played) == len({each.task.id for each in played}) == 8
    assert {each.ending for each in played} == {Ending.SOLVED}
    assert [len(group.trajectories) for group in groups] == [1] * 8
    assert backend.asked == []
    learn(cast("Backend", backend), job, groups, 1)
    assert len(backend.learned[0]) == 8


def test_recorded_episodes_are_shown_in_turn_and_only_of_the_stages_tasks(corridor: Suite, tmp_path: Path) -> None:
    backend, file = Planted(lambda *_: 1.0), tmp_path / "seen.jsonl.zst"
    mine, others = corridor.tasks("train")[:3], corridor.tasks("test")[:2]
    turn = make_turn(Reply(text="go"))
    Trajectories(file).extend(make_trajectory(task=task, turns=(turn,)) for task in (*mine, *others))
    job = job_of(corridor, algorithm="imitate", demonstrations=str(file))
    shown = [play_step(job, cast("Backend", backend), step, pools_of(job))[0] for step in (1, 2)]
    names = [each.task.id for step in shown for each in step]
    assert len(names) == 16
    assert names[:3] == names[3:6] == names[12:15]
    assert set(names) == {task.id for task in mine}
    Trajectories(file).replace([make_trajectory(task=others[0], turns=(turn,))])
    with pytest.raises(BadCall, match="has 1 trajectories, and none of a training task of this stage"):
        play_step(job, cast("Backend", backend), 1, pools_of(job))


def test_what_is_no_file_of_trajectories_is_refused(corridor: Suite) -> None:
    job = job_of(corridor, algorithm="imitate", demonstrations="no/where.zst")
    with pytest.raises(BadCall, match=r"train.demonstrations is oracle or a file .*no/where.zst is none"):
        play_step(job, cast("Backend", Planted(lambda *_: 0.0)), 1, pools_of(job))
