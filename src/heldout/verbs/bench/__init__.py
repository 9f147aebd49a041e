"""How fast we are, beside others measured in the same run."""
