"""The door to Inspect: the same episodes through it and past it, and nothing shown that an agent may not see."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

inspect_ai = pytest.importorskip("inspect_ai", reason="the extra inspect is not installed (make test-doors)")

from inspect_ai import eval as evaluate  # noqa: E402
from inspect_ai.model import GenerateConfig, Model, ModelAPI, ModelOutput, get_model, modelapi  # noqa: E402

from heldout.config import Limits, Source  # noqa: E402
from heldout.envs.base import Suite, find_task  # noqa: E402
from heldout.envs.registry import BUILT_IN, open_suite  # noqa: E402
from heldout.errors import BadCall  # noqa: E402
from heldout.integrations.inspect_ai import TASKS, heldout_task  # noqa: E402
from heldout.policies import privileged  # noqa: E402
from heldout.records import Trajectory  # noqa: E402
from heldout.rollout.episode import Assignment  # noqa: E402
from heldout.rollout.groups import play  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")


class Scripted(ModelAPI):  # type: ignore[misc]
    """Says the replies of episodes that were played before, by their opening and how far they are."""

    def __init__(self, model_name: str, *_: object, replies: dict[str, list[str]], **__: object) -> None:
        super().__init__(model_name, config=GenerateConfig())
        self._replies = replies
        self.shown = list[list[str]]()

    async def generate(self, input: list[Any], tools: Any, tool_choice: Any, config: Any) -> ModelOutput:
        """The next reply of the episode that the first message opens."""
        del tools, tool_choice, config
        self.shown.append([message.text for message in input])
        said = [message for message in input if message.role == "assistant"]
        return ModelOutput.from_content("scripted", self._replies[input[0].text][len(said)])

    async def count_text_tokens(self, text: str) -> int:
        """No tokenizer is fetched."""
        return len(text.split())


@modelapi(name="scripted")  # type: ignore[untyped-decorator]
def _scripted() -> type[Scripted]:
    return Scripted


def script(episodes: dict[str, list[str]]) -> Model:
    """A model that says these replies."""
    return get_model("scripted/oracle", memoize=False, replies=episodes)


def played(suite: Suite, ids: list[str], turns: int) -> list[Trajectory]:
    """The oracle's episodes, past the door."""
    assignments = [Assignment(task=find_task(suite, id), attempt=0, seed=0, stream="s") for id in ids]
    found = play(privileged.oracle(lambda _: suite), assignments, Limits(max_turns=turns), lambda _: suite)
    return sorted(found, key=lambda each: ids.index(each.task.id))


@pytest.fixture
def through(tmp_path: Path) -> Callable[..., Any]:
    """Inspect's log of a task with a scripted model."""

    def run(task: Any, model: Model, **how: Any) -> Any:
        [log] = evaluate(task, model=model, log_dir=str(tmp_path), display="none", **how)
        assert log.status == "success", log.error
        return log

    return run


@pytest.mark.parametrize("env", ["textcraft", "babyai", "searchqa"])
@pytest.mark.parametrize("turns", [20, 2])
def test_an_episode_is_the_same_through_the_door_and_past_it(
    env: str, turns: int, through: Callable[..., Any]
) -> None:
    suite = open_suite(env, Source())
    ids = [task.id for task in suite.tasks("test")[:3]]
    past = played(suite, ids, turns)
    model = script({each.opening: [turn.reply.text for turn in each.turns] for each in past})
    log = through(heldout_task(env, max_turns=turns, samples=1), model, sample_id=ids)
    assert len(log.samples) == 3
    for sample, ours in zip(sorted(log.samples, key=lambda each: ids.index(each.id)), past, strict=True):
        score = sample.scores["score"]
        assert (score.value, sample.scores["success"].value) == (ours.score, float(ours.success))
        assert (score.metadata["ending"], score.metadata["turns"]) == (str(ours.ending), len(ours.turns))
        assert score.metadata["reward"] == pytest.approx(ours.reward)
        said = [message.text for message in sample.messages]
        between = [text for turn in ours.turns[:-1] for text in (turn.reply.text, turn.observation)]
        assert said == [ours.opening, *between, ours.turns[-1].reply.text]
    for shown in model.api.shown:
        assert not any(task_id in text for text in shown for task_id in ids), (
            "an agent is not told which task it is"
        )


def test_each_task_is_played_as_often_as_avg_at_k_asks(through: Callable[..., Any]) -> None:
    suite = open_suite("textcraft", Source())
    [task] = suite.tasks("test")[:1]
    [past] = played(suite, [task.id], 20)
    model = script({past.opening: [turn.reply.text for turn in past.turns]})
    log = through(heldout_task("textcraft", samples=3), model, sample_id=[task.id])
    assert len(log.samples) == 3
    assert log.results.scores[0].metrics["mean"].value == 1.0


def test_a_reply_that_cannot_be_read_is_answered_and_costs_a_turn(through: Callable[..., Any]) -> None:
    suite = open_suite("textcraft", Source())
    [task] = suite.tasks("test")[:1]
    opening = suite.opening(suite.open(task).start().observation)
    log = through(
        heldout_task("textcraft", max_turns=2, samples=1), script({opening: ["hm", "hm"]}), sample_id=[task.id]
    )
    [sample] = log.samples
    assert sample.scores["score"].metadata["ending"] == "out_of_turns"
    assert sample.scores["score"].value == 0.0


def test_the_five_have_names_of_their_own_and_a_variant_is_a_setting() -> None:
    assert set(TASKS) == set(BUILT_IN)
    shown = heldout_task("textcraft", settings="source.variant.actions=shown")
    assert shown.dataset[0].input != heldout_task("textcraft").dataset[0].input


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"env": "textcarft"}, "unknown environment 'textcarft'; did you mean 'textcraft'"),
        ({"env": "textcraft", "split": "dev"}, "dev"),
        ({"env": "textcraft", "settings": "source.kindd=real"}, "unknown setting 'source.kindd'"),
    ],
)
def test_a_wrong_name_is_told_in_one_line(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(BadCall, match=told):
        heldout_task(**asked)
