from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heldout.model.chat import chat_of
from heldout.model.load import load, save
from heldout.model.pocket import init_model, model_config, tokenizer_of

TOKENIZER = tokenizer_of(["Action: craft 4 oak planks using 1 oak log"] * 3, size=300)
CHAT = chat_of(TOKENIZER)


@pytest.fixture(scope="module")
def model() -> Any:
    return init_model(model_config(1000, end_id=2, pad_id=0), seed=0)


def test_the_pocket_model_has_about_a_million_parameters(model: Any) -> None:
    assert sum(p.numel() for p in model.parameters()) == 837_760 + 1000 * 128
    assert model.config.max_position_embeddings == 4096


@pytest.mark.parametrize(("head", "back"), [(0, 1), (1, 2)])
def test_the_planted_heads_look_one_and_two_positions_back(model: Any, head: int, back: int) -> None:
    ids = torch.randint(1000, (1, 600), generator=torch.Generator().manual_seed(0))
    model.set_attn_implementation("eager")
    with torch.no_grad():
        weights_QK = model(input_ids=ids, output_attentions=True).attentions[0][0, head]
    model.set_attn_implementation("sdpa")
    there_Q = weights_QK.diagonal(-back)
    assert there_Q.mean() > 0.93
    assert there_Q.min() > 0.88


def test_the_same_seed_gives_the_same_model_and_no_generator_is_touched() -> None:
    before = torch.random.get_rng_state()
    small = model_config(300, end_id=2, pad_id=0, width=32, layers=1)
    one, same, other = (init_model(small, seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["lm_head.weight"], other["lm_head.weight"])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_frequent_word_is_one_token() -> None:
    assert len(CHAT.plain(" planks")) == 1
    assert len(CHAT.plain("user")) == len(CHAT.plain("assistant")) == 1
    assert len(TOKENIZER) == 295  # no pair is left that was seen twice


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_was_but_for_its_composed_signs(text: str) -> None:
    assert TOKENIZER.decode(CHAT.plain(text)) == normalize("NFC", text)


def test_a_saved_tokenizer_cuts_text_as_the_one_that_was_trained(tmp_path: Path) -> None:
    """What is learned with the one is played with the other; transformers puts a class of its own in between."""
    small = init_model(
        model_config(len(TOKENIZER), CHAT.end_id, TOKENIZER.pad_token_id, width=32, layers=1), seed=0
    )
    save(small, TOKENIZER, tmp_path)
    _, loaded = load(str(tmp_path))
    for text in ("Action: craft 4 oak planks using 12 oak log", "Got 3  planks!\n\nIt's 1,000 e\u0301 ?"):
        assert chat_of(loaded).plain(text) == CHAT.plain(text)
    assert chat_of(loaded).opening("Goal: craft 1 planks.") == CHAT.opening("Goal: craft 1 planks.")
