"""What a call asks for: defaults by the model, then flags, then --set."""

import json
from pathlib import Path

from heldout.agents import Agent, agent_of, defaults_of
from heldout.config import AS_IT_STANDS, Config, Variant, pocket
from heldout.verbs.settings import resolve_config, run_folder


def model_folder(folder: Path, context: int) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": context}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_flags_come_before_settings_and_what_was_not_given_stays() -> None:
    config = resolve_config(
        "pocket", {"train.group_size": 4, "train.max_turns": None}, ["train.group_size=2", "train.steps=7"]
    )
    assert (config.train.group_size, config.train.steps, config.train.max_turns) == (2, 7, None)
    assert config.limits == pocket().limits


def test_a_model_trained_from_pocket_has_pockets_defaults(tmp_path: Path) -> None:
    assert defaults_of(str(model_folder(tmp_path / "small", 4096))) == pocket()
    assert defaults_of(str(model_folder(tmp_path / "large", 32_768))) == Config()
    assert defaults_of("Qwen/Qwen2.5-3B-Instruct") == defaults_of("oracle") == Config()


def test_a_run_has_a_folder_of_its_own() -> None:
    agent = Agent(model="Qwen/Qwen2.5-3B-Instruct", base="Qwen/Qwen2.5-3B-Instruct", digest="Qwen/…@aa8e72537993")
    assert run_folder("evaluate", agent, AS_IT_STANDS) == Path("runs/evaluate-Qwen--Qwen2.5-3B-Instruct-aa8e7253")


def test_a_variant_has_a_folder_of_its_own() -> None:
    agent, variant = agent_of("oracle"), Variant(reward="binary", actions="hidden")
    assert run_folder("train", agent, variant) == Path("runs/train-oracle-actions=hidden,reward=binary")


def test_models_of_one_name_have_folders_of_their_own() -> None:
    one, other = (
        Agent(model="m/trained", base="trained", digest=digest) for digest in ("0123456789", "abcdefghij")
    )
    assert run_folder("evaluate", one, AS_IT_STANDS) == Path("runs/evaluate-trained-01234567")
    assert run_folder("evaluate", other, AS_IT_STANDS) == Path("runs/evaluate-trained-abcdefgh")


def test_no_name_of_a_model_leads_out_of_the_runs_folder() -> None:
    names = ("../../up", "/abs", "..", "nul\0", "a/../../../b", "\ud83d", "x" * 300, "con")
    for name in names:
        agent = Agent(model=name, base=name, digest="../../..")
        folder = run_folder("evaluate", agent, AS_IT_STANDS)
        assert folder.parts[0] == "runs"
        assert len(folder.parts) == 2
        assert len(folder.name.encode()) < 200
