#!/usr/bin/env bash
# run.sh [SECONDS] [TARGET...]: fuzzes every reader of foreign bytes for so long each. A finding is written to artifacts/ and ends it.
# The coverage comes from stable flags of the compiler, so that no nightly toolchain is needed.
set -euo pipefail
cd "$(dirname "$0")"
../../sdk/toolchain/ensure-tool.sh cargo-fuzz
seconds=${1:-20}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list --fuzz-dir .)
# One link a target: whole-program optimisation would take longer than it gives.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
work="${CARGO_TARGET_DIR:-$PWD/../../target}/fuzz"
for target in "${targets[@]}"; do
  echo "== $target, $seconds s"
  # What is found on the way is kept outside the checkout; `cargo fuzz cmin` brings what leads further into corpus/.
  mkdir -p "$work/$target"
  cargo fuzz run --fuzz-dir . --features fuzzer --sanitizer none "$target" "$work/$target" "corpus/$target" -- \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=20000 -verbosity=0 -print_final_stats=1
done
