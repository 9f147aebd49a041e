"""Doors for other programs: AgentGym's protocol (docs/serving.md), OpenEnv and TRL (docs/integrations.md)."""
