#!/usr/bin/env bash
# Installs the servers that the tests and `make services` run: PostgreSQL, ClickHouse, Prometheus. Kafka and OpenBao come
# with scripts/test-env.sh. The daemons that these packages may start by themselves are not used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/packages.sh
source packages.sh

install_packages "servers for tests" \
    postgresql postgresql-client clickhouse-server clickhouse-client prometheus curl
