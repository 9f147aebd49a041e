import pytest

from heldout.envs.babyai.env import BabyAI, OriginalBabyAI
from heldout.envs.babyai.levels import place
from heldout.envs.babyai.players import legal, oracle
from heldout.envs.babyai.world import World
from heldout.envs.guard import Guarded
from heldout.errors import OriginalError
from heldout.records import Ending, Step


def fixed(item: int, *, pocket: bool = False) -> BabyAI:
    return BabyAI(World(*place(item)), pocket=pocket)


def original(item: int) -> OriginalBabyAI:
    return OriginalBabyAI(World(*place(item), original=True))


def after(env: BabyAI | OriginalBabyAI | Guarded, *actions: str) -> Step:
    env.start()
    return [env.step(action) for action in actions][-1]


def test_the_first_observation_is_the_original_s() -> None:
    text = original(0).start().observation
    assert text.startswith(
        "Your goal: go to the red ball\n"
        "In front of you in this room, you can see several objects: "
        "There is a grey key 1 1 steps in front of you and 1 steps to your left.  "
        "There is a grey ball 1 1 steps in front of you and 1 steps to your right.  "
    )
    assert (
        "There is a red ball 1 4 steps in front of you and 3 steps to your right.  "
        "The room has walls around you. You are facing a wall 6 steps away. You are not carrying anything.\n"
        'Available actions: ["turn left", "turn right", "move forward", "pickup grey key 1"'
    ) in text
    assert fixed(0).start().observation == text


def test_success_scores_by_the_steps_it_took() -> None:
    for env in (fixed(0), original(0)):
        step = after(env, "go to red ball 1")
        assert (step.reward, step.score, step.ending) == (0.8875, 0.8875, Ending.SOLVED)
        assert "You are not carrying anything.\n The task is completed.\nAvailable actions: [" in step.observation


def test_play_after_the_end_is_the_original_s_error_reply_and_our_mistake() -> None:
    server, ours = original(0), Guarded(fixed(0))
    after(server, "go to red ball 1")
    after(ours, "go to red ball 1")
    with pytest.raises(OriginalError, match=r"^The task with environment 0 has finished\.$"):
        server.step("turn left")
    with pytest.raises(RuntimeError, match="after the end"):
        ours.step("turn left")


def test_a_door_opened_on_the_way_wins_and_the_original_loses_that_success() -> None:
    lost = after(original(12), "toggle and go through red closed door 1")
    assert (lost.reward, lost.score, lost.ending) == (0.0, 0.0, None)
    won = after(fixed(12), "toggle and go through red closed door 1")
    assert won.ending is Ending.SOLVED
    assert won.score == pytest.approx(0.946)
    by_hand = after(original(12), "go to red closed door 1", "toggle")
    assert by_hand.ending is Ending.SOLVED
    assert by_hand.score == pytest.approx(0.946)


SLOW = ["turn left"] * 11


def test_slow_success_ends_and_the_original_pays_it_again_for_anything() -> None:
    server = original(3)
    scores = [after(server, *SLOW, "go to blue key 1").score]
    scores += [server.step("garbage").score for _ in range(3)]
    assert scores == pytest.approx([0.26875, 0.5375, 0.80625, 1.075])
    step = after(fixed(3), *SLOW, "go to blue key 1")
    assert step.ending is Ending.SOLVED
    assert step.score == step.reward == pytest.approx(0.26875)


def test_an_episode_out_of_steps_fails_with_nothing() -> None:
    env = fixed(3)  # 16 steps, of which turning spends them all
    step = after(env, *["turn left"] * 16)
    assert (step.score, step.ending) == (0.0, Ending.FAILED)
    assert "\n No time is left for the task.\n" in step.observation
    assert after(original(3), *["turn left"] * 16).ending is None


def test_a_wrong_pickup_spoils_a_strict_task_and_is_said_to() -> None:
    env = BabyAI(World(20, 1001))
    opening = env.start().observation
    goal = env.world.mission.removeprefix("pick up the ")
    wrong = next(t for t in env.world.sight.things if t.kind not in goal and t.color not in goal)
    assert f"pickup {wrong.name} {wrong.number}" in opening
    step = env.step(f"pickup {wrong.name} {wrong.number}")
    assert (step.score, step.ending) == (0.0, Ending.FAILED)
    assert "\n The task has failed.\n" in step.observation


def after_yellow(env: BabyAI | OriginalBabyAI) -> Step:
    assert "open the yellow door, then open the green door" in env.world.mission
    return after(env, "toggle and go through yellow closed door 1")


def test_two_doors_in_their_order_are_a_success_and_in_the_other_a_failure() -> None:
    env = BabyAI(World(16, 1))
    step = after_yellow(env)
    assert (step.ending, step.reward) == (None, 0.0)
    for _ in range(20):
        if step.ending is None:
            step = env.step(oracle(env.world))
    assert step.ending is Ending.SOLVED
    assert step.score == pytest.approx(0.98)


def test_the_later_door_first_has_failed() -> None:
    env = BabyAI(World(16, 1))
    env.start()
    while not (
        green := [action for action in legal(env.world) if action.startswith("toggle and go through green")]
    ):
        env.step("turn left")
    assert env.step(green[0]).ending is Ending.FAILED


def test_the_original_judges_the_second_door_by_the_toggle_of_the_first() -> None:
    server = OriginalBabyAI(World(16, 1, original=True))
    server.start()
    server.step("go to yellow closed door 1")
    step = server.step("toggle")
    assert (step.reward, "The task is completed." in step.observation) == (0.0, True)


def test_the_goal_keeps_its_order_where_the_original_loses_it() -> None:
    ours, server = fixed(47).start().observation, original(47).start().observation
    after_you, lost = "the ball after you go to the red ball", "the ball and go to the red ball"
    assert ours.startswith(f"Your goal: go to a key and go to {after_you} and go to a key\n")
    assert server.startswith(f"Your goal: go to a key and go to {lost} and go to a key\n")


def test_pick_up_is_understood_where_the_original_knows_only_pickup() -> None:
    assert "You are carrying a grey key." in after(fixed(0), "pick up grey key 1").observation
    unknown = after(original(0), "pick up grey key 1").observation
    assert unknown.startswith("The action is not recognized. Please check valid actions.\n")


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("", "No change in state."),
        ("drop", "You cannot drop the object, as you are not carrying anything."),
        ("garbage", "The action is not recognized. Please check valid actions."),
        ("  PLEASE CHECK ", "You can take the following actions: turn left, turn right, move forward, pickup "),
    ],
)
def test_what_cannot_be_done_is_answered_and_costs_no_step(action: str, answer: str) -> None:
    for env in (fixed(0), original(0)):
        step = after(env, action)
        assert step.observation.startswith(answer)
        assert (step.reward, step.ending, env.world.grid.step_count) == (0.0, None, 0)


def test_the_pocket_wording_says_the_same_in_few_words() -> None:
    env = fixed(3, pocket=True)
    assert env.start().observation == (
        "Goal: go to the blue key. You see blue key 1 (1 ahead 1 right). Wall 2 ahead. You carry nothing.\n"
        "Actions: turn left, turn right, move forward; go to or pickup: blue key 1"
    )
    assert env.step("drop").observation == (
        "You cannot drop the object, as you are not carrying anything. "
        "Goal: go to the blue key. You see blue key 1 (1 ahead 1 right). Wall 2 ahead. You carry nothing.\n"
        "Actions: turn left, turn right, move forward; go to or pickup: blue key 1"
    )


def test_the_original_s_missions_remember_the_locked_room_of_a_rejected_draw() -> None:
    assert World(36, 3, original=True).mission == "go to the red box"
    assert World(36, 3).mission == "go to a door on your right"
    assert [World(36, seed, original=True).mission for seed in range(3)] == [World(36, n).mission for n in range(3)]
