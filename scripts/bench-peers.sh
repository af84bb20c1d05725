#!/usr/bin/env bash
# Runs streamplat and what a user might take instead side by side, and writes the tables of docs/benchmarks.md. EVENTS: how many
# (1000000); ROUNDS: of each pair (5); PEERS and WORKLOADS: comma-separated, by default all. More arguments go to
# scripts/peers/compare.py. STREAMPLAT_BIN names another binary. Peers that cannot be installed are skipped and named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source scripts/release.sh
use_release
events="${EVENTS:-1000000}"
chosen=()
# `duckdb-table` has the environment of `duckdb`.
[[ -z "${PEERS:-}" ]] || IFS=, read -ra chosen <<<"tools,${PEERS//-table/}"
bash scripts/peers/environments.sh "${chosen[@]}"
echo "== making $events purchases, unless they are there" >&2
.peers/tools/bin/python scripts/peers/events.py --events "$events" --out .peers/data
arguments=(--binary "$streamplat" --events "$events" --rounds "${ROUNDS:-5}" --docs docs/benchmarks.md)
[[ -z "${PEERS:-}" ]] || arguments+=(--peers "$PEERS")
[[ -z "${WORKLOADS:-}" ]] || arguments+=(--workloads "$WORKLOADS")
exec python3 scripts/peers/compare.py "${arguments[@]}" "$@"
