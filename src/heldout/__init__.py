"""heldout: train LLM agents by multi-turn reinforcement fine-tuning, measure them where they were not trained."""

__version__ = "0.1.0"
