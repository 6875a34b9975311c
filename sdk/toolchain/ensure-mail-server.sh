#!/usr/bin/env bash
# ensure-mail-server.sh: makes a mail server available to tests, in target/mail-server, and prints the command that starts it.
# `mail-server.py` says what that does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_MAIL_SERVER:-$here/../../target/mail-server}

if [ ! -e "$folder/ready" ]; then
  echo "installing a mail server for tests" >&2
  mkdir -p "$folder"
  "$here/make-venv.sh" "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'aiosmtpd>=1.4.6,<2' >&2
  touch "$folder/ready"
fi
printf '%s\n' "$folder/venv/bin/python" "$here/mail-server.py"
