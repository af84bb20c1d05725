#!/usr/bin/env bash
# Sets up, builds and runs every test. The last line is the test runner's closing line, the exit code its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A part of the package has a part of the tests.
unset STREAMPLAT_ONLY
scripts/setup.sh
scripts/test-servers.sh
scripts/test-env.sh

options=(-c release -Xswiftc -enable-testing --scratch-path .build-test)
echo "== building the tests (release); the first time takes some minutes"
swift build "${options[@]}" --build-tests </dev/null

STREAMPLAT_PYTHON="$PWD/.venv/bin/python"
STREAMPLAT_BIN="$(swift build "${options[@]}" --show-bin-path)/streamplat"
export STREAMPLAT_PYTHON STREAMPLAT_BIN
# What tests leave behind goes with them, also where they are killed in the middle.
TMPDIR="$(mktemp -d)"
export TMPDIR
# PostgreSQL runs as a user of its own where root runs the tests.
chmod 755 "$TMPDIR"
# The build has a process group of its own: `swift build` is a child of the script that is started.
build=
trap '[[ -z "$build" ]] || kill -- "-$build" 2>/dev/null || true; rm -rf "$TMPDIR"' EXIT
log="$TMPDIR/log"
worst=0
# All tests are Swift Testing's; without XCTest its empty report does not stand before or after the real one.
run() {
    swift test "${options[@]}" --skip-build --disable-xctest "$@" </dev/null 2>&1 | tee "$TMPDIR/part" || worst=${PIPESTATUS[0]}
    cat "$TMPDIR/part" >>"$log"
    # A filter that meets no test is a success for the runner.
    grep -aqE 'Test run with [1-9]' "$TMPDIR/part" || { echo "error: no test ran: $*" | tee -a "$log" && worst=1; }
}

echo "== counting instructions"
scripts/bench.sh --check || worst=$?

# Suites that start servers run by themselves: beside all others two cores are too few for their time limits.
by_themselves=('PostgreSQLSinkTests' 'ClickHouseSinkTests' 'KafkaClientTests|KafkaBrokerTests|KafkaSinkTests'
    'HTTPClientTests|VaultSecretsTests' 'RegistryServerTests|ConfluentRegistryTests|HTTPServerTests')
for suites in "${by_themselves[@]}"; do
    echo "== running the tests: ${suites//|/, }"
    run --filter "^(${suites})\\."
done
# What users get is built otherwise (scripts/release.sh): it must link, and do what the README says. Tests that wait for
# programs leave cores idle, which build it at the lowest priority.
setsid nice -n 19 scripts/build.sh >"$TMPDIR/build" 2>&1 &
build=$!
# In parts: Foundation's Process fails in a test runner that has started about a thousand programs.
for part in '[A-Q]' 'R' '[S-Z]'; do
    echo "== running the tests: EndToEndTests, ${part}*"
    run --filter "^EndToEndTests\\.EndToEnd/${part}"
done
echo "== running the tests: README with the executable that make build builds"
if wait "$build"; then
    for_use="$(sed -n 's/^== built: //p' "$TMPDIR/build")"
    libraries="$(readelf -d "$for_use")"
    [[ "$libraries" != *libswift* ]] || { echo "error: it needs Swift's libraries" | tee -a "$log" && worst=1; }
    STREAMPLAT_BIN="$for_use" run --filter '^EndToEndTests\.EndToEnd/ReadmeTests'
else
    worst=$?
    tee -a "$log" <"$TMPDIR/build"
fi
build=
echo "== running the tests: all others"
run --skip "^($(IFS='|' && echo "${by_themselves[*]}")|EndToEndTests)\\."
if ((worst)); then
    # What failed stands once more at the end: the first failure may be thousands of lines above.
    echo "== what failed"
    grep -aE '^✘|^error:|: error:' "$log" || tail -n 40 "$log"
fi
exit "$worst"
