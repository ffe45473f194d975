#!/bin/sh
# The test suite, in both shapes of the product. The arguments go to pytest.
# First on SQLite and the file system broker; then, where TEST_DATABASE_URL and TEST_REDIS_URL name a PostgreSQL and a
# Redis, once more on those. What touches neither is not repeated, nor is what holds the API to its documents and to the
# published clients: the answers themselves are tested in both shapes.
set -u
cd "$(dirname "$0")/.."
unset DATABASE_URL REDIS_URL DATA_DIR PORT

echo "== SQLite, nothing else =="
.venv/bin/python -m pytest "$@"
first=$?
# A run that was broken off, or asked for wrongly, is over; one with failures still says what the second shape does.
[ $first -gt 1 ] && exit $first

if [ -z "${TEST_DATABASE_URL:-}" ] || [ -z "${TEST_REDIS_URL:-}" ]; then
    echo "== PostgreSQL and Redis: SKIPPED (set TEST_DATABASE_URL and TEST_REDIS_URL, or run .ci/run) =="
    [ "${REQUIRE_ALL:-}" = 1 ] && exit 1
    exit $first
fi

echo "== PostgreSQL and Redis =="
DATABASE_URL=$TEST_DATABASE_URL REDIS_URL=$TEST_REDIS_URL .venv/bin/python -m pytest -m "not embedded" \
    --ignore=tests/clients --ignore=tests/contract --ignore=tests/core --ignore=tests/docs --ignore=tests/openapi \
    --ignore=tests/ops "$@"
status=$?
# A selection that holds only tests of the embedded shape leaves nothing to repeat.
[ $status = 5 ] && [ "${REQUIRE_ALL:-}" != 1 ] && status=0
[ $first = 0 ] && exit $status
exit $first
