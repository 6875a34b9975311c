#!/usr/bin/env bash
# server.sh [SECONDS]: the release server on this machine, over loopback: start to the first answer, memory at rest, and webhooks that
# answer with the result of five pure nodes in a row, of a hundred, and of none but one, durable as always. A minute in all.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-8}
sdk/toolchain/ensure-tool.sh wrk
cargo build --quiet --release --package windflow
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
python3 bench/server.py target/release/windflow "$data" "$seconds"
