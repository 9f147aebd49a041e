"""Named streams of chance: the same name always gives the same numbers.

No global generator is ever seeded, so adding, dropping or reordering work never
changes the chance that other work meets.
"""

from hashlib import sha256
from random import Random


def derive(seed: int, *path: str | int) -> int:
    """The seed of one named stream, from 0 to 2**63 - 1."""
    name = "/".join(map(str, (seed, *path)))
    return int.from_bytes(sha256(name.encode(errors="surrogatepass")).digest()[:8], "big") >> 1


def stream(seed: int, *path: str | int) -> Random:
    """A generator of its own for one named stream."""
    return Random(derive(seed, *path))
