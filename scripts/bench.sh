#!/usr/bin/env bash
# Measures generate, ingest, run and validate with a release build; prints the tables of docs/benchmarks.md.
# Arguments go to scripts/bench.py: --events N, --repeat N, --check. STREAMPLAT_BIN names another binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z "${STREAMPLAT_BIN:-}" ]]; then
    echo "== building streamplat (release)" >&2
    source scripts/release.sh
    options=("${release_options[@]}" --product streamplat)
    swift build "${options[@]}" >&2 </dev/null
    STREAMPLAT_BIN="$(swift build "${options[@]}" --show-bin-path)/streamplat"
fi
exec python3 scripts/bench.py --binary "$STREAMPLAT_BIN" "$@"
