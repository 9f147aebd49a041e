from heldout.learn.columns import columns
from heldout.records import Ending, Reply, Trajectory
from heldout.testing import make_trajectory, make_turn

FIRST = Reply(text="", context_ids=(5, 6), token_ids=(7,), logprobs=(-0.1,))
SECOND = Reply(text="", context_ids=(8,), token_ids=(9, 2), logprobs=(-0.2, -0.3))


def trajectory(*turns: Reply, ending: Ending = Ending.FAILED) -> Trajectory:
    return make_trajectory(turns=tuple(map(make_turn, turns)), reward=0.5, ending=ending)


def test_what_was_sampled_is_told_from_what_was_only_read() -> None:
    assert columns([trajectory(FIRST, SECOND)]) == {
        "prompt_ids": [[5, 6]],
        "completion_ids": [[7, 8, 9, 2]],
        "logprobs": [[-0.1, 0.0, -0.2, -0.3]],
        "env_mask": [[1, 0, 1, 1]],
        "env_reward": [0.5],
    }


def test_an_episode_without_a_sampled_token_is_one_masked_id() -> None:
    nothing = {"prompt_ids": [[0]], "completion_ids": [[0]], "logprobs": [[0.0]], "env_mask": [[0]]}
    assert columns([trajectory(Reply(text=""), ending=Ending.OUT_OF_TOKENS)]) == {**nothing, "env_reward": [0.5]}
    assert columns([trajectory(ending=Ending.ERROR)]) == {**nothing, "env_reward": [None]}


def test_an_episode_that_the_infrastructure_ended_is_masked_and_has_no_reward() -> None:
    told = columns([trajectory(FIRST, SECOND, ending=Ending.ERROR)])
    assert (told["env_mask"], told["env_reward"]) == ([[0, 0, 0, 0]], [None])
