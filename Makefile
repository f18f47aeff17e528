PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
TORCH = 'torch>=2.6,<2.14'
ORACLE = $(abspath $(VENV)/oracle)

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

$(ORACLE): $(VENV)/.installed
	$(BIN)/pip install --quiet --no-deps --upgrade --target $@ "torchvision==0.$$($(BIN)/python -c 'import torch; print(15 + int(torch.__version__.split(".")[1]))').*" \
		|| echo "torchvision cannot be had: networks are not compared with its own"

check benchmarks: export PALESTRA_ORACLE = $(ORACLE)

check: install $(ORACLE) ## Format, lint, types, all tests, and the kernels' tests once more interpreted
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -m kernel

format: install ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmarks: install $(ORACLE) ## Print the tables of benchmarks/RESULTS.md
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit; done

clean: ## Remove the environment and the caches, not the runs
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache
