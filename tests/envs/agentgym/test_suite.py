"""An environment on a server, ours or an original: played there, it is what it is in this process."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from json import dumps, loads
from math import nan
from pathlib import Path
from typing import Any

import pytest

from heldout.analysis.scores import Cell
from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Evaluate, Limits, Source
from heldout.envs.agentgym import suite
from heldout.envs.agentgym.client import Client
from heldout.envs.agentgym.env import Episodes, original_step
from heldout.envs.agentgym.protocol import ENV_PROTOCOLS, STEP, TASKS, rules_served
from heldout.envs.base import Suite
from heldout.envs.registry import names, open_suite, own_name
from heldout.errors import BadCall, BadReward, HeldoutError, Unavailable
from heldout.evaluation.measure import Identity, measure
from heldout.integrations.agentgym.messages import HttpRequest, HttpResponse
from heldout.policies.privileged import oracle, random
from heldout.policies.scripted import script
from heldout.records import Ending, Row, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import Play, play
from heldout.store.rows import Memory

Served = Callable[..., Any]
ORIGINAL = Source(rules="agentgym")
PLAYED = [(env, rules) for env in names() for rules in open_suite(env, Source()).rules_known]
"""Every environment by each of its rules."""


@pytest.fixture(scope="module")
def there(served: Served) -> Callable[[str, Source], Any]:
    """Serves each environment once for each source."""
    known = dict[tuple[str, Source], Any]()

    def at(env: str, source: Source) -> Any:
        if (env, source) not in known:
            known[env, source] = served(env, source)
        return known[env, source]

    return at


PLAYERS = {"oracle": oracle, "random": random}


def measured(playing: Play, env: str, source: Source, tasks: int = 5) -> tuple[list[Row], list[Trajectory]]:
    """The rows and trajectories of a small evaluation, easy and hard, twice each."""
    rows, trajectories = Memory[Row](), Memory[Trajectory]()
    measure(
        playing,
        lambda name: open_suite(name, source),
        [Cell(env=env, split="test", difficulty=each) for each in ("easy", "hard")],
        identity=Identity(study="s", base="m", model="m", chain="base", seed=0, step=0),
        settings=Evaluate(samples=2, max_turns=6, tasks=tasks),
        limits=Limits(reply_tokens=24, response_budget=1500),
        rows=rows,
        trajectories=trajectories,
    )
    return list(rows), list(trajectories)


def playing(player: str, source: Source) -> Play:
    """Plays as the oracle or at random."""

    def suites(name: str) -> Suite:
        return open_suite(name, source)

    return lambda assignments, limits: play(PLAYERS[player](suites), assignments, limits, suites)


def without_place(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows but for where they were played, which is in the environment's name and the stream's."""
    return [asdict(row) | {"env": own_name(row.env), "stream": ""} for row in rows]


def said(trajectories: Sequence[Trajectory]) -> list[Any]:
    return [(each.opening, each.turns, each.reward, each.score, each.ending) for each in trajectories]


@pytest.mark.slow
@pytest.mark.parametrize(("env", "rules"), PLAYED)
@pytest.mark.parametrize("model", ["oracle", "random"])
def test_an_evaluation_through_the_door_is_row_for_row_that_in_process(
    there: Callable[..., Any], model: str, env: str, rules: str
) -> None:
    source = Source(rules=rules)
    served = there(env, source)
    rows, trajectories = measured(playing(model, Source()), f"agentgym:{env}@{served.address}", Source())
    ours, our_trajectories = measured(playing(model, source), env, source)
    assert without_place(rows) == without_place(ours)
    assert said(trajectories) == said(our_trajectories)
    assert len(rows) == 20


@pytest.mark.slow
@pytest.mark.parametrize("env", names())
def test_a_models_evaluation_through_the_door_is_row_for_row_that_in_process(
    there: Callable[..., Any], tiny: Path, env: str
) -> None:
    source = Source(rules=rules_served(env))
    served = there(env, source)
    rows, trajectories = measured(as_model(tiny, Source()), f"agentgym:{env}@{served.address}", Source(), tasks=2)
    ours, our_trajectories = measured(as_model(tiny, source), env, source, tasks=2)
    assert without_place(rows) == without_place(ours)
    assert said(trajectories) == said(our_trajectories)
    assert sum(row.generated_tokens for row in rows) > 0


def as_model(folder: Path, source: Source) -> Play:
    """Plays as the model in that folder."""
    return Worker(WorkerConfig(model=str(folder), source=source)).play


def test_episodes_are_played_again_and_closed_at_the_end(served: Served) -> None:
    server = served("textcraft")
    remote = suite(f"agentgym:textcraft@{server.address}", Source())
    wanted = assignments(remote, 6)
    done = [one for each in wanted for one in play(oracle(lambda _: remote), [each], Limits(), lambda _: remote)]
    assert [trajectory.ending for trajectory in done] == [Ending.SOLVED] * 6
    assert len(server.episodes) == 1
    client = Client(server.address)
    episodes = Episodes(client, ENV_PROTOCOLS["textcraft"])
    number, _ = episodes.open(0)
    episodes.free(number)
    assert episodes.open(1)[0] == number
    episodes.free(number)
    assert len(server.episodes) == 2
    episodes.close()
    assert len(server.episodes) == 1


def assignments(remote: Suite, count: int) -> list[Assignment]:
    tasks = remote.tasks("test")[:count]
    return [Assignment(task=task, attempt=0, seed=0, stream="test") for task in tasks]


def test_an_episode_that_the_server_forgot_is_an_error_of_ours_and_played_again(served: Served) -> None:
    server = served("babyai")
    remote = suite(f"agentgym:babyai@{server.address}", Source())
    env = remote.open(remote.tasks("test")[0])
    env.start()
    [number] = server.episodes.numbers()
    server.episodes.close(number)
    with pytest.raises(Unavailable, match=f"The id {number} is not valid"):
        env.step("turn left")
    del env  # its number is free again, but means nothing to the server
    [trajectory] = play(script(*["Action: turn left"] * 20), assignments(remote, 1), Limits(), lambda _: remote)
    assert trajectory.ending is Ending.OUT_OF_TURNS


def test_a_server_that_is_away_is_no_failure_of_the_agents(served: Served) -> None:
    outages = iter([True, True, False])

    def away(call: HttpRequest, answer: HttpResponse) -> HttpResponse:
        return HttpResponse("gone", 500, is_text=True) if call.path == "/step" and next(outages, False) else answer

    remote = suite(f"agentgym:textcraft@{served('textcraft', change=away).address}", Source())
    [trajectory] = play(oracle(lambda _: remote), assignments(remote, 1), Limits(), lambda _: remote)
    assert trajectory.ending is Ending.SOLVED


def test_a_server_that_does_not_come_back_ends_an_episode_by_error(served: Served) -> None:
    def away(call: HttpRequest, answer: HttpResponse) -> HttpResponse:
        return HttpResponse("gone", 500, is_text=True) if call.path == "/step" else answer

    remote = suite(f"agentgym:textcraft@{served('textcraft', change=away).address}", Source())
    [trajectory] = play(oracle(lambda _: remote), assignments(remote, 1), Limits(), lambda _: remote)
    assert trajectory.ending is Ending.ERROR
    assert "/step did not answer: status 500: 'gone'" in trajectory.error


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_reward_from_a_server_that_is_no_number_is_refused_and_is_no_zero(served: Served, is_ours: bool) -> None:
    def broken(call: HttpRequest, answer: HttpResponse) -> HttpResponse:
        if call.path != "/step":
            return answer
        step = dumps({**loads(answer.headers[STEP]), "reward": nan})
        return replace(answer, content={**answer.content, "reward": nan}, headers={STEP: step} if is_ours else {})

    remote = open_suite(f"agentgym:textcraft@{served('textcraft', change=broken).address}", Source())
    [assignment] = assignments(remote, 1)
    with pytest.raises(BadReward) as refused:
        list(play(oracle(lambda _: remote), [assignment], Limits(), lambda _: remote))
    assert str(refused.value) == (
        f"{remote.name}: task {assignment.task.id} gave the reward nan, which is no finite number "
        "(attempt 0, turn 1)"
    )


def test_an_answer_that_does_not_say_its_reward_is_the_servers_failure(served: Served) -> None:
    def silent(call: HttpRequest, answer: HttpResponse) -> HttpResponse:
        if call.path != "/step":
            return answer
        return HttpResponse({"observation": "You see nothing.", "done": False})

    remote = suite(f"agentgym:textcraft@{served('textcraft', change=silent).address}", Source())
    [trajectory] = play(oracle(lambda _: remote), assignments(remote, 1), Limits(), lambda _: remote)
    assert trajectory.ending is Ending.ERROR
    assert "answers in another form: KeyError('reward')" in trajectory.error


def as_an_original(call: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """What an original server would have said: nothing of ours."""
    return (
        HttpResponse({"detail": "Not Found"}, 404)
        if call.path.startswith("/heldout")
        else replace(answer, headers={})
    )


@pytest.mark.realdata
@pytest.mark.skipif("HELDOUT_DATA" not in os.environ, reason="HELDOUT_DATA is not set")
@pytest.mark.parametrize("env", ["textcraft", "babyai"])
def test_an_original_server_is_played_by_its_published_ids(served: Served, env: str) -> None:
    real = Source(kind="real", rules="agentgym")
    server = served(env, real, change=as_an_original)
    name = f"agentgym:{env}@{server.address}"
    remote, here = suite(name, Source()), open_suite(env, real)
    assert [task.id for task in remote.tasks("test")] == [task.id for task in here.tasks("test")]
    assert (remote.rules, remote.tasks("demonstrations")) == ("agentgym", [])
    for assignment in assignments(remote, 4):
        [trajectory] = play(oracle(lambda _: remote), [assignment], Limits(), lambda _: remote)
        local = replace(assignment, task=next(t for t in here.tasks("test") if t.id == assignment.task.id))
        [ours] = play(oracle(lambda _: here), [local], Limits(), lambda _: here)
        assert (trajectory.reward, trajectory.score, trajectory.ending) == (ours.reward, ours.score, ours.ending)
        assert [turn.observation for turn in trajectory.turns] == [turn.observation for turn in ours.turns]


def test_the_world_on_a_server_is_out_of_sight(there: Callable[..., Any]) -> None:
    remote = suite(f"agentgym:babyai@{there('babyai', ORIGINAL).address}", Source())
    task: Task = remote.tasks("test")[0]
    assert set(task.world) == {"item"}
    with pytest.raises(HeldoutError, match="out of sight"):
        _ = remote.open(task).world
    assert remote.open_privileged(task).world.level > 0


def test_a_server_of_something_else_is_refused(there: Callable[..., Any]) -> None:
    address = there("babyai", ORIGINAL).address
    with pytest.raises(BadCall, match=f"{address} serves babyai, not textcraft"):
        suite(f"agentgym:textcraft@{address}", Source())
    with pytest.raises(BadCall, match="unknown environment 'babayi'; did you mean 'babyai'"):
        suite(f"agentgym:babayi@{address}", Source())
    with pytest.raises(BadCall, match="an environment on a server is such as agentgym:textcraft@"):
        open_suite("agentgym:babyai", Source())


def test_a_server_whose_training_and_test_tasks_overlap_is_refused(served: Served) -> None:
    def overlapping(call: HttpRequest, answer: HttpResponse) -> HttpResponse:
        if call.path != TASKS:
            return answer
        return HttpResponse([*answer.content, {"item": 3, "id": "textcraft_3", "difficulty": "easy"}])

    remote = open_suite(f"agentgym:textcraft@{served('textcraft', change=overlapping).address}", Source())
    for split in ("train", "test"):
        with pytest.raises(BadCall, match="has textcraft_3 twice among its training and test tasks"):
            remote.tasks(split)


def test_tasks_that_are_others_here_have_no_twin(served: Served) -> None:
    def other(call: HttpRequest, answer: HttpResponse) -> HttpResponse:
        return replace(answer, content={**answer.content, "data": "0"}) if call.path == "/heldout" else answer

    remote = suite(f"agentgym:babyai@{served('babyai', change=other).address}", Source())
    with pytest.raises(
        BadCall, match="the server's tasks of babyai are not those here: only a model can play them"
    ):
        remote.open_privileged(remote.tasks("test")[0])


@pytest.mark.parametrize(
    ("env", "reward", "ending"),
    [("webshop", 0.5, Ending.FAILED), ("webshop", 1.0, Ending.SOLVED), ("alfworld", 0.0, Ending.OUT_OF_TURNS)],
)
def test_done_on_an_original_server_is_solved_where_all_is_paid(env: str, reward: float, ending: Ending) -> None:
    step = original_step(ENV_PROTOCOLS[env], "bye", {"reward": reward, "done": True}, 0.0)
    assert (step.score, step.ending) == (reward, ending)


def test_openings_are_what_the_original_clients_show() -> None:
    told = {"observation": "You are in a room.", "available_actions": ["look", "go to bed 1"]}
    assert ENV_PROTOCOLS["alfworld"].opening(told) == "You are in a room.\nAVAILABLE ACTIONS: look,go to bed 1"
    assert ENV_PROTOCOLS["webshop"].opening(["WebShop [SEP] Search", None]) == "WebShop [SEP] Search"
    assert ENV_PROTOCOLS["searchqa"].opening("Use tags.\n\n Question: who?") == "Question: who?"
    with pytest.raises(TypeError):
        ENV_PROTOCOLS["textcraft"].opening({"observation": 3})


def test_what_an_original_server_once_paid_stays_the_score_and_babyai_says_its_own() -> None:
    paid = original_step(ENV_PROTOCOLS["textcraft"], "Got 1 x", {"reward": 0, "done": False}, 1.0)
    assert (paid.reward, paid.score, paid.ending) == (0.0, 1.0, None)
    done = original_step(ENV_PROTOCOLS["babyai"], "done", {"reward": 0.6, "score": 0.6, "done": True}, 0.0)
    assert (done.score, done.ending) == (0.6, Ending.SOLVED)
