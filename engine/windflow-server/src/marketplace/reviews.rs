//! What people of an organisation say of templates.

use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected};
use windflow_core::run::Timestamp;

use super::statistics;
use crate::kept::{self, Kept};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// What somebody says of a template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Review {
    /// Id of whoever says it.
    pub(crate) user: String,
    pub(crate) by: String,
    /// 1 to 5.
    pub(crate) stars: u8,
    pub(crate) text: String,
    /// The version of the template at the time.
    pub(crate) version: String,
    pub(crate) at: Timestamp,
}

/// A template by its registry and name.
pub(crate) type Of<'a> = (&'a str, &'a str);

fn prefix((registry, name): Of<'_>) -> String {
    format!("template-reviews/{registry}/{name}/")
}

/// A page of reviews.
pub(crate) fn page(
    app: &App,
    organisation: &OrganisationId,
    of: Of<'_>,
    after: Option<&str>,
    limit: usize,
) -> Answer<(Vec<Review>, Option<String>)> {
    let prefix = prefix(of);
    let after = after.map(|user| format!("{prefix}{user}"));
    let (items, next) = kept::scan::<Review>(&*app.records, organisation, &prefix, after.as_deref(), limit)?;
    let next = next.and_then(|key| key.strip_prefix(&prefix).map(str::to_owned));
    Ok((items.into_iter().map(|kept| kept.value).collect(), next))
}

/// Keeps a review in the place of the one that this person gave before.
pub(crate) async fn keep(app: &App, organisation: &OrganisationId, of: Of<'_>, review: &Review) -> Answer<()> {
    change(app, organisation, of, &review.user, Some(review))?;
    app.book(organisation).durable().await.map_err(Problem::from)
}

/// Takes somebody's review away.
pub(crate) async fn remove(app: &App, organisation: &OrganisationId, of: Of<'_>, user: &str) -> Answer<()> {
    change(app, organisation, of, user, None)?;
    app.book(organisation).durable().await.map_err(Problem::from)
}

/// A review and the numbers that it changes, together.
fn change(app: &App, organisation: &OrganisationId, of: Of<'_>, user: &str, review: Option<&Review>) -> Answer<()> {
    let key = format!("{}{user}", prefix(of));
    statistics::write(app, || {
        let before: Option<Kept<Review>> = kept::read(&*app.records, organisation, &key)?;
        if review.is_none() && before.is_none() {
            return Err(Problem::not_found("such review"));
        }
        let numbers = statistics::change(app, organisation, of, |numbers| {
            if let Some(before) = &before {
                numbers.stars = numbers.stars.saturating_sub(before.value.stars.into());
                numbers.reviews = numbers.reviews.saturating_sub(1);
            }
            if let Some(review) = review {
                numbers.stars += u64::from(review.stars);
                numbers.reviews += 1;
            }
        })?;
        let expected = before.as_ref().map_or(Expected::Absent, |kept| Expected::Version(kept.version));
        let review = match review {
            Some(review) => Change::put(organisation, key.clone(), expected, kept::encode(review)?),
            None => Change::delete(organisation, key.clone(), expected),
        };
        Ok(vec![numbers, review])
    })
}

/// Takes away everything that was said of a template, and its numbers.
pub(super) fn forget(app: &App, organisation: &OrganisationId, of: Of<'_>) -> Answer<()> {
    let prefix = prefix(of);
    loop {
        let page = app.records.scan(organisation, &prefix, None, 50)?;
        if page.items.is_empty() {
            break;
        }
        let gone = page.items.into_iter().map(|it| Change::delete(organisation, it.key, Expected::Any));
        app.records.batch(gone.collect())?;
    }
    app.records.batch(vec![statistics::forget(organisation, of)])?;
    Ok(())
}
