"""Addresses in one spelling, and without what opens them."""

import os

import pytest

from heldout.addresses import (
    SERVERS,
    known_address,
    parse_address,
    public_name,
    split_credentials,
    without_credentials,
)
from heldout.analysis.scores import Cell
from heldout.chains import Stage, chain_name, parse_chain, slug_of
from heldout.errors import BadCall

TOKEN = "Zx3-q_9aKk2Lm4Np6Rs8"


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVERS, "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://127.0.0.1:36001", "http://127.0.0.1:36001"),
        ("127.0.0.1:36001", "http://127.0.0.1:36001"),
        ("HTTP://LocalHost:36001/", "http://localhost:36001"),
        ("http://gpu-7:80", "http://gpu-7"),
        ("https://gpu-7:443//", "https://gpu-7"),
        ("https://gpu-7:80", "https://gpu-7:80"),
        ("http://me:secret@gpu-7:1", "http://gpu-7:1"),
        ("me:secret@gpu-7:1", "http://gpu-7:1"),
        ("http://gpu-7/a/b/", "http://gpu-7/a/b"),
        (f"http://gpu-7/a/{TOKEN}/", "http://gpu-7/a"),
        ("http://gpu-7?key=secret#there", "http://gpu-7"),
        ("http://[0:0:0:0:0:0:0:1]:36001", "http://[::1]:36001"),
    ],
)
def test_an_address_has_one_spelling_and_nothing_that_opens_it(text: str, place: str) -> None:
    assert parse_address(text).place == place
    assert public_name(f"agentgym:textcraft@{text}") == f"agentgym:textcraft@{place}"
    assert parse_address(place).place == place


def test_what_opens_an_address_is_kept_for_calls() -> None:
    address = parse_address(f"http://me:s%40cret@gpu-7:1/{TOKEN}")
    assert (address.url, address.user, address.password) == (f"http://gpu-7:1/{TOKEN}", "me", "s@cret")
    assert address.authorization == {"authorization": "Basic bWU6c0BjcmV0"}
    assert parse_address(address.whole) == address
    assert parse_address("http://gpu-7:1").authorization == {}


@pytest.mark.parametrize(
    "text",
    [
        *("http://x:y", "ftp://me:secret@x", "http://", "http://me:sec/ret@x", "http://me:secret@", "http://[::z]"),
        *("http://me:secret@x:99999", "http://[secret", "http://me:secret@a b", ""),
    ],
)
def test_what_is_no_address_is_told_without_its_secrets(text: str) -> None:
    with pytest.raises(BadCall, match="is no address of a server: write http://HOST:PORT") as told:
        parse_address(text)
    assert "sec" not in str(told.value).replace("[secret", "")


def test_what_a_name_leaves_out_is_found_by_the_name_that_is_left() -> None:
    name = public_name(f"agentgym:textcraft@http://me:secret@gpu-7:1/{TOKEN}")
    public_name("agentgym:babyai@http://gpu-8:1/another-token-of-mine")
    assert name == "agentgym:textcraft@http://gpu-7:1"
    assert known_address("GPU-7:1").url == f"http://gpu-7:1/{TOKEN}"
    assert known_address("http://gpu-7:1").password == "secret"
    assert known_address("http://gpu-8:1").url == "http://gpu-8:1/another-token-of-mine"
    assert known_address("http://gpu-9:1").url == "http://gpu-9:1"
    assert len(os.environ[SERVERS].split()) == 2
    public_name("agentgym:babyai@http://gpu-8:1/its-next-token-of-mine")
    assert known_address("http://gpu-8:1").url == "http://gpu-8:1/its-next-token-of-mine"
    assert len(os.environ[SERVERS].split()) == 2


@pytest.mark.parametrize("name", ["textcraft", "my.module:SUITE", "agentgym:textcraft", "mine@http://me:x@y"])
def test_other_names_are_as_they_are(name: str) -> None:
    assert public_name(name) == name
    assert os.environ[SERVERS] == ""


def test_stages_cells_chains_and_paths_have_public_names() -> None:
    whole = f"agentgym:textcraft@http://me:se=cret@GPU-7:1/{TOKEN}"
    public = "agentgym:textcraft@http://gpu-7:1"
    assert Stage((whole,)).envs == (public,)
    assert Cell(env=whole, split="test", difficulty="easy").env == public
    assert chain_name(parse_chain(f"{whole}.easy > babyai")) == f"{public}.easy > babyai"
    assert slug_of(Stage((whole,)).name) == slug_of(public)
    assert Stage((whole,)) == Stage((f"{public}/",))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "could not fetch https://me:secret@x.example/a?sig=secret#b: no",
            "could not fetch https://x.example/a no",
        ),
        ("'http://me@x/y'", "'http://x/y'"),
        ("hf://datasets/OWNER/NAME@REV/file.txt", "hf://datasets/OWNER/NAME@REV/file.txt"),
        (f"agentgym:textcraft@http://x:1/{TOKEN} does", "agentgym:textcraft@http://x:1 does"),
        ("agentgym:textcraft@http://a-host-of-long-name:1/a", "agentgym:textcraft@http://a-host-of-long-name:1/a"),
        ("https://x/a-folder-of-a-long-name/b", "https://x/a-folder-of-a-long-name/b"),
        ("me@home, and no address", "me@home, and no address"),
    ],
)
def test_a_text_is_shown_without_the_secrets_of_its_addresses(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_a_chain_that_cannot_be_read_is_told_without_secrets() -> None:
    with pytest.raises(BadCall, match="is no chain") as told:
        parse_chain(f"agentgym:textcraft@http://me:secret@x:1/{TOKEN} [")
    assert "secret" not in str(told.value)
    assert TOKEN not in str(told.value)


def test_a_users_name_goes_into_a_header_and_the_rest_of_an_address_stays() -> None:
    basic = {"authorization": "Basic bWU6czpA"}
    assert split_credentials("https://me:s%3A%40@x:1/a?b#c") == ("https://x:1/a?b#c", basic)
    assert split_credentials("https://x:1/a@b") == ("https://x:1/a@b", {})
