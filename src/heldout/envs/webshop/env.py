"""WebShop in words: one episode, in `fixed` rules or the original's."""

import re
from dataclasses import replace
from typing import final

from heldout.config import AS_IT_STANDS, Variant
from heldout.envs.webshop.pages import clickable, possible, text
from heldout.envs.webshop.prose import page_as_prose
from heldout.envs.webshop.world import Breakdown, Place, World
from heldout.envs.wording import list_actions
from heldout.errors import OriginalError
from heldout.records import Ending, Step

LONGEST_ACTION = 2000
"""Characters; `fixed` rules read nothing longer."""

REFUSED = "Invalid Action.\n\n"
"""What `fixed` rules put above the page, which stays as it was; the original shows the page alone."""

_ACTION = re.compile(r"(.+)\[(.+)\]")


@final
class WebShop:
    """One episode of one task: a shopper looks for a product, and buys one."""

    def __init__(self, world: World, variant: Variant = AS_IT_STANDS) -> None:
        self._world = world
        self._variant = variant

    @property
    def world(self) -> World:
        """The shop and where the shopper stands."""
        return self._world

    def start(self) -> Step:
        """The search page, with what is wanted."""
        return self._answer()

    def step(self, action: str) -> Step:
        """The page that an action leads to; the original goes on after the end, and pays again (Q-WS3)."""
        try:
            after = self._after(action)
        except Breakdown as error:
            self._world = error.world
            raise OriginalError(str(error)) from None
        if after is None:
            return (
                self._answer()
                if self._world.exact_original
                else replace(self._answer(REFUSED), refusal=REFUSED.strip())
            )
        bought = after.purchase is not None and after.page.place is Place.DONE
        self._world = after
        return self._answer(bought=bought)

    def _after(self, action: str) -> World | None:
        """The world that an action leads to; None where it is not one, or not one here."""
        if len(action) > LONGEST_ACTION and not self._world.exact_original:
            return None
        read = _ACTION.match(action)
        if read is None:
            return None
        name, argument = read[1], read[2].lower()
        if name == "search":
            return self._world.search(argument)
        move = clickable(self._world).get(argument) if name == "click" else None
        return move(self._world) if move else None

    def _answer(self, before: str = "", *, bought: bool = False) -> Step:
        world = self._world
        score = world.purchase.reward if world.purchase else 0.0
        ending = (Ending.SOLVED if score == 1 else Ending.FAILED) if bought else None
        page = (page_as_prose if self._variant.observations == "plain" else text)(world)
        return Step(
            before + page + ("" if bought else list_actions(self._variant, possible(world))),
            reward=score if bought else 0.0,
            score=score,
            ending=ending,
            digest=world.digest,
        )
