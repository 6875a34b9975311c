#!/usr/bin/env bash
# ensure-schemathesis.sh: makes Schemathesis available to tests, in target/schemathesis, and prints its command. It asks a server whatever its
# OpenAPI document allows, and what it does not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_SCHEMATHESIS:-$here/../../target/schemathesis}

"$here/install-python-tool.sh" "$folder" 'Schemathesis' 'schemathesis>=4.32,<5'
printf '%s\n' "$folder/venv/bin/schemathesis"
