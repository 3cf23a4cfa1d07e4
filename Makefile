# `make demo` and `make test` are all there is to set up; both create what they need.

PYTHON ?= python3
VENV   := .venv
HOSTS  := .hosts/bin
BIN    := $(CURDIR)/$(VENV)/bin
RUN    := PATH="$(BIN):$(CURDIR)/$(HOSTS):$$PATH"
IMAGE  ?= echoserver=echoserver:1.11
PACKAGE := kustomize-examples/echoserver

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test lint pytest coverage hosts format bless bench dist environment clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runs ## render the example at step 2 and show what changes since step 1
	@$(RUN) krmfn render $(PACKAGE) --step 2 --image $(IMAGE)
	@echo; echo "# What changes from step 1 to step 2:"
	@$(RUN) krmfn diff $(PACKAGE) 1 2 --image $(IMAGE) || test $$? -eq 1

test: lint pytest coverage ## everything that can run on this machine

environment: $(VENV)/.develops ## only create the environment

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "krmfn needs Python 3.11 or newer; say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.develops: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.runs

hosts: $(VENV)/.develops ## kustomize, kpt, helm 3 and helm 4, from this machine or built by go
	@$(BIN)/python tools/install_hosts.py $(HOSTS)

lint: $(VENV)/.develops ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pytest: $(VENV)/.develops hosts
	@rm -rf .reports && mkdir -p .reports
	@$(BIN)/coverage erase
	$(RUN) coverage run -m pytest --numprocesses auto --dist worksteal --junit-xml=.reports/junit.xml $(ARGS)

coverage: $(VENV)/.develops
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

format: $(VENV)/.develops ## let ruff lay out the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bless: $(VENV)/.develops hosts ## write the golden files anew; read the diff before you commit it
	$(RUN) python -m pytest --bless $(ARGS)

bench: $(VENV)/.develops hosts ## measure speed and memory against the baselines
	$(RUN) python -m tools.bench $(ARGS)

dist: $(VENV)/.runs ## one executable file, dist/krmfn, that needs nothing but Python
	@$(BIN)/python tools/dist.py dist/krmfn

clean: ## remove everything that make has made
	rm -rf $(VENV) .hosts .reports dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
