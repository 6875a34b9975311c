#!/usr/bin/env bash
# Builds the web editor: windflow-core for the browser, the packages, the page in dist/, and all of it compressed in
# embedded/, which the binary embeds. Does nothing where nothing changed.
set -euo pipefail
cd "$(dirname "$0")"
cargo xtask editor-core
PATH="$(../sdk/toolchain/ensure-node.sh):$PATH"
target="${CARGO_TARGET_DIR:-$PWD/../target}"

sources() {
  find . \( -name node_modules -o -name dist -o -name embedded -o -name e2e -o -name generated -o -name '*.wasm' -o -name components.d.ts \) -prune -o -type f -print0 | sort -z
}
stamp=$( { sources | xargs -0 sha256sum; sha256sum "$target/editor/windflow_browser.wasm" ../engine/windflow-server/openapi.json; } | sha256sum | cut -d ' ' -f 1)
if [ -d embedded ] && [ "$(cat dist/.stamp 2>/dev/null)" = "$stamp" ]; then
  echo 'the web editor is up to date'
  exit
fi
packages=$(sha256sum package-lock.json)
if [ "$(cat node_modules/.lock 2>/dev/null)" != "$packages" ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  echo "$packages" > node_modules/.lock
fi
mkdir -p src/core
npm run --silent core
npm run --silent build
node scripts/weigh.mjs
node scripts/compress.mjs
echo "$stamp" > dist/.stamp
