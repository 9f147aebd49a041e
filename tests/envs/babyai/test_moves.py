from heldout.envs.babyai.env import BabyAI
from heldout.envs.babyai.moves import Order, Refusal, Verb, Why
from heldout.envs.babyai.words import refused, spoken
from heldout.envs.babyai.world import World


def test_a_thing_has_one_number_in_what_is_seen_and_in_what_can_be_done() -> None:
    numbered = 0
    for seed in range(1000, 1040):
        ours, theirs = World(5, seed), World(5, seed, original=True)
        for order, move in ours.table.offers.items():
            if move.thing is not None:
                assert (order.name, order.number) == (move.thing.name, move.thing.number)
        numbered += set(ours.table.offers) != set(theirs.table.offers)
    assert numbered > 0  # somewhere the original skips a thing out of reach and numbers on (Q-BA4)


def test_a_box_straight_ahead_can_be_opened_where_the_original_offers_no_way() -> None:
    """KeyInBox, where the key lies in a box (Q-BA5)."""
    ours, theirs = World(26, 0), World(26, 0, original=True)
    for world in (ours, theirs):
        _walk_to_the_box(world)
    assert Order(Verb.TOGGLE) in ours.table.offers
    assert Order(Verb.TOGGLE) not in theirs.table.offers


def _walk_to_the_box(world: World) -> None:
    while not world.sight.things or world.sight.things[0].kind != "box":
        world.act(world.table.offers[Order(Verb.LEFT)])
    box = world.sight.things[0]
    world.act(world.table.offers[Order(Verb.GO_TO, box.name, box.number)])


def test_a_world_is_the_same_each_time_and_changes_its_digest_as_it_is_played() -> None:
    first, second = World(31, 1003), World(31, 1003)
    assert (first.content, first.digest) == (second.content, second.digest)
    first.act(first.table.offers[Order(Verb.LEFT)])
    assert first.digest != second.digest
    assert first.content != World(31, 1004).content


def test_what_is_spent_or_refused_does_not_change_the_digest() -> None:
    env = BabyAI(World(1, 1002))
    opening = env.start()
    assert env.step("garbage").digest == opening.digest
    assert env.step("turn left").digest != opening.digest
    assert env.step("turn right").digest == opening.digest


def test_refusals_say_why() -> None:
    door = Order(Verb.OPEN_THROUGH, "blue closed door", 1)
    counted = Refusal(Why.NO_WAY_COUNTED, (("blue open door", 1), ("blue closed door", 1)))
    assert spoken(door) == "toggle and go through blue closed door 1"
    assert refused(door, Refusal(Why.NO_WAY)) == (
        "You cannot toggle and go through blue closed door 1, as there is no path leading to it."
    )
    assert refused(door, counted) == (
        "You cannot toggle and go through blue closed door {'blue open door': 1, 'blue closed door': 1}, "
        "as there is no path leading to it."
    )


def test_making_a_world_prints_nothing(capsys: object) -> None:
    for seed in range(1000, 1010):
        World(7, seed)  # minigrid rejects some draws of this level and says so
    assert capsys.readouterr() == ("", "")  # type: ignore[attr-defined]
