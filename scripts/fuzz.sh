#!/usr/bin/env bash
# Feeds mutated inputs to each reader of foreign bytes (libFuzzer with AddressSanitizer).
#   fuzz.sh              each target, or FUZZ_TARGET, for FUZZ_SECONDS; exit code 1 when something was found
#   fuzz.sh replay FILE  the input of a finding again, with its report (FUZZ_TARGET names the target)
#   fuzz.sh keep         the few inputs that reach the most code, of all seen so far, into Tests/FuzzCorpus
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=.build-fuzz
corpus=Tests/FuzzCorpus
seconds="${FUZZ_SECONDS:-600}"
read -ra targets <<<"${FUZZ_TARGET:-$(find "$corpus" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | tr '\n' ' ')}"
# A kept set is small enough to be replayed by every run of the tests.
kept_files=60
kept_bytes=20000

for target in "${targets[@]}"; do
    if [[ ! -d "$corpus/$target" ]]; then
        echo "fuzz: there is no target '$target'; there are: $(ls -I README.md "$corpus" | tr '\n' ' ')" >&2
        exit 64
    fi
done

echo "== building the fuzzer (release, libFuzzer, AddressSanitizer)"
# Of two sanitizers swiftc takes the last one only: without the explicit coverage no Swift code would guide the fuzzer.
coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table
options=(-c release --sanitize=fuzzer --sanitize=address -Xswiftc "-sanitize-coverage=$coverage" --scratch-path "$build"
    --product streamplat-fuzz)
export STREAMPLAT_FUZZ=1 STREAMPLAT_ONLY=streamplat-fuzz
# The linker says of each of AddressSanitizer's hidden symbols that it stays hidden.
swift build "${options[@]}" </dev/null 2>&1 | sed '/Cannot export local symbol/d'
program="$PWD/$(swift build "${options[@]}" --show-bin-path | sed "s|^$PWD/||")/streamplat-fuzz"

# Scratch files of targets go into memory where that is possible, and away at the end, also after a crash.
scratch="$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo /tmp)" streamplat-fuzz.XXXXXX)"
trap 'rm -rf "$scratch"' EXIT
run() {
    local target=$1
    shift
    local dictionary="Tests/Fuzzing/Dictionaries/$target.dict"
    [[ -f "$dictionary" ]] && set -- "-dict=$dictionary" "$@"
    # The runtime's own backtracer reads the memory of the crashed program in ways that AddressSanitizer objects to.
    # Leaks are not looked for: a Swift enum keeps its tag in spare bits of a pointer, which then looks lost.
    ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no TMPDIR="$scratch" STREAMPLAT_FUZZ_TARGET="$target" "$program" \
        -timeout=10 -rss_limit_mb=2048 "$@"
}

case "${1:-}" in
replay)
    [[ -n "${FUZZ_TARGET:-}" && -f "${2:-}" ]] || { echo "fuzz: use FUZZ_TARGET=<target> scripts/fuzz.sh replay FILE" >&2; exit 64; }
    run "$FUZZ_TARGET" "$2"
    exit
    ;;
keep)
    for target in "${targets[@]}"; do
        mkdir -p "$build/corpus/$target" "$build/merged"
        rm -rf "$build/merged/$target" && mkdir "$build/merged/$target"
        run "$target" -set_cover_merge=1 "$build/merged/$target" "$corpus/$target" "$build/corpus/$target" \
            >"$build/$target.merge.log" 2>&1 || { tail -n 40 "$build/$target.merge.log"; exit 1; }
        # What once failed stays, whatever it covers.
        find "$corpus/$target" -type f ! -name 'found-*' -delete
        # Small and large ones alike, evenly over the inputs by size.
        files=0
        while read -r file; do
            files=$((files + 1))
            cp "$build/merged/$target/$file" "$corpus/$target/${file:0:12}"
        done < <(find "$build/merged/$target" -type f -printf '%s %f\n' | sort -n | awk -v most="$kept_files" -v room="$kept_bytes" '
            { size[NR] = $1; name[NR] = $2 }
            END {
                step = NR > most ? NR / most : 1
                for (place = step; place < NR + 0.5; place += step) {
                    n = int(place + 0.001)
                    if (size[n] <= room) { room -= size[n]; print name[n] }
                }
            }')
        echo "== fuzz $target: kept $files inputs"
    done
    exit
    ;;
'') ;;
*)
    echo "fuzz: '$1' is neither replay nor keep" >&2
    exit 64
    ;;
esac

echo "== fuzzing ${targets[*]}: $seconds s each; logs, inputs and findings below $build"
worst=0
for target in "${targets[@]}"; do
    log="$build/$target.log"
    mkdir -p "$build/corpus/$target" "$build/findings/$target"
    before=$(find "$build/findings/$target" -type f | wc -l)
    status=0
    run "$target" "-max_total_time=$seconds" -print_final_stats=1 "-artifact_prefix=$build/findings/$target/" \
        "$build/corpus/$target" "$corpus/$target" >"$log" 2>&1 || status=$?
    if grep -q 'no interesting inputs were found' "$log"; then
        echo "fuzz: the program is built without coverage, so that $target was only fed at random; its log: $log" >&2
        exit 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if ((status == 0)) && (($(find "$build/findings/$target" -type f | wc -l) == before)); then
        echo "== fuzz $target: no finding in ${runs:-?} runs"
        continue
    fi
    worst=1
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "== fuzz $target: FOUND $(grep -aE '^== broken promise|^SUMMARY' "$log" | tail -n 1)"
    echo "   the report: $log"
    echo "   the input: ${input:-none was written}"
    echo "   to see it again: FUZZ_TARGET=$target scripts/fuzz.sh replay ${input:-FILE}"
done
exit "$worst"
