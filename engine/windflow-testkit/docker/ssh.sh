#!/usr/bin/env bash
# ssh.sh start FOLDER PORT PID ENGINE   starts an SSH server on 127.0.0.1:PORT with everything in FOLDER, for the account root and the key
#                                       FOLDER/ours; `docker` there speaks to ENGINE. It ends with the process PID, or by `stop`.
# ssh.sh stop FOLDER                    ends it.
#
# FOLDER/host.pub is its key, FOLDER/ours the key that it accepts, FOLDER/stranger one that it does not.
# Debian's openssh-server is unpacked, not installed: nothing of the machine's own changes. What the server wants of it (an account and a
# folder for its unprivileged half) it finds in a mount namespace of its own.
set -euo pipefail
command=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
tools=${CARGO_TARGET_DIR:-$here/../../../target}/tools/ssh-server

say() { echo "ssh server: $*" >&2; }

unpack() {
  if ! command -v ssh >/dev/null || ! command -v ssh-keygen >/dev/null; then "$here/../../../sdk/toolchain/ensure-tool.sh" openssh-client; fi
  mkdir -p "$tools"
  exec 9>"$tools/lock"
  flock 9
  [ ! -e "$tools/ready" ] || return 0
  say "unpacking Debian's openssh-server"
  (
    cd "$tools"
    rm -f ./*.deb
    # Lists of packages that are old name packages that are gone.
    apt-get -qq download openssh-server libwrap0 >&2 || { "$here/../../../sdk/toolchain/install-packages.sh"; apt-get -qq download openssh-server libwrap0 >&2; }
    for package in ./*.deb; do dpkg --extract "$package" root; done
    rm -f ./*.deb
  )
  touch "$tools/ready"
  flock -u 9
}

start() {
  local port=$1 own=$2 engine=$3 key libraries
  unpack
  mkdir -p "$folder"
  for key in host ours stranger; do ssh-keygen -q -t ed25519 -N '' -C test -f "$folder/$key"; done
  cp "$folder/ours.pub" "$folder/authorized_keys"
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >"$folder/passwd"
  cat >"$folder/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:$port
HostKey $folder/host
PidFile $folder/ssh.pid
AuthorizedKeysFile $folder/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
LogLevel VERBOSE
SetEnv DOCKER_HOST=$engine PATH=${WINDFLOW_SSH_PATH:-/usr/bin:/bin}
CONFIG
  libraries=$(dirname "$(find "$tools/root" -name 'libwrap.so.0' | head -n 1)")
  # shellcheck disable=SC2016
  LD_LIBRARY_PATH=$libraries setsid unshare --mount bash -c '
    mount --bind "$1/passwd" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$2" -D -e -f "$1/sshd_config"' \
    ssh-server "$folder" "$tools/root/usr/sbin/sshd" >"$folder/sshd.log" 2>&1 9>&- </dev/null &
  local server=$!
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$server" 2>/dev/null || { say "it ended while starting"; tail -n 25 "$folder/sshd.log" >&2; exit 1; }
    sleep 0.1
  done
  # It does not outlive who asked for it, however that ends.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done; exec "$0" stop "$3"' \
    "$0" "$own" "$server" "$folder" >/dev/null 2>&1 9>&- </dev/null &
}

# Its sessions end with it: they are processes of their own.
stop() {
  [ -f "$folder/ssh.pid" ] || return 0
  local server; server=$(cat "$folder/ssh.pid")
  # shellcheck disable=SC2046
  kill $(ps -o pid= --ppid "$server") 2>/dev/null || true
  kill "$server" 2>/dev/null || true
  rm -f "$folder/ssh.pid"
}

case $command in
  start) start "$3" "$4" "$5" ;;
  stop) stop ;;
  *) echo "usage: ssh.sh start FOLDER PORT PID ENGINE | stop FOLDER" >&2; exit 2 ;;
esac
