"""One stage to train: its chain, tasks, settings and seed, and what of them decides the weights."""

from dataclasses import dataclass, replace

from heldout.chains import Chain, Stage, chain_name, stream_name
from heldout.config import Config, Limits
from heldout.envs.base import Suite
from heldout.envs.registry import own_name
from heldout.records import Json
from heldout.store.lineage import Training
from heldout.training.identity import stage_facts, training_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One stage to train: what the loop needs beside a backend and a folder."""

    base: str
    """The digest of the model that the chain starts from."""
    base_name: str = ""
    """What people call it."""
    chain: Chain
    """The chain that this stage ends, such as `textcraft.easy > babyai.easy`."""
    suites: tuple[Suite, ...]
    config: Config
    """As the stage's own changes make it; `train.steps` says where it ends."""
    seed: int
    before: tuple[Json, ...] = ()
    """What decided the weights that the stage begins with: the facts of the stages before it, with their steps."""
    processes: int = 1
    backend: str = "cpu"
    """The kind of backend: its bits are not another's."""
    reference: str = ""
    """What the KL term anchors to, by what decided its weights; empty without the term."""

    @property
    def stage(self) -> Stage:
        """The stage that is trained."""
        return self.chain[-1]

    @property
    def name(self) -> str:
        """The chain's name."""
        return chain_name(self.chain)

    @property
    def facts(self) -> dict[str, Json]:
        """All that decides what this stage makes of the weights that it begins with."""
        facts = stage_facts(self.stage, self.config, self.suites, seed=self.seed)
        return {
            **facts,
            "processes": self.processes,
            "slots": self.config.slots,
            "backend": self.backend,
            "reference": self.reference,
        }

    @property
    def training(self) -> Training:
        """All that decides the weights after each step."""
        return training_of(self.base, [*self.before, self.facts])

    def stream_of(self, step: int, draw: int = 0) -> str:
        """What the chance of a step's episodes is named by; tasks that are drawn again have another."""
        again = f"/draw={draw}" if draw else ""
        return f"{self.stream}/step={step}{again}"

    def limits_in(self, suite: Suite) -> Limits:
        """Of its episodes: each environment's own turn limit unless the settings have one."""
        return replace(self.config.limits, max_turns=self.config.train.max_turns or suite.max_turns)

    @property
    def stream(self) -> str:
        """What the stage's streams of chance are named by: nothing that a change of settings would change."""
        own = (replace(stage, envs=tuple(map(own_name, stage.envs))) for stage in self.chain)
        return stream_name(tuple(own))
