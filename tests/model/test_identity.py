"""A model is what it says, whatever its folder is called."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.agents import agent_of
from heldout.errors import BadCall, HeldoutError
from heldout.model import load
from heldout.model.identity import model_digest, weights_digest
from heldout.store import lineage
from heldout.store.lineage import Lineage


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """The tiny model under another name."""
    return Path(shutil.copytree(tiny, tmp_path / "renamed"))


def set_in(name: str, field: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))

    return change


def other_weights(folder: Path) -> None:
    model, tokenizer = load.load(str(folder))
    model.get_input_embeddings().weight.data[0, 0] += 1
    load.save(model, tokenizer, folder)


def other_template(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("<|im_end|>\n", "<|im_end|>\n\n"))


def other_words(folder: Path) -> None:
    path = folder / "tokenizer.json"
    words = json.loads(path.read_text())
    words["model"]["merges"].pop()
    path.write_text(json.dumps(words))


def test_a_folder_that_is_renamed_or_copied_is_the_same_model(tiny: Path, copy: Path) -> None:
    assert model_digest(str(copy)) == model_digest(str(tiny))
    set_in("config.json", "transformers_version", "0.0")(copy)
    assert agent_of(str(copy)).identity == agent_of(str(tiny)).identity
    assert (agent_of(str(copy)).base, agent_of(str(tiny)).base) == ("renamed", "tiny")


@pytest.mark.parametrize(
    "change",
    [
        other_weights,
        other_template,
        set_in("config.json", "rms_norm_eps", 0.1),
        set_in("generation_config.json", "eos_token_id", 3),
        other_words,
    ],
)
def test_whatever_changes_what_a_model_says_makes_it_another(
    tiny: Path, copy: Path, change: Callable[[Path], None]
) -> None:
    change(copy)
    assert model_digest(str(copy)) != model_digest(str(tiny))


def test_a_checkpoint_says_what_it_went_through_wherever_it_lies(copy: Path) -> None:
    training = {"base": "0f", "stages": [{"envs": ["textcraft"], "seed": 3}]}
    told = Lineage(base="pocket", chain="textcraft", step=7, training=training, weights=weights_digest(copy))
    lineage.write(copy, told)
    agent = agent_of(str(copy))
    assert (agent.base, agent.digest, agent.step, len(agent.chain)) == ("pocket", "0f", 7, 1)
    assert agent.stages == ({"envs": ["textcraft"], "seed": 3, "steps": 7},)
    assert agent.identity == told.model == lineage.model_of(training, 7)


def test_what_is_told_of_other_weights_is_refused(copy: Path) -> None:
    training = {"base": "0f", "stages": [{}]}
    lineage.write(copy, Lineage(base="pocket", chain="textcraft", step=7, training=training, weights="other"))
    with pytest.raises(HeldoutError, match=r"lineage.json tells of other weights than those beside it"):
        agent_of(str(copy))


def test_players_are_what_they_are_called() -> None:
    assert agent_of("oracle").identity == "oracle"
    with pytest.raises(BadCall, match="no model 'nowhere'"):
        agent_of("nowhere")


@pytest.mark.parametrize("training", [{}, {"base": "0f", "stages": []}, {"base": 1, "stages": [{}]}])
def test_a_lineage_without_base_or_stages_is_damaged(copy: Path, training: dict[str, object]) -> None:
    told = Lineage(base="a", chain="textcraft", step=7, training=training, weights=weights_digest(copy))
    lineage.write(copy, told)
    with pytest.raises(HeldoutError, match=r"lineage.json is damaged: its training has no base or no stages"):
        agent_of(str(copy))
