"""A door to an environment for programs that speak AgentGym's HTTP protocol (docs/serving.md)."""
