"""The pocket model before it has learned anything: its shape, its first weights and its tokenizer.

A Qwen2 of about a million parameters. Plain initialisation does not learn to copy names out of a
prompt within minutes; a head that attends to the previous position from the start does, so one is
planted in layer 0 through the biases that Qwen2 has on queries and keys.
"""

import math
from collections.abc import Iterable
from itertools import chain
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

CONTEXT = 4096
PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SHARPNESS = 30.0
"""c² of the planted head: the attention logit that one matching dimension adds before scaling."""
PLANTED_PAIRS = 8
"""Rotary pairs that carry the planted position, where a head has as many."""
PLANTED_HEADS = 2
"""Query heads that are planted, where a key head has as many."""
PLANTED_SCALE = 0.3
"""How much of the random weights the planted head keeps, so that position speaks louder than content."""


def tokenizer_of(texts: Iterable[str], size: int = 2048) -> Any:
    """A byte-level BPE in which each frequent word is one token and each digit its own, with a ChatML template.

    `size` bounds the vocabulary; merges stop earlier when no pair is seen twice.
    """
    bpe = Tokenizer(models.BPE())
    # Whatever its file says, transformers loads the tokenizer of a Qwen2 folder as this class, which cuts in its
    # own way: every digit by itself.
    loaded = Qwen2Tokenizer().backend_tokenizer
    bpe.normalizer, bpe.pre_tokenizer = loaded.normalizer, loaded.pre_tokenizer
    bpe.decoder = decoders.ByteLevel()
    specials = [AddedToken(token, special=True) for token in (PAD, START, END)]
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    roles = ["user", "assistant"] * 2  # the template's words, so that each is one token
    bpe.train_from_iterator(chain(roles, texts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[START],
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def model_config(
    vocabulary: int, end_id: int, pad_id: int, *, width: int = 128, layers: int = 4, key_heads: int = 2
) -> Any:
    """The configuration: 0.84 million parameters at width 128 and four layers, plus the vocabulary's."""
    return Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=width * 13 // 4,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=key_heads,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        attention_dropout=0.0,
        bos_token_id=None,
        eos_token_id=end_id,
        pad_token_id=pad_id,
    )


def init_model(config: Any, seed: int) -> Any:
    """The model with its first weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)
    model.generation_config.eos_token_id = config.eos_token_id
    model.generation_config.pad_token_id = config.pad_token_id
    _plant_previous_token_head(model)
    return model.eval()


@torch.no_grad()
def _plant_previous_token_head(model: Any) -> None:
    """Makes the first two query heads of the first key head attend one and two positions back.

    A key bias that points along one axis of a rotary pair is turned by position; a query bias turned
    back by Δ steps meets the key that stands Δ positions earlier.
    """
    attention = model.model.layers[0].self_attn
    head, group = attention.head_dim, attention.num_key_value_groups
    frequencies = model.model.rotary_emb.inv_freq[:PLANTED_PAIRS]
    strength = math.sqrt(SHARPNESS)
    pairs = torch.arange(len(frequencies))
    attention.k_proj.weight[:head] *= PLANTED_SCALE
    attention.k_proj.bias[:head] = 0
    attention.k_proj.bias[pairs] = strength
    for query in range(min(group, PLANTED_HEADS)):
        back, first = query + 1, query * head
        attention.q_proj.weight[first : first + head] *= PLANTED_SCALE
        attention.q_proj.bias[first : first + head] = 0
        attention.q_proj.bias[first + pairs] = strength * torch.cos(-back * frequencies)
        attention.q_proj.bias[first + head // 2 + pairs] = strength * torch.sin(-back * frequencies)
