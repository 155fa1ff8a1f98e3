#!/bin/sh
# Copies the primary when there is no copy yet, and follows it. Takes flags of postgres.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # A copy that was broken off is made again.
  mkdir -p "$PGDATA"
  find "$PGDATA" -mindepth 1 -delete
  PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup -h postgres -U replication -D "$PGDATA" -R -S replica -X stream -c fast
  chmod 700 "$PGDATA"
fi
exec postgres "$@"
