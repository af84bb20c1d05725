# How the executable is built for use; sourced, in the project's folder, by whatever needs it, so that none builds it again.
# Swift's checks for overlapping access to a variable at run time took up to a third of the CPU where groups are many
# (docs/performance.md). They stay in debug builds and in the builds of all tests, which would meet such an access.
# Swift's libraries are a part of it: it starts sooner, runs where no Swift is installed, and calls them directly. (The toolchain's
# lld links it: gold, the usual one, prints a warning about Foundation's own code.)
release_options=(-c release -Xswiftc -enforce-exclusivity=unchecked --static-swift-stdlib -Xswiftc -use-ld=lld
    --scratch-path .build-release)

# Sets `streamplat` to the executable: STREAMPLAT_BIN where that is set, else one that is built now.
use_release() {
    streamplat="${STREAMPLAT_BIN:-}"
    [[ -z "$streamplat" ]] || return 0
    echo "== building streamplat (release)" >&2
    swift build "${release_options[@]}" --product streamplat >&2 </dev/null
    streamplat="$(swift build "${release_options[@]}" --show-bin-path)/streamplat"
}

# Has `avro-bench` beside the executable; where STREAMPLAT_BIN is set, whoever built that has built it, too.
use_avro_bench() {
    [[ -z "${STREAMPLAT_BIN:-}" ]] || return 0
    swift build "${release_options[@]}" --product avro-bench >&2 </dev/null
}
