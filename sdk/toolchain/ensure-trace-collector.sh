#!/usr/bin/env bash
# ensure-trace-collector.sh: makes a collector of traces available to tests, in target/trace-collector, and prints the command that starts it.
# `trace-collector.py` says what that does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_TRACE_COLLECTOR:-$here/../../target/trace-collector}

if [ ! -e "$folder/ready" ]; then
  echo "installing a collector of traces for tests" >&2
  mkdir -p "$folder"
  "$here/make-venv.sh" "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'oteltap>=1.0,<2' >&2
  touch "$folder/ready"
fi
printf '%s\n' "$folder/venv/bin/python" "$here/trace-collector.py"
