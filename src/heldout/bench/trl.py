"""The rival: TRL's GRPOTrainer, which plays by its `rollout_func` with transformers' `generate`.

As its user would set it up for the same training: the same tasks, samples, limits, learning rate, clipping and
average of the loss; no KL term, one update a batch; nothing saved, logged or reported. What can be chosen is
chosen in its favour: no gradient checkpointing, a generation batch for each optimizer step (so it computes no old
log-probabilities), all episodes in flight at once, no log-probabilities of what is sampled (without vLLM it does
not use them), the micro-batches' size by trial, its own choice of optimizer kernel. Its clock stands still while
the trainer is made and the data loader reads.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any, final

import torch
from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback

from heldout.bench.generate import GenerateEngine
from heldout.bench.steps import Step, Update, Work, step_of, update_of
from heldout.bench.watch import BETWEEN, PLAY, UPDATE, Watch
from heldout.learn.columns import columns
from heldout.learn.groups import samples_of_all
from heldout.learn.methods import method_of
from heldout.model import load
from heldout.model.chat import Chat, chat_of
from heldout.model.local import LocalPolicy
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import group_by_task, play
from heldout.store.runs import StageFolder
from heldout.training.figures import learning_rate

try:
    import datasets
    import trl
except ImportError:
    INSTALLED = False
else:
    INSTALLED = True
    """It comes with the dev extra."""

AVERAGES = {"sequence": "grpo", "token": "bnpo"}
"""Our averages of the loss, by its names."""

Rollout = Callable[[list[str], Any, Chat], Sequence[Trajectory]]
"""What is played with a trainer's model for these prompts, in their order."""


@final
class Trl:
    """Steps of GRPOTrainer; each is a new trainer's first one, on a fresh copy of the weights."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def step(self, number: int, rows: int, max_turns: int | None = None) -> Step:
        """One step from the first weights, with so many rows in a micro-batch; `max_turns` is another K."""
        tasks = self._work.tasks(number)
        player = _Player(self._work, number, max_turns)
        watch = self._train(number, rows, [task.id for task in tasks], player.play)
        return step_of(watch, player.played, learned=len(player.played), model=player.model_seconds)

    def update(self, folder: StageFolder, number: int, rows: int) -> Update:
        """The update alone, from all trajectories of our step; the clock begins once their rewards are known."""
        groups = group_by_task(folder.rollouts(number))
        side_by_side = [trajectory for group in groups for trajectory in group.trajectories]
        watch = self._train(number, rows, [group.task.id for group in groups], lambda *_: side_by_side)
        settings = self._work.job.config.train
        samples = samples_of_all(groups, method_of(settings))
        given = columns(side_by_side)
        widest = [max(map(len, given[name])) for name in ("prompt_ids", "completion_ids")]
        return update_of(watch, samples, len(samples) * sum(widest), rows)

    def _train(self, number: int, rows: int, prompts: Sequence[str], rollout: Rollout) -> Watch:
        """The time that one optimizer step took, from its first thought of these prompts."""
        model, tokenizer = load.load(self._work.model, "cuda" if torch.cuda.is_available() else "cpu")
        watch, chat = Watch(), chat_of(tokenizer, load.end_ids(model))

        def roll_out(asked: list[str], trainer: Any) -> dict[str, list[Any]]:
            watch.lap(BETWEEN)
            played = rollout(asked, trainer, chat)
            watch.lap(PLAY)
            return columns(played)

        def reward(env_reward: list[float], **_: object) -> list[float]:
            watch.lap(BETWEEN)
            return env_reward

        with TemporaryDirectory(prefix="heldout-bench-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that rollout_func is an experiment, and what it deprecates in itself
            trainer = trl.GRPOTrainer(
                model=model,
                args=self._settings(folder, number, rows),
                processing_class=tokenizer,
                train_dataset=datasets.Dataset.from_list([{"prompt": prompt} for prompt in prompts]),
                rollout_func=roll_out,
                reward_funcs=reward,
                callbacks=[_Clock(watch)],
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        return watch

    def _settings(self, folder: str, number: int, rows: int) -> Any:
        settings, on_gpu = self._work.job.config.train, torch.cuda.is_available()
        method = method_of(settings)
        return trl.GRPOConfig(
            output_dir=folder,
            max_steps=1,
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=self._work.sequences // rows,
            num_generations=settings.group_size,
            num_iterations=1,
            shuffle_dataset=False,
            loss_type=AVERAGES[method.loss_aggregation],
            epsilon=method.clip,
            beta=0.0,
            entropy_coef=settings.entropy,
            temperature=settings.temperature,
            learning_rate=learning_rate(settings, number),
            lr_scheduler_type="constant",
            weight_decay=settings.weight_decay,
            max_grad_norm=settings.max_grad_norm,
            gradient_checkpointing=False,
            use_cpu=not on_gpu,
            bf16=on_gpu,
            dataloader_pin_memory=False,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )


@final
class _Clock(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Begins the watch with the optimizer step, and gives to the update what is left at its end."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_step_begin(self, *_: object, **__: object) -> None:
        """The first micro-batch is about to be made."""
        self._watch.begin()

    def on_step_end(self, *_: object, **__: object) -> None:
        """The weights are stepped."""
        self._watch.lap(UPDATE)


@final
class _Player:
    """Plays the tasks that prompts name, all at once, and keeps what was played."""

    def __init__(self, work: Work, number: int, max_turns: int | None) -> None:
        self._work, self._number = work, number
        self._limits = work.limits if max_turns is None else replace(work.limits, max_turns=max_turns)
        self.played: Sequence[Trajectory] = ()
        self.model_seconds = 0.0

    def play(self, prompts: list[str], trainer: Any, chat: Chat) -> Sequence[Trajectory]:
        """The trajectories in the order of their prompts."""
        engine = GenerateEngine(
            trainer.model,
            slots=len(prompts),
            context=load.context_of(trainer.model),
            end_ids=sorted({chat.end_id, *trainer.eos_token_ids}),
            pad_id=trainer.processing_class.pad_token_id,
        )
        suite, assignments = self._work.job.suites[0], self._assignments(prompts)
        played = {
            trajectory.stream: trajectory
            for trajectory in play(LocalPolicy(chat, engine), assignments, self._limits, lambda _: suite)
        }
        self.played = [played[assignment.name] for assignment in assignments]
        self.model_seconds = engine.model_seconds
        return self.played

    def _assignments(self, prompts: Sequence[str]) -> list[Assignment]:
        """An attempt at a task for each time that it is named: the episodes of our own step."""
        tasks = {task.id: task for task in self._work.tasks(self._number)}
        attempts, job = Counter[str](), self._work.job
        assignments = list[Assignment]()
        for prompt in prompts:
            stream = f"{job.chain}/step={self._number}"
            assignments.append(
                Assignment(task=tasks[prompt], attempt=attempts[prompt], seed=job.seed, stream=stream)
            )
            attempts[prompt] += 1
        return assignments
