#!/usr/bin/env bash
# ensure-tool.sh TOOL: makes a tool of the tests or lints available: Debian's package, or a crate where it is cargo's.
set -euo pipefail
tool=$1
command -v "$tool" >/dev/null && exit 0
echo "installing $tool" >&2
case $tool in
  cargo-*) cargo install --locked --quiet "$tool" ;;
  *) "$(dirname "$0")/install-packages.sh" "$tool" ;;
esac
command -v "$tool" >/dev/null || { echo "$tool is needed and could not be installed: install it and try again" >&2; exit 1; }
