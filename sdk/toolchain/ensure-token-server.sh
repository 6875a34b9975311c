#!/usr/bin/env bash
# ensure-token-server.sh: makes a server of OAuth 2 tokens available to tests, in target/token-server, and prints the command that
# starts it. `token-server.py` says what that does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_TOKEN_SERVER:-$here/../../target/token-server}

"$here/install-python-tool.sh" "$folder" 'a token server' 'oauthlib>=3.2,<4'
printf '%s\n' "$folder/venv/bin/python" "$here/token-server.py"
