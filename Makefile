# Everything runs in its own environment under .venv; PYTHON names the interpreter that makes it.
PYTHON ?= $(shell $(FIND_PYTHON))
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PLAIN  := $(VENV)/.plain
DOCS   := $(VENV)/.docs
# All that are supported, as the classifiers in pyproject.toml.
PYTHONS ?= 3.10 3.11 3.12 3.13
QUICK  := $(addprefix tests/,approvals codec engine protocol runtime schemas tools turns test_*.py)

# A candidate has to be started: a shim of pyenv may stand for a version that is not selected.
IS_SUITABLE := -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
CANDIDATES  := python3 python3.13 python3.12 python3.11 python3.10
FIND_PYTHON := for python in $(CANDIDATES); do $$python $(IS_SUITABLE) && echo $$python && break; done
NO_PYTHON    = $(if $(PYTHON),$(PYTHON) is not,No) Python 3.10 or newer$(if $(PYTHON),, was found): \
	name one, as in `make PYTHON=/path/to/python3.13`.

# Of Debian. Any other Chromium will do, see tests/support/browser.py.
BROWSER     := chromium-headless-shell fonts-dejavu-core
HAS_BROWSER := which chromium-headless-shell chromium chromium-browser google-chrome chrome 2>/dev/null | grep -q .
WITHOUT     := --ignore=tests/cli/test_page.py
# Not empty in CI: there a missing browser is an error, and no test is left out.
NEEDS_BROWSER ?=
AS_ROOT     := $(if $(filter-out 0,$(shell id -u)),sudo -n)

.PHONY: artifacts test-all browser docs help demo quick test test-runtimes cover check figures format generate runtime bench bench-smoke compat recipes soak build clean
help: ## Show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The first has the tools for development, too, twice as much.
$(STAMP): EXTRAS := [dev]
$(STAMP) $(PLAIN): pyproject.toml constraints.txt
	@$(or $(PYTHON),false) $(IS_SUITABLE) || { echo '$(NO_PYTHON)' >&2; exit 1; }
	@$(BIN)/python $(IS_SUITABLE) || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.$(EXTRAS)'
	@touch $@

demo: $(or $(wildcard $(STAMP)),$(PLAIN)) ## Run the main job: one streamed turn on the real runtime
	$(BIN)/python examples/demo.py

quick: $(STAMP) ## Run the fast tests: engine, protocol and units
	$(BIN)/python -m pytest --quiet -m "not slow" $(QUICK)

test: $(STAMP) browser ## Run the whole test suite, offline, in parallel; or the tests of SUITE
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $$($(HAS_BROWSER) || echo $(WITHOUT)) $(SUITE)

test-all: ## The same on each supported Python, in environments of their own below .venvs; goes on after a failure
	@$(MAKE) --keep-going $(addprefix test-on-,$(PYTHONS))

# Of one version, as in `make test-on-3.12 SUITE=tests/engine`.
test-on-%:
	@$(or $(PYTHON),false) $(IS_SUITABLE) || { echo '$(NO_PYTHON)' >&2; exit 1; }
	@python=$$($(PYTHON) -m tools.artifacts.interpreters $*) \
		&& $(MAKE) test VENV=.venvs/$* PYTHON="$$python" SUITE="$(SUITE)"

browser: ## Install the browser in which the tests look at the page of a timeline, if there is none
	@$(HAS_BROWSER) || { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -qq -y --no-install-recommends $(BROWSER); } \
		|| { echo 'Chromium cannot be installed here; without it, tests/cli/test_page.py is not run.' >&2; $(if $(NEEDS_BROWSER),false,true); }

test-runtimes: $(STAMP) ## Run a list of steps on the oldest supported runtime and on the two newest, or on VERSIONS
	$(BIN)/python -m tools.runtimes $(VERSIONS)

cover: $(STAMP) browser ## Run the whole test suite and measure its branch coverage, which has a floor
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto --dist worksteal $$($(HAS_BROWSER) || echo $(WITHOUT))
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(STAMP) ## Format, lint, strict types, drift of generated code, layers, figures
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/pyright --verifytypes openai_codex --ignoreexternal >$(VENV)/.types || { cat $(VENV)/.types; exit 1; }
	$(BIN)/python -m tools.generate --check
	$(BIN)/python -m tools.unasync --check
	$(BIN)/python -m pytest --quiet tests/test_layers.py
	$(BIN)/python -m tools.figures --check

figures: $(STAMP) ## Print the figures of the layout beside their limits
	$(BIN)/python -m tools.figures

format: $(STAMP) ## Format the code and sort its imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(STAMP) ## Rewrite the generated code: protocol types, sync face
	$(BIN)/python -m tools.generate
	$(BIN)/python -m tools.unasync

runtime: $(STAMP) ## Move to the runtime VERSION: pin, regenerate, show the protocol's difference, run the tests
	@test -n "$(VERSION)" || { echo 'Name a version, as in `make runtime VERSION=0.163.0`.' >&2; exit 1; }
	$(BIN)/python -m tools.runtimes.pin $(VERSION)
	@touch $(STAMP)
	$(MAKE) test

bench: $(STAMP) ## Measure this package, the published SDK and two floors; write BENCHMARKS.md
	$(BIN)/python -m tools.bench

bench-smoke: $(STAMP) ## Only check that all of the benchmark runs
	$(BIN)/python -m tools.bench --smoke

compat: $(STAMP) ## Run packages of the index on this package and on the published SDK, and compare; installs both
	$(BIN)/python -m tools.compat
	$(BIN)/python -m tools.compat.idioms .compat/published/bin/python

recipes: ## Run the recipes of examples/recipes in the libraries that they are for; installs these, about 1 GB
	$(PYTHON) -m venv .recipes
	.recipes/bin/python -m pip install --quiet --disable-pip-version-check --editable . --requirement examples/recipes/requirements.txt
	.recipes/bin/python -m pytest --quiet -o filterwarnings=default -o timeout=600 examples/recipes

$(DOCS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@touch $@

# All of it each time: a page that is not read again has no warnings.
docs: $(DOCS) ## Build the pages of docs/ into docs/_build/html, offline; a warning is an error. Needs Python 3.11
	rm -rf docs/_build
	$(BIN)/python -m sphinx --builder html --quiet --fail-on-warning --keep-going docs docs/_build/html

soak: $(STAMP) ## Run random operations on the real runtime for MINUTES (5): nothing may hang, leak or get lost
	$(BIN)/python -m tools.soak --minutes $(or $(MINUTES),5)

build: $(STAMP) ## Build sdist and wheel into dist/
	$(BIN)/python -m build --outdir dist

artifacts: $(STAMP) ## Build twice and compare, install on each supported Python, freeze a program; or only PARTS; some minutes
	$(BIN)/python -m tools.artifacts $(PARTS)

clean: ## Remove the environment and everything built
	rm -rf $(VENV) .venvs .artifacts docs/_build docs/api/types .bench .compat .recipes .runtimes dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
