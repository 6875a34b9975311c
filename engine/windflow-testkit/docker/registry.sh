#!/usr/bin/env bash
# registry.sh start FOLDER PORT PID   starts a registry of images on 127.0.0.1:PORT with everything in FOLDER, for the login ada with
#                                     the password correct-horse; it ends with the process PID, or by `stop`.
# registry.sh stop FOLDER             ends it.
set -euo pipefail
command=$1 folder=$2

say() { echo "registry: $*" >&2; }

install() {
  command -v docker-registry >/dev/null && return
  say "installing Debian's docker-registry"
  local sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get -qq update >&2
  # Its package starts a service of its own, which nobody here wants.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install --yes --no-install-recommends docker-registry >&2
}

start() {
  local port=$1
  install
  mkdir -p "$folder/images"
  # A bcrypt hash of the password, which is no secret.
  # shellcheck disable=SC2016
  echo 'ada:$2b$04$9GOZtrRf7c3b9AE4zEy48uBItn6D7n81Jty0VYt.Apb/H4SAGtRPW' >"$folder/logins"
  cat >"$folder/registry.yml" <<CONFIG
version: 0.1
storage: { filesystem: { rootdirectory: "$folder/images" } }
http: { addr: "127.0.0.1:$port" }
auth: { htpasswd: { realm: test, path: "$folder/logins" } }
CONFIG
  setsid docker-registry serve "$folder/registry.yml" >"$folder/registry.log" 2>&1 </dev/null &
  local registry=$!
  echo "$registry" >"$folder/registry.pid"
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$registry" 2>/dev/null || { say "it ended while starting"; tail -n 25 "$folder/registry.log" >&2; exit 1; }
    sleep 0.1
  done
  # It does not outlive who asked for it, however that ends.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done; kill "$2" 2>/dev/null' \
    watcher "$2" "$registry" >/dev/null 2>&1 </dev/null &
}

stop() {
  [ -f "$folder/registry.pid" ] || return 0
  kill "$(cat "$folder/registry.pid")" 2>/dev/null || true
}

case $command in
  start) start "$3" "$4" ;;
  stop) stop ;;
  *) echo "usage: registry.sh start FOLDER PORT PID | stop FOLDER" >&2; exit 2 ;;
esac
