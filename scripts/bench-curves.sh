#!/usr/bin/env bash
# Draws how time and memory grow with events, groups, windows, aggregations and partitions: docs/curve-*.svg and a part of
# docs/benchmarks.md. Arguments go to scripts/curves/curves.py; STREAMPLAT_BIN names another binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z "${STREAMPLAT_BIN:-}" ]]; then
    echo "== building streamplat (release)" >&2
    source scripts/release.sh
    options=("${release_options[@]}" --product streamplat)
    swift build "${options[@]}" >&2 </dev/null
    STREAMPLAT_BIN="$(swift build "${options[@]}" --show-bin-path)/streamplat"
fi
bash scripts/peers/environments.sh tools
exec python3 scripts/curves/curves.py --binary "$STREAMPLAT_BIN" --docs docs "$@"
