//! The randomness that guests see: a stream that follows from the key of the node run, the same across its retries, on
//! every machine and in every release.

use std::convert::Infallible;

use rand::TryRng;
use ring::digest::{Context, SHA256};

/// SHA-256 of the key, the stream's name and a counter, block after block.
pub(super) struct Stream {
    seed: Context,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    pub(super) fn new(key: &str, name: &str) -> Self {
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
pub(super) fn seed(key: &str) -> u128 {
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
