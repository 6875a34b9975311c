//! `fib`: a little work, for measuring what surrounds it.

use windflow_sdk::{NodeError, config, node, output};

/// Which number.
#[config]
pub struct Config {
    /// Its place in the sequence.
    n: u32,
}

/// The number.
#[output]
pub struct Output {
    fib: u64,
}

/// Computes it by plain recursion.
#[node]
pub fn fib(config: Config) -> Result<Output, NodeError> {
    fn slow(n: u32) -> u64 {
        if n < 2 { n.into() } else { slow(n - 1) + slow(n - 2) }
    }
    Ok(Output { fib: slow(config.n) })
}

windflow_sdk::plugin!(fib);
