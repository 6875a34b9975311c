//! The contract of a store, as named checks. Whatever implements the ports passes all of them:
//!
//! ```
//! windflow_store::suite::check_all(windflow_store::MemoryStore::new);
//! ```
//!
//! Each check gets a store of its own from the factory, and panics where the promise in its name is broken.
#![allow(clippy::unwrap_used, clippy::panic, reason = "checks are tests: they fail by panicking")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use windflow_core::ports::store::Store;

pub mod differential;
pub mod files;
pub mod records;
pub mod sample;

mod blobs;
mod journal;
mod lists;
mod prune;
mod retention;

/// A check: its name, and what it does with an empty store.
pub type Check = (&'static str, fn(&dyn Store));

/// Every check there is.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [journal::CHECKS, blobs::CHECKS, lists::CHECKS, retention::CHECKS, prune::CHECKS].into_iter().flatten()
}

/// Runs every check, each with a new store.
///
/// # Panics
/// Where a promise is broken; the panic's message is preceded by the name of the check.
pub fn check_all<S: Store>(mut store: impl FnMut() -> S) {
    for (name, check) in checks() {
        let store = store();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&store)));
        assert!(checked.is_ok(), "the store does not keep the promise {name:?}");
    }
}

/// Waits for a future without any runtime, as the contract does not ask for one.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
