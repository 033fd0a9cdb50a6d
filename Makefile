# Every target installs what it needs; `make` alone lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
STAGE ?= dev
BIN := .venv/bin
ENVIRONMENT := .venv/.installed
CDK := node_modules/.package-lock.json
# Bytecode is kept whatever the shell says: without it each process of the tests compiles for seconds what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo local quick test verify units systems bench lint coverage docs format release synth bootstrap deploy diff destroy rollback clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z ]+:.*## / {printf "  make %-37s %s\n", $$1, $$2}' Makefile

setup: $(ENVIRONMENT) $(CDK) ## install everything into .venv and node_modules

$(ENVIRONMENT): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || \
		{ echo "Python 3.13 is needed, the version the function runs on: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$($(PYTHON) -c 'import tomllib; print(next(p["name"] + "==" + p["version"] for p in tomllib.load(open("uv.lock", "rb"))["package"] if p["name"] == "uv"))')"
	$(BIN)/uv sync --frozen --quiet
	@touch $@

$(CDK): package.json package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20 or later is needed: the AWS CDK command line runs on it"; exit 1; }
	npm ci --silent --no-fund --no-audit
	@touch $@

demo: setup ## deploy the whole system on this machine, send a clickstream, account for every event
	$(BIN)/python -m local.demo $(ARGS)

local: setup ## keep the same system running for your own events
	$(BIN)/python -m local.serve $(ARGS)

quick: $(ENVIRONMENT) ## run the tests that need neither a synth nor the emulator, in a minute: ARGS="-k lane"
	$(BIN)/python -m pytest --quick -q -n 2 --dist worksteal --durations=5 --durations-min=5 $(ARGS)

test: setup ## run every test, the long matrices as a seeded sample
	@$(MAKE) --no-print-directory --jobs=2 systems units lint

verify: setup ## run every test, the long matrices whole
	@$(MAKE) --no-print-directory --jobs=2 systems units lint WHOLE=--verify

# The end-to-end tests take longest and mostly wait: they go first, beside two of the others.
units:
	nice -n 5 $(BIN)/python -m pytest --ignore=tests/e2e -n 2 --dist worksteal $(WHOLE)

systems:
	$(BIN)/python -m pytest tests/e2e $(WHOLE)

bench: $(ENVIRONMENT) ## compare the relay with boto3, aiohttp and awscrt over TLS, with a core and less (8 minutes)
	$(BIN)/python -m bench

lint: $(ENVIRONMENT) ## run ruff and mypy over the whole tree
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

coverage: $(ENVIRONMENT) ## show which branches of the function the quick tests take, line by line in build/coverage
	$(BIN)/python -m pytest --quick -q -n 2 --cov --cov-report=term:skip-covered --cov-report=html

docs: $(ENVIRONMENT) ## write the settings, the tables of capacity and cost, and the commands into docs/
	PYTHONPATH=lambda:. $(BIN)/python -m infra.settings_table > docs/settings.md
	PYTHONPATH=lambda:. $(BIN)/python -m bench.capacity docs/operations.md
	$(BIN)/python -m personalize_relay_cli.reference > docs/cli.md

format: $(ENVIRONMENT) ## let ruff fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

release: $(ENVIRONMENT) ## build the wheel, the function for each processor and a template with parameters, into dist/
	rm -rf dist
	$(BIN)/python -m infra.release dist

synth bootstrap destroy: setup ## run the CDK command of that name: STAGE=dev or prod, ARGS="-c trackingId=…"
	PATH="$(CURDIR)/$(BIN):$$PATH" node_modules/.bin/cdk $@ --no-notices -c stage=$(STAGE) $(ARGS)

deploy diff: setup ## the same, after a comparison with the deployed settings: CONFIRM=streamArn,…
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m infra.deployment $@ --stage "$(STAGE)" --confirm "$(CONFIRM)" -- $(ARGS)

rollback: $(ENVIRONMENT) ## make the previous version live again, in seconds: STAGE=prod, ARGS="--yes"
	$(BIN)/relay rollback --stage $(STAGE) $(ARGS)

clean: ## remove everything that the targets made
	rm -rf .venv node_modules cdk.out build dist infra/function .hypothesis .mypy_cache .pytest_cache .ruff_cache
