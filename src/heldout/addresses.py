"""Addresses of servers in one spelling, and without what opens them wherever they are shown or kept.

A password in an address and the token in its path are secrets: names, rows and files have neither. What is left out
of an environment's name stands in the variable HELDOUT_SERVERS, where a caller may put it too.
"""

import os
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit

from heldout.errors import BadCall

SERVERS = "HELDOUT_SERVERS"
"""The variable that holds whole addresses, blanks between them; processes that are started here inherit it."""

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
"""A token, and every part of a path that might be one."""

DEFAULT_PORTS = {"http": 80, "https": 443}

_NAMED = re.compile(r"(agentgym:[^@]*)@(.+)", re.DOTALL)
"""An environment on a server, by its name."""

_USER = re.compile(r"(?<=://)[^\s/?#]*@")
_QUERY = re.compile(r"(://[^\s?#'\"]*)[?#][^\s'\"]*")
_TOKEN_OF_NAME = re.compile(rf"(agentgym:\S*?://[^\s/]*(?:/[^\s/]*?)*?)/{TOKEN.pattern}(?![A-Za-z0-9_-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is, and what opens it."""

    place: str
    """In one spelling and without what opens it: what is shown and kept."""
    url: str
    """With its token, to be called; no user is in it."""
    user: str = ""
    password: str = ""

    @property
    def whole(self) -> str:
        """With all that opens it."""
        if not (self.user or self.password):
            return self.url
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{rest}"

    @property
    def has_credentials(self) -> bool:
        """Whether it has a token, a user or a password."""
        return bool(self.user or self.password) or self.url != self.place

    @property
    def authorization(self) -> dict[str, str]:
        """The header by which its user is told (HTTP Basic); none where there is no user."""
        if not (self.user or self.password):
            return {}
        return {"authorization": f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"}


@cache
def parse_address(text: str) -> Address:
    """Reads `[http://][USER:PASSWORD@]HOST[:PORT][/PATH][/TOKEN]`; raises `BadCall`, which shows no secret."""
    scheme, colon, rest = text.strip().partition("://")
    scheme, rest = (scheme.lower(), rest) if colon else ("http", text.strip())
    if scheme not in DEFAULT_PORTS:
        raise _no_address(text)
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname or "", parts.port
        at = host_and_port(host, port if port != DEFAULT_PORTS[scheme] else None)
    except ValueError:
        raise _no_address(text) from None
    if not re.fullmatch(r"[^\s%]+", host):
        raise _no_address(text)
    segments = [each for each in parts.path.split("/") if each]
    shown = [each for each in segments if not TOKEN.fullmatch(each)]
    return Address(
        place="/".join([f"{scheme}://{at}", *shown]),
        url="/".join([f"{scheme}://{at}", *segments]),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def host_and_port(host: str, port: int | None) -> str:
    """As an address has them: one of version 6 in brackets, its shortest form."""
    shown = f"[{ip_address(host).compressed}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def known_address(text: str) -> Address:
    """The address with what opens it: as the text says, or else as HELDOUT_SERVERS does."""
    asked = parse_address(text)
    return asked if asked.has_credentials else _known().get(asked.place, asked)


def public_name(name: str) -> str:
    """An environment's name as rows and files have it: one on a server without what opens its address.

    What is left out is put into HELDOUT_SERVERS, where whoever opens the environment by that name finds it.
    """
    found = _NAMED.fullmatch(name)
    if found is None:
        return name
    address = parse_address(found[2])
    if address.has_credentials and (known := _known()).get(address.place) != address:
        os.environ[SERVERS] = " ".join(each.whole for each in {**known, address.place: address}.values())
    return f"{found[1]}@{address.place}"


def without_credentials(text: str) -> str:
    """A text, its addresses without users, passwords and queries, and those of environments without tokens."""
    return _TOKEN_OF_NAME.sub(r"\1", _QUERY.sub(r"\1", _USER.sub("", text)))


def split_credentials(url: str) -> tuple[str, dict[str, str]]:
    """An address that is called as it is but for its user, and the header that says who that is."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    name, _, password = user.partition(":")
    header = Address(place="", url="", user=unquote(name), password=unquote(password)).authorization
    return parts._replace(netloc=host).geturl(), header


def _known() -> dict[str, Address]:
    """The addresses of HELDOUT_SERVERS, by their places."""
    return {each.place: each for each in map(parse_address, os.environ.get(SERVERS, "").split())}


def _no_address(text: str) -> BadCall:
    # A password with a slash in it ends nowhere that could be told.
    shown = re.sub(r"^(\w+://)?.*@", r"\1", text, flags=re.DOTALL)
    return BadCall(f"{without_credentials(shown)!r} is no address of a server: write http://HOST:PORT")
