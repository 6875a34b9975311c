#!/usr/bin/env bash
# ensure-schemathesis.sh: makes Schemathesis available to tests, in target/schemathesis, and prints its command. It asks a server whatever its
# OpenAPI document allows, and what it does not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_SCHEMATHESIS:-$here/../../target/schemathesis}

if [ ! -e "$folder/ready" ]; then
  echo "installing Schemathesis for tests" >&2
  mkdir -p "$folder"
  "$here/make-venv.sh" "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4.32,<5' >&2
  touch "$folder/ready"
fi
printf '%s\n' "$folder/venv/bin/schemathesis"
