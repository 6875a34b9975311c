#!/usr/bin/env bash
# install-packages.sh [PACKAGE…]   installs packages of Debian; without any, only asks which there are.
#                                  One after the other, however many ask: apt refuses to work for two at once.
set -euo pipefail
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
# No service that comes with a package is started: nobody here wants one (`RUNLEVEL`).
apt() { flock --close "${TMPDIR:-/tmp}/windflow-install-packages.lock" "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq "$@" >&2; }
apt update
[ $# = 0 ] || apt install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
