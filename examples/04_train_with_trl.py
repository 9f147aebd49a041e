"""Two steps of TRL's GRPOTrainer on our episodes: its loss and its settings, our environments and our rollout."""

import os
import warnings
from tempfile import TemporaryDirectory

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"  # rollout_func is one, and says so

from transformers.trainer_callback import PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from heldout.backend.trl import dataset, env_reward, rollout_func
from heldout.config import Source, pocket
from heldout.envs.registry import open_suite
from heldout.model.load import load


def main() -> None:
    """Trains, and prints what TRL logs of it."""
    warnings.simplefilter("ignore", FutureWarning)  # what TRL deprecates in itself
    babyai = open_suite("babyai", Source())
    model, tokenizer = load("pocket")
    with TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=model,
            args=settings(folder),
            processing_class=tokenizer,
            train_dataset=dataset(babyai, "train", "easy", limit=16),
            rollout_func=rollout_func(babyai, limits=pocket().limits, max_turns=6),
            reward_funcs=env_reward,
        )
        trainer.remove_callback(PrinterCallback)  # what it logs is printed below
        trainer.train()
    for row in trainer.state.log_history:
        if "env/score" in row:
            reward, success = row["rewards/env_reward/mean"], row["env/success"]
            print(f"step {row['step']}: reward {reward:.2f}, score {row['env/score']:.2f}, success {success:.0%}")


def settings(folder: str) -> GRPOConfig:
    """Four groups of four trajectories a step, on a CPU."""
    return GRPOConfig(
        output_dir=folder,
        max_steps=2,
        num_generations=4,
        per_device_train_batch_size=16,
        learning_rate=4e-4,
        loss_type="grpo",
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


if __name__ == "__main__":
    main()
