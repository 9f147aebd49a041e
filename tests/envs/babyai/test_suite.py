import pytest

from heldout.config import Source
from heldout.envs.babyai import suite
from heldout.envs.babyai.env import BabyAI, OriginalBabyAI
from heldout.envs.base import Traits
from heldout.envs.registry import open_suite
from heldout.errors import BadCall


def test_the_suite_is_the_paper_s_row_of_table_1() -> None:
    babyai = open_suite("babyai", Source())
    assert (babyai.kind, babyai.max_turns) == ("Embodied", 20)
    assert babyai.traits == Traits(dense=True, strict=False, lists_actions=True, knowledge=False, structured=False)


def test_the_pocket_instruction_is_short_and_the_standard_one_names_every_action() -> None:
    assert len(suite(Source(profile="pocket")).instruction.split()) <= 50
    standard = suite(Source(profile="standard"))
    assert all(action in standard.instruction for action in standard.actions)


def test_rules_choose_who_plays() -> None:
    fixed, original = suite(Source()), suite(Source(rules="agentgym"))
    task = fixed.tasks("test")[0]
    assert isinstance(fixed.open(task), BabyAI)
    assert isinstance(original.open(task), OriginalBabyAI)
    with pytest.raises(BadCall, match="unknown rules 'loose'"):
        suite(Source(rules="loose"))
    with pytest.raises(BadCall, match="unknown profile 'small'"):
        suite(Source(profile="small"))
