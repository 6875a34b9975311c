#!/usr/bin/env bash
# deploying.sh [watch|deploy …]: what it costs to watch 200 targets, and how long deployments take, with the release server and a Docker engine of its own,
# over loopback. Five minutes in all; without words both. WINDFLOW_BIN names another binary than the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${WINDFLOW_BIN:-}" ] || cargo build --quiet --release --package windflow
binary=${WINDFLOW_BIN:-target/release/windflow}
[ $# -gt 0 ] || set -- watch deploy
for what in "$@"; do
  folder=$(mktemp -d)
  trap 'engine/windflow-testkit/docker/engine.sh stop "$folder" || true; rm -rf "$folder"' EXIT
  engine=$(engine/windflow-testkit/docker/engine.sh start "$folder" $$ | tail -n 1)
  python3 bench/deploying.py "$binary" "$folder" "$engine" "$what"
  engine/windflow-testkit/docker/engine.sh stop "$folder"
  rm -rf "$folder"
done
