#!/usr/bin/env bash
# Builds the executable and says where it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source scripts/release.sh
swift build "${release_options[@]}" --product streamplat </dev/null
echo "== built: $(swift build "${release_options[@]}" --show-bin-path)/streamplat"
