# Servers as processes: started apart from whoever starts them, known by pid and time of birth. Sourced by script/stack.

part_of() {
  case $1 in postgres | replica-*) echo postgres ;; kafka-*) echo kafka ;; *) echo opensearch ;; esac
}

launch() { "$(part_of "$1")_launch" "$1"; }

# detach NAME COMMAND…: runs it in a session of its own, its output in NAME/log.
detach() {
  local folder=$data/$1
  shift
  mkdir -p "$folder"
  [ ! -f "$folder/log" ] || mv "$folder/log" "$folder/log.before"
  (cd / && exec setsid "$@") </dev/null >"$folder/log" 2>&1 9>&- &
  echo "$! $(birth $!)" >"$folder/pid"
}

# birth PID: when it was born, in ticks since the machine started; nothing when it is dead.
birth() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # shellcheck disable=SC2086 # split on purpose: the fields after the program's name
  set -- ${stat##*) }
  [ "$1" = Z ] || echo "${20}"
}

pid_of() { cut -d ' ' -f 1 "$data/$1/pid"; }

alive() {
  local pid born
  read -r pid born 2>/dev/null <"$data/$1/pid" || return 1
  [ "$(birth "$pid")" = "$born" ]
}

state_of() {
  if ! alive "$1"; then
    echo down
  elif grep -q '^State:.T' "/proc/$(pid_of "$1")/status"; then
    echo paused
  elif "$(part_of "$1")_answers" "$1"; then
    echo up
  else
    echo starting
  fi
}

# await NAME: until it answers. One that was killed may leave children behind that keep the next one out for a moment.
await() {
  local deadline=$((SECONDS + 120))
  until "$(part_of "$1")_answers" "$1"; do
    [ "$SECONDS" -lt "$deadline" ] || failed "$1" "does not answer"
    if ! alive "$1"; then
      [ "$(part_of "$1")" = postgres ] || failed "$1" "has ended"
      launch "$1"
    fi
    sleep 0.1
  done
}

failed() {
  printf 'stack: %s %s; the end of %s:\n' "$1" "$2" "$data/$1/log" >&2
  tail -n 20 "$data/$1/log" >&2
  exit 1
}

# signal NAME SIGNAL: to a server and its children, of which some may just have ended: PostgreSQL answers through them.
signal() {
  local pid child
  pid=$(pid_of "$1")
  kill "-$2" "$pid"
  for child in $(ps -o pid= --ppid "$pid" || true); do kill "-$2" "$child" 2>/dev/null || true; done
}

# end NAME SIGNAL: sends it, and waits until the process is gone.
end() {
  local deadline=$((SECONDS + 30))
  alive "$1" || return 0
  kill "-$2" "$(pid_of "$1")"
  while alive "$1"; do
    [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$(pid_of "$1")"
    sleep 0.05
  done
}

stop() {
  alive "$1" || return 0
  signal "$1" CONT
  # PostgreSQL waits for its clients when it is asked by TERM.
  case $(part_of "$1") in postgres) end "$1" INT ;; *) end "$1" TERM ;; esac
}
