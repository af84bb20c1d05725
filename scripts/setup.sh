#!/usr/bin/env bash
# Installs the system packages that streamplat is built with and checks the Swift toolchain.
# The second call finds everything there and needs neither the network nor rights.
# Exit codes: 0 all there, 3 something is missing that this script may not or cannot install.
set -euo pipefail

packages=(
    pkg-config libyaml-dev libavro-dev librdkafka-dev libsqlite3-dev libsimdjson-dev zlib1g-dev
    g++ python3 python3-venv sqlite3
)

fail() {
    echo "setup: $1" >&2
    exit 3
}

has_package() {
    # pkg-config may be provided by pkgconf.
    [[ "$1" == pkg-config ]] && command -v pkg-config >/dev/null && return 0
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

command -v dpkg-query >/dev/null || fail "this is not Debian or Ubuntu; install what corresponds to: ${packages[*]}"

missing=()
for package in "${packages[@]}"; do
    has_package "$package" || missing+=("$package")
done

if ((${#missing[@]})); then
    echo "== installing system packages: ${missing[*]}"
    if [[ "$(id -u)" == 0 ]]; then
        as_root=(env)
    elif command -v sudo >/dev/null; then
        as_root=(sudo env)
        # Without a terminal sudo must not wait for a password.
        [[ -t 0 ]] || as_root=(sudo -n env)
    else
        fail "neither root nor sudo; as root: apt-get install ${missing[*]}"
    fi
    as_root+=(DEBIAN_FRONTEND=noninteractive)
    # The lists may be old but enough: they are fetched only when the first attempt fails.
    install=("${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}")
    if ! "${install[@]}"; then
        echo "== fetching the package lists and trying again"
        "${as_root[@]}" apt-get update || fail "apt-get update failed; install by hand: ${missing[*]}"
        "${install[@]}" || fail "apt-get failed; install by hand: ${missing[*]}"
    fi
else
    echo "== system packages: all there"
fi

toolchain_hint="streamplat needs Swift 6.1 or newer: https://www.swift.org/install/linux/"
command -v swift >/dev/null || fail "no swift in PATH; $toolchain_hint"
version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)"
[[ -n "$version" ]] || fail "\`swift --version\` says no version; $toolchain_hint"
major="${version%%.*}" minor="${version##*.}"
((major > 6 || (major == 6 && minor >= 1))) || fail "found Swift $version; $toolchain_hint"
echo "== swift $version"
