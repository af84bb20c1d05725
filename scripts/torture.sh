#!/usr/bin/env bash
# The long kill sweep: STREAMPLAT_TORTURE_KILLS (default 200) kills at random moments for each store, beside those at every
# named step. STREAMPLAT_TORTURE_SEED repeats the choices of a sweep, which prints its seed; STREAMPLAT_TORTURE_STORE takes
# one store only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/test-servers.sh
scripts/test-env.sh
options=(-c release -Xswiftc -enable-testing --scratch-path .build-test)
echo "== building the tests (release); the first time takes some minutes"
swift build "${options[@]}" --build-tests </dev/null
STREAMPLAT_PYTHON="$PWD/.venv/bin/python"
STREAMPLAT_BIN="$(swift build "${options[@]}" --show-bin-path)/streamplat"
STREAMPLAT_TORTURE_KILLS="${STREAMPLAT_TORTURE_KILLS:-200}"
export STREAMPLAT_PYTHON STREAMPLAT_BIN STREAMPLAT_TORTURE_KILLS
# A process for each store: Foundation's Process has crashed a test runner that had started about a thousand children.
for store in ${STREAMPLAT_TORTURE_STORE:-sqlite postgresql clickhouse file kafka}; do
    echo "== torture of $store"
    STREAMPLAT_TORTURE_STORE="$store" swift test "${options[@]}" --skip-build --disable-xctest \
        --filter '^EndToEndTests\.EndToEnd/(TortureTests/kills|ClusterTests/sweep)' </dev/null
done
echo "== torture by paused runs, older copies and many workers"
exec swift test "${options[@]}" --skip-build --disable-xctest \
    --filter '^EndToEndTests\.EndToEnd/(TortureTests|KillSweepTests|ClusterTests)' --skip 'TortureTests/kills|ClusterTests/sweep' </dev/null
