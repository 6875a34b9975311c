//! A run: the fold of its journal, and what is to be done next.

pub use self::effect::Effect;
pub use self::event::{
    Callbacks, Emitted, EndStatus, Event, KeptLog, LogLine, ParentRun, PinnedChild, RECORD_VERSION, Record, RunFailure,
    RunStarted, Sequence, SkipReason, Timestamp, Wait,
};
pub use self::items::{Items, MAX_ITEMS};
pub use self::question::{Asked, AwaitedEvent, Question};
pub use self::state::{Cause, NodeRun, NodeState, Phase, RunState, Step};
pub use self::transition::{IllegalTransition, apply};

mod effect;
mod event;
mod items;
mod question;
mod state;
mod transition;
mod values;
