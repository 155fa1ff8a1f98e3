#!/usr/bin/env bash
# Builds and measures everything in one run, in turn, against one PostgreSQL.
#   PG_URL=postgres://user@host:port/postgres OUT=/some/dir ./run.sh [build|measure|report]     (default: all three)
# PG_URL's user must be a superuser; databases peer_* are dropped and made anew. OUT takes all build output, the raw
# rows (raw.tsv), the load while measuring (load.tsv) and the table (results.md).
# SECS, RUNS, SEED: seconds a run, runs a figure, events read back. STORES: which stores.
set -euo pipefail
: "${PG_URL:?}" "${OUT:?}" "${SECS:=5}" "${RUNS:=3}" "${SEED:=200000}"
: "${STORES:=jumun postgres-es disintegrate esrs emmett message-db axon}" "${JUMUN_BENCH:=$(dirname "$0")/../../target/release/bench}"
export SECS RUNS SEED
here=$(cd "$(dirname "$0")" && pwd)
what=${1:-all}
bin=$(pg_config --bindir)
raw=$OUT/raw.tsv
mkdir -p "$OUT"

build() {
  mkdir -p "$OUT/rust" "$OUT/node" "$OUT/java"
  cp -r "$here"/rust/. "$OUT/rust/"; cp -r "$here"/node/. "$OUT/node/"; cp -r "$here"/java/. "$OUT/java/"
  (cd "$OUT/rust" && CARGO_TARGET_DIR=$OUT/target cargo build --release)
  case $STORES in *emmett* | *message-db*) (cd "$OUT/node" && npm install --silent --no-audit --no-fund) ;; esac
  case $STORES in *axon*) (cd "$OUT/java" && mvn -q -B package) ;; esac
}

database() { # makes a database anew and sets $url
  psql -Xq "$PG_URL" -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" -c "CREATE DATABASE $1" 2>/dev/null
  url=${PG_URL%/*}/$1
}

row() { printf '%s\t' "${@:1:5}" >>"$raw"; printf '%s\n' "${6:-}" >>"$raw"; }

bench() { # store test concurrency rows-per-transaction script [pgbench options]: RUNS rows
  for _ in $(seq "$RUNS"); do
    "$bin/pgbench" -n -M prepared -c "$3" -j 2 -T "$SECS" -D data="$event" -f "$here/sql/$5" "${@:6}" "$url" >"$OUT/pgbench.out" 2>"$OUT/pgbench.err" ||
      { cat "$OUT/pgbench.err" >&2; return 1; }
    row "$1" "$2" "$3" "$(awk -v n="$4" '/^tps/ {printf "%.0f", $3 * n}' "$OUT/pgbench.out")" 0 \
      "latency $(awk '/^latency average/ {print $4}' "$OUT/pgbench.out") ms"
  done
}

copy() { # table
  for _ in $(seq "$RUNS"); do
    psql -Xq "$url" -c "TRUNCATE $1" -c CHECKPOINT
    local t; t=$(psql -XAtq "$url" -c '\timing on' -c "\\copy $1 (stream, version, type, data) FROM '$OUT/copy.txt'" | awk '/^Time/ {print $2}')
    row physical "copy-$1" 1 "$(awk -v n="$SEED" -v t="$t" 'BEGIN {printf "%.0f", n / t * 1000}')" 0 "$SEED rows in one COPY"
  done
}

physical() {
  database peer_raw
  psql -Xq "$url" -f "$here/sql/base.sql" 2>/dev/null
  "$bin/pg_test_fsync" -s 2 -f "$OUT/fsync.tmp" >"$OUT/fsync.out" 2>&1 || true
  row physical fdatasync 1 "$(awk '/^ +fdatasync/ && !n++ {printf "%.0f", $2}' "$OUT/fsync.out")" 0 "8 kB write + fdatasync, pg_test_fsync"
  psql -XAtq "$url" -c "\\copy (SELECT gen_random_uuid(), 1, 'OrderPlaced', '$event'::jsonb FROM generate_series(1, $SEED)) TO '$OUT/copy.txt'"
  copy bare; copy ev
  psql -Xq "$url" -c 'VACUUM ANALYZE' -c CHECKPOINT
  for c in 1 8 16 64; do bench physical single "$c" 1 single.sql; done
  for c in 1 8 64; do bench physical rows-100 "$c" 100 multi.sql; done
  psql -Xq "$url" -c CHECKPOINT
  # the same table through sqlx, alone and with a sketch of group commit; it holds SEED events when they start
  for store in raw-sqlx group-commit; do
    psql -Xq "$url" -f "$here/sql/base.sql" 2>/dev/null
    PG_URL=$url "$OUT/target/release/peers" "$store" >>"$raw"
  done
}

control() { # the same figure again before each store, to show drift
  url=${PG_URL%/*}/peer_raw
  psql -Xq "$PG_URL" -c CHECKPOINT
  RUNS=1 bench physical control 16 1 single.sql
}

message_db() {
  database peer_message_db
  (read -r PGHOST PGPORT PGUSER < <(psql -XAtq "$url" -c '\echo :HOST :PORT :USER')
   PGPASSWORD=$(python3 -c 'import sys, urllib.parse as u; print(u.unquote(u.urlsplit(sys.argv[1]).password or ""))' "$url")
   export PGHOST PGPORT PGUSER PGPASSWORD DATABASE_NAME=peer_message_db CREATE_DATABASE=off
   bash "$OUT/node/node_modules/@eventide/message-db/database/install.sh" >/dev/null)
  psql -Xq "$url" -c 'ALTER DATABASE peer_message_db SET search_path TO message_store, public'
  ONLY=seed,read PG_URL=$url "$OUT/target/release/peers" message-db >>"$raw"
  for c in 1 16 64; do bench message-db append "$c" 1 message_db.sql -D categories=1; done
  for c in 16 64; do bench message-db "append, 64 categories" "$c" 1 message_db.sql -D categories=64; done
  ONLY=hot PG_URL=$url "$OUT/target/release/peers" message-db >>"$raw"
}

measure() {
  event=$(sed 's/^ *//' "$here/sql/event.json" | tr -d '\n')
  : >"$raw"
  "${PYTHON:-python3}" "$here/load.py" $$ >"$OUT/load.tsv" & local load=$!
  trap "kill $load" EXIT
  row env date 0 0 0 "$(date -u +%FT%TZ)"
  row env load-before 0 0 0 "$(cut -d' ' -f1-3 /proc/loadavg)"
  row env postgres 0 0 0 "$(psql -XAtq "$PG_URL" -c "SELECT current_setting('server_version') || ', shared_buffers ' || current_setting('shared_buffers') || ', fsync ' || current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit') || ', wal_sync_method ' || current_setting('wal_sync_method') || ', max_wal_size ' || current_setting('max_wal_size')")"
  row env machine 0 0 0 "$(nproc) cores, $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo), $(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo)"
  row env stores 0 0 0 "$(cat "$here/rust/Cargo.toml" "$here/node/package.json" "$here/java/pom.xml" | sed -nE \
    -e 's/^(postgres-es|disintegrate-postgres|esrs) = .*"=([0-9.]+)".*/\1 \2/p' \
    -e 's/.*"(@event-driven-io\/emmett-postgresql|@eventide\/message-db)": "([0-9.]+)".*/\1 \2/p' \
    -e 's/.*<artifactId>(axon-eventsourcing)<.*<version>([0-9.]+)<.*/\1 \2/p' | paste -sd, | sed 's/,/, /g')"
  row env tools 0 0 0 "$(rustc --version | cut -d' ' -f1,2), node $(node --version), $(java -version 2>&1 | awk -F\" 'NR == 1 {print "java " $2}')"
  physical
  for store in $STORES; do
    control
    case $store in
    jumun) database peer_jumun; PG_URL=$url "$JUMUN_BENCH" engine >>"$raw" ;;
    message-db) message_db ;;
    emmett) database peer_emmett; PG_URL=$url node "$OUT/node/emmett.mjs" >>"$raw" ;;
    axon) database peer_axon; PG_URL=$url java -cp "$OUT/java/target/peers.jar:$OUT/java/target/lib/*" Peers >>"$raw" ;;
    *) database "peer_${store//-/_}"; PG_URL=$url "$OUT/target/release/peers" "$store" >>"$raw" ;;
    esac
  done
  control
  row env load-after 0 0 0 "$(cut -d' ' -f1-3 /proc/loadavg)"
  row env date 0 0 0 "$(date -u +%FT%TZ)"
}

if [ "$what" = all ] || [ "$what" = build ]; then build; fi
if [ "$what" = all ] || [ "$what" = measure ]; then measure; fi
if [ "$what" = all ] || [ "$what" = report ]; then
  "${PYTHON:-python3}" "$here/report.py" "$raw" "$OUT/load.tsv" >"$OUT/results.md"; cat "$OUT/results.md"; fi
