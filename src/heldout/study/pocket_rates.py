"""How long pieces take of the pocket model, where its folder does not tell yet."""

from heldout.store.pieces import PieceRecord

POCKET_RATES_SAID = "what is shipped for pocket"
POCKET_RATES: tuple[PieceRecord, ...] = ()
