# `make demo` and `make test` are all anybody needs; both set up what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench setup clean
.DEFAULT_GOAL := demo

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  echo "python3-venv is missing: installing it"; rm -rf $(VENV); \
	  SUDO=$$([ "$$(id -u)" = 0 ] || command -v sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(VENV)/.ready

demo: setup
	@$(BIN)/losswatch demo

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: check
	@$(BIN)/pytest -n 4 --dist loadfile

bench: setup
	@$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV)
