# Everything runs in a virtual environment of its own; only python3 (3.11 or newer, with venv), make and git are needed.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
# The constraints hold for the build backend as well, so that two installs of one commit are the same.
PIP     = PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
# Two workers suit two cores; JOBS=0 runs the tests in one process.
JOBS   ?= 2

.PHONY: help demo test lint bench study constraints clean

help:
	@echo "make demo    three small data sets, validated, loaded into one DuckDB file, exported"
	@echo "make test    every test"
	@echo "make lint    formatting, lint, types, import contracts"
	@echo "make bench   speed and memory, beside the limits"
	@echo "make study   the long ones: large sizes and many seeds; results in docs/studies"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[test,lint]'
	@touch $@ $(VENV)/.test $(VENV)/.run

demo: $(VENV)/.run
	$(BIN)/python tools/demo.py build/demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python benchmarks/bench.py

study: $(VENV)/.test
	$(BIN)/python tools/study.py

# Versions only, no address of any index; run it in an environment that passes the tests.
constraints: $(VENV)/.lint
	$(BIN)/python -m pip freeze --exclude-editable --all | grep -vE '^(pip|rarecase)[=@ ]' | sort -f > constraints.txt

clean:
	rm -rf build dist $(VENV)
