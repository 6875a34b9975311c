//! Ends an attempt in time, whatever the guest does.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use windflow_core::ports::host::CancelSignal;

/// How an attempt ended.
pub(crate) enum Ended<T> {
    /// The guest returned, or trapped.
    Itself(T),
    /// It was stopped because its time was over.
    TimedOut,
    /// It was stopped because it should end.
    Cancelled,
}

/// Polls the guest until it ends, its deadline passes, or the grace after a cancellation is over. Guests yield at every
/// tick of the epoch, so this gets its turn even if a guest loops for ever. Timer and signal are only set up once the guest
/// has not ended at the first poll: most do.
pub(crate) async fn watch<T>(
    guest: impl Future<Output = T>,
    deadline: Instant,
    cancel: &dyn CancelSignal,
    grace: Duration,
) -> Ended<T> {
    let mut guest = pin!(guest);
    if let Poll::Ready(value) = poll_fn(|cx| Poll::Ready(guest.as_mut().poll(cx))).await {
        return Ended::Itself(value);
    }
    let mut timer = pin!(tokio::time::sleep_until(deadline.into()));
    let mut signal = cancel.cancelled();
    let mut stop: Option<Instant> = None;
    poll_fn(|cx| {
        if let Poll::Ready(value) = guest.as_mut().poll(cx) {
            return Poll::Ready(Ended::Itself(value));
        }
        if stop.is_none() && signal.as_mut().poll(cx).is_ready() {
            let at = Instant::now() + grace;
            stop = Some(at);
            if at < deadline {
                timer.as_mut().reset(at.into());
            }
        }
        // Read as well as awaited: a busy guest wakes itself, and must not outlive its time because timers run late.
        let over = stop.is_some_and(|at| Instant::now() >= at) || Instant::now() >= deadline;
        if over || timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(if stop.is_some() { Ended::Cancelled } else { Ended::TimedOut });
        }
        Poll::Pending
    })
    .await
}

/// Waits for something that an attempt needs before it begins, unless the attempt should end first.
pub(crate) async fn unless_cancelled<T>(cancel: &dyn CancelSignal, wanted: impl Future<Output = T>) -> Option<T> {
    let mut wanted = pin!(wanted);
    // What is there already, as nearly always, costs no signal.
    if let Poll::Ready(value) = poll_fn(|cx| Poll::Ready(wanted.as_mut().poll(cx))).await {
        return Some(value);
    }
    let mut signal = cancel.cancelled();
    poll_fn(|cx| match wanted.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => signal.as_mut().poll(cx).map(|()| None),
    })
    .await
}
