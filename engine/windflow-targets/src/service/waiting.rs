//! Who waits for what is under way, and what happens once nobody does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, watch};
use windflow_core::ports::host::CancelSignal;
use windflow_core::ports::store::BoxFuture;

/// Cancelled by the attempt's own signal, or when nobody waits any more.
pub(super) struct Cancel {
    attempt: Arc<dyn CancelSignal>,
    left: Arc<(AtomicBool, Notify)>,
}

impl Cancel {
    /// With what tells, once it is dropped, that nobody waits any more.
    pub(super) fn new(attempt: Arc<dyn CancelSignal>) -> (Self, Leaving) {
        let left = Arc::new((AtomicBool::new(false), Notify::new()));
        (Self { attempt, left: Arc::clone(&left) }, Leaving(left))
    }
}

impl CancelSignal for Cancel {
    fn is_cancelled(&self) -> bool {
        self.attempt.is_cancelled() || self.left.0.load(Ordering::Acquire)
    }

    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let told = self.left.1.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            tokio::select! {
                () = self.attempt.cancelled() => {}
                () = told => {}
            }
        })
    }
}

/// Counts what is under way, however it ends.
pub(super) struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    pub(super) fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Tells that nobody waits any more.
pub(super) struct Leaving(Arc<(AtomicBool, Notify)>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
        self.0.1.notify_waiters();
    }
}
