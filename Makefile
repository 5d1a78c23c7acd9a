# Two commands set everything up on a fresh machine with Python 3.11: `make bundle` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := reference training export tools
SAMPLES := bundle/samples

.PHONY: bundle test lint clean

# torch first, by itself: an unpinned resolve would pull gigabytes of CUDA
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

bundle: $(VENV)/.installed
	$(BIN)/portraiture export -o bundle --precision fp32,fp16
	$(BIN)/python -m portraiture.tools.samples build/samples
	@echo "bundle/ holds the models; build/samples/ the rendered astronaut"

lint: $(VENV)/.installed
	$(BIN)/ruff check $(PACKAGES) tests
	$(BIN)/ruff format --check $(PACKAGES) tests
	mkdir -p build/namespace/portraiture
	for p in $(PACKAGES); do ln -sfn ../../../$$p build/namespace/portraiture/$$p; done
	cd build/namespace && MYPYPATH=. ../../$(BIN)/mypy --config-file ../../pyproject.toml -p portraiture

test: $(VENV)/.installed lint
	$(BIN)/python -m pytest tests

clean:
	rm -rf build bundle dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
