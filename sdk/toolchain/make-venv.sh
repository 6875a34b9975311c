#!/usr/bin/env bash
# make-venv.sh FOLDER: makes a virtual environment of Python in a folder, and gets Debian's package for that where it is missing.
set -euo pipefail
folder=$1
python3 -m venv "$folder" >&2 && exit 0
"$(dirname "$0")/ensure-tool.sh" python3
"$(dirname "$0")/install-packages.sh" python3-venv
python3 -m venv --clear "$folder" >&2
