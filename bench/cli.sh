#!/usr/bin/env bash
# cli.sh: how long the release binary takes from its start to its end on a small workflow, with a warm cache, and how much
# memory it needs. Loopback and network are not touched; a run takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release --package windflow
data=$(mktemp -d); trap 'rm -rf "$data"' EXIT
bin=target/release/windflow
run() { "$bin" --data-dir "$data" run workflows/ticket-triage/workflow.yaml --quiet -i 'ticket={"id":"T-1","subject":"s","priority":"urgent"}' >/dev/null; }
run # compiles the plugins once
python3 - "$bin" "$data" <<'PY'
import resource, statistics, subprocess, sys, time
binary, data = sys.argv[1:]
command = [binary, "--data-dir", data, "run", "workflows/ticket-triage/workflow.yaml", "--quiet", "-i", 'ticket={"id":"T-1","subject":"s","priority":"urgent"}']
times = []
for _ in range(30):
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    times.append((time.perf_counter() - begun) * 1000)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"CLI, warm cache, start to end of a five-node run: median {statistics.median(times):.1f} ms, min {min(times):.1f}, max {max(times):.1f}")
print(f"largest resident memory of it: {peak:.1f} MiB")
PY
ls -l --block-size=K "$bin" | awk '{ print "size of the binary:", $5 }'
