# What the stack is made of: flags, and what an earlier start has settled. Sourced by script/stack.

data=.jumun-stack
cache=${XDG_CACHE_HOME:-$HOME/.cache}/jumun-stack
only=
brokers=
fast=
remove=
kafka_proxy=

read_flags() {
  while [ $# -gt 0 ]; do
    case $1 in
      --data-dir) data=${2:?--data-dir needs a folder} && shift ;;
      --cache) cache=${2:?--cache needs a folder} && shift ;;
      --only) only=${2:?--only needs parts} && shift ;;
      --brokers) brokers=${2:?--brokers needs a number} && shift ;;
      --kafka-proxy) kafka_proxy=${2:?--kafka-proxy needs a port} && shift ;;
      --fast) fast=yes ;;
      --remove) remove=yes ;;
      *) usage ;;
    esac
    shift
  done
  case $brokers in '' | 1 | 3) ;; *) usage ;; esac
  local part
  for part in ${only//,/ }; do
    case $part in postgres | kafka | opensearch) ;; *) usage ;; esac
  done
  data=$(realpath -m "$data")
}

# lock: one at a time works on a stack. What is started does not inherit it.
lock() {
  mkdir -p "$data"
  exec 9>"$data/lock"
  flock 9
}

setting() { # setting NAME: what is settled about it, nothing when it is not
  sed -n "s/^$1=//p" "$data/settings" 2>/dev/null || true
}

recall_settings() {
  local settled
  settled=$(setting brokers)
  [ -z "$settled" ] || [ "$settled" = "${brokers:-$settled}" ] || {
    echo "stack: $data has $settled broker(s), and that cannot change: take another --data-dir" >&2
    exit 2
  }
  brokers=${settled:-${brokers:-1}}
  fast=${fast:-$(setting fast)}
}

remember_settings() {
  local part known
  known=$(setting parts)
  for part in ${only//,/ }; do
    case " $known " in *" $part "*) ;; *) known="$known $part" ;; esac
  done
  [ -n "$only" ] || known="opensearch kafka postgres"
  printf '%s\n' "parts=${known# }" "brokers=$brokers" "fast=$fast" >"$data/settings"
}

parts() { setting parts; }

names() {
  local part
  for part in $(parts); do "${part}_names"; done
}

# port NAME: the port of that name, chosen when it is first asked for. Below those that the kernel gives to clients.
port() {
  local found
  found=$(sed -n "s/^$1=//p" "$data/ports" 2>/dev/null || true)
  while [ -z "$found" ]; do
    found=$((20000 + RANDOM % 12000))
    if (: <"/dev/tcp/127.0.0.1/$found") 2>/dev/null || grep -q "=$found\$" "$data/ports" 2>/dev/null; then
      found=
    else
      echo "$1=$found" >>"$data/ports"
    fi
  done
  echo "$found"
}
