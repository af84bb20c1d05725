#!/usr/bin/env bash
# Draws how time and memory grow with events, groups, windows, aggregations and partitions: docs/curve-*.svg and a part of
# docs/benchmarks.md. MOST_EVENTS: of the curve over events (10000000; 100000000 makes a file of 21 GB). Arguments go to
# scripts/curves/curves.py; STREAMPLAT_BIN names another binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source scripts/release.sh
use_release
bash scripts/peers/environments.sh tools
exec python3 scripts/curves/curves.py --binary "$streamplat" --docs docs --most-events "${MOST_EVENTS:-10000000}" "$@"
