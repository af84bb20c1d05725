#!/usr/bin/env bash
# From nothing to result tables: sets up, builds, applies the ecommerce domain on environment `local`, generates two
# hours of events, runs the pipeline over them and shows tables and a chart. Data stays under .streamplat and
# accumulates when the demo runs again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

domain=domains/ecommerce.yaml
SECONDS=0
step() { printf '\n[%s/6] %s\n' "$1" "$2"; }
show() {
    # Prints a command as a person would type it, then runs it.
    local text="" word
    for word in "$@"; do
        [[ "$word" =~ ^[A-Za-z0-9_./=:-]+$ ]] && text+=" $word" || text+=" \"$word\""
    done
    printf '$ streamplat%s\n' "$text"
    "$streamplat" "$@"
}

step 1 "system packages and toolchain"
scripts/setup.sh

step 2 "build (release); the first time takes some minutes"
unset STREAMPLAT_BIN
source scripts/release.sh
use_release

step 3 "apply: schemas, topics and tables of $domain"
show apply "$domain" --yes

step 4 "generate 100,000 events over two hours of event time"
show generate "$domain" --events 100000 --span 2h

step 5 "run the pipeline until all is read, and close the open windows"
show run "$domain" --until-idle --close-windows

step 6 "look at the results"
show query
show query "SELECT * FROM events_per_minute ORDER BY window_start DESC LIMIT 9"
show query "SELECT * FROM revenue_per_hour ORDER BY window_start DESC LIMIT 6"
show query "SELECT * FROM top_products_viewed ORDER BY count DESC LIMIT 5"
show query "SELECT window_start, unique_count FROM active_users ORDER BY window_start DESC LIMIT 20" --chart unique_count

cat <<TEXT

Done in $SECONDS s. What to try next (the executable is ${streamplat#"$PWD"/}):
  streamplat generate --events 1000000 --span 1d    more events
  streamplat run                                    keep running; ctrl-c drains and ends
  streamplat query "SELECT ..." --output json       results for other programs
  streamplat config show                            the merged configuration
  streamplat schema purchase                        the generated Avro schema
  make test                                         run every test
A domain of your own: see docs/domains.md; write domains/NAME.yaml and \`streamplat apply\` it. No code, no rebuild.
TEXT
