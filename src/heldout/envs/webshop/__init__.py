"""WebShop: finding and buying what an instruction asks for (Yao et al., 2022; in AgentGym, Xi et al., 2024)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from heldout.config import Source
from heldout.data.check import Check
from heldout.data.folder import data_folder, refuse_lacking
from heldout.envs.base import (
    BOTH_RULES,
    RULES_VERSION,
    Env,
    Players,
    RealData,
    Recordings,
    Suite,
    Traits,
    Variants,
    refuse_unknown,
)
from heldout.envs.react import first_line, whole_action, without_thoughts
from heldout.envs.webshop import human, published, replay, tasks
from heldout.envs.webshop.catalogue import Catalogue
from heldout.envs.webshop.env import WebShop
from heldout.envs.webshop.files import NEEDS, catalogue, prices
from heldout.envs.webshop.forms import is_exact, loosened
from heldout.envs.webshop.generate import SIZES
from heldout.envs.webshop.guess import guess
from heldout.envs.webshop.nouns import tagger
from heldout.envs.webshop.options import options_of
from heldout.envs.webshop.players import legal, mistakes, oracle, thought
from heldout.envs.webshop.product_words import vocabulary
from heldout.envs.webshop.world import Shop, World
from heldout.envs.wording import goal_told, list_announcement
from heldout.records import Json, Task, digest, to_json

SEPARATED = "A page comes as its texts with [SEP] between them. "

INSTRUCTIONS = {
    "pocket": (
        "Buy what the instruction asks for. Actions:\n"
        "search[words]\n"
        "click[button, product or option]\n"
        "Choose every option that is asked for, then click[Buy Now].\n"
        "Reply with one action:\n"
        "Thought: ...\n"
        "Action: ..."
    ),
    "standard": (
        "You shop on a website. The instruction on every page says what to buy: a product with certain "
        "attributes, often in a certain color, size or the like, often below a certain price. You buy one product, "
        "and the closer it is to the instruction the better.\n\n"
        f"{SEPARATED}There are two actions:\n"
        "- search[words]: look for products; any words will do.\n"
        "- click[text]: click a button (such as Next > or Buy Now), a product's code in the results, or an option "
        "on a product's page, by the text that it has on the page you see now. Anything else does nothing.\n\n"
        "Choose all the options that are asked for before you buy. Buy Now ends the task.\n\n"
        "Reply with a thought and exactly one action, in this form:\n"
        "Thought: why you do it\n"
        "Action: click[something]"
    ),
}

GOAL = goal_told(r"(?:Instruction: \[SEP\]|^You want:) (.+?)(?: \[SEP\] Search$|$)")

ACTIONS = ("search[{words}]", "click[{text}]")

TRAITS = Traits(dense=True, strict=False, lists_actions=False, knowledge=True, structured=True)

STANDS = {
    "actions": "hidden",
    "feedback": "informative",
    "observations": "structured",
    "replies": "first",
    "reward": "dense",
    "validation": "",
}
"""Of validation it is neither: letters may be large or small, and all else is exact."""

Stock = Callable[[Mapping[str, Json]], tuple[Catalogue, Mapping[str, float]]]
Parts = tuple[Callable[[str], Sequence[Task]], Stock, str, str]
"""What a source decides: its splits, the stock that a task's shop has, a line on it, and a digest of it."""


def suite(source: Source) -> Suite:
    """WebShop over invented shops, or over the real one's products in HELDOUT_DATA."""
    refuse_unknown(source, INSTRUCTIONS)
    splits, stock, words, data = (_real if source.kind == "real" else _generated_parts)(source)
    return Suite(
        name="webshop",
        kind="Web",
        traits=TRAITS,
        instruction=_instruction(source),
        actions=ACTIONS,
        max_turns=10,
        rules=source.rules,
        rules_known=BOTH_RULES,
        rules_version=RULES_VERSION[source.rules],
        source=f"{words}; nouns by {tagger().name}",
        data=f"{data}-{tagger().name}",
        tasks=splits,
        open=partial(_open, stock, source),
        read=_read_first if source.rules == "fixed" else whole_action,
        guess=guess,
        players=Players(oracle=oracle, legal=legal, thought=thought, mistakes=mistakes),
        recordings=Recordings(
            open=partial(replay.open_recording, rules=source.rules),
            episode_of=replay.episode_of,
            beside=replay.beside,
        ),
        options=options_of(source),
        variants=_variants(source),
        real_data=RealData(needs=NEEDS, checks=_checks),
        content=lambda task: tasks.wants(task.world),
        goal=GOAL,
    )


def _checks(data: Path) -> Iterator[Check]:
    yield from published.checks(data)
    yield from human.human_checks(data)


def _open(stock: Stock, source: Source, task: Task) -> Env:
    products, costs = stock(task.world)
    shop, exact = Shop(products, costs, tagger().nouns), source.rules == "agentgym"
    world = World(shop=shop, goal=tasks.goal_in(task.world), chosen={}, exact_original=exact)
    return WebShop(world, source.variant)


def _read_first(reply: str) -> str:
    """The first action's line; a reply without one is an action as a whole if it has an action's form."""
    said = without_thoughts(reply)
    return first_line(said) if "Action:" in said else whole_action(said)


def _variants(source: Source) -> Variants:
    if source.kind == "real":
        return Variants(
            stands=STANDS,
            exact=is_exact,
            loosened=loosened,
            fixed={"words": "the real products are described in all the words there are"},
        )
    return Variants(stands=STANDS, exact=is_exact, loosened=loosened, words=vocabulary())


def _instruction(source: Source) -> str:
    text = INSTRUCTIONS[source.profile]
    if source.variant.observations == "plain":
        text = text.replace(SEPARATED, "")
    return text + list_announcement(source.variant)


def _generated_parts(source: Source) -> Parts:
    return (
        partial(tasks.generated_tasks, seed=source.seed, profile=source.profile),
        tasks.stock,
        f"shoppers in shops invented from seed {source.seed} ({source.profile})",
        digest([source.kind, source.seed, source.profile, to_json(SIZES[source.profile]), to_json(tasks.BEFORE)]),
    )


def _real(source: Source) -> Parts:
    data = data_folder()
    if options_of(source).goals == "human":
        refuse_lacking(data, human.HUMAN_NEEDS)
        return (
            partial(human.human_tasks, data=data),
            lambda _: (catalogue(data), prices(data)),
            f"{len(human.human_goals(data)):,} goals that people wrote for the products of WebShop in {data}",
            human.human_digest(data),
        )
    refuse_lacking(data, NEEDS)
    return (
        partial(published.published_tasks, data=data),
        lambda _: (catalogue(data), prices(data)),
        f"the 6,910 goals of WebShop's 1,000 products in {data}",
        published.data_digest(data),
    )
