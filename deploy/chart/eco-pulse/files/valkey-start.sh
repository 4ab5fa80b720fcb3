#!/bin/sh
# Writes the users, then becomes the server. The one user that can do anything has the rights that docs/configuration.md lists;
# anybody else can ask whether the server is there, as the probes do.
set -eu

rights='~{eco-pulse}:* &{eco-pulse}:versions -@all +auth +ping +client|id +select +subscribe +eval
  +publish +type +exists +del +get +set +pttl +pexpire +pexpireat +hmget +hset +hdel +hscan +zadd +zrangebyscore +zremrangebyscore
  +xadd +xrange +xrevrange +xtrim +xlen +sadd +srem +smembers +info +time'
rights=$(echo "$rights" | tr '\n' ' ')
password_file=/run/secrets/valkey/redis-password
users=/run/valkey/users.acl

if [ "${REQUIRE_PASSWORD:?}" = true ]; then
  password=$(cat "$password_file")
  if [ -z "$password" ]; then
    echo "$password_file is empty: give the key redis-password of the Secret a value" >&2
    exit 1
  fi
  # Its digest, so that the password is in no file but the Secret's, and in no list of processes.
  digest=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
  printf 'user default on nopass resetkeys resetchannels -@all +ping\nuser eco-pulse on #%s %s\n' "$digest" "$rights" >"$users"
else
  printf 'user default on nopass %s\n' "$rights" >"$users"
fi

exec valkey-server /etc/valkey/valkey.conf "$@"
