"""How long pieces take of the pocket model, where its folder does not tell yet.

Measured on 2026-11-27 on two cores that others used too, so by the processor's time of two processes, less what
loading takes: 192 episodes of training from the base, 64 of measuring it on easy and hard tasks, 192 of players.
"""

from heldout.store.pieces import PieceRecord

POCKET_RATES_SAID = "what is shipped for pocket (two busy cores, an untrained base: rough)"

SECONDS = {
    "searchqa": {"train": 0.050, "measure": 0.182, "play": 0.007},
    "textcraft": {"train": 0.081, "measure": 0.084, "play": 0.003},
    "babyai": {"train": 0.197, "measure": 0.231, "play": 0.023},
    "webshop": {"train": 0.171, "measure": 0.141, "play": 0.006},
    "alfworld": {"train": 0.188, "measure": 0.166, "play": 0.008},
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
