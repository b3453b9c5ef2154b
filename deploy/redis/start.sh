#!/bin/sh
# Redis with one user, who may touch our keys only and nothing that administers the server.
#
#   start.sh         start the server
#   start.sh ping    ask it, as that user: the container's health check
#
# The password is in a file. The server gets its SHA-256 only, by a file too, so that no argument and no variable shows it.
set -eu
umask 077
password=$(cat /run/secrets/redis_password)
[ -n "$password" ] || { echo "redis_password is empty" >&2; exit 1; }

if [ "${1:-}" = ping ]; then
  REDISCLI_AUTH=$password redis-cli --no-auth-warning --user osteon ping | grep -qx PONG
  exit
fi

digest=$(printf %s "$password" | sha256sum | cut -d' ' -f1)
{
  echo "user default off"
  # Celery's transport asks for INFO, and takes its lock by scripts.
  echo "user osteon on #$digest ~osteon:* resetchannels +@all -@admin -@dangerous +info"
} > /tmp/users.acl

# A ring that is lost is rung again from the database, so a second's worth may be lost. A full Redis says so and drops nothing.
exec redis-server --aclfile /tmp/users.acl --dir /data --bind 0.0.0.0 \
  --appendonly yes --appendfsync everysec --save "" --maxmemory 256mb --maxmemory-policy noeviction
