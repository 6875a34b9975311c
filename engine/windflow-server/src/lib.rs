//! The server: the API, live updates, sign-in, webhooks and schedules over the runtime.
//!
//! This is the only crate that knows HTTP. It stands on ports and on the runtime's handle; the binary says which adapters
//! are behind them. Everything is denied unless an endpoint's [`Permission`] is held, and every record belongs to the
//! organisation of whoever asks.
#![forbid(unsafe_code)]

pub use self::access::{Permission, Role};
pub use self::api::openapi;
pub use self::cors::{NoOrigin, Origin};
pub use self::credentials::CredentialStore;
pub use self::editor::has_editor;
pub use self::known_key::is_known_key;
pub use self::people::{
    NewKey, NewUser, UserError, add_key, add_user, generate_key, generate_password, list_users, set_password,
};
pub use self::plugins::{Unfit, unfit};
pub use self::rotation::seal_anew;
pub use self::server::{Server, ServerError};
pub use self::settings::Settings;
pub use self::state::Ports;
pub use windflow_stacks::keys::{Keys, Rotated};

mod accept;
mod access;
mod active;
mod api;
mod archive;
mod audit;
mod catalogue;
mod children;
mod cors;
mod credentials;
mod dead_letters;
mod deploying;
mod drafts;
mod editor;
mod events;
mod hooks;
mod kept;
mod known_key;
mod launch;
mod layers;
mod limits;
mod live;
mod marketplace;
mod metrics;
mod missing;
mod notices;
mod people;
mod plugins;
mod presence;
mod problem;
mod recovery;
mod rotation;
mod scheduler;
mod sealed;
mod secrets;
mod server;
mod settings;
mod state;
mod traces;
mod watching;
