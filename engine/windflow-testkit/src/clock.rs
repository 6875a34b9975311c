//! Time that stands still until everybody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::time::Instant;
use windflow_core::id::RunId;
use windflow_core::ports::store::BoxFuture;
use windflow_core::run::Timestamp;
use windflow_runtime::{Clock, sleep_by};

/// A clock over tokio's paused time (`#[tokio::test(start_paused = true)]`): it jumps to the next instant that somebody
/// waits for, so that a retry after an hour takes no time. Ids and chances follow from a seed.
#[derive(Debug)]
pub struct PausedClock {
    wall: Wall,
    made: AtomicU64,
    seed: u64,
}

/// What the clock says, which somebody may set.
#[derive(Debug, Clone)]
struct Wall {
    origin: Instant,
    begins: Timestamp,
    /// By so many milliseconds it was set forward, or back.
    set_by: Arc<AtomicI64>,
}

impl Wall {
    fn now(&self) -> Timestamp {
        let passed = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        Timestamp((self.begins.0 + passed).saturating_add_signed(self.set_by.load(Ordering::Relaxed)))
    }
}

/// Where the paused clock begins: 2026-01-01T00:00:00Z.
pub const BEGINNING: Timestamp = Timestamp(1_767_225_600_000);

impl PausedClock {
    /// A clock that begins now.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::at(seed, BEGINNING)
    }

    /// A clock that says now that it is a certain instant: that of a process which goes on where another ended.
    #[must_use]
    pub fn at(seed: u64, begins: Timestamp) -> Self {
        let wall = Wall { origin: Instant::now(), begins, set_by: Arc::default() };
        Self { wall, made: AtomicU64::new(0), seed }
    }

    /// Somebody sets the clock, by so many milliseconds; no time passes.
    pub fn set_by(&self, milliseconds: i64) {
        self.wall.set_by.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn next(&self) -> u64 {
        // SplitMix64 over a counter: good enough to spread, and the same for the same seed.
        let mut z = self.seed ^ self.made.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        self.wall.now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wall = self.wall.clone();
        Box::pin(sleep_by(move || wall.now(), at))
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept exactly")]
    fn chance(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn new_run_id(&self) -> RunId {
        let time = uuid::Timestamp::from_unix_time(self.now().0 / 1000, 0, 0, 0);
        let (seconds, _) = time.to_unix();
        let random = [self.next().to_be_bytes(), self.next().to_be_bytes()].concat();
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&random[..10]);
        RunId(uuid::Builder::from_unix_timestamp_millis(seconds * 1000, &bytes).into_uuid())
    }
}
