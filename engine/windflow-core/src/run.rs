//! A run: the fold of its journal, and what is to be done next.

pub use self::event::{
    EndStatus, Event, RECORD_VERSION, Record, RunFailure, RunStarted, Sequence, SkipReason, Timestamp,
};

mod event;
