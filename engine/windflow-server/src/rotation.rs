//! Everything that is encrypted at rest, encrypted anew: what is owed once the installation got another key.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Expected, Records};
use windflow_core::ports::store::Position;
use windflow_core::run::Timestamp;
use windflow_stacks::keys::{Anew, Keys, Rotated};

use crate::audit::{self, Entry};
use crate::credentials::{self, Record};
use crate::deploying::Books;
use crate::kept;
use crate::known_key;
use crate::problem::Problem;
use crate::sealed::{Sealed, Sealer};
use crate::secrets::{self, Secret};
use crate::server::ServerError;

/// Puts all secrets, credentials, and what is kept of targets and deployments under the present key, and keeps in the audit trail of each
/// organisation that it was done. For whoever holds the store alone. Only the data keys are encrypted anew, each by itself: whenever this
/// ends, everything opens with these keys, and done again it goes on. When it has returned, all of it is durable, and former keys open
/// nothing any more.
///
/// # Errors
/// Where the store refuses.
pub async fn seal_anew(records: Arc<dyn Records>, keys: &Keys, now: Timestamp) -> Result<Rotated, ServerError> {
    let mut rotated = Rotated::default();
    let sealer = Sealer::new(keys)?;
    let books = Books::new(Arc::clone(&records), keys)?;
    let known = crate::people::organisations(&*records).map_err(Problem::from)?;
    // Commands deploy without anybody who signs in.
    let all: BTreeSet<OrganisationId> =
        known.into_iter().map(|known| known.id).chain([OrganisationId::local()]).collect();
    for organisation in all {
        // First, so that nothing is done that nobody would know of.
        let (by, method, path) = ("cli".to_owned(), "ROTATE".to_owned(), "secrets key".to_owned());
        audit::keep(&*records, &organisation, &Entry { at: now, by, method, path, status: 200 }).await?;
        let each = Each { records: &*records, sealer: &sealer, organisation: &organisation };
        each.of("secrets/", &mut rotated, |secret: &mut Secret| {
            (secrets::bound_to(&organisation, &secret.name), &mut secret.value)
        })?;
        each.of(credentials::PREFIX, &mut rotated, |record: &mut Record| {
            (credentials::bound_to(&organisation, &record.name), &mut record.document)
        })?;
        let of_book = books.of(&organisation).seal_anew().map_err(Problem::from)?;
        rotated.sealed += of_book.sealed;
        rotated.lost.extend(of_book.lost);
    }
    known_key::keep(&*records, keys, true).await?;
    records.durable(Position::LATEST).await.map_err(Problem::from)?;
    Ok(rotated)
}

struct Each<'a> {
    records: &'a dyn Records,
    sealer: &'a Sealer,
    organisation: &'a OrganisationId,
}

impl Each<'_> {
    /// Every value of a prefix: what it is bound to, and its sealed part, are what `parts` says.
    fn of<T: Serialize + DeserializeOwned>(
        &self,
        prefix: &str,
        rotated: &mut Rotated,
        parts: impl Fn(&mut T) -> (String, &mut Sealed),
    ) -> Result<(), Problem> {
        let mut after = None::<String>;
        loop {
            let page = self.records.scan(self.organisation, prefix, after.as_deref(), 500)?;
            for stored in page.items {
                let mut kept = kept::parse::<T>(&stored)?;
                let (bound_to, sealed) = parts(&mut kept.value);
                match self.sealer.anew(&bound_to, sealed) {
                    Anew::IsCurrent => continue,
                    Anew::Changed(now) => *sealed = now.into(),
                    Anew::Lost => {
                        rotated.lost.push(format!("{}/{}", self.organisation, stored.key));
                        continue;
                    }
                }
                let changed = kept::encode(&kept.value)?;
                self.records.put(self.organisation, &stored.key, Expected::Version(kept.version), changed)?;
                rotated.sealed += 1;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
