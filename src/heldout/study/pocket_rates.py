"""How long pieces take of the pocket model, where its folder does not tell yet.

Measured on 2026-11-27 on two idle cores: the pieces of `pocket-transfer` by one seed, 50 tasks of each cell, four
plays of each, which took 66 minutes (docs/log.md).
"""

from heldout.store.pieces import PieceRecord

POCKET_RATES_SAID = "what is shipped for pocket (two idle cores)"

SECONDS = {
    "searchqa": {"train": 0.064, "measure": 0.141, "play": 0.006},
    "textcraft": {"train": 0.084, "measure": 0.090, "play": 0.003},
    "babyai": {"train": 0.236, "measure": 0.201, "play": 0.036},
    "webshop": {"train": 0.116, "measure": 0.111, "play": 0.004},
    "alfworld": {"train": 0.224, "measure": 0.084, "play": 0.004},
}
"""An episode, by environment and kind; SearchQA is trained for 5 turns and measured for 20."""

LIKE = {"match": "train", "tune": "measure"}
"""Kinds that were not timed → those that play alike."""


def _record(env: str, kind: str, timed: str) -> PieceRecord:
    return PieceRecord(
        kind=kind,
        title=f"{kind} in {env}",
        envs=(env,),
        episodes=1000,
        steps=0,
        tokens=0,
        seconds=1000 * SECONDS[env][timed],
        began=0,
        ended=0,
        host="",
        process=0,
        processes=1 if kind == "play" else 2,
        device="cpu",
        peak_bytes=0,
    )


POCKET_RATES: tuple[PieceRecord, ...] = tuple(
    _record(env, kind, LIKE.get(kind, kind))
    for env in SECONDS
    for kind in ("train", "match", "tune", "measure", "play")
)
