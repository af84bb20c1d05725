#!/usr/bin/env bash
# Builds the executable and says where it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

unset STREAMPLAT_BIN
source scripts/release.sh
use_release
echo "== built: $streamplat"
