#!/usr/bin/env bash
# The tests of the web editor: its style, its parts, and its journeys in a real Chromium against the real binary.
set -euo pipefail
cd "$(dirname "$0")"
PATH="$(../sdk/toolchain/ensure-node.sh):$PATH"
CHROMIUM=$(../sdk/toolchain/ensure-browser.sh)
export CHROMIUM WINDFLOW_BIN="${WINDFLOW_BIN:-${CARGO_TARGET_DIR:-$PWD/../target}/debug/windflow}"
npm run --silent lint
npm run --silent test
npm run --silent e2e
