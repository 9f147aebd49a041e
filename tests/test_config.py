"""Settings: `--set path=value` changes one thing, and a wrong one is refused with what there is instead."""

from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.config import Config, Evaluate, Limits, Train, Variant, pocket, with_overrides
from heldout.errors import BadCall
from heldout.learn.methods import method_of
from heldout.ranges import Range, ranges_of
from heldout.records import from_json, to_json


def test_a_setting_changes_what_it_names_and_nothing_else() -> None:
    config = with_overrides(Config(), ["train.lr=2e-5", "train.steps=5", "source.rules=agentgym", "processes=2"])
    assert (config.train.lr, config.train.steps, config.source.rules, config.processes) == (2e-5, 5, "agentgym", 2)
    assert (
        with_overrides(config, ["train.lr=1e-6", "train.steps=100", "source.rules=fixed", "processes=0"])
        == Config()
    )


def test_the_last_setting_of_a_path_wins() -> None:
    assert with_overrides(Config(), ["train.steps=5", "train.steps=7"]).train.steps == 7


def test_values_are_read_as_the_type_of_the_setting() -> None:
    assert with_overrides(Config(), ["train.lr=1"]).train.lr == 1.0
    assert type(with_overrides(Config(), ["train.lr=1"]).train.lr) is float
    assert with_overrides(Config(), ["train.max_turns=12"]).train.max_turns == 12
    assert with_overrides(Config(), ["train.max_turns=none"]).train.max_turns is None
    assert with_overrides(Config(), ["train.loss_aggregation=token"]).train.loss_aggregation == "token"
    assert with_overrides(Config(), [" train.steps = 5 "]).train.steps == 5


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("train.steps", "--set takes path=value, not 'train.steps'"),
        ("trian.steps=5", "unknown setting 'trian.steps' (choose from: chat_template, evaluate, limits"),
        ("train.stepps=5", "unknown setting 'train.stepps'"),
        ("train=5", "unknown setting 'train'"),
        ("train.steps.more=5", "setting 'train.steps.more': steps has no parts"),
        ("train.steps=many", "setting 'train.steps' takes int, not 'many'"),
        ("train.steps=1.5", "setting 'train.steps' takes int, not '1.5'"),
        ("train.steps=true", "setting 'train.steps' takes int, not 'true'"),
        ("train.max_turns=x", "setting 'train.max_turns' takes NoneType or int, not 'x'"),
        ("train.lr=nan", "setting 'train.lr' takes float, not 'nan'"),
        ("train.lr=1e999", "setting 'train.lr' takes float, not '1e999'"),
        (f"train.lr={10**400}", "setting 'train.lr' takes float, not '1000"),
        (f"train.steps={'9' * 5000}", "setting 'train.steps' takes int, not '9999"),
        ("processes=-1", "setting 'processes' takes a number from 0 to 256, not -1"),
        ("slots=0", "setting 'slots' takes a number from 1 to 4096, not 0"),
        ("train.lr=-1", "setting 'train.lr' takes a number from 0 to 1, not -1.0"),
        ("train.steps=0", "setting 'train.steps' takes a number from 1 up, not 0"),
        ("train.temperature=0", "setting 'train.temperature' takes a number above 0, at most 10, not 0.0"),
        ("limits.max_turns=-5", "setting 'limits.max_turns' takes a number from 1 up, not -5"),
        ("evaluate.samples=0", "setting 'evaluate.samples' takes a number from 1 up, not 0"),
        ("evaluate.tasks=0", "setting 'evaluate.tasks' takes a number from 1 up, not 0"),
        (f"train.steps={'[' * 5000}", "setting 'train.steps' takes int, not '[[[["),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(setting: str, told: str) -> None:
    with pytest.raises(BadCall) as caught:
        with_overrides(Config(), [setting])
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text().map(str.strip),
    int | None: st.none() | st.integers(),
    float | None: st.none() | st.floats(allow_nan=False, allow_infinity=False),
}


@pytest.mark.parametrize("name", [field.name for field in fields(Train)])
@settings(max_examples=30)
@given(data=st.data())
def test_any_value_of_its_type_can_be_set_and_any_other_text_is_told_in_one_line(
    name: str, data: st.DataObject
) -> None:
    value = data.draw(VALUES[get_type_hints(Train)[name]])
    if isinstance(value, float | int) and value not in ranges_of(Train)[name]:
        with pytest.raises(BadCall, match=rf"'train.{name}' takes a number {ranges_of(Train)[name]}, not "):
            with_overrides(Config(), [f"train.{name}={value}"])
        return
    assert getattr(with_overrides(Config(), [f"train.{name}={value}"]).train, name) == value
    refusal = ""
    try:
        with_overrides(Config(), [f"train.{name}={data.draw(st.text())}"])
    except BadCall as error:
        refusal = str(error)
    assert "\n" not in refusal


def test_a_range_says_itself_and_holds_no_nan() -> None:
    assert [str(each) for each in (Range(1), Range(0, open=True), Range(0, 1), Range(0, 10, open=True))] == [
        "from 1 up",
        "above 0",
        "from 0 to 1",
        "above 0, at most 10",
    ]
    assert [value in Range(0, 1) for value in (0, 1, -0.1, 1.1, float("nan"))] == [True, True, False, False, False]
    assert [value in Range(0, 1, open=True) for value in (0, 1)] == [False, True]


def test_what_cannot_be_is_refused_from_python_too() -> None:
    with pytest.raises(BadCall, match=r"setting 'train.lr' takes a number from 0 to 1, not nan"):
        Train(lr=float("nan"))
    with pytest.raises(BadCall, match=r"setting 'slots' takes a number from 1 to 4096, not 0"):
        Config(slots=0)


def test_every_number_that_can_be_set_has_a_range() -> None:
    for section in (Limits, Train, Evaluate, Config):
        numbers = {name for name, hint in get_type_hints(section).items() if hint in VALUES and hint is not str}
        assert numbers == set(ranges_of(section))


def test_the_defaults_are_the_papers() -> None:
    config = Config()
    assert (config.train.group_size, config.limits.response_budget, config.evaluate.max_turns) == (8, 8192, 20)
    method = method_of(config.train)
    assert (config.train.algorithm, method.clip, method.kl, config.train.temperature) == ("grpo", 0.2, 0.001, 1.0)


def test_pockets_conversations_fit_its_context() -> None:
    assert pocket().limits.response_budget + pocket().limits.reply_tokens < 4096


def test_a_variant_is_named_by_what_it_changes_in_order() -> None:
    settings = ["source.variant.words=3", "source.variant.reward=binary", "source.variant.actions=hidden"]
    assert with_overrides(Config(), settings).source.variant == Variant(words=3, reward="binary", actions="hidden")
    assert Variant(words=3, reward="binary", actions="hidden").name == "actions=hidden,reward=binary,words=3"
    assert Variant().name == ""


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            "actions=hiden",
            r"variant actions 'hiden'; did you mean 'hidden'\? \(choose from: hidden, shown\)",
        ),
        ("words=-1", "the number of a map from 1 up, not -1"),
        ("action=hidden", "unknown setting 'source.variant.action'"),
    ],
)
def test_what_a_trait_cannot_be_is_refused(setting: str, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        with_overrides(Config(), [f"source.variant.{setting}"])


def test_a_configuration_says_its_variant_and_its_options_only_where_it_has_any() -> None:
    assert list(to_json(Config())["source"]) == ["kind", "rules", "seed", "profile", "difficulty"]
    hidden = with_overrides(Config(), ["source.variant.actions=hidden"])
    assert to_json(hidden)["source"]["variant"]["actions"] == "hidden"
    for config in (Config(), hidden):
        assert from_json(Config, to_json(config)) == config
