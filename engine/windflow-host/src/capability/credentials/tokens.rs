//! Access tokens of OAuth 2: asked for when a request needs one, kept in memory until shortly before they expire.
//!
//! There is one token for a credential, whichever attempts use it: whoever comes first asks for it, everybody else waits for that answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as Turn;
use windflow_core::capability::{Grants, Origin};
use windflow_core::credential::{Binding, Credential, OAuth};
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::OrganisationId;
use windflow_core::ports::credentials::{Credentials, Replaced};
use windflow_core::ports::host::LogLevel;

use super::token_server::{self, Given};
use crate::capability::http::Sender;
use crate::capability::log::Log;

/// Credentials whose tokens are remembered.
const MOST: usize = 1024;

/// How long a token is taken to last where its server does not say.
const USUAL: Duration = Duration::from_mins(5);

/// The longest that any token is kept.
const LONGEST: Duration = Duration::from_hours(24);

/// A server that refuses fresh tokens, too, gets one so often: what it refuses is something else.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(10);

/// The longest that a token server is left alone because it asked for that.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// An organisation, and the name of one of its credentials.
type Whose = (OrganisationId, String);

/// Gets and remembers access tokens.
pub(crate) struct Tokens {
    sender: Arc<Sender>,
    credentials: Arc<dyn Credentials>,
    slots: Mutex<HashMap<Whose, Arc<Turn<Slot>>>>,
}

/// What is known of one credential.
#[derive(Default)]
struct Slot {
    /// The credential that the rest belongs to: with another one, all of it is forgotten.
    of: Option<Arc<Credential>>,
    /// The refresh token that took the place of the credential's own, where the credentials cannot keep it.
    refresh: Option<String>,
    token: Option<Token>,
    /// When a token was last asked for because a server did not take the one before.
    renewed: Option<Instant>,
    failed: Option<Failed>,
}

struct Token {
    text: Arc<str>,
    until: Instant,
}

struct Failed {
    failure: Failure,
    at: Instant,
    /// The token server wants to be left alone until then.
    rests_until: Instant,
}

/// Which token is wanted, and for what.
pub(crate) struct Wanted {
    pub(crate) organisation: OrganisationId,
    pub(crate) name: String,
    /// The server that is going to get it.
    pub(crate) origin: Origin,
    pub(crate) grants: Arc<Grants>,
    pub(crate) log: Arc<Log>,
    /// The token that the server did not take.
    pub(crate) refused: Option<Arc<str>>,
}

impl Tokens {
    pub(crate) fn new(sender: Arc<Sender>, credentials: Arc<dyn Credentials>) -> Self {
        Self { sender, credentials, slots: Mutex::default() }
    }

    /// A token; nothing where one was refused and another would not be taken either.
    ///
    /// # Errors
    /// Where there is none to be had, in words for people.
    pub(crate) async fn get(self: &Arc<Self>, wanted: Wanted) -> Result<Option<Arc<str>>, Failure> {
        let since = Instant::now();
        let mut slot = self.slot(&wanted).lock_owned().await;
        let current = self.current(&mut slot, &wanted)?;
        if let Some(known) = slot.known(&wanted, since) {
            return known;
        }
        // A task of its own: an attempt that is stopped meanwhile must not lose a refresh token that was just replaced.
        let tokens = Arc::clone(self);
        let asked = tokio::spawn(async move { tokens.ask(&mut slot, &wanted, &current).await.map(Some) });
        asked.await.unwrap_or_else(|error| Err(Failure::new(FailureKind::Unavailable, error.to_string())))
    }

    fn slot(&self, wanted: &Wanted) -> Arc<Turn<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry((wanted.organisation.clone(), wanted.name.clone())).or_default())
    }

    /// The credential as it is now: the one that the attempt began with may have been replaced, by people or by a token server.
    fn current(&self, slot: &mut Slot, wanted: &Wanted) -> Result<Arc<Credential>, Failure> {
        let name = &wanted.name;
        let kept = self.credentials.get(&wanted.organisation, name).map_err(|problem| {
            Failure::new(FailureKind::Unavailable, format!("the credential {name} cannot be read: {problem}"))
        })?;
        let fits =
            |kept: &Arc<Credential>| matches!(kept.binding(), Binding::OAuth(_)) && kept.may_go_to(&wanted.origin);
        let Some(current) = kept.filter(fits) else {
            *slot = Slot::default();
            let why = format!("the credential {name} was changed or removed while the attempt ran");
            return Err(Failure { retry: RetryHint::MayHelp, ..Failure::new(FailureKind::Unavailable, why) });
        };
        if slot.of.as_ref() != Some(&current) {
            *slot = Slot { of: Some(Arc::clone(&current)), ..Slot::default() };
        }
        Ok(current)
    }

    async fn ask(&self, slot: &mut Slot, wanted: &Wanted, current: &Arc<Credential>) -> Result<Arc<str>, Failure> {
        let Binding::OAuth(client) = current.binding() else {
            return Err(Failure::new(FailureKind::Unavailable, "the credential is no client of a token server"));
        };
        let begun = Instant::now();
        let shown = slot.refresh.as_deref().unwrap_or_else(|| current.value()).to_owned();
        slot.token = None;
        match token_server::ask(&self.sender, wanted, client, &shown, current.client_secret()).await {
            Ok(given) => Ok(self.take(slot, wanted, current, client, given, begun).await),
            Err(failure) => {
                let rest = failure.retry.at_least().min(LONGEST_REST);
                let at = Instant::now();
                slot.failed = Some(Failed { failure: failure.clone(), at, rests_until: at + rest });
                Err(failure)
            }
        }
    }

    /// Remembers what was given, from when it was asked for.
    async fn take(
        &self,
        slot: &mut Slot,
        wanted: &Wanted,
        current: &Arc<Credential>,
        client: &OAuth,
        given: Given,
        begun: Instant,
    ) -> Arc<str> {
        let lasts = given.lasts.unwrap_or(USUAL).min(LONGEST);
        // A request takes its time, and clocks differ.
        let until = begun + lasts - (lasts / 10).min(Duration::from_mins(1));
        slot.token = Some(Token { text: Arc::clone(&given.token), until });
        slot.failed = None;
        if let Some(refresh) = given.refresh {
            self.keep(slot, wanted, current, client, refresh).await;
        }
        given.token
    }

    /// Keeps the refresh token that takes the place of the one before, before anybody gets what came along with it.
    async fn keep(&self, slot: &mut Slot, wanted: &Wanted, current: &Arc<Credential>, client: &OAuth, refresh: String) {
        let Wanted { organisation, name, log, .. } = wanted;
        let replaced = match current.with_value(refresh.clone()) {
            Ok(changed) => match self.credentials.replace(organisation, name, current, &changed).await {
                Ok(Replaced::Kept) => {
                    (slot.of, slot.refresh) = (Some(Arc::new(changed)), None);
                    return;
                }
                // What somebody set meanwhile counts.
                Ok(Replaced::Changed) => return,
                Ok(Replaced::Nowhere) => Ok(()),
                Err(problem) => Err(problem),
            },
            Err(problem) => Err(problem.to_string()),
        };
        slot.refresh = Some(refresh);
        let server = &client.token_url;
        let line = match replaced {
            Ok(()) => format!(
                "the token server {server} gave a new refresh token for the credential {name}. This process goes on with it, but cannot keep it: the next one begins with the refresh token that is written down, which may be worth nothing any more. A server of WindFlow keeps it; so does a client whose refresh tokens stay the same, or `grant: client_credentials`"
            ),
            Err(problem) => format!(
                "the token server {server} gave a new refresh token for the credential {name}, which could not be kept: {problem}. This process goes on with it"
            ),
        };
        tracing::warn!(credential = name, "{line}");
        log.line(LogLevel::Warn, &line);
    }
}

impl Slot {
    /// What need not be asked for: a token that lasts, or a failure that everybody who waited shares.
    fn known(&mut self, wanted: &Wanted, since: Instant) -> Option<Result<Option<Arc<str>>, Failure>> {
        let now = Instant::now();
        if let Some(token) = self.token.as_ref().filter(|token| token.until > now) {
            match &wanted.refused {
                Some(refused) if **refused == *token.text => {
                    if self.renewed.is_some_and(|renewed| now.duration_since(renewed) < BETWEEN_RENEWALS) {
                        return Some(Ok(None));
                    }
                    self.renewed = Some(now);
                }
                // Somebody else has renewed it already.
                _ => return Some(Ok(Some(Arc::clone(&token.text)))),
            }
        }
        let failed = self.failed.as_ref().filter(|failed| failed.at >= since || failed.rests_until > now)?;
        let left = u64::try_from(failed.rests_until.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX);
        let retry = match failed.failure.retry {
            RetryHint::After(_) => RetryHint::After(left),
            retry => retry,
        };
        Some(Err(Failure { retry, ..failed.failure.clone() }))
    }
}
