#!/usr/bin/env bash
# engine.sh start FOLDER PID   starts a Docker engine of its own with everything in FOLDER, and loads the stand-in images;
#                              it ends with the process PID, or by `stop`. The last line on stdout is its address.
# engine.sh stop FOLDER        ends it.
#
# No registry is asked for anything: the images are a static busybox.
set -euo pipefail
command=$1 folder=$2
socket=$folder/docker.sock

say() { echo "docker engine: $*" >&2; }

install() {
  command -v dockerd >/dev/null && command -v iptables >/dev/null && [ -x /bin/busybox ] && [ -x /usr/bin/docker ] && return
  say "installing Debian's docker.io"
  local sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get -qq update >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
    docker.io iptables iproute2 busybox-static jq >&2
}

give_up() {
  say "$1"
  tail -n 25 "$folder/dockerd.log" >&2 || true
  say "the tests of deployments need a Docker engine. Where none can run: make test SKIP_DOCKER=1"
  exit 1
}

# Machines without CAP_SYS_RESOURCE cannot start containers that ask for it, or for a lower chance to be ended when memory is short.
wrapper() {
  cat >"$folder/runc" <<'WRAPPER'
#!/usr/bin/env bash
set -euo pipefail
bundle=
for ((at = 1; at <= $#; at++)); do
  if [ "${!at}" = --bundle ]; then next=$((at + 1)); bundle=${!next}; fi
done
if [ -n "$bundle" ] && [ -f "$bundle/config.json" ]; then
  jq '(.process.capabilities // {}) |= map_values(map(select(. != "CAP_SYS_RESOURCE")))
      | if (.process.oomScoreAdj // 0) < 0 then .process.oomScoreAdj = 0 else . end' \
    "$bundle/config.json" >"$bundle/config.json.new"
  mv "$bundle/config.json.new" "$bundle/config.json"
fi
exec runc "$@"
WRAPPER
  chmod +x "$folder/runc"
}

has_sys_resource() { # bit 24 of the effective capabilities
  local effective; effective=$(sed -n 's/^CapEff:\s*//p' /proc/self/status)
  (( (16#$effective >> 24) & 1 ))
}

images() {
  local root=$folder/image tool
  mkdir -p "$root"/{bin,tmp,run,www,etc,data}
  cp /bin/busybox "$root/bin/busybox"
  for tool in sh httpd sleep wget nc cat echo mkdir test true false touch rm ls kill hostname id trap date grep; do
    ln -sf busybox "$root/bin/$tool"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  # What it serves is its own version, so that a test sees which one answers.
  for version in 1 2; do
    echo "version $version" >"$root/www/index.html"
    tar -C "$root" -c . | /usr/bin/docker -H "unix://$socket" import \
      --change 'CMD ["/bin/httpd", "-f", "-p", "80", "-h", "/www"]' - "stand-in:$version" >/dev/null
  done
  rm -rf "$root"
}

start() {
  install
  mkdir -p "$folder"
  local runtime=()
  if ! has_sys_resource; then
    wrapper
    runtime=(--add-runtime "adapted=$folder/runc" --default-runtime adapted)
  fi
  echo "{}" >"$folder/daemon.json"
  setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/docker.pid" -H "unix://$socket" \
    --config-file "$folder/daemon.json" --shutdown-timeout 2 "${runtime[@]}" >"$folder/dockerd.log" 2>&1 </dev/null &
  local engine=$!
  for _ in $(seq 300); do
    /usr/bin/docker -H "unix://$socket" version >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || give_up "it ended while starting"
    sleep 0.1
  done
  /usr/bin/docker -H "unix://$socket" version >/dev/null 2>&1 || give_up "it does not answer within 30 s"
  # It does not outlive who asked for it, however that ends.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done; exec "$0" stop "$3"' \
    "$0" "$1" "$engine" "$folder" >/dev/null 2>&1 </dev/null &
  images
  echo "unix://$socket"
}

stop() {
  [ -f "$folder/docker.pid" ] || return 0
  local engine; engine=$(cat "$folder/docker.pid" 2>/dev/null || true)
  [ -n "$engine" ] || return 0
  if [ -S "$socket" ]; then
    local running; running=$(timeout 20 /usr/bin/docker -H "unix://$socket" ps -q 2>/dev/null || true)
    # shellcheck disable=SC2086
    [ -z "$running" ] || timeout 30 /usr/bin/docker -H "unix://$socket" kill $running >/dev/null 2>&1 || true
    local networks; networks=$(timeout 20 /usr/bin/docker -H "unix://$socket" network ls -q --filter type=custom 2>/dev/null || true)
    # shellcheck disable=SC2086
    [ -z "$networks" ] || { timeout 20 /usr/bin/docker -H "unix://$socket" container prune -f; timeout 20 /usr/bin/docker -H "unix://$socket" network rm $networks; } >/dev/null 2>&1 || true
  fi
  kill "$engine" 2>/dev/null || true
  for _ in $(seq 100); do kill -0 "$engine" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$engine" 2>/dev/null || true
  rm -f "$folder/docker.pid"
  rm -rf "$folder/data" 2>/dev/null || true
}

case $command in
  start) start "$3" ;;
  stop) stop ;;
  *) echo "usage: engine.sh start FOLDER PID | stop FOLDER" >&2; exit 2 ;;
esac
