#!/usr/bin/env bash
# ensure-token-server.sh: makes a server of OAuth 2 tokens available to tests, in target/token-server, and prints the command that
# starts it. `token-server.py` says what that does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_TOKEN_SERVER:-$here/../../target/token-server}

mkdir -p "$folder"
# Several tests want it at the same time; one of them installs it.
exec 9> "$folder/lock"
if command -v flock > /dev/null; then flock 9; fi
if [ ! -e "$folder/ready" ]; then
  echo "installing a token server for tests" >&2
  "$here/make-venv.sh" "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'oauthlib>=3.2,<4' >&2
  touch "$folder/ready"
fi
printf '%s\n' "$folder/venv/bin/python" "$here/token-server.py"
