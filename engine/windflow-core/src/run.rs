//! A run: the fold of its journal, and what is to be done next.

pub use self::effect::Effect;
pub use self::event::{
    EndStatus, Event, RECORD_VERSION, Record, RunFailure, RunStarted, Sequence, SkipReason, Timestamp,
};
pub use self::state::{NodeRun, NodeState, Phase, RunState};
pub use self::transition::{IllegalTransition, apply};

mod effect;
mod event;
mod state;
mod transition;
