# Everything a newcomer or CI needs. `make` alone lists the targets.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
TESTS ?= tests
SEED ?= 1
SECONDS ?= 60

.PHONY: help setup demo test test-cluster chaos check format docs pictures bench bench-peers clean

help:
	@echo "make demo    run the sample tree with the real Claude Code CLI and a scripted model (no account, no network)"
	@echo "make test    run the tests"
	@echo "make test-cluster  run trees on a real Ray and a real Slurm, on hosts made of namespaces; needs root, half an hour"
	@echo "make chaos SEED=n SECONDS=n  let a storm of faults blow over a store at work (CLAUDE=1: with real Claude Code workers)"
	@echo "make check   ruff, mypy --strict, import contracts"
	@echo "make format  let ruff format and fix"
	@echo "make docs    write docs/cli.md from the commands"
	@echo "make pictures take the README's pictures from the running app"
	@echo "make bench   measure everything against its targets, ten minutes; nothing else should run meanwhile"
	@echo "make bench-peers   install what make bench compares with, in a virtual environment of its own"
	@echo "make clean   remove the virtual environment and caches"

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup
	$(BIN)/orch demo

test: setup
	$(BIN)/pytest -n 2 --dist loadfile $(TESTS)

test-cluster: setup
	$(BIN)/pytest -p no:xdist $(if $(ENGINE),-k $(ENGINE)) tests/cluster

chaos: setup
	$(BIN)/python -m tests.lifecycle.chaos --seed $(SEED) --seconds $(SECONDS) $(if $(CLAUDE),--claude)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup
	$(BIN)/python -m tui_orch.cli.reference > docs/cli.md

pictures: setup
	$(BIN)/python docs/make_pictures.py

bench: setup
	$(BIN)/python benchmarks/all.py

bench-peers: setup
	sh benchmarks/peers/install.sh $(PYTHON)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
