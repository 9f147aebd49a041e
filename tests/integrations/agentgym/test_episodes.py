"""The table of open episodes: its limit, its clock, its locks."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest

from heldout.integrations.agentgym.episodes import Episodes, Full, NotOpen


class Clock:
    """Says the time that it is set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_numbers_are_drawn_until_one_is_free() -> None:
    episodes, draws = Episodes(most=9, idle_seconds=1), iter([7, 7, 7, 3])
    assert [episodes.create(lambda: next(draws)).number for _ in range(2)] == [7, 3]


def test_at_the_limit_it_says_how_many_are_open_and_what_helps() -> None:
    episodes, numbers = Episodes(most=2, idle_seconds=60), count()
    for _ in range(2):
        episodes.create(lambda: next(numbers))
    told = "2 episodes are open, and the limit is 2: close some, or wait until one was idle for 60 seconds"
    with pytest.raises(Full, match=told):
        episodes.create(lambda: next(numbers))
    episodes.close(0)
    assert episodes.create(lambda: next(numbers)).number == 2


def test_an_episode_is_forgotten_when_nobody_used_it_for_too_long() -> None:
    clock, numbers = Clock(), count()
    episodes = Episodes(most=9, idle_seconds=60, clock=clock)
    for _ in range(3):
        episodes.create(lambda: next(numbers))
    clock.now = 50
    with episodes.playing(0):
        pass
    clock.now = 70
    assert episodes.forget_idle() == 2
    with episodes.playing(0), pytest.raises(NotOpen):
        episodes.playing(1).__enter__()


def test_one_that_is_played_right_now_is_not_idle() -> None:
    clock = Clock()
    episodes = Episodes(most=9, idle_seconds=60, clock=clock)
    episodes.create(lambda: 0)
    with episodes.playing(0):
        clock.now = 1000
        assert episodes.forget_idle() == 0
    clock.now = 1050
    assert (episodes.forget_idle(), len(episodes)) == (0, 1)


def test_an_episode_has_one_player_at_a_time_and_does_not_hold_up_the_others() -> None:
    episodes, numbers, order = Episodes(most=9, idle_seconds=60), count(), list[str]()
    for _ in range(2):
        episodes.create(lambda: next(numbers))
    inside, go = Event(), Event()

    def slow() -> None:
        with episodes.playing(0):
            inside.set()
            go.wait()
            order.append("first")

    def second() -> None:
        with episodes.playing(0):
            order.append("second")

    with ThreadPoolExecutor() as pool:
        playing = pool.submit(slow)
        inside.wait()
        waiting = pool.submit(second)
        with episodes.playing(1):
            order.append("another")
        go.set()
        playing.result()
        waiting.result()
    assert order == ["another", "first", "second"]


def test_threads_that_create_and_close_at_once_never_share_a_number() -> None:
    episodes, numbers = Episodes(most=1000, idle_seconds=60), count()

    def live(_: int) -> int:
        number = episodes.create(lambda: next(numbers)).number
        with episodes.playing(number):
            pass
        assert episodes.close(number)
        return number

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(live, range(500))) == list(range(500))
    assert len(episodes) == 0
