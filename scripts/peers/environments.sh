#!/usr/bin/env bash
# Makes the virtual environments of the peers under .peers/: environments.sh [PEER…], by default all of them. One that is there
# stays as it is. A peer that cannot be installed is skipped, and .peers/<peer>.skipped says why; only `tools`, which makes the
# data and judges the answers, must be there. Exit codes: 0 done, 3 `tools` cannot be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

declare -A packages=(
    [tools]='numpy==2.4.6 fastavro==1.13.1 duckdb==2.0.0'
    [duckdb]='duckdb==2.0.0'
    [polars]='polars==2.1.0'
    [chdb]='chdb==4.4.0'
    [bytewax]='bytewax==0.21.1 orjson==3.13.0'
    [pathway]='pathway==0.33.0'
    [flink]='apache-flink==2.3.0'
    [spark]='pyspark==4.3.0'
    [generator]='numpy==2.4.6 polars==2.1.0'
)
order=(tools duckdb polars chdb bytewax pathway flink spark)
needs_java=' flink spark '

skip() {
    echo "== $1: skipped, $2" >&2
    printf '%s\n' "$2" >".peers/$1.skipped"
    [[ "$1" != tools ]] || exit 3
}

install() {
    local peer="$1" wanted environment=".peers/$1" log=".peers/$1.log"
    wanted="${packages[$peer]} $(python3 --version)"
    rm -f ".peers/$peer.skipped"
    if [[ "$needs_java" == *" $peer "* ]] && ! command -v java >/dev/null; then
        skip "$peer" 'it needs Java 17 (Debian: openjdk-17-jre-headless)'
        return
    fi
    if [[ -f "$environment/streamplat-packages" && "$(<"$environment/streamplat-packages")" == "$wanted" ]]; then
        return
    fi
    echo "== installing ${packages[$peer]}" >&2
    local try
    for try in 1 2 3; do
        # shellcheck disable=SC2086
        if python3 -m venv --clear "$environment" >"$log" 2>&1 &&
            "$environment/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
                --prefer-binary ${packages[$peer]} >>"$log" 2>&1; then
            printf '%s\n' "$wanted" >"$environment/streamplat-packages"
            return
        fi
        ((try == 3)) || sleep $((try * 5))
    done
    rm -rf "$environment"
    skip "$peer" "pip could not install ${packages[$peer]}: $(grep -a 'ERROR' "$log" | tail -n 1 || tail -n 1 "$log")"
}

mkdir -p .peers
(($# > 0)) || set -- "${order[@]}"
for peer in "$@"; do
    [[ -n "${packages[$peer]:-}" ]] || { echo "environments: no peer '$peer'; there are: ${order[*]}" >&2; exit 64; }
    install "$peer"
done
