#!/usr/bin/env bash
# make-venv.sh FOLDER: makes a virtual environment of Python in a folder, and gets Debian's package for that where it is missing.
set -euo pipefail
folder=$1
python3 -m venv "$folder" >&2 && exit 0
"$(dirname "$0")/ensure-tool.sh" python3
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
"${sudo[@]}" apt-get -qq update >&2
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends python3-venv >&2
python3 -m venv --clear "$folder" >&2
