#!/usr/bin/env bash
# Measures generate, ingest, run and validate with a release build; prints the tables of docs/benchmarks.md. Arguments go to
# scripts/bench.py: --events N, --repeat N, --floors. With --check: counts instructions and judges them (scripts/targets/check.py), as
# CI does. STREAMPLAT_BIN names another binary; avro-bench lies beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ "${1:-}" == --check ]]; then
    # shellcheck source=scripts/packages.sh
    (source scripts/packages.sh && install_packages "tools of bench --check" valgrind binutils)
    scripts/test-env.sh
fi
source scripts/release.sh
use_release
if [[ "${1:-}" == --check ]]; then
    use_avro_bench
    exec "${STREAMPLAT_PYTHON:-.venv/bin/python}" scripts/targets/check.py --binary "$streamplat"
fi
exec python3 scripts/bench.py --binary "$streamplat" "$@"
