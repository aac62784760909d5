# Needs Python 3.11+ and make, nothing else: the first target that is run builds .venv. `make` alone lists the targets.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
# KAFKA=auto, local, docker, embedded or host:port. Unset, the demo takes embedded, and tests TIDINGS_KAFKA or the best there is.
PYTEST := TIDINGS_KAFKA=$(or $(KAFKA),$(TIDINGS_KAFKA),auto) $(BIN)/pytest

.DEFAULT_GOAL := help
.PHONY: help demo test crash crash-long bench-engine check fmt build clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: $(STAMP) ## Play orders and show them until Ctrl-C (ONCE=1: a fixed set and a JSON summary; KAFKA=embedded)
	$(BIN)/tidings demo $(if $(ONCE),--once) --kafka $(or $(KAFKA),embedded)

test: $(STAMP) ## Run all tests and say which broker they ran on (KAFKA=auto)
	$(PYTEST)

crash: $(STAMP) ## Break workers and brokers on purpose and count what was lost or repeated: minutes (KAFKA=auto)
	TIDINGS_CRASH=all $(PYTEST) tests/crash tests/faults tests/engine

crash-long: $(STAMP) ## The same with 200 kills and more, for hours (HOURS=8)
	$(BIN)/python -m tests.crash --long --hours $(or $(HOURS),8)

bench-engine: $(STAMP) ## The engine beside raw clients, Kafka Streams, Quix, Bytewax and stock Faust (SHORT=1, ROUNDS=5, EVENTS=1000000)
	$(BIN)/python -m tests.bench.engine $(if $(SHORT),--short,--rounds $(or $(ROUNDS),5) --events $(or $(EVENTS),1000000))

check: $(STAMP) ## Lint, types, import contracts, generated files, schema evolution, house rules, secrets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/tidings schemas generate --check
	$(BIN)/tidings schemas lint
	$(BIN)/pytest -q tests/house

fmt: $(STAMP) ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: $(STAMP) ## Build wheel and source archive into dist/
	PATH="$$PATH:$(CURDIR)/$(BIN)" uv build

clean: ## Remove everything that can be made again
	rm -rf $(VENV) dist .run .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Anew only when what is to be installed changed. Without uv on the PATH, one is installed into .venv.
$(STAMP): pyproject.toml uv.lock
	@set -e; python=; \
	for found in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$found; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3"; exit 1; fi; \
	uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then \
	  uv=$(BIN)/uv; \
	  if [ ! -x $$uv ]; then "$$python" -m venv $(VENV); $(BIN)/python -m pip install --quiet "uv>=0.8"; fi; \
	fi; \
	UV_PROJECT_ENVIRONMENT=$(VENV) $$uv sync --quiet --locked --python "$$python"; \
	touch $@
