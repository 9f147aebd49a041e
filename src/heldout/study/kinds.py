"""What a piece of work is called in records, and where it is played."""

from heldout.study.work import DifficultyWork, DriftWork, MatchWork, MeasureWork, TrainWork, TuneWork, Work


def kind_of(work: Work) -> str:
    """One of `store.pieces.KINDS`."""
    match work:
        case DifficultyWork():
            return "difficulty"
        case TrainWork():
            return "train"
        case MatchWork():
            return "match"
        case TuneWork():
            return "tune"
        case DriftWork():
            return "drift"
        case MeasureWork(player=""):
            return "measure"
        case MeasureWork():
            return "play"


def envs_of(work: Work) -> tuple[str, ...]:
    """Where it is played."""
    if isinstance(work, DifficultyWork):
        return work.envs
    if isinstance(work, DriftWork):
        return (work.env,)
    return work.chain[-1].envs if isinstance(work, TrainWork | MatchWork) else (work.cell.env,)
