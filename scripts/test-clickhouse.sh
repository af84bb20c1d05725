#!/usr/bin/env bash
# The tests of the sink clickhouse against the engine of today. They are no part of `make test`: the engine is large.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/test-env.sh
scripts/chdb-env.sh

options=(-c release -Xswiftc -enable-testing --scratch-path .build-test)
echo "== building the tests (release); the first time takes some minutes"
swift build "${options[@]}" --build-tests </dev/null

STREAMPLAT_CHDB_PYTHON="$PWD/.venv-chdb/bin/python"
STREAMPLAT_PYTHON="$PWD/.venv/bin/python"
STREAMPLAT_BIN="$(swift build "${options[@]}" --show-bin-path)/streamplat"
export STREAMPLAT_CHDB_PYTHON STREAMPLAT_PYTHON STREAMPLAT_BIN
swift test "${options[@]}" --skip-build --disable-xctest --filter '^ModernClickHouseTests\.' </dev/null
