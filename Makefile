# make demo             draw a demo export, run the whole job on it and open the App
# make demo EXPORT=path the same for an export of yours (folder, .zip or COCO JSON)
#           APP=0       stop before the App       PORT=5151  the App's port
# make test             lint, types and all tests
# make lint | types | unit | integration | app | package   one part of it
# make coverage         the lines that unit and integration tests reach
# make faults           each call that writes, ended before each of its writes (minutes)
# make screenshots      the README's pictures of the App, anew
# make recipes          the README's recipe for PyTorch (installs it: gigabytes)
# make comparison       the README's comparison with other tools (installs them)
#
# PYTHON=python3.12     makes the environment with another Python
# FIFTYONE=1.21.0       an environment of its own, .venv-1.21.0, with that FiftyOne

PYTHON ?= python3
EXPORT ?=
APP ?= 1
PORT ?= 5151

FIFTYONE ?=

VENV := .venv$(if $(FIFTYONE),-$(FIFTYONE))
# FiftyOne up to 1.22.0 does not start with graphql-core 3.3, and pip would take that.
PINNED := $(if $(FIFTYONE),"fiftyone==$(FIFTYONE)" "graphql-core<3.3")
PY := $(VENV)/bin/python
# On two processors: two processes wait for their databases a part of the time.
TWO := -n 2 --dist worksteal
THREE := -n 3 --dist worksteal
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.ready-test

# Each of the many processes that tests start would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types unit integration coverage app package faults screenshots \
    recipes comparison clean

demo: $(READY)
	$(PY) -m fiftyone_cocomask demo --port $(PORT) \
	    $(if $(EXPORT),--export "$(EXPORT)") $(if $(filter 0,$(APP)),--no-app)

# All of them, also behind one that fails: a person wants to know the rest. Two at a time,
# since each waits for its database a part of the time.
test: $(TEST_READY)
	$(MAKE) --keep-going --jobs=2 --output-sync=line package types lint unit integration app

lint: $(TEST_READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports

types: $(TEST_READY)
	$(PY) -m mypy

# Each process has a database of its own, and for the App a browser.
unit integration: $(TEST_READY)
	$(PY) -m pytest $(THREE) tests/$@

app: $(TEST_READY)
	$(PY) -m pytest $(TWO) tests/$@

# Not with each run: up to Python 3.11, noting lines takes a third of the time again.
coverage: $(TEST_READY)
	$(PY) -m pytest $(THREE) --cov --cov-report= tests/unit
	$(PY) -m pytest $(THREE) --cov --cov-append --cov-report= tests/integration
	$(PY) -m coverage report --fail-under=95

package: $(TEST_READY)
	$(PY) -m pytest tests/$@

faults: $(TEST_READY)
	COCOMASK_ALL_FAULTS=1 $(PY) -m pytest tests/integration/faults

screenshots: $(TEST_READY)
	$(PY) -m pytest tests/app/screenshots.py

recipes: $(TEST_READY)
	$(PY) -m pip install --quiet --group recipes $(PINNED)
	$(PY) -m pytest tests/recipes

comparison: $(TEST_READY)
	$(PY) -m pip install --quiet --group comparison $(PINNED)
	$(PY) -m pytest tests/comparison

# Debian's pip does not know dependency groups.
$(PY):
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet "pip>=25.1"

$(READY): pyproject.toml scripts/ensure_mongod.py | $(PY)
	$(PY) -m pip install --quiet --editable . $(PINNED)
	$(PY) scripts/ensure_mongod.py
	touch $@

$(TEST_READY): $(READY)
	$(PY) -m pip install --quiet --editable . --group test $(PINNED)
	touch $@

clean:
	rm -rf .venv* .demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
