"""The grammar of stages and chains: what is written is what is read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.chains import Chain, Stage, chain_name, parse_chain, slug_of, stream_name, training_chain
from heldout.config import pocket
from heldout.errors import BadCall

NAMES = st.from_regex(r"[A-Za-z0-9_:@/.%-]{1,12}", fullmatch=True).filter(
    lambda name: name != "base"
) | st.sampled_from(["webshop", "agentgym:babyai@http://127.0.0.1:36001", "grid.easy", "shunting:suite"])
CHANGES = st.dictionaries(
    st.sampled_from(["train.kl", "train.lr", "train.clip"]),
    st.floats(0, 1, allow_nan=False).map(repr),
    max_size=2,
) | st.just({"train.steps": "40", "source.variant.actions": "hidden", "train.max_turns": "none"})


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    envs = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    weights = draw(st.lists(st.integers(1, 9), min_size=len(envs), max_size=len(envs)) | st.just([]))
    difficulty = draw(st.sampled_from(["easy", "hard", "all"]))
    return Stage(tuple(envs), difficulty, tuple(weights), tuple(draw(CHANGES).items()))


@given(st.lists(stages(), max_size=3).map(tuple))
def test_what_is_printed_is_read_back(chain: Chain) -> None:
    assert parse_chain(chain_name(chain)) == chain


@pytest.mark.parametrize(
    ("text", "chain", "printed"),
    [
        ("base", (), "base"),
        ("webshop.easy > webshop.hard", (Stage(("webshop",), "easy"), Stage(("webshop",), "hard")), None),
        ("babyai+webshop", (Stage(("babyai", "webshop")),), None),
        ("textcraft.all", (Stage(("textcraft",)),), "textcraft"),
        ("(babyai+webshop).all", (Stage(("babyai", "webshop")),), "babyai+webshop"),
        ("(2*textcraft+webshop).easy", (Stage(("textcraft", "webshop"), "easy", (2, 1)),), None),
        ("4*textcraft+2*webshop", (Stage(("textcraft", "webshop"), "all", (2, 1)),), "2*textcraft+webshop"),
        ("3*textcraft+3*webshop", (Stage(("textcraft", "webshop")),), "textcraft+webshop"),
        (
            "textcraft[train.steps=40  train.kl=1e-2]",
            (Stage(("textcraft",), changes=(("train.kl", "0.01"), ("train.steps", "40"))),),
            "textcraft[train.kl=0.01 train.steps=40]",
        ),
        ("grid.easy.all", (Stage(("grid.easy",)),), None),
        ("a>b", (Stage(("a",)), Stage(("b",))), "a > b"),
    ],
)
def test_chains_are_read_as_people_write_them(text: str, chain: Chain, printed: str | None) -> None:
    assert parse_chain(text) == chain
    assert chain_name(chain) == (printed or text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("babyai+webshop.easy", r"two ways: write \(babyai\+webshop\)\.easy"),
        ("merge(a, b)", r"merge\(A, B\) is kept"),
        ("a > ", "'' is no stage"),
        ("a b", "'a b' is no stage"),
        ("a+a", "several different ones, not a, a"),
        ("base > a", "no environment can be named 'base'"),
        ("0*a+b", "a whole number from 1 up"),
        ("a[train.kl]", "a change is path=value"),
        ("a[train.kl=x]", "setting 'train.kl' takes NoneType or float, not 'x'"),
        ("a[train.kn=1]", "unknown setting 'train.kn'"),
        ("a[train.kl=1 train.kl=2]", "changes train.kl twice"),
        ("a[evaluate.samples=2]", "train.\\*, limits.\\* and source.variant.\\* only, not 'evaluate.samples'"),
        ("a[source.seed=2]", "only, not 'source.seed'"),
        ("a[train.save_every=2]", "cannot change train.save_every"),
        ("a[source.variant.actions=none]", "unknown variant actions 'none'"),
        ("a]b", "is no stage"),
        ("a[train.kl=1", "is no stage"),
    ],
)
def test_what_is_no_chain_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadCall, match=reason) as caught:
        parse_chain(text)
    assert "\n" not in str(caught.value)


def test_a_stage_sets_what_it_says_and_nothing_else() -> None:
    stage = Stage(("textcraft",), changes=(("train.kl", "0.01"), ("limits.reply_tokens", "9")))
    config = stage.apply_to(pocket())
    assert (config.train.kl, config.limits.reply_tokens) == (0.01, 9)
    assert replace(config, train=pocket().train, limits=pocket().limits) == pocket()


def test_two_lengths_of_a_stage_are_one_training() -> None:
    first, short, long = Stage(("b",)).ending_at(3), Stage(("a",)).ending_at(20), Stage(("a",)).ending_at(40)
    assert short != long
    assert training_chain((first, short)) == training_chain((first, long)) == (first, Stage(("a",)))


def test_streams_are_named_by_environments_and_difficulties_alone() -> None:
    assert stream_name(parse_chain("textcraft.easy > babyai+webshop")) == "textcraft.easy > babyai+webshop.all"
    assert stream_name(parse_chain("textcraft.easy[train.kl=0.01] > 3*babyai+webshop")) == (
        "textcraft.easy > babyai+webshop.all"
    )
    assert stream_name(()) == "base"


def test_slugs_are_short_and_never_two_names_in_one() -> None:
    assert slug_of("webshop.easy > webshop.hard") == "webshop.easy--webshop.hard"
    assert slug_of("base") == "base"
    assert slug_of("textcraft[train.kl=0.01]") == "textcraft-train.kl-0.01~664693c7"
    long = " > ".join(["textcraft.easy"] * 20)
    names = [
        "webshop",
        "Webshop",
        "webshop[train.kl=1]",
        "webshop[train.kl=2]",
        "a:b@http://h:1",
        long,
        f"{long} > a",
    ]
    names += ["a > b", "a--b"]
    slugs = [slug_of(name) for name in names]
    assert len(set(map(str.lower, slugs))) == len(names)
    assert max(map(len, slugs)) <= 89
    assert all(not set(slug) & set('<>:"/\\|?* ') for slug in slugs)
