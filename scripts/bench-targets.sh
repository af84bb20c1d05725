#!/usr/bin/env bash
# Measures what streamplat promises of its own speed and writes it into docs/benchmarks.md. EVENTS: how many (5000000); ROUNDS: of
# each pair (5); PARTS: comma-separated, by default all but memory, which makes a file of 11 GB. More arguments go to
# scripts/targets/targets.py. STREAMPLAT_BIN names another binary; avro-bench lies beside it. The parts with servers install and
# start them (scripts/services.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source scripts/release.sh
use_release
use_avro_bench
bash scripts/peers/environments.sh tools generator
arguments=(--binary "$streamplat" --events "${EVENTS:-5000000}" --rounds "${ROUNDS:-5}" --docs docs/benchmarks.md)
[[ -z "${PARTS:-}" ]] || arguments+=(--parts "$PARTS")
exec python3 scripts/targets/targets.py "${arguments[@]}" "$@"
