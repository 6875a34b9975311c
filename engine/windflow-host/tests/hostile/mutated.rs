//! Packages that differ from sound ones by some bytes, as chance and malice make them: each is refused, or runs within its bounds.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use windflow_host::{HostConfig, Limits, PluginHost};

use crate::support::{Attempt, CONTRACTS, everything};

/// How many of each guest; `WINDFLOW_LONG=1` tries thousands, and `WINDFLOW_SEED` begins elsewhere.
fn seeds() -> std::ops::Range<u64> {
    let first = std::env::var("WINDFLOW_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    first..first + if std::env::var_os("WINDFLOW_LONG").is_some() { 3_000 } else { 60 }
}

#[tokio::test]
async fn every_changed_package_is_refused_or_stays_within_its_bounds() {
    let mut refused = 0;
    let mut ran = 0;
    for contract in CONTRACTS {
        for name in ["echo", "http", "wasi"] {
            let sound = contract.guest(name, &everything());
            for seed in seeds() {
                let package = mutate(&sound, &mut StdRng::seed_from_u64(seed));
                match attempt(name, package).await {
                    Some(took) => {
                        ran += 1;
                        assert!(took < Duration::from_secs(10), "{name}, seed {seed}: took {took:?}");
                    }
                    None => refused += 1,
                }
            }
        }
    }
    // Else the changes are of no kind that finds anything.
    assert!(refused > 0 && ran > 0, "{refused} refused, {ran} ran");
}

/// How long the attempt took, if there was one. A panic of the host ends the test.
async fn attempt(name: &str, package: Vec<u8>) -> Option<Duration> {
    let limits = Limits { wall_time: Duration::from_millis(300), ..Limits::default() };
    let host = PluginHost::new(HostConfig { limits, ..HostConfig::default() }).unwrap();
    let installed = host.install(package).ok()?;
    let mut attempt = Attempt::of(name);
    // A changed manifest may call the node otherwise.
    attempt.uses = installed.first()?.0.clone();
    let begun = Instant::now();
    // Whether it goes well is not the question: it may be what it was, in all that counts.
    drop(attempt.run(&host).await);
    Some(begun.elapsed())
}

/// Bytes changed, cut out, doubled or cut off. Half of them keep to where the code is, so that the manifest stays readable.
fn mutate(sound: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut package = sound.to_vec();
    for _ in 0..random.random_range(1..=4) {
        let end = if random.random_bool(0.5) { package.len() / 2 } else { package.len() };
        let at = random.random_range(8..end.max(9)).min(package.len() - 1);
        let length = random.random_range(1..16_usize).min(package.len() - at);
        match random.random_range(0..5_u8) {
            0 => package[at] = random.next_u32() as u8,
            1 => package[at] ^= 1 << random.random_range(0..8_u8),
            2 => drop(package.drain(at..at + length)),
            3 => {
                let again = package[at..at + length].to_vec();
                package.splice(at..at, again);
            }
            _ if random.random_bool(0.2) => package.truncate(at.max(8)),
            _ => package[at] = [0, 0x7f, 0x80, 0xff][random.random_range(0..4_usize)],
        }
        if package.len() < 16 {
            break;
        }
    }
    package
}
