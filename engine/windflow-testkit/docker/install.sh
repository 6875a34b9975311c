#!/usr/bin/env bash
# Installs what the Docker engines and registries of tests need, where it is missing. `make test` does it beforehand; whoever runs one test gets it, too.
set -euo pipefail
has() { command -v "$1" >/dev/null; }
if has dockerd && has docker-registry && has iptables && has ip && has flock && has jq && [ -x /bin/busybox ] && [ -x /usr/bin/docker ]; then exit; fi
echo "installing Debian's Docker engine and registry" >&2
exec "$(dirname "$0")/../../../sdk/toolchain/install-packages.sh" docker.io docker-registry iptables iproute2 busybox-static jq
