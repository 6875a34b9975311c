//! Sends one request: checks, resolves, checks again, connects, sends.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};
use windflow_core::capability::{Grants, Origin, Scheme};
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::ports::host::LogLevel;
use windflow_core::trace::TraceContext;

use super::body::{RequestBody, ResponseBody};
use super::breaker::{Breaker, Went};
use super::check::{Denied, Keys};
use super::connect::{Connection, Dial, connect, speak};
use super::policy::HttpPolicy;
use super::pool::Pool;
use super::resolve::Resolver;
use super::tls::{Tls, TlsRoots};
use super::{errors, headers};
use crate::capability::credentials::{self, Held, ScrubbedBody};
use crate::capability::log::Log;
use crate::limits::HttpLimits;

/// The longest that one address of several may take to answer, before the next one is tried.
const PER_ADDRESS: Duration = Duration::from_secs(3);

/// What all attempts send through.
pub(crate) struct Sender {
    pub(super) policy: Arc<dyn HttpPolicy>,
    pub(super) limits: HttpLimits,
    resolver: Arc<dyn Resolver>,
    tls: Arc<Tls>,
    pool: Arc<Pool>,
    pub(super) breaker: Breaker,
    /// In the place of the network.
    dialler: Option<Arc<dyn Dial>>,
}

/// Where a request goes, once that was checked, and how long that may take.
pub(super) struct Route<'a> {
    pub(super) origin: &'a Origin,
    pub(super) addresses: &'a [IpAddr],
    pub(super) connect_time: Duration,
    pub(super) first_byte: Duration,
}

/// Why a server may not be dialled.
pub(crate) enum Undialable {
    /// The workflow does not grant it, or not the address that it leads to.
    NotGranted(Option<IpAddr>),
    /// The operator does not allow it, for this reason.
    ByOperator(String),
    /// Nobody knows where it is.
    Unresolved(String),
}

/// What belongs to one attempt.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) keys: Keys,
    pub(super) slots: Arc<Semaphore>,
    pub(super) denial: Arc<OnceLock<String>>,
    /// Why there is no access token, where the last request that wanted one got none.
    pub(super) trouble: Arc<Mutex<Option<Failure>>>,
    /// The credential that is added to requests to its hosts.
    pub(super) held: Option<Arc<Held>>,
    /// What the server that is asked is told of the trace that the request is part of.
    pub(super) trace: Option<TraceContext>,
    pub(super) log: Arc<Log>,
}

impl Attempt {
    /// Puts the credential's address in the place of the placeholder.
    fn address(&self, request: &mut Request<WasiBody>) -> Result<(), Error> {
        let put = match &self.held {
            Some(held) => held.address(request),
            None => Err("a request wants the address that a credential holds, and the node names none: add `credential: NAME` to its `with:`".to_owned()),
        };
        put.map_err(|why| self.denied(Denied(why), Error::HttpRequestDenied))
    }

    /// Whether the credential goes along. That it does not is told, since the answer will only say that it is missing.
    fn adds(&self, held: &Held, origin: &Origin) -> bool {
        let adds = held.may_go_to(origin);
        if !adds {
            self.log.line(LogLevel::Warn, &held.kept_back(origin));
        }
        adds
    }

    /// Remembers why there is no access token: the guest only gets a code.
    pub(super) fn troubled(&self, failure: Failure) -> Error {
        if failure.kind == FailureKind::Denied {
            return self.denied(Denied(failure.message), Error::HttpRequestDenied);
        }
        tracing::info!(failure.code, "no access token");
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        Error::InternalError(Some("there is no access token".to_owned()))
    }

    /// There is a token after all.
    pub(super) fn untroubled(&self) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Remembers the first denial: the guest only gets a code, but people need to know what to grant.
    fn denied(&self, denied: Denied, error: Error) -> Error {
        tracing::info!(denied = denied.0, "request denied");
        let _ = self.denial.set(denied.0);
        error
    }
}

impl Sender {
    pub(crate) fn new(
        policy: Arc<dyn HttpPolicy>,
        resolver: Arc<dyn Resolver>,
        roots: TlsRoots,
        limits: HttpLimits,
    ) -> Self {
        let breaker = Breaker::new(limits.breaker);
        Self { policy, limits, resolver, tls: Arc::new(Tls::new(roots)), pool: Arc::default(), breaker, dialler: None }
    }

    /// The same, over something else than the network where there is something.
    pub(crate) fn over(self, dialler: Option<Arc<dyn Dial>>) -> Self {
        Self { dialler, ..self }
    }

    /// The addresses of a server that is asked by another protocol, each of which may be dialled under these grants.
    pub(crate) async fn dialable(&self, grants: &Grants, origin: &Origin) -> Result<Vec<IpAddr>, Undialable> {
        if !grants.covers(origin) {
            return Err(Undialable::NotGranted(None));
        }
        if self.dialler.is_some() {
            return Err(Undialable::ByOperator("has no network, for anything but requests".to_owned()));
        }
        self.policy.origin(origin).map_err(Undialable::ByOperator)?;
        let addresses = self.resolve(origin).await.map_err(|error| Undialable::Unresolved(errors::words(&error)))?;
        for address in &addresses {
            if !grants.covers_address(*address, origin.port) {
                return Err(Undialable::NotGranted(Some(*address)));
            }
            self.policy.address(origin, *address).map_err(Undialable::ByOperator)?;
        }
        Ok(addresses)
    }

    /// Sends the request. Redirects are not followed: guests follow them by further requests, which are checked as well.
    pub(super) async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
        attempt: Attempt,
    ) -> Result<Response<WasiBody>, Error> {
        if credentials::wants_address(&request) {
            attempt.address(&mut request)?;
        }
        let origin = origin(&request).map_err(|error| match error {
            Unreadable::Host(host) => attempt.denied(
                Denied(format!(
                    "a request was denied: {host:?} is neither a host name nor an address in its usual form"
                )),
                Error::HttpRequestUriInvalid,
            ),
            Unreadable::Scheme => Error::HttpProtocolError,
        })?;
        attempt.keys.origin(&origin).map_err(|denied| attempt.denied(denied, Error::HttpRequestDenied))?;
        headers::prepare(&mut request, &origin)?;
        if let Some(trace) = &attempt.trace {
            headers::trace(request.headers_mut(), trace);
        }
        let permit = Arc::clone(&attempt.slots).acquire_owned().await.map_err(|_| Error::ConnectionLimitReached)?;

        let connect_time = options.connect_timeout.unwrap_or(Duration::MAX).min(self.limits.connect_time);
        let addresses = timeout(connect_time, self.resolve(&origin)).await.map_err(|_| Error::DnsTimeout)??;
        attempt
            .keys
            .addresses(&origin, &addresses)
            .map_err(|denied| attempt.denied(denied, Error::DestinationIpProhibited))?;

        let limit = self.limits.request_bytes;
        let mut request = request.map(|inner| RequestBody { inner, limit, sent: 0 }.boxed_unsync());
        let held = attempt.held.as_ref().filter(|held| attempt.adds(held, &origin));
        if let Some(held) = held {
            request = held.add_to(request).await?;
        }
        let first_byte = options.first_byte_timeout.unwrap_or(Duration::MAX).min(self.limits.idle_time);
        self.breaker.enter(&origin, Instant::now()).map_err(|left| {
            let seconds = left.as_secs() + 1;
            let line =
                format!("{origin} did not answer several times in a row, and is left alone for another {seconds} s");
            attempt.log.line(LogLevel::Warn, &line);
            Error::DestinationUnavailable
        })?;
        let route = Route { origin: &origin, addresses: &addresses, connect_time, first_byte };
        let exchanged = match held.filter(|held| held.wants_token()) {
            Some(held) => self.with_token(request, &route, held, &attempt).await,
            None => self.exchange(request, &route).await,
        };
        if self.breaker.went(&origin, self.judged(&exchanged, connect_time), Instant::now()) {
            let seconds = self.breaker.rest().as_secs();
            attempt.log.line(
                LogLevel::Warn,
                &format!("{origin} is left alone for {seconds} s: it did not answer several times in a row"),
            );
        }
        let (response, connection) = exchanged?;
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::HttpUpgradeFailed);
        }
        let idle = options.between_bytes_timeout.unwrap_or(Duration::MAX).min(self.limits.idle_time);
        let back = (origin, connection, Arc::clone(&self.pool));
        let body = |body| ResponseBody::new(body, self.limits.response_bytes, idle, back, permit).boxed_unsync();
        let mut response = response.map(body);
        if let Some(held) = held {
            held.scrubber.headers(response.headers_mut());
            response = response.map(|body| ScrubbedBody::new(body, Arc::clone(&held.scrubber)).boxed_unsync());
        }
        Ok(response)
    }

    /// What an exchange says about its server.
    pub(super) fn judged<T>(&self, exchanged: &Result<T, Error>, connect_time: Duration) -> Went {
        match exchanged {
            Ok(_) => Went::Well,
            // How long the guest would wait is its own choice.
            Err(Error::ConnectionTimeout) if connect_time < self.limits.connect_time => Went::Unknown,
            Err(Error::Connect(_) | Error::ConnectionTimeout | Error::DestinationNotFound | Error::Tls(_)) => {
                Went::Badly
            }
            Err(_) => Went::Unknown,
        }
    }

    pub(super) async fn resolve(&self, origin: &Origin) -> Result<Vec<IpAddr>, Error> {
        if let Ok(address) = origin.host.parse() {
            return Ok(vec![address]);
        }
        let failed = |rcode: String| Error::DnsError { rcode: Some(rcode), info_code: None };
        let addresses = self.resolver.resolve(&origin.host).await.map_err(|error| failed(error.to_string()))?;
        if addresses.is_empty() { Err(failed("the name has no address".to_owned())) } else { Ok(addresses) }
    }

    pub(super) async fn exchange(
        &self,
        mut request: Request<WasiBody>,
        route: &Route<'_>,
    ) -> Result<(Response<hyper::body::Incoming>, Connection), Error> {
        let Route { origin, addresses, connect_time, first_byte } = *route;
        loop {
            let kept = self.pool.take(origin, addresses);
            let was_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => timeout(connect_time, self.dial(origin, addresses))
                    .await
                    .map_err(|_| Error::ConnectionTimeout)??,
            };
            // A kept connection may have been closed meanwhile. If nothing was sent, the request comes back and another one is
            // tried; once anything was sent, only the node can know whether it may be sent again.
            let ready = timeout(first_byte, connection.sender.ready()).await;
            if was_kept && !matches!(ready, Ok(Ok(()))) {
                continue;
            }
            let sent = timeout(first_byte, connection.sender.try_send_request(request)).await;
            match sent.map_err(|_| Error::ConnectionReadTimeout)? {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if was_kept => request = unsent,
                    _ => return Err(errors::unwrap(error.into_error())),
                },
            }
        }
    }

    async fn dial(&self, origin: &Origin, addresses: &[IpAddr]) -> Result<Connection, Error> {
        let mut last = Error::DestinationNotFound;
        if let (Some(dialler), Some(address)) = (&self.dialler, addresses.first()) {
            let stream = dialler.dial(origin).await.map_err(Error::Connect)?;
            return speak(*address, stream).await;
        }
        for (index, address) in addresses.iter().enumerate() {
            let limit = if index + 1 == addresses.len() { Duration::MAX } else { PER_ADDRESS };
            match timeout(limit, connect(origin, *address, &self.tls)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => last = error,
                Err(_) => last = Error::ConnectionTimeout,
            }
        }
        Err(last)
    }
}

enum Unreadable {
    Scheme,
    Host(String),
}

/// Where a request goes. Addresses in forms that resolvers understand differently are refused with the rest.
fn origin(request: &Request<WasiBody>) -> Result<Origin, Unreadable> {
    let scheme = match request.uri().scheme_str() {
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        _ => return Err(Unreadable::Scheme),
    };
    let authority = request.uri().authority().map_or("", http::uri::Authority::as_str);
    Origin::from_authority(scheme, authority).ok_or_else(|| Unreadable::Host(authority.chars().take(200).collect()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use windflow_core::capability::Grants;
    use windflow_core::trace::TraceParent;

    use super::*;
    use crate::capability::http::{AllowAll, SystemResolver};

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// Sends a request to a server on loopback; what the server was sent, and how it ended.
    async fn send(request: http::request::Builder, body: usize) -> (String, Result<(), Error>) {
        send_within(TRACE.parse::<TraceParent>().unwrap().into(), request, body).await
    }

    async fn send_within(
        trace: TraceContext,
        request: http::request::Builder,
        body: usize,
    ) -> (String, Result<(), Error>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/path?query", listener.local_addr().unwrap());
        let limits = HttpLimits { request_bytes: 100, ..HttpLimits::default() };
        let roots = TlsRoots { system: false, also: Vec::new() };
        let sender = Sender::new(Arc::new(AllowAll), Arc::new(SystemResolver), roots, limits);
        let manifest = serde_json::json!({
            "plugin": { "name": "a", "version": "1.0.0", "description": {} }, "capabilities": { "http": ["*"] }, "node": {}
        });
        let keys = Keys {
            manifest: Arc::new(serde_json::from_value(manifest).unwrap()),
            grants: Arc::new(Grants { http: vec!["127.0.0.1:*".parse().unwrap()], ..Grants::default() }),
            policy: Arc::clone(&sender.policy),
        };
        let attempt = Attempt {
            keys,
            slots: Arc::new(Semaphore::new(1)),
            denial: Arc::default(),
            trouble: Arc::default(),
            held: None,
            trace: Some(trace),
            log: Log::unheard(),
        };
        let body = Full::new(Bytes::from(vec![b'x'; body])).map_err(|never| match never {}).boxed_unsync();
        let request = request.uri(uri).body(body).unwrap();
        let served = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            String::from_utf8_lossy(&head[..length]).to_lowercase()
        };
        let (head, sent) = tokio::join!(served, sender.send(request, RequestOptions::default(), attempt));
        (head, sent.map(drop))
    }

    /// wasmtime refuses these headers when a guest sets them; should one come through, it goes no further.
    #[tokio::test]
    async fn headers_of_the_connection_are_the_hosts() {
        let request = Request::get("/").header("host", "other.test").header("transfer-encoding", "chunked");
        let request =
            request.header("connection", "upgrade").header("proxy-authorization", "x").header("x-fine", "yes");
        let (head, sent) = send(request, 0).await;
        sent.unwrap();
        assert!(head.starts_with("get /path?query http/1.1\r\n") && head.contains("x-fine: yes\r\n"), "{head}");
        assert!(head.contains("host: 127.0.0.1:") && !head.contains("other.test"), "{head}");
        assert!(
            !head.contains("transfer-encoding") && !head.contains("connection") && !head.contains("proxy"),
            "{head}"
        );
    }

    #[tokio::test]
    async fn a_request_tells_its_trace_unless_the_guest_has_one_of_its_own() {
        let (head, _) = send(Request::get("/"), 0).await;
        assert!(head.contains(&format!("\r\ntraceparent: {TRACE}\r\n")), "{head}");
        let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let (head, _) = send(Request::get("/").header("traceparent", own), 0).await;
        assert!(head.contains(own) && !head.contains(TRACE), "{head}");
        // Somebody else's state would be told as that of this trace.
        let (head, _) = send(Request::get("/").header("tracestate", "theirs=1"), 0).await;
        assert!(head.contains(TRACE) && !head.contains("tracestate"), "{head}");
    }

    #[tokio::test]
    async fn what_others_said_beside_the_trace_goes_with_it_and_with_no_other() {
        let context = || TraceContext { parent: TRACE.parse().unwrap(), state: Some("a=1,b=2".parse().unwrap()) };
        let (head, _) = send_within(context(), Request::get("/").header("tracestate", "theirs=1"), 0).await;
        assert!(head.contains(TRACE) && head.contains("\r\ntracestate: a=1,b=2\r\n"), "{head}");
        assert_eq!(head.matches("tracestate").count(), 1, "{head}");
        let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        for (state, told) in [(None, None), (Some("theirs=1"), Some("tracestate: theirs=1\r\n"))] {
            let mut request = Request::get("/").header("traceparent", own);
            if let Some(state) = state {
                request = request.header("tracestate", state);
            }
            let (head, _) = send_within(context(), request, 0).await;
            assert!(head.contains(own) && !head.contains("a=1"), "{head}");
            assert!(told.is_none_or(|told| head.contains(told)), "{head}");
        }
    }

    #[tokio::test]
    async fn bodies_of_requests_are_bounded() {
        send(Request::post("/"), 100).await.1.unwrap();
        let error = send(Request::post("/"), 101).await.1.unwrap_err();
        assert!(matches!(error, Error::HttpRequestBodySize(Some(100))), "{error:?}");
    }
}
