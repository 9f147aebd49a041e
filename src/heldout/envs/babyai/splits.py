"""Making the tables of generated tasks: three splits of worlds that differ in content, and open differently.

`python -m heldout.envs.babyai.splits` computes tasks.json and tasks_of_other_seeds.json anew.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from json import dumps

from heldout.envs.babyai.env import BabyAI
from heldout.envs.babyai.levels import PUBLISHED
from heldout.envs.babyai.players import oracle
from heldout.envs.babyai.tasks import EASY_TURNS, OTHER_TABLES, TABLE, Row, Table
from heldout.envs.babyai.words import terse
from heldout.envs.babyai.world import World
from heldout.records import Ending, digest

SIZES = {"demonstrations": 6000, "train": 1000, "test": 200}
SHARES = {"demonstrations": 30, "train": 56, "test": 14}
"""Per cent of all openings that fall into each split."""
LEAST = {"demonstrations": 1, "train": 7, "test": 7}
"""Turns of the oracle below which a world is no task: whoever draws among the listed actions soon does it."""
LONGEST = 20
"""Turns beyond which a world is no task, K of the paper's evaluation: every task can be done in time."""
LEVELS = tuple(level for level in PUBLISHED if level not in (3, 4))
"""The levels of generated tasks: those with published ones, but for two whose rooms hold one thing alone."""
PUBLISHED_SEEDS = range(400)
"""All published seeds are among these; a generated world never equals one of them."""
SEEDS = tuple(range(first, first + 1200) for first in range(1000, 7000, 1200))
"""minigrid's, that the tasks of the source's seeds 0 to 4 are made of."""


def opening_of(world: World) -> str:
    """A hash of what is asked and what is seen at the start: every profile's opening observation tells it.

    The list of moves is left out, so it is one thing for all wordings; worlds of equal content have the same.
    """
    return digest([world.mission, terse(world.sight)])


def split_of(opening: str) -> str:
    """The split of a world by its opening alone, so that equal openings never fall into two."""
    draw = int(opening[:8], 16) % sum(SHARES.values())
    return next(split for split, end in zip(SHARES, accumulate(SHARES.values()), strict=True) if draw < end)


def make_tables() -> list[Table]:
    """Of each of the source's seeds the three splits: no content twice in any, none of a published seed."""
    known = {World(level, seed).content for level in PUBLISHED for seed in PUBLISHED_SEEDS}
    return [_table(seeds, known) for seeds in SEEDS]


def _table(seeds: Iterable[int], known: set[str]) -> Table:
    """Splits of worlds whose content is not known yet: levels in turn, half of train and test hard."""
    splits = defaultdict[str, list[Row]](list)
    for level in LEVELS:
        for seed in seeds:
            world, turns = World(level, seed), oracle_turns(level, seed)
            split = split_of(opening_of(world))
            if world.content not in known and turns is not None and turns >= LEAST[split]:
                splits[split].append((level, seed, turns))
            known.add(world.content)
    return {
        split: _chosen(splits[split], size, balanced=split != "demonstrations") for split, size in SIZES.items()
    }


def oracle_turns(level: int, seed: int) -> int | None:
    """How many turns the oracle needs; None where it needs more than `LONGEST`."""
    env = BabyAI(World(level, seed))
    step = env.start()
    for turn in range(LONGEST):
        step = env.step(oracle(env.world))
        if step.ending is not None:
            return turn + 1 if step.ending is Ending.SOLVED else None
    return None


def _chosen(rows: Sequence[Row], size: int, *, balanced: bool) -> list[Row]:
    """That many rows, the levels in turn; balanced, every other one is hard."""
    mixed = _in_turn(rows, lambda row: row[0])
    if balanced:
        mixed = _in_turn(mixed, lambda row: row[2] > EASY_TURNS)
    return mixed[:size]


def _in_turn(rows: Sequence[Row], kind: Callable[[Row], int]) -> list[Row]:
    """The rows with their kinds in turn: the first of each kind, then the second of each."""
    seen = Counter[int]()
    ranks = list[tuple[int, int]]()
    for at, row in enumerate(rows):
        ranks.append((seen[kind(row)], at))
        seen[kind(row)] += 1
    return [rows[at] for _, at in sorted(ranks)]


def format_table(table: Table) -> str:
    """The table as JSON, a split to a line."""
    lines = [f"{dumps(split)}: {dumps(rows, separators=(',', ':'))}" for split, rows in table.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def format_tables(tables: Sequence[Table]) -> str:
    """The tables of the seeds from 1 up, without demonstrations."""
    tested = ({split: rows for split, rows in table.items() if split != "demonstrations"} for table in tables)
    texts = (f'"{seed}": {format_table(table).strip()}' for seed, table in enumerate(tested, start=1))
    return "{\n" + ",\n".join(texts) + "\n}\n"


def figures(table: Table) -> str:
    """How many rows each split has, and how many of them are hard."""
    hard = {split: sum(row[2] > EASY_TURNS for row in rows) for split, rows in table.items()}
    return ", ".join(f"{split} {len(rows)} ({hard[split]} hard)" for split, rows in table.items())


if __name__ == "__main__":
    first, *others = make_tables()
    TABLE.write_text(format_table(first))
    OTHER_TABLES.write_text(format_tables(others))
    print("\n".join(map(figures, (first, *others))))
