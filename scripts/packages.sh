# Installs Debian packages; sourced by the scripts that need some. Works as root and with sudo; needs neither the
# network nor rights when everything is there. Ends the script with 3 when something cannot be installed.

fail() {
    echo "setup: $1" >&2
    exit 3
}

has_package() {
    # pkg-config may be provided by pkgconf.
    [[ "$1" == pkg-config ]] && command -v pkg-config >/dev/null && return 0
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

install_packages() {
    # install_packages WHAT PACKAGE…
    local what="$1" package
    shift
    command -v dpkg-query >/dev/null || fail "this is not Debian or Ubuntu; install what corresponds to: $*"
    local missing=() as_root install
    for package in "$@"; do
        has_package "$package" || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "== $what: all there"
        return 0
    fi
    echo "== installing $what: ${missing[*]}"
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
}
