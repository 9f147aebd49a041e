"""The name under which verifiers finds heldout's taskset and environment: a module without dots."""

from heldout.integrations.verifiers import HeldoutEnv, HeldoutTaskset

__all__ = ["HeldoutEnv", "HeldoutTaskset"]
