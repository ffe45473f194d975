#!/bin/sh
# All checks short of running the tests; stops at the first that fails. Nothing is written but a scratch folder.
set -eu
cd "$(dirname "$0")/.."
DATA_DIR=$(mktemp -d)
export DATA_DIR
trap 'rm -rf "$DATA_DIR"' EXIT
unset DATABASE_URL REDIS_URL PORT
PATH=$PWD/.venv/bin:$PATH

step() {
    echo "== $* =="
    "$@"
}

step ruff format --check .
step ruff check .
step mypy
step lint-imports --no-cache
step python manage.py makemigrations --check --dry-run
step python manage.py check --deploy --fail-level WARNING
step python manage.py spectacular --validate --fail-on-warn --file /dev/null
