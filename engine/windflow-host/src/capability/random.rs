//! The randomness that guests see, behind `wasi:random`: the machine's where every key agrees. Else a stream that follows from
//! the key of the node run, the same across its retries, on every machine and in every release.

use std::convert::Infallible;

use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng as _, TryRng};
use ring::digest::{Context, SHA256};
use wasmtime_wasi::WasiCtxBuilder;
use windflow_core::capability::Capability;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::ports::host::Call;

use crate::plugin::Plugin;

/// Most bytes that a guest gets at once; more ends its attempt.
pub(crate) const BYTES: u64 = 1 << 20;

/// A generator fit for secrets, which the machine gave its seed, where every key agrees: one seed for each attempt, so that no
/// guest makes the machine work for each number.
///
/// # Errors
/// Where a guest asks for it and the workflow does not grant it: `wasi:random` cannot refuse, and numbers that can be foreseen
/// would be taken for secrets. And where the machine has none.
pub(crate) fn granted(call: &Call, plugin: &Plugin) -> Result<Option<Box<StdRng>>, Failure> {
    if !plugin.uses(Capability::Random) {
        return Ok(None);
    }
    if !call.grants.random {
        let why = "random numbers of the machine were denied: the workflow does not grant them. Add to the workflow: permissions: { random: true }";
        return Err(Failure::new(FailureKind::Denied, why));
    }
    if call.pretended.is_some() {
        return Ok(None);
    }
    match StdRng::try_from_rng(&mut SysRng) {
        Ok(generator) => Ok(Some(Box::new(generator))),
        Err(error) => {
            let why = format!("this machine gives no random numbers: {error}");
            Err(Failure { retry: RetryHint::MayHelp, ..Failure::new(FailureKind::Unavailable, why) })
        }
    }
}

/// Lets a guest draw from the machine's generator, or from what follows from its key, and from nothing else.
pub(crate) fn link(ctx: &mut WasiCtxBuilder, key: &str, granted: Option<Box<StdRng>>) {
    ctx.max_random_size(BYTES);
    match granted {
        None => ctx
            .secure_random(Stream::new(key, "random"))
            .insecure_random(Stream::new(key, "insecure-random"))
            .insecure_random_seed(seed(key)),
        Some(mut generator) => {
            let (other, seed) = (generator.fork(), [generator.next_u64(), generator.next_u64()]);
            ctx.secure_random(generator)
                .insecure_random(other)
                .insecure_random_seed(u128::from(seed[0]) << 64 | u128::from(seed[1]))
        }
    };
}

/// SHA-256 of the key, the stream's name and a counter, block after block.
struct Stream {
    seed: Context,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    fn new(key: &str, name: &str) -> Self {
        let mut seed = Context::new(&SHA256);
        seed.update(name.as_bytes());
        seed.update(&[0]);
        seed.update(key.as_bytes());
        seed.update(&[0]);
        Self { seed, counter: 0, block: [0; 32], used: 32 }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.block.len() {
                let mut block = self.seed.clone();
                block.update(&self.counter.to_le_bytes());
                self.block.copy_from_slice(block.finish().as_ref());
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// A number for guests that seed their own hash maps.
fn seed(key: &str) -> u128 {
    u128::from_le_bytes(Stream::new(key, "insecure-seed").take())
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.take()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.take()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_follow_from_key_and_name_only() {
        let bytes = |key, name| Stream::new(key, name).take::<100>();
        assert_eq!(bytes("run/node", "a"), bytes("run/node", "a"));
        assert_ne!(bytes("run/node", "a"), bytes("run/node", "b"));
        assert_ne!(bytes("run/node", "a"), bytes("run/other", "a"));
        assert_eq!(seed("run/node"), seed("run/node"));
    }
}
