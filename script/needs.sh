# What the scripts here need, and how they come by it. Sourced, not run.

step() { printf '\n== %s\n' "$*"; }

missing() {
  printf 'missing: %s\n' "$1" >&2
  printf '   mend: %s\n' "$2" >&2
  exit 1
}

# need_package PROGRAM PACKAGE...: installs the packages when the program is not there and this is root.
need_package() {
  local program=$1
  shift
  command -v "$program" >/dev/null 2>&1 && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    step "installing: $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    missing "$program" "apt-get install $*   (as root)"
  fi
}

need_rust() {
  need_package cc build-essential
  need_package cmake cmake # aws-lc, the cryptography under TLS and tokens, builds with it
  local wanted=1.94 found
  [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
  command -v cargo >/dev/null 2>&1 || missing "Rust $wanted or later" "install it with rustup, the official installer"
  found=$(rustc --version | awk '{print $2}')
  [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
    missing "Rust $wanted or later (found $found)" "rustup update stable"
}

postgresql_bin() {
  local folder
  for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$(pg_config --bindir 2>/dev/null || true)"; do
    [ -x "$folder/initdb" ] || continue
    [ "$("$folder/postgres" --version | grep -oE '[0-9]+' | head -n 1)" -ge 15 ] && { echo "$folder"; return; }
  done
}

need_postgresql() {
  [ -n "$(postgresql_bin)" ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    step "installing: postgresql"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql postgresql-contrib >/dev/null
  fi
  [ -n "$(postgresql_bin)" ] || missing "PostgreSQL 15 or later" "apt-get install postgresql   (as root)"
}

# need_kafka_client: librdkafka is compiled against these.
need_kafka_client() {
  need_package pkg-config pkg-config
  pkg-config --exists openssl zlib 2>/dev/null || need_package libssl-dev libssl-dev zlib1g-dev
}

# need_python: for a consumer in another language, which has an environment of its own.
need_python() {
  need_package python3 python3 python3-venv
  python3 -c 'import ensurepip' 2>/dev/null || need_package python3-venv python3-venv
}

# compose ARGUMENT…: whichever docker compose is here. Checking a file needs no engine.
compose() {
  if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

need_compose() {
  docker compose version >/dev/null 2>&1 || need_package docker-compose docker-compose
}
