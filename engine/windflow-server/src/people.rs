//! Who signs in: organisations, people, sessions, keys.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Expected, Records, RecordsError};
use windflow_core::ports::store::StoreError;
use windflow_core::run::Timestamp;

pub(crate) use self::caller::{Caller, Who};
pub(crate) use self::key::{ApiKey, check as check_key, keep as keep_key};
pub(crate) use self::session::{SessionOf, SignedIn};
pub(crate) use self::user::User;

use self::access_token::AccessTokens;
use self::setup::Setup;
use self::throttle::Throttle;
use crate::problem::Problem;

mod access_token;
mod caller;
mod key;
mod password;
pub(crate) mod random;
mod session;
mod setup;
mod throttle;
mod user;

pub use self::key::{NewKey, add_key};
pub use self::random::{generate_key, generate_password};
pub use self::user::{NewUser, UserError, add_user, list_users, set_password};

/// Passwords that are computed at the same time: each takes 19 MiB and some tens of milliseconds.
const PASSWORDS_AT_ONCE: usize = 2;

/// People and how they show who they are.
pub(crate) struct People {
    records: Arc<dyn Records>,
    tokens: AccessTokens,
    setup: Setup,
    throttle: Throttle,
    passwords: Semaphore,
}

/// An organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Organisation {
    pub(crate) id: OrganisationId,
    pub(crate) created_at: Timestamp,
}

fn organisation_key(organisation: &OrganisationId) -> String {
    format!("organisations/{organisation}")
}

impl People {
    /// Opens what is kept, making the key that signs access tokens at the first start.
    pub(crate) async fn open(records: Arc<dyn Records>) -> Result<Self, Problem> {
        let tokens = AccessTokens::open(&*records).await?;
        let setup = Setup::new(organisations(&*records)?.is_empty());
        let passwords = Semaphore::new(PASSWORDS_AT_ONCE);
        Ok(Self { records, tokens, setup, throttle: Throttle::default(), passwords })
    }

    /// The one-time token that makes the owner, where there is nobody yet.
    pub(crate) fn setup_token(&self) -> Option<String> {
        self.setup.token()
    }

    /// Takes away what nobody can use any more.
    pub(crate) fn prune(&self, organisation: &OrganisationId, now: Timestamp) -> Result<(), StoreError> {
        session::prune(&*self.records, organisation, now)
    }
}

/// Every organisation there is.
pub(crate) fn organisations(records: &dyn Records) -> Result<Vec<Organisation>, StoreError> {
    let kept = crate::kept::all::<Organisation>(records, &OrganisationId::installation(), "organisations/")?;
    Ok(kept.into_iter().map(|kept| kept.value).collect())
}

/// Puts a value where there is none, and reads the one that there is otherwise.
async fn put_once(records: &dyn Records, key: &str, value: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let installation = OrganisationId::installation();
    match records.put(&installation, key, Expected::Absent, value.clone()) {
        Ok(changed) => {
            records.durable(changed.position).await?;
            Ok(value)
        }
        Err(RecordsError::Conflict { .. }) => records
            .get(&installation, key)?
            .map(|stored| stored.value)
            .ok_or_else(|| Problem::internal(format!("{key} came and went"))),
        Err(error) => Err(error.into()),
    }
}
