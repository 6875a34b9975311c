#!/usr/bin/env bash
# ensure-mail-server.sh: makes a mail server available to tests, in target/mail-server, and prints the command that starts it.
# `mail-server.py` says what that does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_MAIL_SERVER:-$here/../../target/mail-server}

if [ ! -e "$folder/ready" ]; then
  echo "installing a mail server for tests" >&2
  mkdir -p "$folder"
  if ! python3 -m venv "$folder/venv" >&2; then
    "$here/ensure-tool.sh" python3
    sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get -qq update >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends python3-venv >&2
    python3 -m venv --clear "$folder/venv" >&2
  fi
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'aiosmtpd>=1.4.6,<2' >&2
  touch "$folder/ready"
fi
printf '%s\n' "$folder/venv/bin/python" "$here/mail-server.py"
