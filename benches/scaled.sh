#!/usr/bin/env bash
# A shop with every role a process of its own, fed by Kafka, for as long as a command runs: what `bench` wants of a folder is in $SHOP.
#   STACK=/some/dir SHOP=/some/dir benches/scaled.sh COMMAND...     the servers are those of script/stack in $STACK; JUMUN: the binary
set -euo pipefail
cd "$(dirname "$0")/.."
: "${STACK:?}" "${SHOP:?}" "${JUMUN:?}"
mkdir -p "$SHOP/secrets"
value() { sed -n "s/^JUMUN_TEST_$1=//p" "$SHOP/servers"; }
name=bench_$$
started=()
stop() {
  for pid in "${started[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
  [ ${#started[@]} = 0 ] || wait "${started[@]}" 2>/dev/null || true
  script/stack down --data-dir "$STACK"
}
trap stop EXIT
script/stack up --data-dir "$STACK" --only postgres,kafka >"$SHOP/servers"
primary=$(value DATABASE_URL)
psql -Xq "$primary" -c "CREATE DATABASE $name"
for key in master token webhook; do openssl rand -hex 32 >"$SHOP/secrets/$key.key"; done

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
declare -A at
for role in sandbox-gateway command-api relay projector process-manager query-api; do at[$role]=127.0.0.1:$(port); done
export JUMUN_DATABASE_URL=${primary%/*}/$name JUMUN_KAFKA_BROKERS=$(value KAFKA_BROKERS)
export JUMUN_KAFKA_TOPICS=$name JUMUN_KAFKA_GROUP=$name JUMUN_KAFKA_PARTITIONS=2 JUMUN_KAFKA_REPLICATION=1
export JUMUN_MASTER_KEY_FILE=$SHOP/secrets/master.key JUMUN_TOKEN_SECRET_FILE=$SHOP/secrets/token.key
export JUMUN_WEBHOOK_SECRET_FILE=$SHOP/secrets/webhook.key
export JUMUN_SANDBOX_URL=http://${at[sandbox-gateway]} JUMUN_SANDBOX_WEBHOOK_URL=http://${at[command-api]}/v1/webhooks/sandbox

"$JUMUN" --log warn migrate
for role in "${!at[@]}"; do
  more=()
  [ "$role" != sandbox-gateway ] || more=(--ledger "$SHOP/sandbox")
  "$JUMUN" --log warn "$role" --listen "${at[$role]}" "${more[@]}" >"$SHOP/$role.log" 2>&1 &
  started+=($!)
done
printf '{"command_url": "http://%s", "query_url": "http://%s", "database_url": "%s", "sandbox_url": "%s", "pid": %s}\n' \
  "${at[command-api]}" "${at[query-api]}" "$JUMUN_DATABASE_URL" "$JUMUN_SANDBOX_URL" $$ >"$SHOP/run.json"
for role in "${!at[@]}"; do
  probe=/readyz
  [ "$role" != sandbox-gateway ] || probe=/healthz
  for _ in $(seq 600); do
    curl -sf -o /dev/null "http://${at[$role]}$probe" && continue 2
    sleep 0.1
  done
  echo "$role is not ready:" >&2
  tail -n 5 "$SHOP/$role.log" >&2
  exit 1
done
"$JUMUN" --log warn demo --data-dir "$SHOP" >/dev/null
"$@"
