# semeq: everything a developer types. `make` alone lists the targets.

SHELL := /bin/sh
.SUFFIXES:
.DEFAULT_GOAL := help
.NOTPARALLEL:

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEMO_OUT ?= demo-out
BENCH_ARGS ?=
SOAK_ARGS ?=
FUZZ_ARGS ?=
# make test EXTRAS=dev,train runs the training tests as well (install the torch build you want first).
EXTRAS ?= dev
PYTEST_ARGS ?=

# The first Python that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

# The strict editable install links files one by one, so a new module or preset needs a new install:
# the stamp's name carries a checksum of pyproject.toml and of the list of files.
FILES := $(sort $(shell find engine presets realtime training -type f ! -name '*.pyc'))
TREE := $(shell { cat pyproject.toml; echo '$(FILES)'; } | cksum | cut -d' ' -f1)
RUN_STAMP := $(VENV)/.semeq-run-$(TREE)
DEV_STAMP := $(VENV)/.semeq-dev-$(TREE)
# The links live in build/: where somebody removed it, install again.
RELINK := $(if $(wildcard build/__editable__.semeq-*),,relink)

# What the tests drive besides Python: a JACK server without a card, a browser, and rivals for the comparisons.
SYSTEM_PACKAGES := libportaudio2 jackd2 jack-tools jack-capture sox libsox-fmt-all ffmpeg chromium gcc libc6-dev g++ dpf-source
AS_ROOT_WITH_APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
APT_INSTALL := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "semeq needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 1; }
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		if $(AS_ROOT_WITH_APT); then apt-get update -qq && $(APT_INSTALL) python3-venv >/dev/null; \
		else echo "$(PYTHON) cannot make environments: install the package python3-venv" >&2; exit 1; fi; fi
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): $(RELINK) | $(BIN)/python
	@if [ -n "$(RELINK)" ] || [ ! -e $(DEV_STAMP) ]; then echo "installing semeq"; $(PIP) -e . ; fi
	@rm -f $(VENV)/.semeq-run-*; touch $@

$(DEV_STAMP): $(RELINK) | $(BIN)/python
	@echo "installing semeq with its development tools"
	@$(PIP) -e '.[$(EXTRAS)]'
	@rm -f $(VENV)/.semeq-dev-*; touch $@

.PHONY: relink
relink:

.PHONY: demo
demo: $(RUN_STAMP) ## synthesise a mix, render it by words, write a page with what happened
	@$(BIN)/semeq demo --out $(DEMO_OUT)

.PHONY: system
system: ## system packages for the tests (as root on Debian and its kin; otherwise says what is missing)
	@if $(AS_ROOT_WITH_APT); then \
		missing=; for p in $(SYSTEM_PACKAGES); do \
			dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
		if [ -n "$$missing" ]; then \
			echo "installing$$missing"; apt-get update -qq && $(APT_INSTALL) $$missing >/dev/null; fi; \
		command -v jack_iodelay >/dev/null 2>&1 || $(APT_INSTALL) jack-example-tools >/dev/null; \
	else for c in jackd jack_iodelay sox ffmpeg cc; do \
		command -v $$c >/dev/null 2>&1 || echo "note: $$c is not installed" >&2; done; fi

.PHONY: test
test: system $(DEV_STAMP) lint ## everything that must hold: lint, types, tests
	$(BIN)/pytest -m 'not live and not alone' -n auto --dist worksteal $(PYTEST_ARGS)
	$(BIN)/pytest -m 'live and not alone' -n 2 --dist loadfile $(PYTEST_ARGS)
	$(BIN)/pytest -m alone $(PYTEST_ARGS)

.PHONY: lint
lint: $(DEV_STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: bench
bench: $(DEV_STAMP) ## measure and write bench-out/bench.md (wants an idle machine; BENCH_ARGS=--quick for a look)
	$(BIN)/python tests/bench $(BENCH_ARGS)

.PHONY: soak
soak: system $(DEV_STAMP) ## a live session under the worst load, 10 min a block size (SOAK_ARGS="--seconds 60" for less)
	$(BIN)/python tests/soak/soak_main.py $(SOAK_ARGS)

.PHONY: fuzz
fuzz: $(DEV_STAMP) ## 10,000 damaged files of every kind that is read (FUZZ_ARGS="--cases 300 --seed 7" for others)
	$(BIN)/python tests/fuzz/fuzz_main.py $(FUZZ_ARGS)

.PHONY: words
words: $(RUN_STAMP) ## rebuild presets/words.json from the human data: make words DATA=DIR
	@[ -n "$(DATA)" ] || { echo "say where the data is: make words DATA=DIR" >&2; exit 2; }
	$(BIN)/python -m semeq.training.words --data $(DATA) --out presets/words.json

.PHONY: picture
picture: $(DEV_STAMP) ## redraw the README's pictures
	@$(BIN)/semeq demo --out $(DEMO_OUT) >/dev/null
	@mkdir -p docs && cp $(DEMO_OUT)/response.svg docs/response.svg && echo "docs/response.svg"
	@$(BIN)/python tests/bench/bench_filters.py docs/decramped.svg && echo "docs/decramped.svg"

.PHONY: clean
clean: ## remove what make made, the environment too
	rm -rf $(VENV) build dist *.egg-info $(DEMO_OUT) bench-out soak-out fuzz-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find engine presets realtime training tests -name __pycache__ -type d -prune -exec rm -rf {} +
