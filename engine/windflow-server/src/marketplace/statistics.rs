//! How often a template was installed, and what people of the organisation think of it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected};

use crate::kept;
use crate::problem::Answer;
use crate::state::App;

const PREFIX: &str = "template-statistics/";

/// How often somebody else may change the same numbers at the same moment, before giving up.
const TRIES: usize = 20;

/// Numbers of a template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Statistics {
    /// How often it was installed.
    #[serde(default)]
    pub(crate) installs: u64,
    /// All stars together.
    #[serde(default)]
    pub(crate) stars: u64,
    /// How many reviews.
    #[serde(default)]
    pub(crate) reviews: u64,
}

/// A template's numbers, with its name.
#[derive(Serialize, Deserialize)]
struct Record {
    registry: String,
    name: String,
    #[serde(flatten)]
    numbers: Statistics,
}

impl Statistics {
    /// The average of its reviews.
    pub(crate) fn average(&self) -> Option<f64> {
        // Far fewer than 2^52 people.
        #[allow(clippy::cast_precision_loss, reason = "counts of people")]
        (self.reviews > 0).then(|| self.stars as f64 / self.reviews as f64)
    }
}

/// The numbers of all templates that have any, by registry and name.
pub(crate) fn all(app: &App, organisation: &OrganisationId) -> Answer<HashMap<(String, String), Statistics>> {
    let records = kept::all::<Record>(&*app.records, organisation, PREFIX)?;
    Ok(records.into_iter().map(|kept| ((kept.value.registry, kept.value.name), kept.value.numbers)).collect())
}

/// A change of a template's numbers, to be made together with what causes it.
pub(crate) fn change(
    app: &App,
    organisation: &OrganisationId,
    (registry, name): (&str, &str),
    change: impl FnOnce(&mut Statistics),
) -> Answer<Change> {
    let key = format!("{PREFIX}{registry}/{name}");
    let found = kept::read::<Record>(&*app.records, organisation, &key)?;
    let expected = found.as_ref().map_or(Expected::Absent, |kept| Expected::Version(kept.version));
    let mut numbers = found.map(|kept| kept.value.numbers).unwrap_or_default();
    change(&mut numbers);
    let record = Record { registry: registry.to_owned(), name: name.to_owned(), numbers };
    Ok(Change::put(organisation, key, expected, kept::encode(&record)?))
}

/// No numbers any more.
pub(super) fn forget(organisation: &OrganisationId, (registry, name): (&str, &str)) -> Change {
    Change::delete(organisation, format!("{PREFIX}{registry}/{name}"), Expected::Any)
}

/// Makes changes that somebody else may make at the same moment: again, until they fit.
pub(crate) fn write(app: &App, changes: impl Fn() -> Answer<Vec<Change>>) -> Answer<()> {
    use windflow_core::ports::records::RecordsError;
    for _ in 0..TRIES {
        match app.records.batch(changes()?) {
            Ok(_) => return Ok(()),
            Err(RecordsError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(crate::problem::Problem::conflict("conflict", "others are changing the same").remedy("try again"))
}
