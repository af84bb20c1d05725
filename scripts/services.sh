#!/usr/bin/env bash
# The servers of environment `dev`, on loopback, in one folder: Kafka (noida-db), the schema registry (streamplat's
# own), ClickHouse, PostgreSQL and OpenBao with the passwords of the others.
#
#   scripts/services.sh start [NAME…]   starts what does not run, waits until it answers, prints the settings
#   scripts/services.sh stop [NAME…]    stops what this script started, by process id; data stays
#   scripts/services.sh status          says what runs
#   scripts/services.sh env             prints the settings as shell variables, for `eval` or `source`
#
# NAME is kafka, registry, clickhouse, postgres or vault; without one all are meant.
# STREAMPLAT_SERVICES names the folder (default .streamplat/services). A port that is taken is replaced by a free one.
set -euo pipefail
# Logs and settings hold passwords.
umask 077
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder="${STREAMPLAT_SERVICES:-$PWD/.streamplat/services}"
names=(kafka registry clickhouse postgres vault)
action="${1:-}"
if (($# > 1)); then
    shift
    for name in "$@"; do
        [[ " ${names[*]} " == *" $name "* ]] || {
            echo "services: there is no service '$name'; known: ${names[*]}" >&2
            exit 2
        }
    done
    names=("$@")
fi
settings="$folder/env"

fail() {
    echo "services: $1" >&2
    exit 3
}

# A process's id and start time: an id alone may belong to another one after a restart of the machine.
identity() { echo "$1 $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20)"; }

process_of() { cut -d ' ' -f 1 "$folder/$1.pid"; }

is_running() { [[ -f "$folder/$1.pid" && "$(<"$folder/$1.pid")" == "$(identity "$(process_of "$1")")" ]]; }

# A port nobody listens on: the usual one, or any.
free_port() {
    python3 - "$1" <<'PY'
import socket, sys
for port in (int(sys.argv[1]), 0):
    with socket.socket() as s:
        # Connections of a server that was just stopped do not hold its port.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(s.getsockname()[1])
        break
PY
}

wait_for() {
    # wait_for NAME COMMAND…: until the command succeeds, at most 90 seconds, or until the server has ended.
    local name="$1" try
    shift
    for ((try = 0; try < 900; try++)); do
        "$@" >/dev/null 2>&1 && return 0
        is_running "$name" || break
        sleep 0.1
    done
    tail -n 20 "$folder/$name.log" >&2 || true
    fail "$name did not come up; its log: $folder/$name.log"
}

password() { python3 -c 'import secrets; print(secrets.token_urlsafe(18))'; }

# Runs a command in the background with its own log and process id file. It keeps no descriptor of ours (whoever called
# this script may wait until one is closed, or hold a lock by it) and no blocked signal.
launch() {
    local name="$1"
    shift
    python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_SETMASK, [])
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.closerange(3, 4096)
os.execvp(sys.argv[1], sys.argv[1:])' "$@" >"$folder/$name.log" 2>&1 </dev/null &
    identity $! >"$folder/$name.pid"
}

# Once per folder: ports and passwords.
make_settings() {
    [[ -f "$settings" ]] && return 0
    {
        echo "KAFKA_PORT=$(free_port 9092)"
        echo "REGISTRY_PORT=$(free_port 8081)"
        echo "CLICKHOUSE_PORT=$(free_port 8123)"
        echo "CLICKHOUSE_PASSWORD=$(password)"
        echo "POSTGRES_PORT=$(free_port 5432)"
        echo "POSTGRES_PASSWORD=$(password)"
        echo "VAULT_PORT=$(free_port 8200)"
        echo "VAULT_TOKEN=$(password)"
    } >"$settings"
}

# The port of a service that is about to start: another one when somebody listens on the saved one by now.
keep_or_replace_port() {
    local variable="${1^^}_PORT" port
    port="$(free_port "${!variable}")"
    [[ "$port" == "${!variable}" ]] && return 0
    echo "port ${!variable} of $1 is taken by now; it gets $port" >&2
    sed -i "s/^$variable=.*/$variable=$port/" "$settings"
    printf -v "$variable" %s "$port"
}

# What the configuration files of environment dev read.
exported() {
    cat <<TEXT
export STREAMPLAT_ENVIRONMENT=dev
export STREAMPLAT_KAFKA=127.0.0.1:$KAFKA_PORT
export STREAMPLAT_REGISTRY=http://127.0.0.1:$REGISTRY_PORT
export STREAMPLAT_CLICKHOUSE=http://127.0.0.1:$CLICKHOUSE_PORT
export STREAMPLAT_POSTGRES_PORT=$POSTGRES_PORT
export VAULT_ADDR=http://127.0.0.1:$VAULT_PORT
export VAULT_TOKEN=$VAULT_TOKEN
TEXT
}

find_program() {
    # The executable: STREAMPLAT_BIN, else the release build.
    program="${STREAMPLAT_BIN:-$PWD/.build-release/release/streamplat}"
    [[ -x "$program" ]] || fail "$program is not there: run make build first, or set STREAMPLAT_BIN"
}

start_kafka() {
    local binary
    binary="$(echo "$python_folder"/lib/python3*/site-packages/noida_db/noida-db)"
    [[ -f "$binary" ]] || fail "noida-db is not in $python_folder: run scripts/test-env.sh"
    [[ -x "$binary" ]] || chmod +x "$binary"
    launch kafka "$binary" start --only kafka --data-dir "$folder/kafka" --kafka-port "$KAFKA_PORT"
    wait_for kafka python3 -c "import socket; socket.create_connection(('127.0.0.1', $KAFKA_PORT), 1)"
}

start_registry() {
    find_program
    launch registry "$program" registry --host 127.0.0.1 --port "$REGISTRY_PORT" --path "$folder/registry"
    wait_for registry curl -sf "http://127.0.0.1:$REGISTRY_PORT/subjects"
}

start_clickhouse() {
    local home="$folder/clickhouse" digest
    mkdir -p "$home"/{data,tmp,formats}
    digest="$(printf %s "$CLICKHOUSE_PASSWORD" | sha256sum | cut -d ' ' -f 1)"
    cat >"$home/config.xml" <<X
<yandex>
  <logger><level>warning</level><log>$home/server.log</log><errorlog>$home/server.err.log</errorlog></logger>
  <http_port>$CLICKHOUSE_PORT</http_port><tcp_port>$(free_port 9000)</tcp_port>
  <interserver_http_port>$(free_port 9009)</interserver_http_port><listen_host>127.0.0.1</listen_host>
  <path>$home/data/</path><tmp_path>$home/tmp/</tmp_path><format_schema_path>$home/formats/</format_schema_path>
  <mark_cache_size>268435456</mark_cache_size><users_config>users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
</yandex>
X
    cat >"$home/users.xml" <<X
<yandex>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users><streamplat>
    <password_sha256_hex>$digest</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota>
  </streamplat></users>
</yandex>
X
    (cd "$home" && launch clickhouse clickhouse-server --config-file="$home/config.xml")
    wait_for clickhouse curl -sf "http://127.0.0.1:$CLICKHOUSE_PORT/"
}

# PostgreSQL refuses to run as root: then its own user runs it.
as_postgres() {
    if [[ "$(id -u)" == 0 ]]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi
}

start_postgres() {
    local home="$folder/postgres" tools
    tools="$(pg_config --bindir 2>/dev/null || true)"
    [[ -x "$tools/postgres" ]] || tools="$(dirname "$(ls -d /usr/lib/postgresql/*/bin/postgres | tail -n 1)")"
    mkdir -p "$home"
    if [[ "$(id -u)" == 0 ]]; then
        chown postgres "$home"
        as_postgres test -x "$home" || fail "the user postgres cannot enter $home: set STREAMPLAT_SERVICES=/var/tmp/streamplat"
    fi
    if [[ ! -f "$home/data/PG_VERSION" ]]; then
        install -m 600 /dev/null "$home/password"
        printf '%s\n' "$POSTGRES_PASSWORD" >"$home/password"
        [[ "$(id -u)" == 0 ]] && chown postgres "$home/password"
        as_postgres "$tools/initdb" -D "$home/data" -U streamplat -A scram-sha-256 --pwfile "$home/password" -E UTF8 \
            --locale=C.UTF-8 >"$folder/postgres.log" 2>&1 || fail "initdb failed; see $folder/postgres.log"
        rm "$home/password"
        mkdir -p "$home/socket"
        [[ "$(id -u)" == 0 ]] && chown postgres "$home/socket"
    fi
    local run=("$tools/postgres" -D "$home/data" -h 127.0.0.1 -p "$POSTGRES_PORT" -k "$home/socket")
    [[ "$(id -u)" == 0 ]] && run=(setpriv --reuid=postgres --regid=postgres --clear-groups "${run[@]}")
    launch postgres "${run[@]}"
    wait_for postgres "$tools/pg_isready" -h 127.0.0.1 -p "$POSTGRES_PORT"
}

start_vault() {
    # OpenBao's development mode keeps everything in memory: the passwords are put in at every start.
    # The token comes by the environment: arguments are everybody's to read.
    BAO_DEV_ROOT_TOKEN_ID="$VAULT_TOKEN" launch vault "$python_folder/bin/bao" server -dev -dev-no-store-token \
        -dev-listen-address="127.0.0.1:$VAULT_PORT"
    wait_for vault curl -sf "http://127.0.0.1:$VAULT_PORT/v1/sys/health"
    local name value
    for name in clickhouse postgres; do
        value="$([[ $name == clickhouse ]] && echo "$CLICKHOUSE_PASSWORD" || echo "$POSTGRES_PASSWORD")"
        printf '{"data":{"user":"streamplat","password":"%s"}}' "$value" |
            curl -sf -o /dev/null -X POST --data-binary @- -H @<(echo "X-Vault-Token: $VAULT_TOKEN") \
                "http://127.0.0.1:$VAULT_PORT/v1/secret/data/streamplat/$name" ||
            fail "OpenBao did not take the secret streamplat/$name"
    done
}

start_one() {
    if is_running "$1"; then
        printf '%-11s runs already\n' "$1" >&2
    else
        "start_$1"
        printf '%-11s started\n' "$1" >&2
    fi
}

start() {
    mkdir -p "$folder"
    # The user postgres has to pass through.
    chmod 755 "$folder"
    folder="$(cd "$folder" && pwd)"
    settings="$folder/env"
    scripts/test-servers.sh >&2
    scripts/test-env.sh >&2
    python_folder="${STREAMPLAT_PYTHON:+$(dirname "$(dirname "$STREAMPLAT_PYTHON")")}"
    python_folder="${python_folder:-$PWD/.venv}"
    make_settings
    # shellcheck source=/dev/null
    source "$settings"
    local name jobs=() job failed=0
    for name in "${names[@]}"; do
        is_running "$name" || keep_or_replace_port "$name"
    done
    # Together: most of the time each of them only waits.
    for name in "${names[@]}"; do
        start_one "$name" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job" || failed=$?; done
    ((failed == 0)) || exit "$failed"
    echo >&2
    exported
    cat >&2 <<TEXT

Put these into your shell:  eval "\$(scripts/services.sh env)"
then:                       streamplat health; streamplat apply --yes; streamplat generate --events 1000; streamplat run --until-idle
Stop everything:            make services-stop
TEXT
}

stop() {
    local name pid try
    for name in "${names[@]}"; do
        is_running "$name" || continue
        pid="$(process_of "$name")"
        # PostgreSQL: fast shutdown; the others take the usual signal.
        if [[ "$name" == postgres ]]; then kill -INT "$pid"; else kill -TERM "$pid"; fi
    done
    for name in "${names[@]}"; do
        if is_running "$name"; then
            pid="$(process_of "$name")"
            for ((try = 0; try < 900; try++)); do
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
            done
            kill -0 "$pid" 2>/dev/null && fail "$name (process $pid) does not end"
        fi
        [[ -f "$folder/$name.pid" ]] && echo "$name stopped"
        rm -f "$folder/$name.pid"
    done
}

case "$action" in
start) start ;;
stop) stop ;;
status)
    for name in "${names[@]}"; do
        printf '%-11s %s\n' "$name" "$(is_running "$name" && echo "runs (process $(process_of "$name"))" || echo "does not run")"
    done
    ;;
env)
    [[ -f "$settings" ]] || fail "nothing was started in $folder: make services"
    # shellcheck source=/dev/null
    source "$settings"
    exported
    ;;
*)
    sed -n '2,12p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2
    exit 2
    ;;
esac
