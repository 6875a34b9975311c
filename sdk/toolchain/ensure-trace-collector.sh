#!/usr/bin/env bash
# ensure-trace-collector.sh: makes a collector of traces available to tests, in target/trace-collector, and prints the command that starts it.
# `trace-collector.py` says what that does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_TRACE_COLLECTOR:-$here/../../target/trace-collector}

"$here/install-python-tool.sh" "$folder" 'a collector of traces' 'oteltap>=1.0,<2'
printf '%s\n' "$folder/venv/bin/python" "$here/trace-collector.py"
