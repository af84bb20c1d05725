#!/usr/bin/env bash
# Sets up, builds and runs every test. The last line is the test runner's closing line, the exit code its own.
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
export STREAMPLAT_PYTHON STREAMPLAT_BIN
# All tests are Swift Testing's; without XCTest its empty report does not stand before or after the real one.
run() { swift test "${options[@]}" --skip-build --disable-xctest "$@" </dev/null; }

# Suites that start servers run by themselves: beside all others two cores are too few for their time limits.
worst=0
for servers in 'PostgreSQLSinkTests' 'ClickHouseSinkTests' 'KafkaClientTests|KafkaBrokerTests' \
    'HTTPClientTests|VaultSecretsTests' 'RegistryServerTests|ConfluentRegistryTests|HTTPServerTests' 'EndToEndTests'; do
    echo "== running the tests: ${servers//|/, }"
    run --filter "^(${servers})\\." || worst=$?
done
echo "== running the tests: all others"
by_themselves='PostgreSQLSink|ClickHouseSink|KafkaClient|KafkaBroker|HTTPClient|VaultSecrets|RegistryServer'
by_themselves+='|ConfluentRegistry|HTTPServer|EndToEnd'
if ((worst)); then
    echo "== some of the tests above failed; the others:" >&2
    run --skip "^(${by_themselves})Tests\\." || true
    exit "$worst"
fi
run --skip "^(${by_themselves})Tests\\."
