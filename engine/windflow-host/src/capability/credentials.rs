//! The credential of an attempt: which one its node names, whether it may use it, and how it is put into requests.
//!
//! The guest never holds it. It is read when the attempt begins, added to requests that go to its own hosts and to no
//! others, and blotted out of everything that comes back: answers, lines of log, progress, errors, outputs.

mod inject;
mod scrub;
mod scrubbed_body;
mod token_server;
mod tokens;

use std::sync::Arc;

use serde::Deserialize;
use windflow_core::capability::{Grants, Origin};
use windflow_core::credential::{Binding, Credential};
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::OrganisationId;
use windflow_core::ports::host::Call;

pub(crate) use self::inject::wants_address;
pub(crate) use self::scrub::Scrubber;
pub(crate) use self::scrubbed_body::ScrubbedBody;
pub(crate) use self::tokens::Tokens;
use self::tokens::Wanted;
use crate::capability::log::Log;
use crate::host::Shared;
use crate::plugin::Plugin;

/// The credential that an attempt may use.
pub(crate) struct Held {
    organisation: OrganisationId,
    name: String,
    credential: Arc<Credential>,
    tokens: Arc<Tokens>,
    pub(crate) scrubber: Arc<Scrubber>,
}

/// The only part of a configuration that the host looks at.
#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    credential: Option<String>,
}

/// The credential that the call's configuration names; nothing where it names none.
///
/// # Errors
/// Where the workflow does not grant it, or where there is none of that name: before the guest has done anything.
pub(crate) fn hold(call: &Call, plugin: &Plugin, shared: &Shared) -> Result<Option<Arc<Held>>, Failure> {
    let kept = &*shared.credentials;
    if !plugin.manifest.capabilities.credentials {
        return Ok(None);
    }
    let named = serde_json::from_slice::<Names>(&call.config).ok().and_then(|names| names.credential);
    let Some(name) = named.filter(|name| !name.is_empty()) else { return Ok(None) };
    let denied = |code: &str, message: String| {
        let failure = Failure::new(FailureKind::Denied, message);
        Err(Failure { code: code.to_owned(), ..failure })
    };
    if !call.grants.credentials.contains(&name) {
        let message = format!(
            "the credential {name} was denied: the workflow does not grant it. To allow it, add to the workflow:\npermissions:\n  credentials: [{name}]"
        );
        return denied("denied", message);
    }
    match kept.get(&call.organisation, &name) {
        Ok(Some(credential)) => {
            let scrubber = Arc::new(Scrubber::new(&credential));
            let (organisation, tokens) = (call.organisation.clone(), Arc::clone(&shared.tokens));
            Ok(Some(Arc::new(Held { organisation, name, credential, tokens, scrubber })))
        }
        Ok(None) => {
            let how = kept.how_to_set(&name);
            denied("credential_missing", format!("there is no credential named {name}. {how}"))
        }
        Err(problem) => {
            Err(Failure::new(FailureKind::Unavailable, format!("the credential {name} cannot be read: {problem}")))
        }
    }
}

impl Held {
    /// Whether it is added to requests to this origin.
    pub(crate) fn may_go_to(&self, origin: &Origin) -> bool {
        self.credential.may_go_to(origin)
    }

    pub(crate) fn binding(&self) -> &Binding {
        self.credential.binding()
    }

    /// The secret itself, for ways in that are no request.
    pub(crate) fn value(&self) -> &str {
        self.credential.value()
    }

    /// For people: that a request went without it.
    pub(crate) fn kept_back(&self, origin: &Origin) -> String {
        let hosts: Vec<String> = self.credential.hosts().iter().map(ToString::to_string).collect();
        format!("the credential {} was not sent to {origin}: it is bound to {}", self.name, hosts.join(", "))
    }

    /// Whether requests carry a token that it is shown for, rather than the value.
    pub(crate) fn wants_token(&self) -> bool {
        matches!(self.credential.binding(), Binding::OAuth(_))
    }

    /// An access token for a request to one of its hosts; another one where that was refused, or nothing where another would be
    /// refused as well. From now on it is blotted out like the value.
    pub(crate) async fn token(
        &self,
        origin: &Origin,
        grants: &Arc<Grants>,
        log: &Arc<Log>,
        refused: Option<Arc<str>>,
    ) -> Result<Option<Arc<str>>, Failure> {
        let (organisation, name) = (self.organisation.clone(), self.name.clone());
        let (origin, grants, log) = (origin.clone(), Arc::clone(grants), Arc::clone(log));
        let token = self.tokens.get(Wanted { organisation, name, origin, grants, log, refused }).await?;
        if let Some(token) = &token {
            self.scrubber.also(token);
        }
        Ok(token)
    }

    /// Whether the credential is an address that takes the place of the request's.
    fn is_url(&self) -> bool {
        *self.credential.binding() == Binding::Url
    }
}
