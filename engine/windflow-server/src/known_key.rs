//! Whether a key is the one that this installation has: it does not lie in the store, so that a backup is restored without it.

use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Expected, Records};
use windflow_stacks::keys::Keys;

use crate::kept;
use crate::problem::{Answer, Problem};
use crate::sealed::{Sealed, Sealer};
use crate::server::ServerError;

/// Something that only the key opens, kept for nothing else.
const KEY: &str = "secrets-key";
const BOUND_TO: &str = "the key of secrets";

/// Whether these keys open what is kept. An installation that has encrypted nothing yet takes any key, and none.
///
/// # Errors
/// Where the store cannot be read.
pub fn is_known_key(records: &dyn Records, keys: Option<&Keys>) -> Result<bool, ServerError> {
    let kept = kept::read::<Sealed>(records, &OrganisationId::installation(), KEY).map_err(Problem::from)?;
    let Some(kept) = kept else { return Ok(true) };
    let Some(keys) = keys else { return Ok(false) };
    Ok(Sealer::new(keys)?.open(BOUND_TO, &kept.value).is_some())
}

/// Keeps by what the present key is known, where that is not kept yet; `anew` also where it is.
pub(crate) async fn keep(records: &dyn Records, keys: &Keys, anew: bool) -> Answer<()> {
    let installation = OrganisationId::installation();
    if !anew && kept::read::<Sealed>(records, &installation, KEY)?.is_some() {
        return Ok(());
    }
    let sealed = Sealer::new(keys)?.seal(BOUND_TO, b"known")?;
    let changed = records.put(&installation, KEY, Expected::Any, kept::encode(&sealed)?)?;
    Ok(records.durable(changed.position).await?)
}
