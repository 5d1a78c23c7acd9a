# `make bundle` and `make test` set everything up by themselves; they need Python 3.11 and make, nothing else.
# `make check` is the quick look while you work: lint, types and the fast tests.
# `make test-apps` tests the kits for apps: it needs Node, npm's registry and Chromium, and says which is absent.
# For Kotlin it needs Maven, Java 17 and, once, Maven Central: it says so too.
# `make figures` runs the commands that the guides name for their figures, and compares.
PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := reference training export tools
# uv installs the same packages as pip in a quarter of the time; pip's index and folder of wheels hold for it too
UV := env $${PIP_INDEX_URL:+UV_DEFAULT_INDEX="$$PIP_INDEX_URL"} $${PIP_FIND_LINKS:+UV_FIND_LINKS="$$PIP_FIND_LINKS"} \
	$(BIN)/uv pip install --quiet --python $(BIN)/python
SAMPLES := build/samples
WORKERS ?= 2
# uv writes no bytecode, and some images tell Python to write none: every process would compile each module anew,
# 12 s of each that imports litert-torch or coremltools
unexport PYTHONDONTWRITEBYTECODE

.PHONY: bundle test check lint types fast-tests all-tests test-apps coreai-tests figures torture fuzz clean

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "expected Python 3.11 as python3.11 or python3, found neither; \
	install it (Debian: apt-get install python3.11 python3.11-venv), or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "environment: creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet uv==0.13.9
	@touch $@

# torch first, by itself: the versions of all else follow its pin
$(VENV)/.runtime: $(VENV)/.created pyproject.toml
	@echo "environment: installing what a bundle needs (about a minute)"
	@$(UV) torch==2.13.0
	@$(UV) --editable .
	@touch $@

$(VENV)/.installed: $(VENV)/.runtime
	@echo "environment: installing what the tests need"
	@$(UV) --editable '.[dev]'
	@touch $@

bundle: $(VENV)/.runtime
	@echo "export: the shipped weights, each file proven as it is written"
	@$(BIN)/portraiture export -o bundle --precision fp32,fp16
	@echo "samples: the astronaut through each renderer"
	@$(BIN)/python -m portraiture.tools.samples $(SAMPLES)
	@echo "bundle/ holds the models; $(SAMPLES)/ the rendered astronaut; try it: $(BIN)/portraiture demo bundle"

lint: $(VENV)/.installed
	@$(BIN)/ruff check --quiet $(PACKAGES) tests
	@$(BIN)/ruff format --quiet --check $(PACKAGES) tests
	@echo "lint: clean"

types: $(VENV)/.installed
	@mkdir -p build/namespace/portraiture
	@for p in $(PACKAGES); do ln -sfn ../../../$$p build/namespace/portraiture/$$p; done
	@cd build/namespace && MYPYPATH=. ../../$(BIN)/mypy --config-file ../../pyproject.toml -p portraiture

fast-tests: $(VENV)/.installed
	@$(BIN)/python -m pytest tests -m "not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

all-tests: $(VENV)/.installed
	@$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Apple's packages of Core AI in a folder beside the environment (190 MB, seconds): no other test sees them. All else
# that they need is in the environment. Where they cannot be had the tests are skipped, and say so.
build/coreai/.installed: $(VENV)/.installed pyproject.toml
	@rm -rf build/coreai && mkdir -p build/coreai
	@$(UV) --no-deps --target build/coreai $$($(BIN)/python -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["coreai"])') \
		2>build/coreai.log && touch $@ || echo "coreai-tests: Apple's packages cannot be had here, build/coreai.log says why"

coreai-tests: build/coreai/.installed
	@PYTHONPATH=$(CURDIR)/build/coreai$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/python -m pytest tests/export/coreai -rs

check: $(VENV)/.installed
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint types fast-tests

test: $(VENV)/.installed
	@$(MAKE) --no-print-directory lint types all-tests coreai-tests

# MediaPipe's pins clash with ours: an environment of its own. Where it cannot be had its test is skipped, and says so.
build/mediapipe/.installed: $(VENV)/.installed
	@mkdir -p build
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/mediapipe && $(UV:$(BIN)/python=build/mediapipe/bin/python) \
		mediapipe==1.2.3 2>build/mediapipe.log && touch $@ || { rm -rf build/mediapipe; \
		echo "test-apps: MediaPipe cannot be had here, build/mediapipe.log says why"; }

# BUNDLE=DIR tests the page with that bundle, in place of a small one that is exported for it
test-apps: $(VENV)/.installed build/mediapipe/.installed
	@$(if $(BUNDLE),PORTRAITURE_BUNDLE='$(abspath $(BUNDLE))') $(BIN)/python -m pytest tests/apps -rs

# ONLY=TEXT takes the commands and documents whose name holds TEXT
figures: $(VENV)/.runtime
	@$(BIN)/python -m portraiture.tools.figures $(if $(ONLY),--only '$(ONLY)')

# kills the commands, takes their place to write, gives them damaged files; about 15 minutes, no part of `make test`
torture: $(VENV)/.installed
	@$(BIN)/python -m portraiture.tools.torture $(TORTURE)

# 10,000 damaged photos through all that render does with a photo's file; about 10 minutes, no part of `make test`
fuzz: $(VENV)/.installed
	@$(BIN)/python -m portraiture.tools.torture.fuzz $(FUZZ)

clean:
	rm -rf build bundle dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
