//! Where spans are told.

use super::store::BoxFuture;
use crate::trace::Span;

/// A collector of traces, or what stands for it.
pub trait Traces: Send + Sync {
    /// Tells some spans. It ends within a bound of its own, however slow the collector is; what was not told then is not told again.
    /// The error is for the log of whoever runs the server.
    fn tell(&self, spans: Vec<Span>) -> BoxFuture<'_, Result<(), String>>;
}
