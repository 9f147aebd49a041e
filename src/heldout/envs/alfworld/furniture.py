"""What households are made of: rooms, what stands in them, what lies where, and what things can become."""

from collections.abc import Mapping

from heldout.envs.alfworld.house import State

# fmt: off
ROOMS: Mapping[str, Mapping[str, int]] = {
    "kitchen": {
        "cabinet": 10, "coffeemachine": 1, "countertop": 3, "diningtable": 1, "drawer": 8, "fridge": 1,
        "garbagecan": 1, "microwave": 1, "shelf": 3, "sinkbasin": 1, "stoveburner": 4,
    },
    "bathroom": {
        "bathtubbasin": 1, "cabinet": 5, "countertop": 1, "drawer": 4, "garbagecan": 1, "handtowelholder": 2,
        "shelf": 2, "sinkbasin": 2, "toilet": 1, "toiletpaperhanger": 1,
    },
    "bedroom": {
        "armchair": 1, "bed": 1, "desk": 2, "drawer": 8, "dresser": 1, "garbagecan": 1, "safe": 1, "shelf": 6,
        "sidetable": 2,
    },
    "livingroom": {
        "armchair": 2, "coffeetable": 1, "diningtable": 1, "drawer": 6, "dresser": 1, "garbagecan": 1, "ottoman": 1,
        "shelf": 5, "sidetable": 3, "sofa": 1,
    },
}
"""The receptacles of each kind of room, and how many of a kind there are at most."""

OPENABLE = frozenset({"cabinet", "drawer", "fridge", "microwave", "safe"})

_FOOD = ("apple", "bread", "egg", "lettuce", "potato", "tomato")
_DISHES = ("bowl", "cup", "mug", "plate")
_POTS = ("kettle", "pan", "pot")
_CUTLERY = ("butterknife", "fork", "knife", "ladle", "spatula", "spoon")
_SPICES = ("peppershaker", "saltshaker")
_SMALL = ("cd", "cellphone", "creditcard", "keychain", "pen", "pencil")
_SEATS = ("book", "cellphone", "creditcard", "keychain", "laptop", "newspaper", "pillow", "remotecontrol")
_WASHING = ("cloth", "soapbar", "soapbottle", "spraybottle", "toiletpaper")
_SHOWN = ("bowl", "box", "candle", "statue", "tissuebox", "vase")

THINGS: Mapping[str, tuple[str, ...]] = {
    "kitchen": (*_FOOD, *_DISHES, *_POTS, *_CUTLERY, *_SPICES, "dishsponge", "soapbottle", "winebottle"),
    "bathroom": (*_WASHING, "candle", "dishsponge", "handtowel", "tissuebox"),
    "bedroom": (*_SMALL, "alarmclock", "book", "bowl", "laptop", "mug", "pillow", "tissuebox"),
    "livingroom": (*_SHOWN, "book", "creditcard", "keychain", "laptop", "newspaper", "pillow", "remotecontrol",
                   "watch"),
}
"""What one finds in each kind of room."""

TAKES: Mapping[str, frozenset[str]] = {kind: frozenset(things) for kind, things in {
    "armchair": (*_SEATS,),
    "bathtubbasin": ("cloth", "dishsponge", "handtowel", "soapbar"),
    "bed": ("book", "cellphone", "laptop", "pillow"),
    "cabinet": (*_DISHES, *_POTS, *_SPICES, *_WASHING, "book", "candle", "dishsponge", "ladle", "vase",
                "winebottle"),
    "coffeemachine": ("mug",),
    "coffeetable": (*_SHOWN, *_SMALL, "book", "laptop", "newspaper", "plate", "remotecontrol", "watch"),
    "countertop": (*_FOOD, *_DISHES, *_POTS, *_CUTLERY, *_SPICES, *_WASHING, "candle", "dishsponge", "handtowel",
                   "tissuebox", "winebottle"),
    "desk": (*_SMALL, "alarmclock", "book", "bowl", "box", "laptop", "mug", "remotecontrol", "statue", "tissuebox"),
    "diningtable": (*_FOOD, *_DISHES, *_POTS, *_CUTLERY, *_SPICES, *_SHOWN, *_SMALL, "book", "dishsponge", "laptop",
                    "newspaper", "remotecontrol", "watch", "winebottle"),
    "drawer": (*_SMALL, *_CUTLERY, *_SPICES, "book", "candle", "cloth", "dishsponge", "handtowel", "newspaper",
               "remotecontrol", "soapbar", "soapbottle", "spraybottle", "tissuebox", "toiletpaper", "watch"),
    "dresser": (*_SMALL, *_SHOWN, "alarmclock", "book", "laptop", "mug", "newspaper", "remotecontrol", "watch"),
    "fridge": (*_FOOD, *_DISHES, "pan", "pot", "winebottle"),
    "garbagecan": (*_FOOD, "cd", "cloth", "dishsponge", "handtowel", "newspaper", "pen", "pencil", "soapbar",
                   "soapbottle", "spraybottle", "tissuebox", "toiletpaper", "winebottle"),
    "handtowelholder": ("handtowel",),
    "microwave": (*_DISHES, "apple", "bread", "egg", "potato", "tomato"),
    "ottoman": ("box", "creditcard", "keychain", "laptop", "newspaper", "pillow", "remotecontrol"),
    "safe": ("cd", "cellphone", "creditcard", "keychain"),
    "shelf": (*_SMALL, *_DISHES, *_SPICES, *_SHOWN, *_WASHING, "alarmclock", "book", "dishsponge", "handtowel",
              "newspaper", "remotecontrol", "watch", "winebottle"),
    "sidetable": (*_SMALL, *_SHOWN, "alarmclock", "book", "laptop", "mug", "newspaper", "remotecontrol", "watch"),
    "sinkbasin": (*_FOOD, *_DISHES, *_POTS, *_CUTLERY, "cloth", "dishsponge", "handtowel", "soapbar"),
    "sofa": (*_SEATS, "box"),
    "stoveburner": (*_POTS,),
    "toilet": (*_WASHING, "candle", "dishsponge", "handtowel", "tissuebox"),
    "toiletpaperhanger": ("toiletpaper",),
}.items()}
"""What each kind of receptacle takes (ALFRED's table, without what the rooms above do not have)."""

LAMPS: Mapping[str, tuple[str, ...]] = {
    "desklamp": ("desk", "dresser", "sidetable", "shelf"),
    "floorlamp": ("armchair", "coffeetable", "sidetable", "sofa"),
}
"""The lamps, and where they stand; nobody carries them."""

_BECOMES = {
    State.CLEAN: ("apple", "bowl", "butterknife", "cloth", "cup", "dishsponge", "egg", "fork", "kettle", "knife",
                  "ladle", "lettuce", "mug", "pan", "plate", "pot", "potato", "soapbar", "spatula", "spoon",
                  "tomato"),
    State.HOT: ("apple", "bread", "cup", "egg", "mug", "plate", "potato", "tomato"),
    State.COOL: ("apple", "bowl", "bread", "cup", "egg", "lettuce", "mug", "pan", "plate", "pot", "potato",
                 "tomato", "winebottle"),
    State.SLICED: ("apple", "bread", "egg", "lettuce", "potato", "tomato"),
    State.ON: tuple(LAMPS),
}
# fmt: on


def becomes(kind: str) -> frozenset[State]:
    """What things of a kind can become (spec §4.6)."""
    return frozenset(state for state, kinds in _BECOMES.items() if kind in kinds)
