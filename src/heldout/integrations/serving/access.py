"""Who may call a server: under which names it is found, and the token that its paths begin with."""

import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from secrets import compare_digest, token_urlsafe
from typing import Any

from heldout.addresses import DEFAULT_PORTS, TOKEN, host_and_port
from heldout.errors import BadCall, HeldoutError

VARIABLE = "HELDOUT_SERVE_TOKEN"
"""The variable that may hold a server's token, which a command line would show to everybody on the machine."""

MADE = ""
"""What asks for a token that is made, unless the variable has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a server listens, and who may call it there."""

    host: str
    """The address that it is bound to."""
    port: int
    names: tuple[str, ...] = ()
    """Other names that it may be called by: `NAME` at any port, or `NAME:PORT`."""
    token: str = ""
    """What its paths begin with; empty where they do not."""

    @property
    def url(self) -> str:
        """Where clients find it, its token included."""
        return f"http://{host_and_port(self.host, self.port)}{self.prefix}"

    @property
    def prefix(self) -> str:
        """What its paths begin with: `/TOKEN`, or nothing."""
        return f"/{self.token}" if self.token else ""

    def knows(self, host: str, reached_at: str) -> bool:
        """Whether a call may name this host: an own address at the own port, or a name that was allowed.

        `reached_at` is the address that the call came in at: whoever names that was not led here by a name that
        somebody else's DNS server made up.
        """
        name, port = _split_port(host.lower())
        reached = _plain(reached_at)
        own = {self.host, reached, *(("localhost", "127.0.0.1", "::1") if _is_loopback(reached) else ())}
        if name in own and (port or DEFAULT_PORTS["http"]) == self.port:
            return True
        return name in self.names or host.lower() in self.names

    def opens(self, path: str) -> bool:
        """Whether a path begins with the token; the comparison takes equally long wherever they differ."""
        if not self.token:
            return True
        given = path.split("/", 2)[1] if path.startswith("/") else ""
        return compare_digest(given.encode("utf-8", "replace"), self.token.encode())


def access_to(listening: socket.socket, names: Sequence[str] = (), token: str | None = None) -> Access:
    """Who may call what listens there.

    The token is that one, or HELDOUT_SERVE_TOKEN's; one is made where `MADE` asks for it, and where more than this
    machine can reach the port.
    """
    host, port = listening.getsockname()[:2]
    if wrong := [name for name in names if not re.fullmatch(r"[^\s/@]+", name)]:
        raise BadCall(f"--allow-host takes NAME or NAME:PORT, not {wrong[0]!r}")
    chosen = token or os.environ.get(VARIABLE, "")
    if chosen and not TOKEN.fullmatch(chosen):
        raise BadCall(f"a token is 16 to 128 of the characters A-Z a-z 0-9 - _, and not {len(chosen)} others")
    if not chosen and (token == MADE or not _is_loopback(host)):
        chosen = token_urlsafe(32)
    return Access(host=host, port=port, names=tuple(name.lower() for name in names), token=chosen)


def listen(host: str, port: int) -> socket.socket:
    """A socket at that address; port 0 is any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send the two parts of an answer without waiting in between.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise HeldoutError(f"cannot listen on port {port} of {host}: {error.strerror}") from None
    return listening


def _plain(address: str) -> str:
    """An address without the interface that it is of; one of version 4 as such, also where version 6 carries it."""
    found = ip_address(address.partition("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found)


def _is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refusal(access: Access, scope: dict[str, Any]) -> tuple[int, str] | None:
    """Why a call is refused, as a status and a line; None where it may come in.

    A web page that its reader's browser lets call us says where it is from (`Origin`, `Sec-Fetch-Site`), or names a
    host that is not ours (DNS rebinding); programs say nothing of the first two.
    """
    hosts = _values(scope, b"host")
    if len(hosts) != 1 or not access.knows(hosts[0], scope["server"][0]):
        told = f"this server is not called {', '.join(hosts) or 'nothing'}: allow the name with --allow-host"
        return 421, told
    own = (f"http://{hosts[0]}".lower(), f"https://{hosts[0]}".lower())
    for origin in _values(scope, b"origin"):
        if origin.lower() not in own:
            return 403, f"a page of {origin} may not call this server"
    for site in _values(scope, b"sec-fetch-site"):
        if site.lower() not in ("none", "same-origin"):
            return 403, f"a page of another site may not call this server ({site})"
    return None if access.opens(scope["path"]) else (404, "Not Found")


def _values(scope: dict[str, Any], name: bytes) -> Sequence[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.lower() == name]


def _split_port(host: str) -> tuple[str, int | None]:
    """A host without brackets, and its port; one that is no number is a port that nobody has."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.strip("[]"), None
    return name.strip("[]"), int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else -1
