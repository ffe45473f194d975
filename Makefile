# Everything a person types, and all that CI runs. `make` alone lists it.
PORT ?= 8000
DATA_DIR ?= $(CURDIR)/data
PY := .venv/bin/python
PYTEST_WORKERS ?= auto

.PHONY: help run test check lint bench docs lock install install-dev

help:
	@echo "make run [PORT=9000] [DATA_DIR=/somewhere]   start the lab; Ctrl-C stops it"
	@echo "make test [ARGS='tests/ops -k port']         run the test suite"
	@echo "make check                                   everything CI checks, then the test suite"
	@echo "make bench                                   measure CPU and memory per charger and frame"
	@echo "make docs                                    write docs/ocpp-1.6.md anew: which rows are shown by which tests"
	@echo "make lock                                    write the lock files anew from pyproject.toml"

install:
	@ops/bootstrap.sh requirements.lock

install-dev:
	@ops/bootstrap.sh requirements-dev.lock

run: install
	@PORT=$(PORT) DATA_DIR="$(DATA_DIR)" exec $(PY) manage.py up

test: install-dev
	@ops/test.sh -n $(PYTEST_WORKERS) $(ARGS)

check: lint test

lint: install-dev
	@ops/lint.sh

bench: install-dev
	@$(PY) -m bench $(ARGS)

docs: install-dev
	@$(PY) -m tests.contract

lock: install-dev
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml -o requirements.lock
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
