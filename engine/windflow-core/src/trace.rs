//! Where the work of runs belongs among the work of other programs: traces, as W3C Trace Context and OpenTelemetry know them.
//!
//! The ids follow from the run, its nodes and their attempts: nothing is kept for them, and whoever asks again, after a restart too, gets the
//! same. Only what a run was started with from outside is recorded with its start.

use std::fmt;
use std::str::FromStr;

use crate::id::{Digest, NodeId, RunKey};
use crate::text::written_as_text;

pub use self::span::{About, Attribute, Span, Spans};
pub use self::state::{NoTraceState, TraceState};

mod span;
mod state;

/// The longest `traceparent` that is looked at. That of the present version has 55 characters; later ones may have more.
const MAX_BYTES: usize = 256;

/// What belongs together, across programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// A stretch of work in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl SpanId {
    fn of(what: &str) -> Self {
        let mut id = [0; 8];
        id.copy_from_slice(&Digest::of(what.as_bytes()).0[..8]);
        // None of zeros only is valid.
        id[7] |= u8::from(id == [0; 8]);
        Self(id)
    }
}

/// The work that other work is part of, as the header `traceparent` tells it from program to program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// What caused the work.
    pub span: SpanId,
    /// Whether somebody records the trace.
    pub sampled: bool,
}

/// What is told from program to program: the work that other work is part of, and what the systems on the way to it want to find again further on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The work.
    pub parent: TraceParent,
    /// What is handed on beside it.
    pub state: Option<TraceState>,
}

impl From<TraceParent> for TraceContext {
    fn from(parent: TraceParent) -> Self {
        Self { parent, state: None }
    }
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a traceparent is written 00-<32 hexadecimal digits>-<16>-<2>, in lower case, none of the first two all zeros")]
pub struct NoTraceParent;

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let valid = text.len() == 2 * N && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    valid.then_some(bytes)
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let read = || {
            let mut parts = text.splitn(5, '-');
            let [version] = digits::<1>(parts.next()?)?;
            let (trace, span) = (digits(parts.next()?)?, digits(parts.next()?)?);
            let [flags] = digits::<1>(parts.next()?)?;
            // Later versions may say more behind it; this one says nothing.
            let fits = version != 0xff && (version > 0 || parts.next().is_none());
            let valid = fits && trace != [0; 16] && span != [0; 8];
            valid.then_some(Self { trace: TraceId(trace), span: SpanId(span), sampled: flags & 1 == 1 })
        };
        if text.len() > MAX_BYTES {
            return Err(NoTraceParent);
        }
        read().ok_or(NoTraceParent)
    }
}

written_as_text!(TraceParent, TraceState);

/// Of how many of the traces that begin here something is told. What others began they decided about as well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling(f64);

impl Sampling {
    /// All of them.
    pub const ALL: Self = Self(1.0);

    /// A share of them, from 0 to 1.
    #[must_use]
    pub fn of(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// Whether a trace is among them. It follows from its id, so that all who look at it decide alike.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "which of two neighbours is taken matters to nobody")]
    fn takes(self, trace: TraceId) -> bool {
        let chance = trace.0[9..].iter().fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
        (chance as f64) < self.0 * (1_u64 << 56) as f64
    }
}

/// The place of a run in its trace.
#[derive(Debug, Clone)]
pub struct RunTrace {
    /// The trace.
    pub trace: TraceId,
    /// What started the run, where that was told.
    pub parent: Option<SpanId>,
    /// Whether anything is to be told of it.
    pub sampled: bool,
    /// What is handed on beside it.
    pub state: Option<TraceState>,
    seed: String,
}

impl RunTrace {
    /// The place of a run that was started from somewhere, or begins a trace.
    #[must_use]
    pub fn of(run: &RunKey, from: Option<TraceContext>, sampling: Sampling) -> Self {
        let seed = format!("trace/{}/{}", run.organisation, run.run);
        if let Some(TraceContext { parent: TraceParent { trace, span, sampled }, state }) = from {
            return Self { trace, parent: Some(span), sampled, state, seed };
        }
        let mut trace = [0; 16];
        trace.copy_from_slice(&Digest::of(seed.as_bytes()).0[..16]);
        trace[15] |= u8::from(trace == [0; 16]);
        let trace = TraceId(trace);
        Self { trace, parent: None, sampled: sampling.takes(trace), state: None, seed }
    }

    /// The run itself.
    #[must_use]
    pub fn run(&self) -> SpanId {
        SpanId::of(&format!("{}/run", self.seed))
    }

    /// One of its nodes.
    #[must_use]
    pub fn node(&self, node: &NodeId) -> SpanId {
        SpanId::of(&format!("{}/node/{node}", self.seed))
    }

    /// An attempt of a node, or of one of its items.
    #[must_use]
    pub fn attempt(&self, node: &NodeId, item: Option<u32>, attempt: u32) -> SpanId {
        let item = item.map(|item| format!("/{item}")).unwrap_or_default();
        SpanId::of(&format!("{}/attempt/{node}{item}/{attempt}", self.seed))
    }

    /// What an attempt tells those whom it asks for something.
    #[must_use]
    pub fn handed_out(&self, node: &NodeId, item: Option<u32>, attempt: u32) -> TraceContext {
        let parent = TraceParent { trace: self.trace, span: self.attempt(node, item, attempt), sampled: self.sampled };
        TraceContext { parent, state: self.state.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{OrganisationId, RunId};

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn key(number: u128) -> RunKey {
        RunKey { organisation: OrganisationId::local(), run: RunId(uuid::Uuid::from_u128(number)) }
    }

    #[test]
    fn what_others_send_is_read_as_the_standard_says() {
        let parent: TraceParent = GOOD.parse().unwrap();
        assert_eq!(parent.to_string(), GOOD);
        assert!(parent.sampled);
        assert!(!GOOD.replace("-01", "-02").parse::<TraceParent>().unwrap().sampled);
        // A later version, which says more; what is understood of it is taken.
        let later = format!("{}-what-is-new", GOOD.replacen("00-", "cc-", 1));
        assert_eq!(later.parse::<TraceParent>(), Ok(parent));
        assert_eq!(serde_json::from_str::<TraceParent>(&serde_json::to_string(&parent).unwrap()).unwrap(), parent);
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            &format!("cc{}-{}", &GOOD[2..], "x".repeat(MAX_BYTES)),
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NoTraceParent), "{bad}");
        }
    }

    #[test]
    fn a_run_keeps_its_ids_and_shares_them_with_no_other() {
        let (one, again, other) = (
            RunTrace::of(&key(1), None, Sampling::ALL),
            RunTrace::of(&key(1), None, Sampling::ALL),
            RunTrace::of(&key(2), None, Sampling::ALL),
        );
        let node: NodeId = "fetch".parse().unwrap();
        assert_eq!(
            (one.trace, one.run(), one.attempt(&node, None, 1)),
            (again.trace, again.run(), again.attempt(&node, None, 1))
        );
        assert_ne!(one.trace, other.trace);
        let ids = [
            one.run(),
            one.node(&node),
            one.attempt(&node, None, 1),
            one.attempt(&node, None, 2),
            one.attempt(&node, Some(1), 1),
            other.run(),
        ];
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len());
    }

    #[test]
    fn a_run_that_was_started_from_outside_stays_in_its_trace() {
        let parent: TraceParent = GOOD.parse().unwrap();
        let from = TraceContext { parent, state: Some("theirs=1".parse().unwrap()) };
        let trace = RunTrace::of(&key(1), Some(from.clone()), Sampling::of(0.0).unwrap());
        assert_eq!((trace.trace, trace.parent, trace.sampled), (parent.trace, Some(parent.span), true));
        let handed_out = trace.handed_out(&"fetch".parse().unwrap(), None, 1);
        assert!(handed_out.parent.to_string().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(handed_out.parent.sampled && handed_out.parent.span != parent.span);
        assert_eq!(handed_out.state, from.state);
        let unheard = TraceParent { sampled: false, ..parent }.into();
        assert!(!RunTrace::of(&key(1), Some(unheard), Sampling::ALL).sampled);
    }

    #[test]
    fn of_the_traces_that_begin_here_the_share_that_was_asked_for_is_taken() {
        let taken = |share: f64| {
            let sampling = Sampling::of(share).unwrap();
            (0..2000).filter(|number| RunTrace::of(&key(*number), None, sampling).sampled).count()
        };
        assert_eq!((taken(0.0), taken(1.0)), (0, 2000));
        assert!((400..600).contains(&taken(0.25)), "{}", taken(0.25));
        for share in [-0.1, 1.1, f64::NAN] {
            assert!(Sampling::of(share).is_none(), "{share}");
        }
    }
}
