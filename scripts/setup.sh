#!/usr/bin/env bash
# Installs the system packages that streamplat is built with and checks the Swift toolchain.
# The second call finds everything there and needs neither the network nor rights.
# Exit codes: 0 all there, 3 something is missing that this script may not or cannot install.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/packages.sh
source packages.sh

install_packages "system packages" \
    pkg-config libyaml-dev libavro-dev libsqlite3-dev libsimdjson-dev zlib1g-dev \
    libcurl4-openssl-dev libpq-dev librdkafka-dev \
    g++ python3 python3-venv sqlite3

toolchain_hint="streamplat needs Swift 6.2 or newer: https://www.swift.org/install/linux/"
command -v swift >/dev/null || fail "no swift in PATH; $toolchain_hint"
version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)"
[[ -n "$version" ]] || fail "\`swift --version\` says no version; $toolchain_hint"
major="${version%%.*}" minor="${version##*.}"
((major > 6 || (major == 6 && minor >= 2))) || fail "found Swift $version; $toolchain_hint"
# The release executable has Swift's libraries in it (scripts/release.sh).
static="$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')_static"
[[ -d "$static" ]] || fail "this Swift toolchain has no static libraries ($static); $toolchain_hint"
echo "== swift $version"
