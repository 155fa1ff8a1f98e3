# PostgreSQL: a primary and two replicas that stream from it. Sourced by script/stack.

postgres_names() { printf '%s\n' postgres replica-1 replica-2; }

need_postgres() { need_postgresql; }

# unprivileged COMMAND…: PostgreSQL refuses to be root.
unprivileged() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@")
  else
    "$@"
  fi
}

sql() { # sql NAME STATEMENT [DATABASE]
  "$(postgresql_bin)/psql" -X -q -tA -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(port "$1")" -U jumun -d "${3:-postgres}" -c "$2"
}

postgres_create() {
  local folder
  port postgres >/dev/null
  for folder in postgres replica-1 replica-2; do
    mkdir -p "$data/$folder"
    [ "$(id -u)" != 0 ] || give_away "$data/$folder"
  done
  [ -d "$data/postgres/data" ] || postgres_init
  [ -d "$data/replica-2/data" ] || { alive postgres || launch postgres; await postgres; }
  [ -d "$data/replica-1/data" ] || replica_copy replica-1 replica_1
  [ -d "$data/replica-2/data" ] || replica_copy replica-2 replica_2
}

# give_away FOLDER: to who runs PostgreSQL. Everybody may pass through the folders above, none may list them for it.
give_away() {
  chown 65534:65534 "$1"
  local above
  above=$(dirname "$1")
  while [ "$above" != / ]; do
    chmod o+x "$above"
    above=$(dirname "$above")
  done
}

# Nothing half made is taken for whole: a folder gets its name when it is ready.
postgres_init() {
  local new=$data/postgres/data.new
  rm -rf "$new"
  unprivileged "$(postgresql_bin)/initdb" -U jumun -A trust -E UTF8 --locale=C.UTF-8 --no-sync -D "$new" >/dev/null
  cat >>"$new/postgresql.conf" <<-END
	listen_addresses = '127.0.0.1'
	unix_socket_directories = ''
	max_connections = 400
	shared_buffers = 128MB
	wal_level = logical
	max_wal_senders = 20
	max_replication_slots = 20
	max_slot_wal_keep_size = 4GB
	hot_standby = on
	END
  mv "$new" "$data/postgres/data"
}

replica_copy() { # replica_copy NAME SLOT
  local new=$data/$1/data.new
  rm -rf "$new"
  sql postgres "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '$2'" >/dev/null
  unprivileged "$(postgresql_bin)/pg_basebackup" -h 127.0.0.1 -p "$(port postgres)" -U jumun -D "$new" \
    -R -C -S "$2" -X stream -c fast --no-sync
  mv "$new" "$data/$1/data"
}

postgres_launch() {
  local flags=(-D "$data/$1/data" -p "$(port "$1")" -c "cluster_name=$1")
  [ -z "$fast" ] || flags+=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
  local command=("$(postgresql_bin)/postgres" "${flags[@]}")
  # Of the tests: flushes that take as long as a file says.
  [ ! -f "$data/slow-disk.so" ] || command=(env "LD_PRELOAD=$data/slow-disk.so" "SLOW_DISK=$data/slow-disk" "${command[@]}")
  if [ "$(id -u)" = 0 ]; then
    detach "$1" setpriv --reuid=65534 --regid=65534 --clear-groups "${command[@]}"
  else
    detach "$1" "${command[@]}"
  fi
}

postgres_answers() { "$(postgresql_bin)/pg_isready" -q -h 127.0.0.1 -p "$(port "$1")" -U jumun -d postgres; }

postgres_environment() {
  local primary replicas=() name
  primary=postgres://jumun@127.0.0.1:$(port postgres)
  for name in replica-1 replica-2; do replicas+=("postgres://jumun@127.0.0.1:$(port "$name")"); done
  [ -n "$(sql postgres "SELECT 1 FROM pg_database WHERE datname = 'jumun'")" ] || sql postgres 'CREATE DATABASE jumun'
  printf '%s\n' \
    "JUMUN_TEST_DATABASE_URL=$primary/postgres" \
    "JUMUN_TEST_REPLICA_URLS=${replicas[0]}/postgres,${replicas[1]}/postgres" \
    "JUMUN_DATABASE_URL=$primary/jumun" \
    "JUMUN_READ_REPLICA_URLS=${replicas[0]}/jumun,${replicas[1]}/jumun"
}
