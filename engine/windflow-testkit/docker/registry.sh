#!/usr/bin/env bash
# registry.sh start FOLDER PID [login]   starts a registry of images on a free port of 127.0.0.1 with everything in FOLDER, for everybody, or for
#                                        the login ada with the password correct-horse alone; it ends with the process PID, or by `stop`.
#                                        The last line on stdout is its host and port. What it is asked is in FOLDER/registry.log.
# registry.sh stop FOLDER                ends it.
set -euo pipefail
command=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)

say() { echo "registry: $*" >&2; }

start() {
  "$here/install.sh"
  mkdir -p "$folder/images"
  cat >"$folder/registry.yml" <<CONFIG
version: 0.1
storage: { filesystem: { rootdirectory: "$folder/images" } }
http: { addr: "127.0.0.1:0" }
CONFIG
  if [ "${2:-}" = login ]; then
    # A bcrypt hash of the password, which is no secret.
    # shellcheck disable=SC2016
    echo 'ada:$2b$04$9GOZtrRf7c3b9AE4zEy48uBItn6D7n81Jty0VYt.Apb/H4SAGtRPW' >"$folder/logins"
    echo "auth: { htpasswd: { realm: test, path: \"$folder/logins\" } }" >>"$folder/registry.yml"
  fi
  : >"$folder/registry.log"
  setsid docker-registry serve "$folder/registry.yml" >"$folder/registry.log" 2>&1 </dev/null &
  local registry=$! host=
  echo "$registry" >"$folder/registry.pid"
  for _ in $(seq 200); do
    host=$(grep -o -m 1 'listening on 127\.0\.0\.1:[0-9]*' "$folder/registry.log" || true)
    [ -z "$host" ] || break
    kill -0 "$registry" 2>/dev/null || break
    sleep 0.05
  done
  [ -n "$host" ] || { say "it does not answer"; tail -n 25 "$folder/registry.log" >&2; kill "$registry" 2>/dev/null; exit 1; }
  # It does not outlive who asked for it, however that ends.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done; kill "$2" 2>/dev/null' \
    watcher "$1" "$registry" >/dev/null 2>&1 </dev/null &
  echo "${host##* }"
}

stop() {
  [ -f "$folder/registry.pid" ] || return 0
  kill "$(cat "$folder/registry.pid")" 2>/dev/null || true
  rm -f "$folder/registry.pid"
}

case $command in
  start) shift 2; start "$@" ;;
  stop) stop ;;
  *) echo "usage: registry.sh start FOLDER PID [login] | stop FOLDER" >&2; exit 2 ;;
esac
