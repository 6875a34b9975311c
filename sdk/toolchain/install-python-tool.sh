#!/usr/bin/env bash
# install-python-tool.sh FOLDER WHAT REQUIREMENT: installs a package of PyPI into a virtual environment, FOLDER/venv, unless it is there. Several tests
# may want it at the same time; one of them installs it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1 what=$2 requirement=$3

mkdir -p "$folder"
exec 9> "$folder/lock"
if command -v flock > /dev/null; then flock 9; fi
[ ! -e "$folder/ready" ] || exit 0
echo "installing $what for tests" >&2
"$here/make-venv.sh" "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$requirement" >&2
touch "$folder/ready"
