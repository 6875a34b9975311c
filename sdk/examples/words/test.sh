#!/usr/bin/env bash
# Builds the node type from Rust for wasm32-wasip2, from JavaScript and from Python, and runs the cases of all in the sandbox.
# usage: test.sh [WINDFLOW], the binary; default: the one that was built here
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
windflow=$(realpath "${1:-${CARGO_TARGET_DIR:-$root/target}/debug/windflow}")
work=${CARGO_TARGET_DIR:-$root/target}/examples/words
mkdir -p "$work/wit/deps/windflow"
cp "$here/wit/world.wit" "$work/wit/"
cp "$root/sdk/wit/v1/node.wit" "$work/wit/deps/windflow/"
export WINDFLOW_DATA_DIR="$work/data"

echo "words in Rust, for wasm32-wasip2" >&2
mkdir -p "$work/rust"
cp "$here"/rust/{Cargo.toml,Cargo.lock,words.rs} "$work/rust/"
cp -r "$work/wit" "$work/rust/"
flags=$("$root/sdk/toolchain/ensure-wasm-target.sh" wasm32-wasip2)
# Encoded, since paths may hold spaces.
(cd "$work/rust" && CARGO_ENCODED_RUSTFLAGS=${flags/ /$'\x1f'} cargo build --quiet --locked --release --target wasm32-wasip2 --target-dir target)
cp "$work/rust/target/wasm32-wasip2/release/words.wasm" "$work/rust.component.wasm"

echo "words in JavaScript" >&2
PATH=$("$root/sdk/toolchain/ensure-node.sh"):$PATH
cp "$here"/{package.json,package-lock.json,build.mjs,words.js} "$work/"
cd "$work"
# Not `npm ci`, which refuses a lock file without the packages for other machines that its registry did not have.
if ! cmp --silent package-lock.json node_modules/.installed; then
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.installed
fi
node build.mjs wit javascript.component.wasm

echo "words in Python" >&2
if ! [ -x venv/bin/componentize-py ]; then
  "$root/sdk/toolchain/make-venv.sh" venv
  venv/bin/pip install --quiet --disable-pip-version-check componentize-py==0.25.0 >&2
fi
cp "$here/words.py" "$work/"
venv/bin/componentize-py --quiet --wit-path wit --world node componentize --stub-wasi words --output python.component.wasm

for language in rust javascript python; do
  "$windflow" plugins pack $language.component.wasm --manifest "$here/plugin.toml" --out $language.wasm
  "$windflow" plugins check $language.wasm
  "$windflow" plugins test $language.wasm --cases "$here/cases"
done
# From one language to the other is an update like any other.
"$windflow" plugins install rust.wasm --yes
"$windflow" plugins install javascript.wasm --yes
"$windflow" plugins install python.wasm --yes
printf 'windflow: 1\nname: count\nnodes:\n  count: { uses: words@1, with: { text: one two three } }\noutputs: { words: "${{ nodes.count.output.words }}" }\n' > count.yaml
"$windflow" run count.yaml --quiet
