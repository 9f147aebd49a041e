"""The real tasks' data: where it lies and what of it checks; which file means what, each environment knows."""
