"""Starts the server of a binary, measures it, and stops it: see server.sh. Everything goes to 127.0.0.1."""

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BINARY, DATA, SECONDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
with socket.create_server(("127.0.0.1", 0)) as free:
    PORT = free.getsockname()[1]
URL = f"http://127.0.0.1:{PORT}"
OWNER = {"WINDFLOW_OWNER_EMAIL": "bench@example.org", "WINDFLOW_OWNER_PASSWORD": "bench-bench-bench"}


def start():
    begun = time.perf_counter()
    process = subprocess.Popen(
        [BINARY, "--data-dir", DATA, "serve", "--listen", f"127.0.0.1:{PORT}"],
        env={**os.environ, **OWNER, "WINDFLOW_LOG": "error"},
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            with urllib.request.urlopen(f"{URL}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return process, (time.perf_counter() - begun) * 1000
        except (urllib.error.URLError, ConnectionError):
            if time.perf_counter() - begun > 60:
                sys.exit("the server does not start")
            time.sleep(0.001)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def resident(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024


def ask(method, path, body=None, kind="application/json", token=None):
    headers = {"content-type": kind}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    request = urllib.request.Request(URL + path, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def chain(name, length):
    """Nodes in a row that each set one field: what n8n's Set and Node-RED's change nodes do in the peers' figures."""
    nodes, before = "", None
    for number in range(length):
        needs = f"needs: n{before}, " if before is not None else ""
        nodes += f'  n{number}: {{ uses: transform@1, {needs}with: {{ set: {{ step: "s{number}" }}, input: {{ a: 1 }} }} }}\n'
        before = number
    return (
        f"windflow: 1\nname: {name}\ntriggers:\n  hook:\n    uses: webhook\n"
        f"    with: {{ path: {name}, method: POST, auth: none, reply: result }}\n"
        f"nodes:\n{nodes}outputs: {{ last: \"${{{{ nodes.n{before}.output }}}}\" }}\n"
    )


def load(path, connections):
    script = tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False)
    script.write('wrk.method = "POST"\nwrk.body = "{}"\nwrk.headers["content-type"] = "application/json"\n')
    script.close()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", script.name, URL + path]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    os.unlink(script.name)
    if "Non-2xx" in told:
        sys.exit(f"{path} was refused:\n{told}")
    p50 = re.search(r"50%\s+(\S+)", told)[1]
    p99 = re.search(r"99%\s+(\S+)", told)[1]
    rate = re.search(r"Requests/sec:\s+(\S+)", told)[1]
    print(f"| `{path}`, {connections} at once | {float(rate):,.0f}/s | p50 {p50}, p99 {p99} |", flush=True)


def commit(folder):
    """What waiting for this disk costs: a page that is written and synced."""
    times = []
    with open(os.path.join(folder, "probe"), "wb") as file:
        for _ in range(300):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1e6)
    os.unlink(os.path.join(folder, "probe"))
    return statistics.median(times)


def main():
    print(f"load average {os.getloadavg()[0]:.1f}; writing and syncing a page takes {commit(DATA):.0f} µs here")
    process, first = start()
    token = ask("POST", "/api/v1/auth/login", {"email": OWNER["WINDFLOW_OWNER_EMAIL"], "password": OWNER["WINDFLOW_OWNER_PASSWORD"]})
    token = token["access_token"]
    for name, length in [("one", 1), ("five", 5), ("chain100", 100)]:
        ask("POST", "/api/v1/workflows", chain(name, length).encode(), "application/yaml", token)
        ask("POST", f"/api/v1/workflows/{name}/enable", token=token)
    paths = {name: f"/hooks/local/{name}" for name in ["one", "five", "chain100"]}
    ask("POST", paths["five"])
    stop(process)
    starts = []
    for _ in range(5):
        process, took = start()
        starts.append(took)
        if len(starts) < 5:
            stop(process)
    time.sleep(5)
    print(f"start to the first 200: {first:.0f} ms the first time, {statistics.median(starts):.0f} ms warm; at rest {resident(process):.0f} MiB")
    print("\n| What | Rate | Latency |\n|---|---|---|")
    for name, connections in [("one", 1), ("five", 1), ("five", 16), ("five", 64), ("chain100", 1), ("chain100", 16)]:
        load(paths[name], connections)
    print(f"\nafter that: {resident(process):.0f} MiB")
    stop(process)


main()
