# The project's commands. Each works in a fresh clone that has Python 3.11 to 3.13, git and make;
# what it needs is installed into .venv first, once. `make help` lists them.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PACKAGES := cli web gateway screening producer worker trainer wetread schemas

# Tests start hundreds of processes; one that has to compile every module first takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

# PYTHON=/path/to/python chooses the interpreter of .venv; else the first of these that runs and fits.
CANDIDATES = $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.PHONY: help install keras onnx pacs web demo test mutants chaos fuzz check audit docs recordings bench up lock
.DELETE_ON_ERROR:

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

install: $(VENV)/.runtime ## install wetread with its NumPy engine into .venv: .venv/bin/wetread

keras: $(VENV)/.keras ## install TensorFlow too, for --engine keras

onnx: $(VENV)/.onnx ## install ONNX Runtime too, for --engine onnx

pacs: $(VENV)/.pacs ## install what calls a PACS too, for wetread pull and send; listen needs nothing more

web: $(VENV)/.web ## install the reading room too, for wetread web

demo: $(VENV)/.runtime ## draw an archive, train on part of it, screen the rest: two minutes, no server
	$(BIN)/wetread demo

test: $(VENV)/.dev ## run the tests, files side by side on the cores, and name the slowest ten; ARGS= goes to pytest
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --durations=10 $(ARGS)

mutants: $(VENV)/.dev ## change one token of the code at a time, and print what the tests let pass; ARGS="--count 50 --seed 1 PLACE ..."
	$(BIN)/python -m tests.mutants $(ARGS)

chaos: $(VENV)/.dev ## kill, stop and starve everything over 100,000 films, and write docs/reliability.md: hours; stopped, it goes on
	@CHAOS=full CHAOS_RECORD=.chaos.jsonl $(BIN)/python -m pytest tests/chaos -p tests.chaos.taking_up --timeout 7200 $(ARGS); \
	code=$$?; $(BIN)/python -m tests.chaos.table .chaos.jsonl; \
	if [ $$code = 5 ]; then echo "every fault has passed with the program as it is; rm .chaos.jsonl begins anew"; exit 0; fi; exit $$code

fuzz: $(VENV)/.dev ## decode a million mutated files in processes of their own; ARGS="COUNT SEED FOLDER"
	$(BIN)/python -m tests.hostile.fuzz $(ARGS)

check: $(VENV)/.dev ## formatting, lint, types, floors, known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python .ci/audit --only-say

audit: $(VENV)/.dev ## ask whether anything that is locked has a known vulnerability
	$(BIN)/python .ci/audit

docs: $(VENV)/.runtime ## write docs/cli.md anew from the commands
	$(BIN)/python -m cli.reference

recordings: $(VENV)/.dev ## run what the tutorials, docs/recordings.md and docs/report.md show, and write it anew; ARGS= pages
	$(BIN)/python -m tests.tutorials.page $(or $(ARGS),docs/tutorials/*.md docs/recordings.md docs/report.md)

bench: $(VENV)/.dev ## measure throughput on this machine
	$(BIN)/python -m benchmarks $(ARGS)

up: ## start Redis, PostgreSQL and a worker in containers; settings in .env
	@test -f .env || { echo "make up: no .env here: copy .env.example to .env and set its passwords" >&2; exit 1; }
	docker compose up --build --detach --wait $(ARGS)

lock: $(VENV)/.dev ## write requirements/ anew from pyproject.toml; ARGS=--upgrade takes newer versions
	$(LOCK) --extra train --extra postgres --extra keras --extra onnx --extra parquet --extra pacs --extra web --extra backbones --group build --group check --group test $(ARGS) \
	    --output-file requirements/dev.txt
	$(LOCK) --extra train --extra postgres --extra parquet --extra keras --group build \
	    --constraints requirements/dev.txt --output-file requirements/keras.txt
	$(LOCK) --extra train --extra postgres --extra parquet --extra onnx --group build \
	    --constraints requirements/dev.txt --output-file requirements/onnx.txt
	$(LOCK) --extra train --extra postgres --extra parquet --extra web --group build \
	    --constraints requirements/dev.txt --output-file requirements/web.txt
	$(LOCK) --extra train --extra postgres --extra parquet --extra pacs --group build \
	    --constraints requirements/dev.txt --output-file requirements/pacs.txt
	$(LOCK) --extra train --extra postgres --extra parquet --group build \
	    --constraints requirements/dev.txt --output-file requirements/runtime.txt

LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --fork-strategy fewest \
    --generate-hashes --no-header --no-annotate

# An interpreter that is already in .venv is kept when it fits.
$(VENV)/.created:
	@if $(BIN)/python -c '$(FITS)' 2>/dev/null; then touch $@; exit 0; fi; \
	for candidate in $(CANDIDATES); do \
	    if "$$candidate" -c '$(FITS)' 2>/dev/null; then \
	        echo "Making $(VENV) with $$("$$candidate" --version) ($$candidate)"; \
	        "$$candidate" -m venv --clear $(VENV) && touch $@; exit $$?; \
	    fi; \
	done; \
	echo "make: expected a Python 3.11, 3.12 or 3.13 with its venv module, tried: $(CANDIDATES)." >&2; \
	echo "Install one (on Debian: python3 and python3-venv) or name it: make PYTHON=/path/to/python …" >&2; \
	exit 1

# .venv/.runtime, .venv/.keras, .venv/.onnx, .venv/.pacs, .venv/.web, .venv/.dev: a file of requirements and the project itself are installed. pip checks
# every hash and compiles what it installs, which halves TensorFlow's import at the least.
$(VENV)/.%: requirements/%.txt pyproject.toml $(VENV)/.created
	@echo "Installing $< into $(VENV)"
	@$(PIP) install --quiet --compile --require-hashes -r $<
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@
