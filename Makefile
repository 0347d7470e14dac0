# The commands of the workshop. Each one first makes what it needs: on a fresh Debian with Python >= 3.11, pip, root and
# make, `make demo` and `make test` are enough. The second time the stamps below say that nothing has to be done.

SHELL := /bin/sh
.DELETE_ON_ERROR:
# Linters, then tests: side by side they would only take each other's two cores and mix their lines.
.NOTPARALLEL:

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
CODE := $(wildcard src tests examples bench)
QUICK := $(wildcard tests/unit tests/contract tests/typing tests/test_rooms.py)
SETUP := scripts/setup.sh
# What `make bench` shall measure; empty: every row.
ROW ?=

.PHONY: help demo test reliability quick stress bench fmt lint types layers cover clean

help:
	@echo "make demo    play a file and a melody over a slow origin on loopback, and show what was fetched and heard"
	@echo "make test    everything that must pass: lint, types, layers, tests"
	@echo "make quick   unit and contract tests only"
	@echo "make stress  the long tests"
	@echo "make reliability  write docs/reliability.md: what is promised, and whether it was kept (make test does too)"
	@echo "make bench   measurements; ROW=name for one of them"
	@echo "make fmt     format, and mend what can be mended"
	@echo "make lint types layers cover clean"

# --- what a command needs -------------------------------------------------------------------------------------------

.venv/stamp-demo: pyproject.toml $(SETUP) Makefile
	@sh $(SETUP) venv audio,cli
	@touch $@

.venv/stamp-dev: pyproject.toml $(SETUP)
	@sh $(SETUP) venv all,dev
	@touch $@ .venv/stamp-demo

.venv/stamp-system: $(SETUP) | .venv/stamp-dev
	@sh $(SETUP) system
	@touch $@

.venv/stamp-bench: bench/install.py | .venv/stamp-dev .venv/stamp-system
	@$(BIN)/python -m bench.install
	@touch $@

# --- the commands ---------------------------------------------------------------------------------------------------

demo: .venv/stamp-demo
	@$(BIN)/python examples/demo.py

test: .venv/stamp-dev .venv/stamp-system lint types layers
	$(PYTEST) -n 2 -m "not stress" --reliability=docs/reliability.md

reliability: .venv/stamp-dev .venv/stamp-system
	$(PYTEST) -n 2 -m system --reliability=docs/reliability.md tests/system

quick: .venv/stamp-dev
	$(PYTEST) -n 2 -m "not stress and not system" $(QUICK)

stress: .venv/stamp-dev .venv/stamp-system
	$(PYTEST) -m stress --hypothesis-profile=stress --timeout=3600

bench: .venv/stamp-bench
	$(BIN)/python -m bench $(ROW)

fmt: .venv/stamp-dev
	$(BIN)/ruff check --quiet --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

lint: .venv/stamp-dev
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: .venv/stamp-dev
	$(BIN)/mypy $(CODE)

layers: .venv/stamp-dev
	$(BIN)/lint-imports

cover: .venv/stamp-dev .venv/stamp-system
	$(PYTEST) -m "not stress" --cov --cov-report=term --cov-report=html

clean:
	rm -rf .venv .venv-bench .demo-cache build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
