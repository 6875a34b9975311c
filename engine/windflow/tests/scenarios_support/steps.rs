//! Scenarios as lists of steps in `steps.yaml`.
//!
//! ```yaml
//! answers: [{ status: 503, body: no }, { status: 200, body: yes }]   # what a server of the scenario's own answers, in this order
//! steps:
//!   - do: [run, workflow.yaml, --json]     # the command, to its end
//!     exits: 0
//!     says: [a part of what it says]       # on either output; `silent_of` names parts that it must not say
//!     gives: { status: succeeded }         # the JSON that it prints has at least this; a text in … is contained
//!     keep: { run: /run }                  # what is at these places of it is written @run@ from here on
//!     files_up_to_kib: 512                 # what the disk takes of one file
//!     syncs_until: 1                       # after so many syncs of the store's log every further one fails; the first is that of its opening
//!     any_file: true                       # …of any file of the store
//!   - disk: { mib: 8 }                     # the data is on a disk of its own of that size, empty at first; `read_only` turns it so
//!   - begin: [run, workflow.yaml]          # the command, until the scenario's server has so many requests
//!     seen: 1
//!   - serve: [--keep-runs, 1s]             # a server; somebody is signed in
//!     until_said: a part                   # …where it is to be killed before it is ready
//!   - ask: GET /api/v1/runs/@run@          # of that server, again until the answer is as told; `body`, or `file` with a workflow
//!     status: 200
//!     gives: {}
//!     keep: {}
//!   - kill: {}                             # what was begun, or the server, is gone at once
//!   - listen: {}                           # from here on something answers at @later@
//!   - seen_later: 1                        # so many requests came there
//!   - seen: [GET /a]                       # the requests that the scenario's server had, oldest first; `keys` counts idempotency keys
//!   - put: { workflow.yaml: changed.yaml } # files of the scenario over others; the text itself where it has more than one line
//!   - holds: { files/local: 1 }            # how many entries a folder of the data has; 0 where it is not there
//!   - damage: store/sled/db                # the middle of a file of the data is written over
//!   - unpack: windflow-store/tests/fixtures/store-v1.tar.gz
//! ```
//!
//! In files and steps `@server@` is the address of the scenario's own server, `@closed@` one at which nothing listens.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::common::{Answer, Witness, closed_address, windflow, yaml};
use crate::serving::{Serving, add_user};

const PERSON: &str = "ada@local.example";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    #[serde(default)]
    answers: Vec<Scripted>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    status: u16,
    #[serde(default)]
    body: String,
    /// So many bytes that cannot be packed, instead.
    #[serde(default)]
    noise: u64,
    /// It never answers.
    #[serde(default)]
    hangs: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    Do {
        r#do: Vec<String>,
        #[serde(default)]
        exits: i32,
        #[serde(default)]
        says: Vec<String>,
        #[serde(default)]
        silent_of: Vec<String>,
        gives: Option<Value>,
        #[serde(default)]
        keep: BTreeMap<String, String>,
        files_up_to_kib: Option<u32>,
        syncs_until: Option<u32>,
        #[serde(default)]
        any_file: bool,
    },
    Disk {
        disk: OwnDisk,
    },
    Begin {
        begin: Vec<String>,
        seen: usize,
    },
    Serve {
        serve: Vec<String>,
        until_said: Option<String>,
    },
    Ask {
        ask: String,
        #[serde(default = "ok")]
        status: u16,
        body: Option<Value>,
        file: Option<String>,
        gives: Option<Value>,
        #[serde(default)]
        keep: BTreeMap<String, String>,
    },
    Kill {
        #[expect(dead_code, reason = "names the step")]
        kill: BTreeMap<String, String>,
    },
    Listen {
        #[expect(dead_code, reason = "names the step")]
        listen: BTreeMap<String, String>,
    },
    SeenLater {
        seen_later: usize,
    },
    Seen {
        seen: Vec<String>,
        keys: Option<usize>,
    },
    Put {
        put: BTreeMap<String, String>,
    },
    Holds {
        holds: BTreeMap<String, usize>,
    },
    Damage {
        damage: String,
    },
    Unpack {
        unpack: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnDisk {
    mib: Option<u32>,
    read_only: Option<bool>,
}

fn ok() -> u16 {
    200
}

struct World {
    place: tempfile::TempDir,
    words: BTreeMap<String, String>,
    server: Witness,
    /// The address that answers later, and who answers there by then.
    later: (String, Option<Witness>),
    serving: Option<Serving>,
    begun: Option<Child>,
    has_user: bool,
    /// What holds the file system of the data, where it has one of its own; it goes with it.
    disk: Option<Child>,
}

impl Drop for World {
    fn drop(&mut self) {
        for mut child in self.begun.take().into_iter().chain(self.disk.take()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name)
}

/// Hexadecimal digits without a pattern.
fn noise(bytes: u64) -> String {
    let digest = |part: u64| windflow_core::id::Digest::of(&part.to_be_bytes()).to_string();
    let text: String = (0..=bytes / 64).map(|part| digest(part).trim_start_matches("sha256:").to_owned()).collect();
    text.chars().take(usize::try_from(bytes).unwrap()).collect()
}

/// Plays a scenario, and panics where anything is not as it says.
pub(crate) fn play(name: &str) {
    let folder = folder(name);
    let steps = std::fs::read_to_string(folder.join("steps.yaml")).unwrap();
    let scenario: Scenario = serde_json::from_value(yaml(&steps)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let answers = scenario.answers.iter().map(|answer| Answer {
        status: answer.status,
        after: if answer.hangs { Duration::from_secs(3600) } else { Duration::ZERO },
        ..Answer::ok(&if answer.noise > 0 { noise(answer.noise) } else { answer.body.clone() })
    });
    let server = Witness::start(answers.collect());
    let later = closed_address();
    let words = [("server", server.url()), ("closed", closed_address()), ("later", later.clone())];
    let words = words.into_iter().map(|(word, means)| (word.to_owned(), means)).collect();
    let place = tempfile::tempdir().unwrap();
    let mut world =
        World { place, words, server, later: (later, None), serving: None, begun: None, has_user: false, disk: None };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = world.filled(&std::fs::read_to_string(&path).unwrap());
        std::fs::write(world.place.path().join(path.file_name().unwrap()), text).unwrap();
    }
    if scenario.steps.iter().any(|step| matches!(step, Step::Disk { .. })) && !can_mount() {
        return;
    }
    for (at, step) in scenario.steps.iter().enumerate() {
        let place = format!("{name}, step {}: {step:?}", at + 1);
        world.step(&place, step, &folder);
    }
}

/// Whether this machine lets anybody have file systems of his own.
#[allow(clippy::print_stderr, reason = "a test that cannot be done says so")]
fn can_mount() -> bool {
    let can = Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
    if !can {
        eprintln!("this machine allows no mounts in a namespace of one's own: a limit for files stands for full disks");
    }
    can
}

impl World {
    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    fn filled(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (word, means)| text.replace(&format!("@{word}@"), means))
    }

    /// The command, where the data is on a disk of its own.
    fn within_disk(&self) -> Option<Command> {
        let holder = self.disk.as_ref()?.id().to_string();
        let mut command = Command::new("nsenter");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(["--preserve-credentials", "-U", "-m", "-t", &holder, "--"]);
        Some(command)
    }

    /// Gives the data a disk of its own, or changes it.
    fn change_disk(&mut self, place: &str, disk: &OwnDisk) {
        let data = self.data();
        let size = disk.mib.map(|mib| format!("size={mib}m"));
        if let Some(mut command) = self.within_disk() {
            let mode = disk.read_only.map(|is| if is { "ro" } else { "rw" }.to_owned());
            let options: Vec<_> = ["remount".to_owned()].into_iter().chain(mode).chain(size).collect();
            let done = command.args(["mount", "-o", &options.join(",")]).arg(data).status().unwrap();
            assert!(done.success(), "{place}");
            return;
        }
        std::fs::create_dir_all(&data).unwrap();
        let script = format!("mount -t tmpfs -o {} none \"$0\" && echo ready && exec sleep 600", size.unwrap());
        let mut holder = Command::new("unshare");
        holder.args(["-rm", "sh", "-c", &script]).arg(data).stdout(Stdio::piped());
        let mut holder = holder.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said.trim(), "ready", "{place}");
        self.disk = Some(holder);
    }

    fn command(&self, arguments: &[String], files_up_to_kib: Option<u32>, syncs_until: Option<(u32, bool)>) -> Command {
        let arguments: Vec<_> = arguments.iter().map(|argument| self.filled(argument)).collect();
        let mut command = windflow(&self.data());
        let program = env!("CARGO_BIN_EXE_windflow");
        if let Some(mut within) = self.within_disk() {
            within.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(self.place.path());
            within.env("WINDFLOW_DATA_DIR", self.data()).arg(program);
            command = within;
        }
        if let Some((syncs, any_file)) = syncs_until {
            command = Command::new("strace");
            command.env("WINDFLOW_DATA_DIR", self.data()).args(["-f", "-qq", "-o", "/dev/null"]);
            if !any_file {
                command.arg("-P").arg(self.data().join("store/sled/write-ahead"));
            }
            command.args(["-e", "trace=fsync,fdatasync", "-e"]);
            command.arg(format!("inject=fsync,fdatasync:error=EIO:when={}+", syncs + 1)).arg(program);
        }
        if let Some(kib) = files_up_to_kib {
            // The limit counts blocks of 512 or 1024 bytes, as the shell likes; bash counts 1024.
            command = Command::new("bash");
            command
                .env("WINDFLOW_DATA_DIR", self.data())
                .args(["-c", &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"")]);
            command.arg("bash").arg(program);
        }
        command.args(arguments).current_dir(self.place.path());
        command
    }

    fn keep(&mut self, place: &str, keep: &BTreeMap<String, String>, given: &Value) {
        for (word, at) in keep {
            let found = given.pointer(at).unwrap_or_else(|| panic!("{place}: nothing is at {at} of {given:#}"));
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            self.words.insert(word.clone(), text);
        }
    }

    /// What is expected, with its words filled in.
    fn expected(&self, value: &Value) -> Value {
        serde_json::from_str(&self.filled(&value.to_string())).unwrap()
    }

    fn step(&mut self, place: &str, step: &Step, folder: &Path) {
        match step {
            Step::Do { r#do, exits, says, silent_of, gives, keep, files_up_to_kib, syncs_until, any_file } => {
                let output =
                    self.command(r#do, *files_up_to_kib, syncs_until.map(|syncs| (syncs, *any_file))).output().unwrap();
                let said = said(&output);
                assert_eq!(output.status.code(), Some(*exits), "{place}: {said}");
                for words in says.iter().map(|words| self.filled(words)) {
                    assert!(said.contains(&words), "{place}: it does not say {words:?}: {said}");
                }
                for words in silent_of.iter().map(|words| self.filled(words)) {
                    assert!(!said.contains(&words), "{place}: it says {words:?}: {said}");
                }
                if gives.is_some() || !keep.is_empty() {
                    let given: Value = serde_json::from_slice(&output.stdout)
                        .unwrap_or_else(|error| panic!("{place}: {error}: {said}"));
                    if let Some(wrong) = gives.as_ref().and_then(|gives| differs(&self.expected(gives), &given, "")) {
                        panic!("{place}: {wrong}: {given:#}");
                    }
                    self.keep(place, keep, &given);
                }
            }
            Step::Disk { disk } => self.change_disk(place, disk),
            Step::Begin { begin, seen } => {
                let child =
                    self.command(begin, None, None).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                self.begun = Some(child);
                let begun = Instant::now();
                while self.server.seen().len() < *seen {
                    assert!(begun.elapsed() < Duration::from_secs(60), "{place}: {:?}", self.server.seen());
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            Step::Serve { serve, until_said } => self.serve(serve, until_said.as_deref()),
            Step::Ask { ask, status, body, file, gives, keep } => {
                let begun = Instant::now();
                loop {
                    let (found, given) = self.ask(ask, body.as_ref(), file.as_deref());
                    let wrong = gives.as_ref().and_then(|gives| differs(&self.expected(gives), &given, ""));
                    if found == *status && wrong.is_none() {
                        self.keep(place, keep, &given);
                        return;
                    }
                    // What is only looked at comes to be so; what is done is done once.
                    let may_wait = ask.starts_with("GET ") && begun.elapsed() < Duration::from_secs(60);
                    assert!(may_wait, "{place}: {found} {wrong:?}: {given:#}");
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Step::Kill { .. } => {
                if let Some(mut child) = self.begun.take() {
                    child.kill().unwrap();
                    child.wait().unwrap();
                } else {
                    self.serving.take().expect("something runs").kill();
                }
            }
            Step::Listen { .. } => {
                let address = self.later.0.trim_start_matches("http://").to_owned();
                self.later.1 = Some(Witness::at(TcpListener::bind(address).unwrap(), vec![Answer::ok("here")]));
            }
            Step::SeenLater { seen_later } => {
                let seen = self.later.1.as_ref().expect("something listens").seen();
                assert_eq!(seen.len(), *seen_later, "{place}: {seen:?}");
            }
            Step::Seen { seen, keys } => {
                let all = self.server.seen();
                let paths: Vec<_> = all.iter().map(|one| one.path.clone()).collect();
                assert_eq!(&paths, seen, "{place}");
                if let Some(keys) = keys {
                    let found: std::collections::BTreeSet<_> = all.iter().filter_map(|one| one.key.clone()).collect();
                    assert_eq!(found.len(), *keys, "{place}: {all:?}");
                }
            }
            Step::Put { put } => {
                for (to, from) in put {
                    let text = if from.contains('\n') {
                        from.clone()
                    } else {
                        std::fs::read_to_string(folder.join(from)).unwrap()
                    };
                    let to = self.place.path().join(self.filled(to));
                    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                    std::fs::write(to, self.filled(&text)).unwrap();
                }
            }
            Step::Holds { holds } => {
                for (inner, count) in holds {
                    let found = std::fs::read_dir(self.data().join(inner)).map_or(0, Iterator::count);
                    assert_eq!(found, *count, "{place}: entries of {inner}");
                }
            }
            Step::Damage { damage } => {
                let path = self.data().join(damage);
                let mut bytes = std::fs::read(&path).unwrap();
                let (from, to) = (bytes.len() / 4, bytes.len() / 4 * 3);
                bytes[from..to].fill(7);
                std::fs::write(path, bytes).unwrap();
            }
            Step::Unpack { unpack } => {
                std::fs::create_dir_all(self.data()).unwrap();
                let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(unpack);
                let done = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(self.data()).status().unwrap();
                assert!(done.success(), "{place}");
            }
        }
    }

    fn serve(&mut self, arguments: &[String], until_said: Option<&str>) {
        if !self.has_user {
            add_user(&self.data(), PERSON);
            self.has_user = true;
        }
        let arguments: Vec<_> = arguments.iter().map(|argument| self.filled(argument)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match until_said {
            Some(words) => self.serving = Some(Serving::until_said(&self.data(), &arguments, words)),
            None => {
                let mut serving = Serving::start(&self.data(), &arguments);
                serving.sign_in(PERSON);
                self.serving = Some(serving);
            }
        }
    }

    fn ask(&self, ask: &str, body: Option<&Value>, file: Option<&str>) -> (u16, Value) {
        let serving = self.serving.as_ref().expect("a server runs");
        let (method, path) = ask.split_once(' ').expect("a method and a path");
        let mut request = serving.request(method, &self.filled(path));
        if let Some(body) = body {
            request = request.json(&self.expected(body));
        }
        if let Some(file) = file {
            let text = std::fs::read_to_string(self.place.path().join(file)).unwrap();
            request = request.header("content-type", "application/yaml").body(text);
        }
        let answer = request.send().unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().unwrap()).unwrap_or(Value::Null))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Where a value has not at least what is expected.
fn differs(expected: &Value, found: &Value, at: &str) -> Option<String> {
    match (expected, found) {
        (Value::Object(fields), Value::Object(_)) => fields.iter().find_map(|(key, expected)| {
            differs(expected, found.get(key).unwrap_or(&Value::Null), &format!("{at}/{key}"))
        }),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.find_map(|(index, (expected, found))| differs(expected, found, &format!("{at}/{index}")))
        }
        (Value::String(part), found) if part.starts_with('…') => {
            let text = found.as_str().unwrap_or_default();
            (!text.contains(part.trim_matches('…'))).then(|| format!("{at} is {found}, and has no {part}"))
        }
        (Value::String(bound), Value::Number(found)) if bound.starts_with(['<', '>']) => {
            let limit: f64 = bound[1..].trim().parse().unwrap();
            let found = found.as_f64().unwrap();
            let holds = if bound.starts_with('<') { found < limit } else { found > limit };
            (!holds).then(|| format!("{at} is {found}, and not {bound}"))
        }
        _ => (expected != found).then(|| format!("{at} is {found}, and not {expected}")),
    }
}
