//! Mail: only through servers that the workflow grants, and only where the manifest asks for it. Names are resolved and
//! their addresses checked as those of requests are, and what is dialled is what was checked.

mod message;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use serde_json::json;
use windflow_core::capability::{Origin, Scheme};
use windflow_core::credential::Binding;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::json::Json;

use self::message::{Built, Message, Security};
use super::clean;
use super::credentials::Held;
use super::http::Undialable;
use crate::attempt::State;
use crate::host::Shared;

/// The longest that a server may take to let us in, and again to take the message.
const STEP: Duration = Duration::from_secs(30);

/// Sends one message.
pub(crate) async fn send(state: &mut State, message: &[u8]) -> Result<Json, Failure> {
    if !state.plugin.manifest.capabilities.email {
        let name = &state.plugin.manifest.plugin.name;
        let why = format!("the plugin {name} does not ask for `email` in its manifest, so it may not send mail");
        return Err(Failure::new(FailureKind::Denied, why));
    }
    let message: Message = serde_json::from_slice(message)
        .map_err(|error| Failure::new(FailureKind::InvalidConfig, format!("this is no message: {error}")))?;
    let origin = origin(&message)?;
    let addresses = addresses(state, &origin).await?;
    let Built { envelope, bytes, id } = message.build(&state.call.key).map_err(|why| {
        let failure = Failure::new(FailureKind::InvalidConfig, why);
        Failure { code: "invalid_message".into(), ..failure }
    })?;
    let deadline = STEP.min(state.deadline.saturating_duration_since(Instant::now()));
    let server = Server { origin, held: state.held.clone(), shared: Arc::clone(&state.shared), deadline };
    let mut connection = server.in_time(server.connect(message.security, &addresses)).await??;
    let sent = server.in_time(connection.send(&envelope, &bytes)).await?;
    // The server has the message, or has refused it: how the connection ends changes nothing about that.
    let _ = tokio::time::timeout(Duration::from_secs(2), connection.quit()).await;
    let answer = sent.map_err(|error| server.failed(&error))?;
    let answer = answer.message().collect::<Vec<_>>().join(" ");
    Ok(Json::from(json!({
        "message_id": id,
        "recipients": envelope.to().len(),
        "answer": clean(&answer),
    })))
}

fn origin(message: &Message) -> Result<Origin, Failure> {
    let scheme = if message.security == Security::None { Scheme::Http } else { Scheme::Https };
    // The form of an address is that of the web; the port has to be told.
    let has_port = message.server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Origin::from_url(&format!("https://{}", message.server))
        .filter(|_| has_port)
        .map(|origin| Origin { scheme, ..origin })
        .ok_or_else(|| {
            let why =
                format!("`{}` is no mail server: write host and port, as in smtp.example.org:587", message.server);
            Failure::new(FailureKind::InvalidConfig, why)
        })
}

/// Every key has to agree. What is denied names the line to add.
async fn addresses(state: &mut State, origin: &Origin) -> Result<Vec<IpAddr>, Failure> {
    let grants = state.call.grants.for_email();
    let server = format!("{}:{}", origin.host, origin.port);
    let why = match state.shared.sender.dialable(&grants, origin).await {
        Ok(addresses) => return Ok(addresses),
        Err(Undialable::Unresolved(why)) => {
            let failure =
                Failure::new(FailureKind::Unavailable, format!("the mail server {server} cannot be found: {why}"));
            return Err(Failure { retry: RetryHint::MayHelp, ..failure });
        }
        Err(Undialable::NotGranted(None)) => format!(
            "the mail server {server} was denied: the workflow does not grant it. Add to the workflow: permissions: {{ email: [\"{server}\"] }}"
        ),
        Err(Undialable::NotGranted(Some(address))) => format!(
            "the mail server {server} was denied: it is at {address}, which is not public, so the workflow must grant the address itself. Add to the workflow: permissions: {{ email: [\"{server}\", \"{}\"] }}",
            SocketAddr::new(address, origin.port)
        ),
        Err(Undialable::ByOperator(why)) => {
            format!("the mail server {server} was denied: the operator of this engine {why}")
        }
    };
    state.denied = Some(why.clone());
    Err(Failure { retry: RetryHint::Never, ..Failure::new(FailureKind::Denied, why) })
}

/// The server that a message goes through.
struct Server {
    origin: Origin,
    held: Option<Arc<Held>>,
    shared: Arc<Shared>,
    /// For each step.
    deadline: Duration,
}

impl Server {
    /// A server that says nothing holds nobody up for long.
    async fn in_time<T>(&self, step: impl Future<Output = T> + Send) -> Result<T, Failure> {
        tokio::time::timeout(self.deadline, step).await.map_err(|_| {
            let seconds = self.deadline.as_secs();
            let why = format!("the mail was not sent: {} did not answer within {seconds} s", self.origin);
            let failure = Failure::new(FailureKind::Node, why);
            Failure { code: "mail_failed".into(), retry: RetryHint::MayHelp, ..failure }
        })
    }

    async fn connect(&self, security: Security, addresses: &[IpAddr]) -> Result<AsyncSmtpConnection, Failure> {
        let hello = ClientId::Domain("windflow.invalid".to_owned());
        let tls = self.tls(security)?;
        let at_once = tls.clone().filter(|_| security == Security::Tls);
        let mut last = None;
        for address in addresses {
            let address = SocketAddr::new(*address, self.origin.port);
            let dialled =
                AsyncSmtpConnection::connect_tokio1(address, Some(self.deadline), &hello, at_once.clone(), None).await;
            match dialled {
                Ok(mut connection) => {
                    if let Some(tls) = tls.filter(|_| security == Security::Starttls) {
                        connection.starttls(tls, &hello).await.map_err(|error| self.failed(&error))?;
                    }
                    self.sign_in(&mut connection).await?;
                    return Ok(connection);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(
            || Failure::new(FailureKind::Unavailable, format!("the mail server {} has no address", self.origin)),
            |error| self.failed(&error),
        ))
    }

    fn tls(&self, security: Security) -> Result<Option<TlsParameters>, Failure> {
        if security == Security::None {
            return Ok(None);
        }
        let unusable = |error: Error| Failure::new(FailureKind::Unavailable, format!("TLS cannot be set up: {error}"));
        let mut tls = TlsParameters::builder(self.origin.host.clone());
        for certificate in &self.shared.roots.also {
            tls = tls.add_root_certificate(Certificate::from_der(certificate.to_vec()).map_err(unusable)?);
        }
        tls.build_rustls().map(Some).map_err(unusable)
    }

    /// With the attempt's credential, where it is a password that is bound to this very server.
    async fn sign_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Failure> {
        let Some(held) = &self.held else { return Ok(()) };
        let Binding::Basic { username } = held.binding() else {
            let why = format!(
                "a mail server wants a user name and a password (bind: basic), and the credential is {}",
                held.binding()
            );
            return Err(Failure::new(FailureKind::InvalidConfig, why));
        };
        if !held.may_go_to(&self.origin) {
            return Err(Failure::new(FailureKind::Denied, held.kept_back(&self.origin)));
        }
        let password = Credentials::new(username.clone(), held.value().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&mechanisms, &password).await.map(drop).map_err(|error| {
            let failure = self.failed(&error);
            Failure { code: "sign_in_refused".into(), ..failure }
        })
    }

    fn failed(&self, error: &Error) -> Failure {
        let mut why = format!("{}:{}: {error}", self.origin.host, self.origin.port);
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let text = cause.to_string();
            if !why.contains(&text) {
                why.push_str(": ");
                why.push_str(&text);
            }
            source = cause.source();
        }
        let mut why = clean(&why).into_owned().into_bytes();
        if let Some(held) = &self.held {
            held.scrubber.bytes(&mut why);
        }
        // What a server refuses for good stays refused; that it is busy or out of reach passes.
        let retry = if error.is_permanent() || error.is_tls() { RetryHint::Never } else { RetryHint::MayHelp };
        let failure =
            Failure::new(FailureKind::Node, format!("the mail was not sent: {}", String::from_utf8_lossy(&why)));
        Failure { code: if error.is_permanent() { "mail_refused" } else { "mail_failed" }.into(), retry, ..failure }
    }
}
