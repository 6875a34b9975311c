//! Mixed load for a time: nothing is lost, nothing gets stuck, and memory stays flat. Some seconds; a minute with `WINDFLOW_LONG=1`; as many
//! seconds as `WINDFLOW_SOAK_SECONDS` says.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serving::{Serving, add_user, told};

/// From how many seconds on memory is judged: before, everything is still being met for the first time.
const JUDGED_FROM: u64 = 60;

/// A minute of load fills every cache and every pool.
const WARM_UP: Duration = Duration::from_secs(60);

const SOUND: &str = "windflow: 1\nname: sound\ninputs:\n  n: { type: integer }\n\
triggers:\n  hook:\n    uses: webhook\n    with: { path: sound, auth: none, reply: result }\n    inputs: { n: \"${{ trigger.body.n }}\" }\n\
nodes:\n  double: { uses: transform@1, with: { input: \"${{ inputs.n }}\", jq: \". * 2\" } }\n  \
told: { uses: log@1, with: { message: \"it is ${{ nodes.double.output }}\" } }\noutputs: { doubled: \"${{ nodes.double.output }}\" }\n";

const FAILS: &str = "windflow: 1\nname: fails\n\
triggers:\n  hook: { uses: webhook, with: { path: fails, auth: none } }\n\
nodes:\n  before: { uses: transform@1, with: { input: 1, jq: \".\" } }\n  \
stop: { uses: fail@1, needs: [before], with: { message: no }, retry: { attempts: 2, initial: 10ms } }\n";

const RESTS: &str = "windflow: 1\nname: rests\n\
triggers:\n  hook: { uses: webhook, with: { path: rests, auth: none } }\n\
nodes:\n  rest: { uses: wait@1, with: { for: 2s } }\n  after: { uses: transform@1, needs: [rest], with: { input: 1, jq: \".\" } }\n";

const ASKS: &str = "windflow: 1\nname: asks\nnodes:\n  ask: { uses: approval@1, with: { message: \"Go on?\" } }\n  \
after: { uses: transform@1, needs: [ask.approved], with: { input: 1, jq: \".\" } }\n";

const TICKS: &str = "windflow: 1\nname: ticks\n\
triggers:\n  clock: { uses: cron, with: { schedule: \"* * * * * *\", overlap: allow } }\n\
nodes:\n  one: { uses: transform@1, with: { input: 1, jq: \".\" } }\n";

/// After so long every run of the load has ended, or is stuck.
const ENDED_BY: Duration = Duration::from_secs(30);

/// A run that was acknowledged, and how it has to end.
struct Promise {
    at: Instant,
    run: String,
    end: &'static str,
}

/// The load, and what was promised meanwhile.
struct Load<'a> {
    serving: &'a Serving,
    until: Instant,
    /// Those that nobody has looked after yet, the oldest first.
    promised: Mutex<VecDeque<Promise>>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Load<'_> {
    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    fn promise(&self, run: &str, end: &'static str) {
        self.promised.lock().unwrap().push_back(Promise { at: Instant::now(), run: run.to_owned(), end });
    }

    /// Knocks at a webhook again and again.
    fn knock(&self, path: &'static str, end: &'static str, every: Duration) {
        for n in 0.. {
            if !self.goes_on() {
                return;
            }
            let answer =
                self.serving.http.post(format!("{}/hooks/local/{path}", self.serving.url)).json(&json!({ "n": n }));
            let answer = answer.send().unwrap();
            let (status, run) = (answer.status().as_u16(), answer.headers().get("windflow-run").cloned());
            let body: Value = answer.json().unwrap();
            let run = match run {
                Some(run) => {
                    assert_eq!((status, &body["doubled"]), (200, &json!(n * 2)), "{body}");
                    run.to_str().unwrap().to_owned()
                }
                None => {
                    assert_eq!(status, 202, "{body}");
                    body["run"].as_str().unwrap().to_owned()
                }
            };
            self.promise(&run, end);
            self.count(path);
            std::thread::sleep(every);
        }
    }

    /// Reads what pages read.
    fn read(&self) {
        let paths = [
            "/api/v1/runs?limit=50",
            "/api/v1/runs?status=failed&workflow=fails",
            "/api/v1/workflows",
            "/api/v1/workflows/sound",
            "/api/v1/statistics",
            "/api/v1/node-types",
            "/api/v1/triggers",
            "/api/v1/dead-letters",
            "/metrics",
        ];
        for path in paths.iter().cycle() {
            if !self.goes_on() {
                return;
            }
            let answer = self.serving.request("GET", path).send().unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            let body = answer.text().unwrap();
            if let Ok(page) = serde_json::from_str::<Value>(&body)
                && let Some(run) = page["items"][0]["run"].as_str()
            {
                // Unless it was swept away since it was listed.
                let shown = self.serving.request("GET", &format!("/api/v1/runs/{run}")).send().unwrap();
                assert!([200, 404].contains(&shown.status().as_u16()), "{run}: {}", shown.text().unwrap());
            }
            self.count("reads");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks, and answers once it is asked.
    fn answer(&self) {
        while self.goes_on() {
            let start = self.serving.request("POST", "/api/v1/workflows/asks/runs").json(&json!({}));
            let run = self.serving.answer(start, 201)["run"].as_str().unwrap().to_owned();
            self.promise(&run, "succeeded");
            let yes = json!({ "node": "ask", "approved": true });
            let begun = Instant::now();
            loop {
                let path = format!("/api/v1/runs/{run}/answers");
                let answer = self.serving.request("POST", &path).json(&yes).send().unwrap();
                if answer.status() == 200 {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(20), "{}", answer.text().unwrap());
                std::thread::sleep(Duration::from_millis(10));
            }
            self.count("answers");
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    /// Looks how runs ended, and forgets them, as an operator's retention does: what is kept stays as much as it is, and so must memory.
    fn sweep(&self) {
        while self.goes_on() {
            std::thread::sleep(Duration::from_millis(500));
            let due: Vec<Promise> = {
                let mut promised = self.promised.lock().unwrap();
                let due = promised.partition_point(|promise| promise.at.elapsed() > ENDED_BY).min(400);
                promised.drain(..due).collect()
            };
            for Promise { run, end, .. } in &due {
                let found = self.serving.answer(self.serving.request("GET", &format!("/api/v1/runs/{run}")), 200);
                assert_eq!(found["status"], *end, "{found}");
                self.count("kept");
            }
            let failed = due.iter().filter(|promise| promise.end == "failed").map(|promise| promise.run.as_str());
            self.all("dismiss", &failed.collect::<Vec<_>>());
            self.all("delete", &due.iter().map(|promise| promise.run.as_str()).collect::<Vec<_>>());
            let page = self.serving.request("GET", "/api/v1/runs?workflow=ticks&status=succeeded&limit=500");
            let ticks = self.serving.answer(page, 200);
            let ticks: Vec<_> =
                ticks["items"].as_array().unwrap().iter().filter_map(|run| run["run"].as_str()).collect();
            ticks.iter().for_each(|_| self.count("ticks"));
            self.all("delete", &ticks);
        }
    }

    fn all(&self, action: &str, runs: &[&str]) {
        if runs.is_empty() {
            return;
        }
        let body = json!({ "action": action, "runs": runs });
        let answer = self.serving.answer(self.serving.request("POST", "/api/v1/runs/bulk").json(&body), 200);
        let refused: Vec<_> =
            answer["results"].as_array().unwrap().iter().filter(|result| !result["problem"].is_null()).collect();
        assert!(refused.is_empty(), "{action}: {refused:?}");
    }

    /// Watches all runs, goes away and comes back: whoever names the last event that they saw misses none.
    fn watch(&self) {
        let mut last: Option<(String, u64)> = None;
        while self.goes_on() {
            let mut request = self.serving.request("GET", "/api/v1/live");
            if let Some((epoch, number)) = &last {
                request = request.header("last-event-id", format!("{epoch}-{number}"));
            }
            let stream = request.send().unwrap();
            assert_eq!(stream.status(), 200);
            let mut seen = 0;
            for line in BufReader::new(stream).lines() {
                // A stream that is read for longer than a request may take ends.
                let Ok(line) = line else { break };
                assert_ne!(line, "event: reset", "the reader was too slow to be told everything");
                if let Some((epoch, number)) = line.strip_prefix("id: ").and_then(|id| id.split_once('-')) {
                    let number: u64 = number.parse().unwrap();
                    if let Some((before, last)) = &last {
                        assert_eq!((epoch, number), (before.as_str(), last + 1), "events are missing");
                    }
                    last = Some((epoch.to_owned(), number));
                    self.count("events");
                    seen += 1;
                }
                if seen == 200 || !self.goes_on() {
                    break;
                }
            }
        }
    }
}

/// What of the server is in memory, in KiB: its own, and the pages of its file.
fn resident(serving: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

fn median(samples: &[(Duration, u64)]) -> u64 {
    let mut samples: Vec<u64> = samples.iter().map(|(_, kib)| *kib).collect();
    samples.sort_unstable();
    samples[samples.len() / 2]
}

#[test]
fn mixed_load_loses_no_run_and_leaves_memory_flat() {
    let asked =
        std::env::var("WINDFLOW_SOAK_SECONDS").ok().map(|seconds| seconds.parse().expect("a number of seconds"));
    let long = std::env::var_os("WINDFLOW_LONG").is_some();
    let seconds: u64 = asked.unwrap_or(if long { 2 * JUDGED_FROM } else { 5 });
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    // A session ends before an hour is over; a key does not.
    let scopes = "workflows:read,workflows:write,workflows:enable,runs:read,runs:start,runs:operate,metrics:read";
    let key = told(&data, &["token", "create", "--user", "op@example.org", "--name", "soak", "--scope", scopes], 0);
    let key = key.lines().next().unwrap().to_owned();
    let mut serving = Serving::start(&data, &["--rate-limit", "0"]);
    serving.token = key;
    for (name, text) in [("sound", SOUND), ("fails", FAILS), ("rests", RESTS), ("asks", ASKS), ("ticks", TICKS)] {
        serving.create_enabled(name, text);
    }

    // What its nodes are made of is compiled for the first run, which takes as long as others keep the machine busy.
    let first = serving.http.post(format!("{}/hooks/local/sound", serving.url)).json(&json!({ "n": 1 }));
    let run = first.send().unwrap().headers()["windflow-run"].to_str().unwrap().to_owned();
    serving.answer(serving.request("DELETE", &format!("/api/v1/runs/{run}")), 204);

    let begun = Instant::now();
    let load = Load {
        serving: &serving,
        until: begun + Duration::from_secs(seconds),
        promised: Mutex::default(),
        counts: Mutex::default(),
    };
    let mut samples = Vec::new();
    let millis = Duration::from_millis;
    std::thread::scope(|scope| {
        scope.spawn(|| load.knock("sound", "succeeded", millis(25)));
        scope.spawn(|| load.knock("sound", "succeeded", millis(60)));
        scope.spawn(|| load.knock("fails", "failed", millis(150)));
        scope.spawn(|| load.knock("rests", "succeeded", millis(100)));
        scope.spawn(|| load.read());
        scope.spawn(|| load.answer());
        scope.spawn(|| load.watch());
        scope.spawn(|| load.watch());
        scope.spawn(|| load.sweep());
        let mut next = begun;
        while load.goes_on() {
            samples.push((begun.elapsed(), resident(&serving)));
            next += (Duration::from_secs(seconds) / 100).max(millis(200));
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    });
    let Load { promised, counts, .. } = load;
    let (promised, counts) = (promised.into_inner().unwrap(), counts.into_inner().unwrap());
    let memory: Vec<u64> = samples.iter().step_by(10).map(|(_, kib)| kib / 1024).collect();
    eprintln!("{seconds} s: {counts:?}, {} runs kept, memory in MiB {memory:?}", promised.len());

    serving.answer(serving.request("POST", "/api/v1/workflows/ticks/disable"), 200);
    serving.until(|serving| serving.runs("&status=running").is_empty());
    let ended: HashMap<String, Value> =
        serving.runs("").into_iter().map(|run| (run["run"].as_str().unwrap().to_owned(), run)).collect();
    for Promise { run, end, .. } in &promised {
        let found = ended.get(run).unwrap_or_else(|| panic!("run {run} was acknowledged and is lost"));
        assert_eq!(found["status"], *end, "{found}");
    }
    let left = ended.values().filter(|run| run["workflow"] == "ticks").count() as u64;
    let ticks = left + counts.get("ticks").copied().unwrap_or_default();
    assert!((1..=seconds + 10).contains(&ticks), "{ticks} ticks in {seconds} s");
    assert_eq!(ended.len() as u64, promised.len() as u64 + left, "a run was started that nobody asked for");
    for what in ["sound", "fails", "rests", "answers", "reads", "events"] {
        assert!(counts.get(what).is_some_and(|count| *count > seconds / 2), "too few {what}: {counts:?}");
    }
    let metrics = serving.request("GET", "/metrics").send().unwrap().text().unwrap();
    for expect in ["windflow_runs_stalled 0", "windflow_runs_active 0"] {
        assert!(metrics.lines().any(|line| line == expect), "{expect} in {metrics}");
    }
    if seconds >= 2 * JUDGED_FROM {
        // What comes after the warm-up, cut in three.
        let warm: Vec<_> =
            samples.into_iter().filter(|(at, _)| *at > WARM_UP.max(Duration::from_secs(seconds) / 6)).collect();
        let third = warm.len() / 3;
        let (before, after) = (median(&warm[..third]), median(&warm[warm.len() - third..]));
        assert!(after * 10 <= before * 11, "memory grew from {before} KiB to {after} KiB");
    }
    let (code, said) = serving.stop("-TERM");
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains(" ERROR "), "{said}");
}
