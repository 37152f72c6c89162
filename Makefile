# make demo             draw a demo export, run the whole job on it and open the App
# make demo EXPORT=path the same for an export of yours (folder, .zip or COCO JSON)
#           APP=0       stop before the App       PORT=5151  the App's port
# make test             lint, types and all tests
# make lint | types | unit | integration | app   one part of it

PYTHON ?= python3
EXPORT ?=
APP ?= 1
PORT ?= 5151

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.ready-test

.PHONY: demo test lint types unit integration app clean

demo: $(READY)
	$(PY) -m fiftyone_cocomask demo --port $(PORT) \
	    $(if $(EXPORT),--export "$(EXPORT)") $(if $(filter 0,$(APP)),--no-app)

test: lint types unit integration app

lint: $(TEST_READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(TEST_READY)
	$(PY) -m mypy

unit integration app: $(TEST_READY)
	$(PY) -m pytest tests/$@

$(PY):
	$(PYTHON) -m venv $(VENV)

$(READY): pyproject.toml scripts/ensure_mongod.py | $(PY)
	$(PY) -m pip install --quiet --editable .
	$(PY) scripts/ensure_mongod.py
	touch $@

$(TEST_READY): $(READY)
	$(PY) -m pip install --quiet --editable ".[test]"
	touch $@

clean:
	rm -rf $(VENV) .demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
