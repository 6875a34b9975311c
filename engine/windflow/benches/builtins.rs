//! What the built-in plugins add to the start of a process and to its memory at rest: a host without them, with all of them on offer (what
//! every start has), and with the compiled code of each taken from the cache (what a process has that has used every one).

#![allow(clippy::print_stdout, reason = "what it measured is for people")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench that cannot run should say so at once"
)]
#![allow(dead_code, reason = "of what the binary embeds, it needs the plugins")]

use std::process::Command;
use std::time::Instant;

use windflow_core::id::Digest;
use windflow_host::{HostConfig, PluginHost};

struct BuiltIn {
    name: &'static str,
    digest: Digest,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

/// What a process of its own has before it is measured.
const PARTS: [&str; 3] = ["none", "offered", "used"];

/// Processes of each, by turns.
const TIMES: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, part, folder] = &arguments[..]
        && PARTS.contains(&&**part)
    {
        return one(part, folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code");
    let measure = |part: &str| {
        let output = Command::new(std::env::current_exe().unwrap()).arg(part).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut numbers = text.split_whitespace().map(|number| number.parse::<f64>().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    // Compiles what the others find compiled.
    measure("used");
    let mut measured = PARTS.map(|_| Vec::new());
    for _ in 0..TIMES {
        for (part, all) in PARTS.iter().zip(&mut measured) {
            all.push(measure(part));
        }
    }
    let medians = measured.map(|all| {
        let middle = |of: fn(&(f64, f64)) -> f64| {
            let mut sorted: Vec<f64> = all.iter().map(of).collect();
            sorted.sort_by(f64::total_cmp);
            sorted[sorted.len() / 2]
        };
        (middle(|one| one.0), middle(|one| one.1))
    });
    let [none, ..] = medians;
    println!("{} built-in plugins, medians of {TIMES} processes each", COMPONENTS.len());
    for (part, (millis, mib)) in PARTS.iter().zip(medians) {
        println!("{part:8} {millis:6.1} ms (+{:.1})  {mib:6.1} MiB resident (+{:.1})", millis - none.0, mib - none.1);
    }
}

/// Makes a host, and tells how long that took in milliseconds and what is resident then in MiB.
fn one(part: &str, folder: &str) {
    let begun = Instant::now();
    let config = HostConfig { cache_dir: Some(folder.into()), ..HostConfig::default() };
    let host = PluginHost::new(config).unwrap();
    if part != "none" {
        for BuiltIn { name, digest, bytes } in COMPONENTS {
            host.install_known(*bytes, *digest).expect(name);
        }
    }
    if part == "used" {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(host.prepare(COMPONENTS.iter().map(|one| one.digest)));
    }
    let took = begun.elapsed().as_secs_f64() * 1e3;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    println!("{took} {}", kib / 1024.0);
}
