PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
TORCH = 'torch>=2.6,<2.14'

.PHONY: install demo test check format benchmarks clean

install: $(VENV)/.installed ## Make .venv and install Palestra with its tools into it

$(VENV)/.installed: pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit("Palestra needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

demo: install ## Train, evaluate and watch a tabular agent and DQN on Atari
	PALESTRA=$(BIN)/palestra sh docs/demo.sh $(DEMO)

test: install ## Run the tests, without the slow ones that learn
	$(BIN)/python -m pytest -q -m "not slow"

check: install ## Format, lint, types, all tests, and the kernels' tests once more interpreted
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -m kernel

format: install ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmarks: install ## Print the tables of benchmarks/RESULTS.md
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit; done

clean: ## Remove the environment and the caches, not the runs
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache
