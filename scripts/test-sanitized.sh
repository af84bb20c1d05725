#!/usr/bin/env bash
# Runs the tests that need no server under a sanitizer: test-sanitized.sh address|thread. Debug build, own folder.
# STREAMPLAT_ONLY=StreamRuntimeTests,... runs fewer suites.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
address) build=.build-asan ;;
thread) build=.build-tsan ;;
*) echo "test-sanitized: say address or thread" >&2 && exit 64 ;;
esac
suites=(AvroSchema Compression ConfigTree DataPath Diagnostics EmbeddedBroker EventLog Expressions FileSink FuzzCorpus
    Generation HTTPServer Ingest InputFiles KafkaClient LibAvro PlatformModel ProjectConfig RecordConversion RegistryServer
    SQLiteSink SchemaStore StreamRuntime StreamplatKit Telemetry TerminalViews YAMLTree)
# librdkafka starts its threads with C11's `thrd_create`, which ThreadSanitizer does not see: our code on such a thread
# then fails inside of the sanitizer itself.
[[ "$1" == thread ]] && suites=("${suites[@]/KafkaClient/}")
# shellcheck disable=SC2068  # an emptied name shall vanish
STREAMPLAT_ONLY="${STREAMPLAT_ONLY:-$(printf '%sTests,' ${suites[@]})}"
export STREAMPLAT_ONLY

options=(--sanitize="$1" --scratch-path "$build")
echo "== building the tests (debug, ${1} sanitizer)"
# The linker says of each of AddressSanitizer's hidden symbols that it stays hidden.
swift build "${options[@]}" --build-tests </dev/null 2>&1 | sed '/Cannot export local symbol/d'
echo "== running the tests (${1} sanitizer)"
# A report ends the run: what the sanitizer prints is the finding.
export SWIFT_BACKTRACE=enable=no
# Leaks are not looked for: a Swift enum keeps its tag in spare bits of a pointer, which then looks lost.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"
[[ -x .venv/bin/python ]] && export STREAMPLAT_PYTHON="${STREAMPLAT_PYTHON:-$PWD/.venv/bin/python}"
swift test "${options[@]}" --skip-build --disable-xctest </dev/null
