"""What a piece of a study's work took: measured where it was done, and what the next ones are estimated by."""

from dataclasses import dataclass

KINDS = ("difficulty", "train", "match", "tune", "drift", "measure", "play")
"""`play` is a measurement of a player, which needs no model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRecord:
    """One piece that was really done, or the rest of one that had been begun before."""

    kind: str
    """One of `KINDS`."""
    title: str
    """As people are told of it."""
    envs: tuple[str, ...]
    """Where was played."""
    episodes: int
    """That were played now."""
    steps: int
    """Of training, that were made now."""
    tokens: int
    """That the policy sampled."""
    seconds: float
    """From its beginning to its end, loading included."""
    began: float
    """Seconds since 1970, as `ended` is."""
    ended: float
    host: str
    process: int
    processes: int
    """That held the model."""
    device: str
    """Where they held it: cpu or cuda."""
    peak_bytes: int
    """The most memory that these processes ever had, together; 0 where the system does not tell."""
