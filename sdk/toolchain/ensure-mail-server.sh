#!/usr/bin/env bash
# ensure-mail-server.sh: makes a mail server available to tests, in target/mail-server, and prints the command that starts it.
# `mail-server.py` says what that does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_MAIL_SERVER:-$here/../../target/mail-server}

"$here/install-python-tool.sh" "$folder" 'a mail server' 'aiosmtpd>=1.4.6,<2'
printf '%s\n' "$folder/venv/bin/python" "$here/mail-server.py"
