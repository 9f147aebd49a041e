"""The forty levels of the original server, and the eighteen that its tasks were published for."""

from heldout.errors import BadCall

NAMES = {
    1: "GoToRedBallGrey",
    2: "GoToRedBall",
    3: "GoToRedBallNoDists",
    4: "GoToObjS4",  # minigrid 2 built a room of 4 under the name GoToObjS6; minigrid 3 calls it by its size
    5: "GoToLocalS8N7",
    6: "GoToObjMazeS7",
    7: "GoToImpUnlock",
    8: "GoToSeqS5R2",
    9: "GoToRedBlueBall",
    10: "GoToDoor",
    11: "GoToObjDoor",
    12: "Open",
    13: "OpenRedDoor",
    14: "OpenDoorLoc",
    15: "OpenRedBlueDoorsDebug",
    16: "OpenDoorsOrderN4Debug",
    17: "Pickup",
    18: "UnblockPickup",
    19: "PickupLoc",
    20: "PickupDistDebug",
    21: "PickupAbove",
    22: "PutNextLocalS6N4",
    23: "PutNextS7N4Carrying",
    24: "Unlock",
    25: "UnlockLocalDist",
    26: "KeyInBox",
    27: "UnlockPickupDist",
    28: "BlockedUnlockPickup",
    29: "UnlockToUnlock",
    30: "ActionObjDoor",
    31: "FindObjS7",
    32: "KeyCorridorS6R3",
    33: "OneRoomS20",
    34: "MoveTwoAcrossS8N9",
    35: "SynthS5R2",
    36: "SynthLoc",
    37: "SynthSeq",
    38: "MiniBossLevel",
    39: "BossLevel",
    40: "BossLevelNoUnlock",
}

PUBLISHED = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 19, 20, 21, 30, 31, 33, 36)
"""The levels with published tasks, and so the levels of ours."""


def game(level: int) -> str:
    """The name under which gymnasium knows a level."""
    if level not in NAMES:
        raise BadCall(f"BabyAI has levels 1 to {len(NAMES)}, not {level}")
    return f"BabyAI-{NAMES[level]}-v0"


def item(level: int, seed: int) -> int:
    """The original's number of a task: levels interleaved, forty to a seed."""
    return seed * len(NAMES) + level - 1


def place(item: int) -> tuple[int, int]:
    """The level and the seed behind the original's number of a task."""
    return item % len(NAMES) + 1, item // len(NAMES)
