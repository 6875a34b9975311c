//! The servers of a case: they are not there, and the case says what they answer. Requests go every way that they go in a run (grants,
//! credentials, bounds) until the network would begin.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::DuplexStream;
use windflow_core::capability::Origin;
use windflow_core::credential::Credential;
use windflow_core::id::OrganisationId;
use windflow_core::ports::credentials::Credentials;
use windflow_core::ports::store::BoxFuture;
use windflow_host::{Dial, HttpPolicy, Resolver};

/// Where every name leads. A public address, as the checks of addresses want one; nobody dials it.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9));

/// What fits on its way between the two ends at once.
const IN_FLIGHT: usize = 64 << 10;

/// An answer of a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// To which requests: method and address. Without a query it fits every query.
    pub(super) request: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    json: Option<Value>,
    #[serde(default)]
    text: Option<String>,
    /// There is no answer: the connection ends.
    #[serde(default)]
    closes: bool,
}

fn ok() -> u16 {
    200
}

/// A request as it would have left.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Method and address, with the query.
    pub(super) request: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    answered: bool,
}

/// The servers and credentials of the case that is run, and what was sent.
#[derive(Default)]
pub(super) struct Servers(Mutex<Now>);

#[derive(Default)]
struct Now {
    answers: Vec<(Answer, bool)>,
    credentials: BTreeMap<String, Arc<Credential>>,
    sent: Vec<Sent>,
}

impl Answer {
    /// What is wrong with how it is written.
    pub(super) fn problem(&self) -> Option<String> {
        let Some((method, url)) = self.request.split_once(' ') else {
            return Some(format!(
                "`request: {}` is to be a method and an address: GET https://api.example.org/",
                self.request
            ));
        };
        if method != method.to_uppercase() || Origin::from_url(url).is_none() {
            return Some(format!(
                "`request: {}` is no method and address, as GET https://api.example.org/",
                self.request
            ));
        }
        if !(100..=599).contains(&self.status) {
            return Some(format!("{} is no status of an answer", self.status));
        }
        if self.json.is_some() && self.text.is_some() {
            return Some(format!("the answer to {} has `json` and `text`: write one of them", self.request));
        }
        self.headers.iter().find_map(|(name, value)| {
            let sound = http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok();
            (!sound).then(|| format!("`{name}: {value}` is no header"))
        })
    }

    fn origin(&self) -> Option<Origin> {
        Origin::from_url(self.request.split_once(' ')?.1)
    }

    fn response(&self) -> Response<Full<Bytes>> {
        let (kind, body) = match (&self.json, &self.text) {
            (Some(json), _) => ("application/json", json.to_string()),
            (None, text) => ("text/plain; charset=utf-8", text.clone().unwrap_or_default()),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Whether what is written, a method and an address, means this request.
pub(super) fn fits(written: &str, request: &str) -> bool {
    let whole = |text: &str| text.trim_end_matches('/').to_owned();
    if written.contains('?') {
        whole(written) == whole(request)
    } else {
        whole(written) == whole(without_query(request))
    }
}

fn without_query(request: &str) -> &str {
    request.split_once('?').map_or(request, |(before, _)| before)
}

impl Servers {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a case.
    pub(super) fn begin(&self, answers: &[Answer], credentials: &BTreeMap<String, Arc<Credential>>) {
        let answers = answers.iter().map(|answer| (answer.clone(), false)).collect();
        *self.now() = Now { answers, credentials: credentials.clone(), sent: Vec::new() };
    }

    /// What was sent since.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.now().sent.clone()
    }

    /// The answer to a request: the first that fits and was not given yet, else the last that fits.
    fn answer(&self, request: &str, headers: Vec<(String, String)>, body: Vec<u8>) -> Option<Answer> {
        let mut now = self.now();
        let fitting = |(answer, _): &&mut (Answer, bool)| fits(&answer.request, request);
        let fresh = now.answers.iter_mut().filter(|(_, given)| !given).find(fitting);
        let answer = match fresh {
            Some((answer, given)) => {
                *given = true;
                Some(answer.clone())
            }
            None => now
                .answers
                .iter()
                .rev()
                .find(|(answer, _)| fits(&answer.request, request))
                .map(|(answer, _)| answer.clone()),
        };
        now.sent.push(Sent { request: request.to_owned(), headers, body, answered: answer.is_some() });
        answer
    }

    async fn serve(&self, origin: &Origin, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let shown = format!("{} {origin}{path}", head.method);
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
        match self.answer(&shown, headers, body) {
            Some(answer) if answer.closes => Err(io::ErrorKind::ConnectionAborted.into()),
            Some(answer) => Ok(answer.response()),
            None => {
                let mut response = Response::new(Full::new(Bytes::from(format!("the case has no answer to {shown}"))));
                *response.status_mut() = http::StatusCode::NOT_IMPLEMENTED;
                Ok(response)
            }
        }
    }
}

impl Sent {
    /// A problem where the case says nothing about it.
    pub(super) fn unanswered(&self) -> Option<String> {
        (!self.answered).then(|| format!("answers: there is none to {}", self.request))
    }
}

/// The same servers, as the host meets them.
#[derive(Clone)]
pub(super) struct Network(pub(super) Arc<Servers>);

impl HttpPolicy for Network {
    fn origin(&self, origin: &Origin) -> Result<(), String> {
        if self.0.now().answers.iter().any(|(answer, _)| answer.origin().as_ref() == Some(origin)) {
            return Ok(());
        }
        Err(format!("runs tests, which are offline, and the case has no `answers:` of {origin}"))
    }

    fn address(&self, origin: &Origin, _: IpAddr) -> Result<(), String> {
        self.origin(origin)
    }
}

impl Resolver for Network {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::ready(Ok(vec![ADDRESS])))
    }
}

impl Dial for Network {
    fn dial<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, io::Result<DuplexStream>> {
        let (ours, theirs) = tokio::io::duplex(IN_FLIGHT);
        let (servers, origin) = (Arc::clone(&self.0), origin.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| servers.serve(&origin, request));
            // One request a connection: the next case has servers of its own.
            let mut server = hyper::server::conn::http1::Builder::new();
            let served = server.keep_alive(false).serve_connection(TokioIo::new(theirs), service).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection of a case ended");
            }
        });
        Box::pin(std::future::ready(Ok(ours)))
    }
}

impl Credentials for Network {
    fn get(&self, _: &OrganisationId, name: &str) -> Result<Option<Arc<Credential>>, String> {
        Ok(self.0.now().credentials.get(name).cloned())
    }

    fn how_to_set(&self, name: &str) -> String {
        format!(
            "Add it to the case: credentials: {{ {name}: {{ bind: bearer, hosts: [api.example.org], value: a-value-for-tests }} }}"
        )
    }
}
