"""Every kind of model is sampled exactly or refused with its reason: none is wrong in silence, none a traceback."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "zoo.py"
QUICK = ("qwen2", "gemma3_text", "deepseek_v3", "lfm2", "mamba", "gpt2", "bert")
NAMED = {
    # windows of one kind in all layers, or beside full attention
    **dict.fromkeys(("mistral", "phi3", "starcoder2", "qwen2", "gemma2", "gemma3_text", "gemma3", "olmo3"), "rows"),
    **dict.fromkeys(("cohere2", "exaone4", "gpt_oss", "ministral", "gemma3n_text"), "rows"),
    # plain ones, and those that call their sizes by other names
    **dict.fromkeys(("llama", "qwen3", "smollm3", "gpt2", "gpt_neox", "opt", "falcon", "granite"), "rows"),
    # keys and values of other shapes
    **dict.fromkeys(("deepseek_v2", "deepseek_v3", "minicpm3", "gemma4_text"), "rows"),
    # states and convolutions
    **dict.fromkeys(
        ("qwen3_next", "qwen3_5_text", "lfm2", "falcon_h1", "granitemoehybrid", "nemotron_h"), "single"
    ),
    **dict.fromkeys(("minimax", "zamba", "bloom"), "single"),
    "mamba": "single, id by id",
    "bert": "refused: BertLMHeadModel makes its logits in a way of its own",
    "recurrent_gemma": "refused: RecurrentGemmaForCausalLM cannot be sampled exactly (rows: has layers of",
}


@pytest.fixture(scope="module")
def zoo() -> ModuleType:
    """The tool that makes them and writes docs/models.md."""
    spec = spec_from_file_location("zoo", TOOL)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", QUICK)
def test_windows_memories_and_refusals(zoo: ModuleType, kind: str) -> None:
    assert zoo.outcome(kind).startswith(NAMED[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(NAMED.keys() - QUICK))
def test_the_kinds_that_people_use(zoo: ModuleType, kind: str) -> None:
    assert zoo.outcome(kind).startswith(NAMED[kind])


@pytest.mark.very_slow
@pytest.mark.timeout(1200)
def test_the_page_has_every_kind_as_it_is(zoo: ModuleType) -> None:
    assert zoo.PAGE.read_text("utf-8") == zoo.page(), "call python tools/zoo.py"
