# Everything sets itself up: `make demo` and `make test` need Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8000
TEST_PROCESSES ?= 2
BIN    := $(VENV)/bin
# Apart, since it wants older versions of what we use (docs/decisions/0171); exact, since what it writes is compared.
CODEGEN := $(VENV)/codegen
# On a terminal pip shows how far it is.
PIP    := [ -t 1 ] || quiet=--quiet; $(BIN)/python -m pip --disable-pip-version-check $$quiet

.DEFAULT_GOAL := help
.PHONY: help install venv demo test check client clients schema released docs datasets bench bench-cache clean
.DELETE_ON_ERROR:

help:
	@echo "make demo     simulate a network of the last 48 hours, load it, serve it on http://127.0.0.1:$(PORT) (PORT=$(PORT))"
	@echo "make test     run the whole test suite"
	@echo "make check    formatting, types, layers, generated files, tests: what CI runs"
	@echo "make clients  try clients that others wrote against a running gateway (Node comes from PyPI where there is none)"
	@echo "make client   write examples/client/naap, the typed Python client, from the schema"
	@echo "make schema   write schema.graphql        make docs    write docs/metrics.md, questions.md, private-fields.md, llms.txt"
	@echo "make released at a release: from here on the schema of today is what may not break"
	@echo "make datasets write promptsets/release"
	@echo "make bench    measure, and write bench/results.md      make bench-cache  answers from memory beside a constant one"
	@echo "make install  only install naap, into $(VENV)"
	@echo "make venv     the same, with what tests need      make clean   remove $(VENV), .demo and what tools leave behind"

demo: $(VENV)/.lean
	@$(BIN)/naap demo --port $(PORT)

test: $(VENV)/.dev
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile

check: $(VENV)/.dev $(CODEGEN)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	@$(BIN)/naap schema | diff -u schema.graphql - || { echo "schema.graphql is stale: run make schema"; exit 1; }
	@$(BIN)/python -m gateway.docs | diff -u docs/metrics.md - || { echo "docs/metrics.md is stale: run make docs"; exit 1; }
	$(BIN)/python -m graph.changes
	@fresh=$$(mktemp -d) && cp -r schema.graphql examples $$fresh && tool=$$PWD/$(CODEGEN)/bin/ariadne-codegen && \
	  (cd $$fresh && $$tool --config examples/client/codegen.toml client >/dev/null) && \
	  diff -ru -x __pycache__ examples/client/naap $$fresh/examples/client/naap || { echo "examples/client is stale: run make client"; exit 1; }
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile

clients: $(VENV)/.dev
	$(BIN)/python -m tests.clients.run

schema: $(VENV)/.dev
	$(BIN)/naap schema > schema.graphql

client: $(CODEGEN)/.ready
	$(CODEGEN)/bin/ariadne-codegen --config examples/client/codegen.toml client

$(CODEGEN)/.ready: | $(BIN)/pip
	@$(BIN)/python -m venv $(CODEGEN)
	@$(CODEGEN)/bin/python -m pip --disable-pip-version-check --quiet install ariadne-codegen==0.19.0 ruff==0.15.22
	@touch $@

released:
	cp schema.graphql docs/schema/released.graphql
	sed -i '/^\[breaks\]/q' docs/schema/accepted.toml

docs: $(VENV)/.dev
	$(BIN)/python -m gateway.docs > docs/metrics.md
	$(BIN)/python -m gateway.llms > llms.txt
	$(BIN)/python -m gateway.question_docs > docs/questions.md
	$(BIN)/python -m gateway.rights_docs > docs/private-fields.md

datasets: $(VENV)/.lean
	$(BIN)/python -m promptsets.rule.write

bench: $(VENV)/.dev
	$(BIN)/python -m bench.run

bench-cache: $(VENV)/.dev
	$(BIN)/python -m bench.cached

install: $(VENV)/.lean

venv: $(VENV)/.dev

clean:
	rm -rf $(VENV) .demo build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.lean: pyproject.toml | $(BIN)/pip
	@echo "Installing naap-gateway into $(VENV) (about 250 MB to download, once) …"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/pip
	@echo "Installing naap-gateway and what its tests need into $(VENV) …"
	@$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/.lean

# Debian splits pip's bootstrap (ensurepip) off into python3-venv: installed here by root, else asked for.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed. Name one: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	     DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; then $(PYTHON) -m venv $(VENV); \
	else false; \
	fi || { rm -rf $(VENV); echo "Python's venv is missing. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
