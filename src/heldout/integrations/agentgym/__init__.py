"""An environment behind a port, for programs that speak AgentGym's HTTP protocol (docs/serving.md)."""
