#!/usr/bin/env bash
# Measures generate, ingest, run and validate with a release build; prints the tables of docs/benchmarks.md.
# Arguments go to scripts/bench.py: --events N, --repeat N, --check. STREAMPLAT_BIN names another binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source scripts/release.sh
use_release
exec python3 scripts/bench.py --binary "$streamplat" "$@"
