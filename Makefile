# Everything runs in .venv, which `make` sets up; only Python >= 3.11 and make are needed.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,$(shell \
	$(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
BIN := .venv/bin
READY := .venv/ready
EXAMPLES := $(wildcard examples/*.mg)

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check bench docs mutants golden clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "mgrad needs Python 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(READY)  ## Compile the examples, show a generated module, check every gradient
	@for file in $(EXAMPLES); do echo "mgrad compile $$file"; $(BIN)/mgrad compile $$file || exit; done
	@echo; echo "# examples/lecture.py, from examples/lecture.mg: the neuron"; echo
	@awk '/^(def|@)/ { shown = 0 } /^def neuron[_(]/ { shown = 1 } shown' examples/lecture.py
	@for file in $(EXAMPLES); do echo; echo "mgrad check $$file"; $(BIN)/mgrad check $$file || exit; done

test: $(READY)  ## Run the test suite
	$(BIN)/python -m pytest -m "not slow"

test-all: $(READY)  ## Run the test suite, its slow tests as well
	$(BIN)/python -m pytest

check: $(READY)  ## Format, lint, types, and which room may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## Measure against hand-written programs and other libraries
	$(BIN)/python -m bench

docs: $(READY)  ## Generate the reference of the ops and of the diagnostics
	$(BIN)/python -m docs.generate

mutants: $(READY)  ## Plant faults in emitted modules, and see which of them `check` finds
	$(BIN)/python -m bench.mutants

golden: $(READY)  ## Rewrite the golden files; read the difference before you commit it
	$(BIN)/python -m pytest --update -m "not slow"

clean:  ## Remove what the other targets made
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
