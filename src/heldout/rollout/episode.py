"""The only loop that plays a policy in an environment: the paper's Eq. 1.

`episode` is a generator: it asks for a reply, is sent one, and returns the trajectory.
So one thread plays many episodes on one policy, and none waits for another.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.envs.guard import is_finite
from heldout.envs.react import Misread
from heldout.envs.registry import own_name
from heldout.errors import BadReward, OriginalError, Unavailable
from heldout.policies.base import Request
from heldout.records import Ending, Reply, Step, Stop, Task, Trajectory, Turn
from heldout.rollout.limits import TurnLimit
from heldout.seeds import derive

Playing = Generator[Request, Reply, Trajectory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One episode to play: which task, which attempt at it, and whose chance it uses."""

    task: Task
    attempt: int
    seed: int
    stream: str
    """What the episode is for, such as a chain and a step: part of its random stream's name."""

    @property
    def name(self) -> str:
        """The episode's own name: no two that are in flight share it."""
        return f"{self.stream}/{self.task.env}/{self.task.id}/{self.attempt}"

    @property
    def chance(self) -> str:
        """The name of its random stream: on a server an episode has the chance that it has in this process."""
        return f"{self.stream}/{own_name(self.task.env)}/{self.task.id}/{self.attempt}"


def episode(suite: Suite, assignment: Assignment, limits: Limits) -> Playing:
    """Plays one episode to its ending; an infrastructure failure is an ending too, never the agent's."""
    opening, turns = "", list[Turn]()
    step = first = Step("")
    try:
        env = TurnLimit(suite.open(assignment.task), limits.max_turns)
        step = first = env.start()
        opening = text = suite.opening(step.observation)
        while step.ending is None:
            reply = yield _request(assignment, limits, len(turns), text)
            step, action = _answer(env, suite, reply, step)
            text = step.observation
            turns.append(_turn(suite, reply, action, step))
    except Unavailable as failure:
        played = _trajectory(assignment, opening, turns, step.cut(Ending.ERROR), str(failure))
    except BadReward as wrong:
        raise BadReward(f"{wrong} (attempt {assignment.attempt}, turn {len(turns) + 1})") from None
    else:
        played = _trajectory(assignment, opening, turns, step)
    return replace(played, digest=first.digest)


def _request(assignment: Assignment, limits: Limits, turn: int, text: str) -> Request:
    return Request(
        conversation=assignment.name,
        task=assignment.task,
        turn=turn,
        text=text,
        reply_tokens=limits.reply_tokens,
        response_budget=limits.response_budget,
        seed=derive(assignment.seed, assignment.chance, turn),
    )


def _turn(suite: Suite, reply: Reply, action: str, step: Step) -> Turn:
    return Turn(
        reply=reply,
        action=action,
        observation=step.observation,
        reward=step.reward,
        digest=step.digest,
        refused=bool(step.refusal) if suite.tells_refusals else None,
    )


def _answer(env: TurnLimit, suite: Suite, reply: Reply, before: Step) -> tuple[Step, str]:
    """The step that a reply leads to, and the action that was read from it."""
    if reply.stop is Stop.NO_ROOM:  # the reply was never finished: the episode keeps what it had
        return Step("", score=before.score, ending=Ending.OUT_OF_TOKENS, digest=before.digest), ""
    return answer(env, suite, reply.text, before)


def answer(env: TurnLimit, suite: Suite, said: str, before: Step) -> tuple[Step, str]:
    """The step that a whole reply leads to, and the action that was read from it."""
    try:
        action = suite.read(said)
    except Misread as mistake:
        return env.misread(str(mistake), before), ""
    return carry_out(env, action, before), action


def carry_out(env: TurnLimit, action: str, before: Step) -> Step:
    """The step that an action leads to."""
    try:
        return env.step(action)
    except OriginalError as error:  # as AgentGym-RL takes an error reply: the episode is over, and worth nothing
        return Step(str(error), ending=Ending.FAILED, digest=before.digest)


def _trajectory(assignment: Assignment, opening: str, turns: list[Turn], last: Step, error: str = "") -> Trajectory:
    assert last.ending is not None
    reward = sum(turn.reward for turn in turns)
    if not (is_finite(reward) and is_finite(last.score)):
        raise BadReward(
            f"{assignment.task.env}: task {assignment.task.id} ended with reward {reward!r} and score "
            f"{last.score!r}, which are no finite numbers (attempt {assignment.attempt})"
        )
    return Trajectory(
        task=assignment.task,
        attempt=assignment.attempt,
        opening=opening,
        turns=tuple(turns),
        reward=reward,
        score=last.score,
        ending=last.ending,
        stream=assignment.name,
        error=error,
    )
