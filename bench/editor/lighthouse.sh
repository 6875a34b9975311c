#!/usr/bin/env bash
# Lighthouse on the editor as the binary serves it. WINDFLOW_BIN names the binary; a release build says more.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH="$(sdk/toolchain/ensure-node.sh):$PATH"
# The whole browser: what was measured before was measured in it.
sdk/toolchain/ensure-tool.sh chromium
export CHROMIUM=${CHROMIUM:-$(command -v chromium)} WINDFLOW_BIN="${WINDFLOW_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/release/windflow}" WINDFLOW_WEB="${WINDFLOW_WEB:-embedded}"
export LIGHTHOUSE="${CARGO_TARGET_DIR:-$PWD/target}/lighthouse"
# The last that runs on the Node.js of Debian; it is no part of what is built.
[ -d "$LIGHTHOUSE/node_modules/lighthouse" ] || npm install --prefix "$LIGHTHOUSE" --ignore-scripts --no-audit --no-fund --loglevel=error lighthouse@12
cd web-editor
npx tsx ../bench/editor/lighthouse.mts
