#!/usr/bin/env bash
# Makes .venv-chdb, a Python environment with the engine of a ClickHouse of today (chdb), about 900 MB. Only
# `make test-clickhouse` needs it. A stamp holds the hash of the list, so a second call is instant.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=('chdb==4.4.0' 'chdb-core==26.9.0')

environment=.venv-chdb
stamp="$environment/streamplat-requirements.sha256"
wanted="$(printf '%s\n' "${packages[@]}" "$(python3 --version)" | sha256sum | cut -d ' ' -f 1)"
if [[ -x "$environment/bin/python" && -f "$stamp" && "$(<"$stamp")" == "$wanted" ]]; then
    echo "== chdb environment: there"
    exit 0
fi

echo "== creating $environment and installing ${packages[*]} (about 900 MB)"
python3 -m venv --clear "$environment"
for attempt in 1 2 3; do
    if "$environment/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        --prefer-binary "${packages[@]}"; then
        printf '%s\n' "$wanted" >"$stamp"
        exit 0
    fi
    echo "== pip failed (attempt $attempt of 3)" >&2
    ((attempt == 3)) || sleep $((attempt * 5))
done
echo "chdb-env: could not install; is the package index reachable?" >&2
exit 3
