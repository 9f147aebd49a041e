"""What many tests share: an environment that they plan themselves, and a model that is made in seconds."""

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from threading import Thread
from typing import final

import pytest
from hypothesis import HealthCheck, settings

from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Source
from heldout.envs import corridor
from heldout.envs.base import Env, Players, Suite, Traits
from heldout.envs.react import plain_action
from heldout.envs.registry import open_suite
from heldout.errors import Unavailable
from heldout.integrations.agentgym.app import App
from heldout.integrations.agentgym.episodes import Episodes
from heldout.integrations.agentgym.messages import HttpRequest, HttpResponse
from heldout.integrations.agentgym.server import Server
from heldout.integrations.serving.access import access_to, listen
from heldout.learn.methods import IMITATION
from heldout.model import load
from heldout.model.chat import chat_of
from heldout.model.learner import Learner, Objective
from heldout.model.pocket import init_model, model_config, tokenizer_of
from heldout.policies.privileged import OracleNoise
from heldout.records import Ending, Step, Task
from heldout.training.imitate import batches, demonstrations, sample_of, texts_of

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # a machine that is busy with other work is no failure

Suites = Callable[[str], Suite]


@final
class Doors:
    """`go` passes a door, `jump` falls, the last door is the goal; the score grows with every door."""

    def __init__(self, doors: int, check: Callable[[], None]) -> None:
        self.world = [0, doors]
        self._check = check

    def start(self) -> Step:
        """The opening."""
        self._check()
        return Step(f"{self.world[1]} doors.", digest="0")

    def step(self, action: str) -> Step:
        """One action."""
        self._check()
        passed, doors = self.world
        if action == "jump":
            return Step("You fall.", score=passed / doors, ending=Ending.FAILED)
        if action != "go":
            return Step(f"Nobody knows how to {action}.", score=passed / doors, digest=str(passed))
        self.world[0] = passed = passed + 1
        ending = Ending.SOLVED if passed == doors else None
        return Step(f"Door {passed}.", reward=1 / doors, score=passed / doors, ending=ending, digest=str(passed))


@dataclass
class Service:
    """What the doors depend on: not there the first `outages` times that it is asked."""

    outages: int = 0
    asked: int = field(default=0, init=False)

    def check(self) -> None:
        """Raises while the service is out."""
        self.asked += 1
        if self.asked <= self.outages:
            raise Unavailable(f"no answer ({self.asked})")


def doors_suite(check: Callable[[], None] = lambda: None) -> Suite:
    """The suite of doors."""

    def opened(task: Task) -> Env:
        return Doors(task.world["doors"], check)

    return Suite(
        name="doors",
        kind="Toy",
        traits=Traits(dense=True, strict=True, lists_actions=False, knowledge=False, structured=False),
        instruction="Go to the end.",
        actions=("go", "jump"),
        max_turns=5,
        rules="fixed",
        source="typed in",
        data="0",
        tasks=lambda split: [doors_task(2, split=split), doors_task(4, split=split)],
        open=opened,
        read=plain_action,
        players=Players(
            oracle=lambda _: "go",
            legal=lambda _: ["go", "jump"],
            thought=lambda _, action: f"I {action}.",
            mistakes=lambda _: ["jump"],
        ),
    )


def doors_task(doors: int, *, name: str = "", split: str = "test") -> Task:
    """A task of so many doors; two are easy."""
    difficulty = "easy" if doors <= 2 else "hard"
    return Task(
        env="doors", split=split, id=name or f"doors_{doors}", difficulty=difficulty, world={"doors": doors}
    )


@pytest.fixture
def doors() -> Suite:
    """The corridor of doors as a suite."""
    return doors_suite()


@pytest.fixture
def suites(doors: Suite) -> Suites:
    """Every name opens the doors."""
    return lambda _: doors


@pytest.fixture
def task() -> Callable[..., Task]:
    """Makes tasks: `task(doors, name=…)`."""
    return doors_task


@pytest.fixture
def unreliable() -> Callable[[int], tuple[Suite, Service]]:
    """Makes a suite whose service is out the first so many times, and the service."""

    def made(outages: int) -> tuple[Suite, Service]:
        service = Service(outages)
        return doors_suite(service.check), service

    return made


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that are started can be interrupted, also where a shell in the background runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[str, str]]:
    """What was printed since the last look: out and err."""

    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return read


@pytest.fixture(scope="session")
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """A time in which no file may grow beyond so many bytes: writing more fails as on a full disk."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


Change = Callable[[HttpRequest, HttpResponse], HttpResponse]


@dataclass(frozen=True)
class Served:
    """A suite behind a door on a free port of this machine."""

    address: str
    episodes: Episodes

    @property
    def host(self) -> str:
        """The address without its scheme."""
        return self.address.removeprefix("http://")


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[..., Served]]:
    """Serves suites, each from a thread: `served("textcraft")`; `change` may change answers on their way."""
    with ExitStack() as stack:

        def made(
            env: str,
            source: Source = ORIGINAL,
            most: int = 1000,
            change: Change | None = None,
            token: str | None = None,
        ) -> Served:
            episodes = Episodes(most, idle_seconds=3600)
            app = App(open_suite(env, source), source, episodes, Random(0))
            listening = listen("127.0.0.1", 0)
            access = access_to(listening, token=token)
            server = Server(Changing(app, change) if change else app, episodes, listening, access)
            thread = Thread(target=server.run)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.stop)
            return Served(server.address, episodes)

        yield made


@final
class Changing:
    """A door whose answers are changed on their way."""

    def __init__(self, app: App, change: Change) -> None:
        self._door, self._change = app, change

    def answer(self, call: HttpRequest) -> HttpResponse:
        """The changed answer."""
        return self._change(call, self._door.answer(call))


ORIGINAL = Source(rules="agentgym")

TRIO = ("corridor", "textcraft", "babyai")


@pytest.fixture(scope="session")
def trio() -> Suites:
    """The toy corridor, TextCraft and BabyAI, by name."""
    there = {name: open_suite(name, Source()) for name in TRIO[1:]} | {"corridor": corridor.suite(Source())}
    return there.__getitem__


@pytest.fixture(scope="session")
def tiny(trio: Suites, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two narrow layers, after seconds of imitating the trio's players: replies of all lengths."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    noise = OracleNoise(error_rate=0.3, repeat_rate=0.3)
    pools = [trio(name).tasks("demonstrations") for name in TRIO]
    demos = [demo for pool in pools for demo in demonstrations(trio, pool, range(20), noise, max_turns=4, seed=0)]
    tokenizer = tokenizer_of((text for demo in demos for text in texts_of(demo)), 512)
    chat = chat_of(tokenizer)
    model = init_model(
        model_config(len(tokenizer), chat.end_id, tokenizer.pad_token_id, width=32, layers=2), seed=0
    )
    samples = [sample_of(chat, demo) for demo in demos]
    learner = Learner(model)
    for batch in islice(batches([each for each in samples if len(each.ids) < 400], 1500, Random(0)), 60):
        learner.learn(batch, Objective(method=IMITATION, lr=1e-2))
    load.save(model, tokenizer, folder)
    return folder


@pytest.fixture
def worker(tiny: Path) -> Worker:
    """The tiny model, in this process."""
    return Worker(WorkerConfig(model=str(tiny), source=Source()))
