"""deploying.py BINARY FOLDER ENGINE WHAT: what deployments and watching cost, over a real server and a real Docker engine, over loopback.

WHAT is `watch` (200 targets of the one engine, watched for three minutes while somebody looks) or `deploy` (no change, a plan of 30 services, two
services until they are healthy)."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

binary, folder, engine, what = sys.argv[1:5]
EMAIL, PASSWORD = "bench@example.org", "correct horse battery"
TARGETS = 200
SECONDS = int(os.environ.get("SECONDS_WATCHED", "185"))

environment = {**os.environ, "WINDFLOW_OWNER_EMAIL": EMAIL, "WINDFLOW_OWNER_PASSWORD": PASSWORD}
server = subprocess.Popen([binary, "--data-dir", folder + "/data", "serve", "--listen", "127.0.0.1:0"], env=environment, stderr=subprocess.PIPE, text=True)
url = next(line.split("listens on ")[1].strip() for line in server.stderr if "listens on " in line)
threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
token = ""


def ask(method, path, body=None, until=30):
    request = urllib.request.Request(url + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", "Bearer " + token)
    return urllib.request.urlopen(request, timeout=until)


def told(method, path, body=None):
    text = ask(method, "/api/v1" + path, body).read()
    return json.loads(text) if text else None


def docker(*words):
    return subprocess.run(["/usr/bin/docker", "-H", engine, *words], check=True, capture_output=True, text=True).stdout.strip()


def busy(pid):
    """Seconds of computing that a process has used."""
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rsplit(") ", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


def up():
    for _ in range(600):
        try:
            if ask("GET", "/startupz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not come up")


def sampled_so_far():
    lines = ask("GET", "/metrics").read().decode().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith('windflow_target_watch_requests_total{outcome="sampled"}')), 0)


def watch():
    for at in range(3):
        docker("run", "--detach", "--name", f"kept-{at}", "stand-in:1", "sh", "-c", "while :; do sleep 1; done")
    time.sleep(5)
    before, begun = busy(server.pid), time.monotonic()
    time.sleep(10)
    idle = (busy(server.pid) - before) / (time.monotonic() - begun)
    for at in range(TARGETS):
        told("POST", "/targets", {"name": f"edge-{at}", "address": engine})
    stream = ask("GET", "/api/v1/target-status/live", until=60)
    reached, sampled, news = set(), set(), 0
    settled = threading.Event()

    def hear():
        nonlocal news
        kind = ""
        for line in stream:
            line = line.decode().strip()
            if line.startswith("event: "):
                kind = line[7:]
            if line.startswith("data: ") and kind == "target":
                status = json.loads(line[6:])
                news += 1
                if status["status"] == "reached":
                    reached.add(status["target"])
                if (status["usage"] or {}).get("cores") is not None:
                    sampled.add(status["target"])
                if len(sampled) == TARGETS:
                    settled.set()

    threading.Thread(target=hear, daemon=True).start()
    begun = time.monotonic()
    if not settled.wait(120):
        raise SystemExit(f"{len(reached)} are reached, {len(sampled)} sampled")
    print(f"{TARGETS} targets, of 3 containers each: reached and sampled twice after {time.monotonic() - begun:.1f} s")
    before, samples, begun, heard = busy(server.pid), sampled_so_far(), time.monotonic(), news
    time.sleep(SECONDS)
    passed = time.monotonic() - begun
    share = (busy(server.pid) - before) / passed
    print(f"watched for {passed:.0f} s: {share * 100:.2f} % of a core ({idle * 100:.2f} % before), {resident(server.pid):.0f} MB resident, {sampled_so_far() - samples} samples, {news - heard} news")
    begun, heard = time.monotonic(), news
    docker("rm", "--force", "kept-0")
    while news - heard < TARGETS and time.monotonic() - begun < 30:
        time.sleep(0.01)
    print(f"a container ends: told of {min(news - heard, TARGETS)} targets within {time.monotonic() - begun:.1f} s")


def ended(begun):
    while True:
        found = told("GET", "/deployments/" + begun["id"])
        if found["status"] != "running":
            return found
        time.sleep(0.005)


def timed(times, work, each=None):
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        found = work()
        taken.append((time.perf_counter() - begun) * 1000)
        if each:
            each(found)
    return f"median {statistics.median(taken):.0f} ms, {min(taken):.0f} to {max(taken):.0f}"


def deploy():
    told("POST", "/targets", {"name": "edge", "address": engine})
    two = """services:
  web: { image: "stand-in:1", stop_signal: SIGKILL, depends_on: { db: { condition: service_healthy } }, healthcheck: { test: wget -q -O /dev/null http://127.0.0.1/, interval: 200ms, timeout: 2s, retries: 20 } }
  db: { image: "stand-in:1", command: sh -c "touch /tmp/ready; exec sleep 1000", stop_signal: SIGKILL, healthcheck: { test: test -f /tmp/ready, interval: 200ms, timeout: 2s, retries: 20 } }
"""
    many = "services:\n" + "".join(f'  s{at}: {{ image: "stand-in:1", command: sleep 1000, stop_signal: SIGKILL }}\n' for at in range(30))
    for name, text in [("two", two), ("many", many)]:
        told("POST", "/stacks", {"name": name, "text": text})

    def good(status):
        def check(found):
            if found["status"] != status:
                raise SystemExit(json.dumps(found))

        return check

    def fresh():
        found = ended(told("POST", "/stacks/two/deploy/edge", {}))
        good("deployed")(found)
        return found

    # What the engine alone takes for the same: two containers, begun one after the other, until each is healthy.
    def bare():
        flags = ["run", "--detach", "--health-interval", "200ms", "--health-timeout", "2s", "--health-retries", "20"]
        for name, check, command in [("b-db", "test -f /tmp/ready", ["sh", "-c", "touch /tmp/ready; exec sleep 1000"]), ("b-web", "wget -q -O /dev/null http://127.0.0.1/", [])]:
            docker(*flags, "--name", name, "--health-cmd", check, "stand-in:1", *command)
            while docker("inspect", "--format", "{{.State.Health.Status}}", name) != "healthy":
                time.sleep(0.02)

    print("two services by the engine's own command, one after the other:", timed(5, bare, lambda _: docker("rm", "--force", "b-db", "b-web")))
    print("the same two, deployed and healthy:", timed(5, fresh, lambda found: told("DELETE", "/deployments/" + found["id"])))
    fresh()
    print("deployed again without a change:", timed(20, lambda: ended(told("POST", "/stacks/two/deploy/edge", {})), good("unchanged")))
    print("the plan of 30 services that are not there:", timed(20, lambda: told("POST", "/stacks/many/plan/edge", {})))
    good("deployed")(ended(told("POST", "/stacks/many/deploy/edge", {})))
    print("the plan of 30 services that are there:", timed(20, lambda: told("POST", "/stacks/many/plan/edge", {})))
    print("the 30 deployed again without a change:", timed(10, lambda: ended(told("POST", "/stacks/many/deploy/edge", {})), good("unchanged")))


try:
    up()
    token = told("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD})["access_token"]
    {"watch": watch, "deploy": deploy}[what]()
finally:
    server.terminate()
    server.wait(30)
