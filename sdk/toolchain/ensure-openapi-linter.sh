#!/usr/bin/env bash
# ensure-openapi-linter.sh: makes Redocly's linter available to tests, in target/openapi-linter, and prints its command. Which one, says the lock
# file in openapi-linter/; another one is installed anew.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${WINDFLOW_OPENAPI_LINTER:-${CARGO_TARGET_DIR:-$here/../../target}/openapi-linter}
node=$("$here/ensure-node.sh")

if ! cmp --silent "$here/openapi-linter/package-lock.json" "$folder/ready"; then
  echo "installing the linter of OpenAPI documents for tests" >&2
  mkdir -p "$folder"
  cp "$here/openapi-linter/"{package.json,package-lock.json,.npmrc} "$folder/"
  (cd "$folder" && PATH="$node:$PATH" npm ci --silent >&2)
  cp "$folder/package-lock.json" "$folder/ready"
fi
# Whichever Node.js runs it, and nothing of it asks the network.
cat > "$folder/lint" <<END
#!/bin/sh
PATH="$node:\$PATH" REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true exec "$folder/node_modules/.bin/redocly" lint "\$@"
END
chmod +x "$folder/lint"
printf '%s\n' "$folder/lint"
