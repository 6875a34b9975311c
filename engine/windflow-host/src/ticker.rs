//! The clock that makes guests give way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::Engine;

/// Guests look at the epoch in every loop and call, and yield their thread when it has moved on. Two ticks fit into the ten
/// milliseconds that a guest may keep a thread.
const TICK: Duration = Duration::from_millis(5);

/// After so many ticks without an attempt the thread sleeps, so that an idle process causes no wake-ups.
const IDLE_TICKS: u32 = 100;

/// Advances the engine's epoch while attempts run.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    active: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// Keeps the ticker awake while it lives.
pub(crate) struct Active<'a>(&'a Ticker);

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            active: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let (ticking, engine) = (Arc::clone(&shared), engine.clone());
        let handle =
            std::thread::Builder::new().name("windflow-ticker".into()).spawn(move || tick(&ticking, &engine))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    /// Says that an attempt begins.
    pub(crate) fn active(&self) -> Active<'_> {
        // Sequentially consistent together with `tick`: either it sees the attempt before it sleeps, or this sees it asleep.
        self.shared.active.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Active(self)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.shared.active.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn tick(shared: &Shared, engine: &Engine) {
    let mut idle = 0;
    while !shared.stop.load(Ordering::SeqCst) {
        if shared.active.load(Ordering::SeqCst) > 0 {
            idle = 0;
        } else {
            idle += 1;
        }
        if idle > IDLE_TICKS {
            shared.asleep.store(true, Ordering::SeqCst);
            if shared.active.load(Ordering::SeqCst) == 0 && !shared.stop.load(Ordering::SeqCst) {
                std::thread::park();
            }
            shared.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        } else {
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    }
}
