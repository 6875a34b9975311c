#!/usr/bin/env bash
# engine.sh start FOLDER PID [FLAG…]   starts a Docker engine of its own with everything in FOLDER, and a registry of images that it fetches from;
#                              both end with the process PID, or by `stop`. The last line on stdout is its address. dockerd gets the flags, too.
#                              With WINDFLOW_ENGINE_DISK=64m its disk has that size. The engine has the images stand-in:1 and stand-in:2, with
#                              WINDFLOW_ENGINE_EMPTY=1 its registry has them, and the engine none at all.
# engine.sh stop FOLDER        ends it.
# engine.sh stand-ins FOLDER IMAGE…   brings a stand-in for each image to the registry: the engine fetches it by the very name that the real one has.
#                              One with the tag `broken` ends at once.
#
# Up to three run at a time on a machine, each with a bridge and addresses of its own. They do not touch the firewall but for a rule that lets
# their containers speak to each other. A fourth waits for its turn.
#
# The images are a static busybox, and this engine fetches from its own registry and from others of this machine, never from anywhere else:
# the registry is the mirror of Docker Hub and the proxy for the other registries that templates name, which therefore count as insecure. Nothing
# listens where requests with TLS would go. So an image that the registry does not have is missing, also on a machine with a network.
set -euo pipefail
command=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
socket=$folder/docker.sock

say() { echo "docker engine: $*" >&2; }

give_up() {
  say "$1"
  tail -n 25 "$folder/dockerd.log" >&2 || true
  say "the tests of deployments need a Docker engine. Where none can run: make test SKIP_DOCKER=1"
  stop >/dev/null 2>&1 || true
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

docker_here() { /usr/bin/docker -H "unix://$socket" "$@"; }

# Takes one of the places for engines, and holds it until the engine is stopped, or a minute after the end of who asked for it at the latest. By a process of
# its own: what watches over the engine is ended by tests in which the engine goes away and comes back.
take_place() {
  local own=$1 place
  while true; do
    for place in 0 1 2; do
      exec 9>"${TMPDIR:-/tmp}/windflow-engine-$place.lock"
      if flock --nonblock 9; then
        echo "$place" >"$folder/place"
        setsid bash -c 'left=120; while { [ -e "$2/place" ] || [ -e "$2/leaves" ]; } && { kill -0 "$1" || (( left-- > 0 )); } 2>/dev/null; do sleep 0.5; done' \
          holds-place "$own" "$folder" >/dev/null 2>&1 </dev/null &
        exec 9>&-
        return
      fi
    done
    sleep 0.2
  done
}

# Changes the rule that lets the containers of a place speak to each other.
between() {
  local second=$1
  shift
  iptables -w 10 "$@" -s "172.$second.0.0/14" -d "172.$second.0.0/14" -j ACCEPT
}

# The bridge of a place, new. What networks of stacks get beside it are a quarter of what Docker gives out by itself.
bridge() {
  local place; place=$(cat "$folder/place")
  local name=windflow$place second=$((16 + 4 * place))
  ! ip link show "$name" >/dev/null 2>&1 || ip link delete "$name"
  ip link add "$name" type bridge
  ip address add "172.$((second + 3)).255.1/24" dev "$name"
  ip link set "$name" up
  # A Docker engine of the machine's own forbids everybody else's containers to speak to each other.
  between "$second" -C FORWARD 2>/dev/null || between "$second" -I FORWARD
  echo "--iptables=false --bridge=$name --default-address-pool base=172.$second.0.0/14,size=24"
}

# The registries beside Docker Hub that the stack templates name.
other_registries() {
  sed -nE 's|^ +image: "?([a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?)/.*|\1|p' "$here"/../../../marketplace/stacks/*/compose.yaml | sort -u
}

# Under which name the engine brings an image to the registry, so that it is there when it is asked for by its own.
kept_as() {
  local registry path=$1; registry=$(cat "$folder/registry/host")
  case $1 in
    */*) case ${1%%/*} in *.* | *:*) path=${1#*/} ;; esac ;;
    *) path=library/$1 ;; # Docker Hub's own
  esac
  echo "$registry/$path"
}

images() {
  local root=$folder/image tool name
  mkdir -p "$root"/{bin,tmp,run,www,etc,data}
  cp /bin/busybox "$root/bin/busybox"
  for tool in sh httpd sleep wget nc cat echo mkdir test true false touch rm ls kill hostname id trap date grep; do
    ln -sf busybox "$root/bin/$tool"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  # What it serves is its own version, so that a test sees which one answers.
  for version in 1 2; do
    name=stand-in:$version
    [ -z "${WINDFLOW_ENGINE_EMPTY:-}" ] || name=$(kept_as "$name")
    echo "version $version" >"$root/www/index.html"
    tar -C "$root" -c . | docker_here import --change 'CMD ["/bin/httpd", "-f", "-p", "80", "-h", "/www"]' - "$name" >/dev/null
    [ -z "${WINDFLOW_ENGINE_EMPTY:-}" ] || { docker_here push --quiet "$name" && docker_here rmi "$name"; } >/dev/null
  done
  rm -rf "$root"
}

# The ports that the program of an image listens on.
ports_of() {
  case ${1##*/} in
    postgres:*) echo 5432 ;;
    mysql:* | mariadb:*) echo 3306 ;;
    mongo:*) echo 27017 ;;
    mongo-express:*) echo 8081 ;;
    redis:*) echo 6379 16379 ;;
    rabbitmq:*) echo 1883 5672 15672 15692 ;;
    nginx:*) echo 80 443 5134 ;;
    python:*) echo 8000 9808 ;;
    node:* | grafana:*) echo 3000 ;;
    prometheus:*) echo 9090 ;;
    node-exporter:*) echo 9100 ;;
    alertmanager:*) echo 9093 ;;
    elasticsearch:*) echo 9200 ;;
    kibana:*) echo 5601 ;;
    gitlab-ce:*) echo 22 8929 ;;
    gitea:*) echo 22 3000 ;;
    uptime-kuma:*) echo 3001 ;;
    jellyfin:*) echo 8096 ;;
    ghost:*) echo 2368 ;;
    minio:*) echo 9000 9001 ;;
    mattermost-team-edition:*) echo 8065 ;;
    traefik:*) echo 80 443 8080 ;;
    paperless-ngx:*) echo 8000 ;;
    home-assistant:*) echo 8123 ;;
    eclipse-mosquitto:*) echo 1883 ;;
    server:*) echo 8080 ;; # Vaultwarden's
    *) echo 80 ;;
  esac
}

stand_ins() {
  local root=$folder/stand-in tool
  if [ ! -f "$folder/stand-in.tar" ]; then
    mkdir -p "$root"/{bin,tmp,run,etc,dev,opt/gitlab/bin,mattermost/bin,extra,var/www/html,usr/local/bin}
    chmod 1777 "$root/tmp"
    cp /bin/busybox "$root/bin/busybox"
    for tool in $(/bin/busybox --list); do [ "$tool" = busybox ] || ln -s busybox "$root/bin/$tool"; done
    cp "$here/stand-in" "$root/bin/stand-in"
    for tool in answer gunicorn celery nginx redis-server apache2-foreground mosquitto postgres rabbitmq-server python pip node npm npx curl pg_isready \
      mysqladmin healthcheck.sh mongosh rabbitmq-diagnostics mosquitto_sub mosquitto_passwd mc redis-cli openssl certbot pg_dump php gitea \
      docker-php-ext-install trivy; do
      ln -s stand-in "$root/bin/$tool"
    done
    for tool in opt/gitlab/bin/gitlab-healthcheck mattermost/bin/mmctl extra/healthcheck healthcheck.sh cron.sh; do ln -s /bin/stand-in "$root/$tool"; done
    printf '%s:x:%s:%s::/:/bin/sh\n' root 0 0 redis 999 999 node 1000 1000 www-data 33 33 mosquitto 1883 1883 >"$root/etc/passwd"
    tar -C "$root" -cf "$folder/stand-in.tar" .
    rm -rf "$root"
  fi
  printf '%s\0' "$@" | xargs -0 -P 4 -n 1 "$here/engine.sh" stand-in "$folder"
  # All at the end, for they have their layer in common.
  local image; for image in "$@"; do kept_as "$image"; done | xargs /usr/bin/docker -H "unix://$socket" rmi >/dev/null
}

# One of them.
stand_in() {
  local image=$1 program=/bin/stand-in vault= name
  name=$(kept_as "$image")
  case $image in vaultwarden/*) vault=yes ;; esac
  case $image in *:broken) program=/bin/false ;; esac
  docker_here import --change "ENTRYPOINT [\"$program\"]" \
    --change "ENV STAND_IN_IMAGE=$image STAND_IN_PORTS=\"$(ports_of "$image")\" STAND_IN_VAULT=$vault" "$folder/stand-in.tar" "$name" >/dev/null
  docker_here push --quiet "$name" >/dev/null
}

start() {
  "$here/install.sh"
  local own=$1
  shift
  mkdir -p "$folder/data"
  take_place "$own"
  local network; network=$(bridge) || give_up "its bridge cannot be made"
  [ -z "${WINDFLOW_ENGINE_DISK:-}" ] || mount -t tmpfs -o "size=$WINDFLOW_ENGINE_DISK" windflow-engine "$folder/data" || give_up "its small disk cannot be mounted"
  local runtime=()
  if ! has_sys_resource; then
    wrapper
    runtime=(--add-runtime "adapted=$folder/runc" --default-runtime adapted)
  fi
  mkdir -p "$folder/registry"
  local registry host others=()
  registry=$("$here/registry.sh" start "$folder/registry" "$own" | tail -n 1) || give_up "its registry cannot be started"
  echo "$registry" >"$folder/registry/host"
  for host in $(other_registries); do others+=(--insecure-registry "$host"); done
  echo "{}" >"$folder/daemon.json"
  # For each container it runs itself several times, and spends half of that on collecting garbage.
  # shellcheck disable=SC2086
  GOGC=400 HTTP_PROXY=http://$registry HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY=127.0.0.1,localhost \
    setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/docker.pid" -H "unix://$socket" \
    --config-file "$folder/daemon.json" --shutdown-timeout 2 --registry-mirror "http://$registry" "${others[@]}" $network "${runtime[@]}" "$@" >"$folder/dockerd.log" 2>&1 </dev/null &
  local engine=$!
  for _ in $(seq 300); do
    /usr/bin/docker -H "unix://$socket" version >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || give_up "it ended while starting"
    sleep 0.1
  done
  /usr/bin/docker -H "unix://$socket" version >/dev/null 2>&1 || give_up "it does not answer within 30 s"
  # It does not outlive who asked for it, however that ends.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done; exec "$0" stop "$3"' \
    "$0" "$own" "$engine" "$folder" >/dev/null 2>&1 </dev/null &
  images
  echo "unix://$socket"
}

stop() {
  end
  # Of those that stop it at the same time one gives the place back, so that nobody takes the bridge of who comes next.
  mv "$folder/place" "$folder/leaves" 2>/dev/null || return 0
  local place; place=$(cat "$folder/leaves")
  ip link delete "windflow$place" 2>/dev/null || true
  between $((16 + 4 * place)) -D FORWARD 2>/dev/null || true
  rm -f "$folder/leaves"
}

end() {
  "$here/registry.sh" stop "$folder/registry"
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
  ! mountpoint -q "$folder/data" || umount "$folder/data" 2>/dev/null || umount -l "$folder/data" 2>/dev/null || true
  rm -rf "$folder/data" "$folder/registry/images" 2>/dev/null || true
}

case $command in
  start) shift 2; start "$@" ;;
  stop) stop ;;
  stand-ins) shift 2; stand_ins "$@" ;;
  stand-in) stand_in "$3" ;;
  *) echo "usage: engine.sh start FOLDER PID [FLAG…] | stop FOLDER | stand-ins FOLDER IMAGE…" >&2; exit 2 ;;
esac
