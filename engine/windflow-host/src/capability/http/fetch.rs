//! Requests of the server itself, for registries of templates: by the same ways as those of guests, under the same policy.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use tokio::time::timeout;
use windflow_core::capability::{Origin, Scheme};
use windflow_core::ports::fetch::{Fetch, FetchError};
use windflow_core::ports::store::BoxFuture;

use super::policy::HttpPolicy;
use super::resolve::Resolver;
use super::sender::{Route, Sender};
use super::tls::TlsRoots;
use super::{errors, headers};
use crate::limits::HttpLimits;

/// The longest that one answer may take, from beginning to end.
const TIME: Duration = Duration::from_secs(20);

/// Gets what lies under addresses that the operator's policy allows; and, in plain text, under this machine's own addresses.
pub struct GuardedFetch(Sender);

impl GuardedFetch {
    /// One under a policy.
    #[must_use]
    pub fn new(policy: Arc<dyn HttpPolicy>, resolver: Arc<dyn Resolver>, roots: TlsRoots) -> Self {
        Self(Sender::new(policy, resolver, roots, HttpLimits::default()))
    }

    async fn fetch(&self, url: &str, most: usize) -> Result<Vec<u8>, FetchError> {
        let sender = &self.0;
        let origin = Origin::from_url(url).ok_or_else(|| FetchError::Denied("this is no address".to_owned()))?;
        let denied = |why: String| FetchError::Denied(format!("the operator of this engine {why}"));
        let failed = |error: wasmtime_wasi_http::Error| FetchError::Failed(errors::words(&error));
        let own = origin.host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        if !(own && origin.scheme == Scheme::Http) {
            sender.policy.origin(&origin).map_err(denied)?;
        }
        let addresses = sender.resolve(&origin).await.map_err(failed)?;
        for address in addresses.iter().filter(|_| !own) {
            sender.policy.address(&origin, *address).map_err(denied)?;
        }
        let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let request = Request::get(url).header("user-agent", "windflow").body(body);
        let mut request = request.map_err(|_| FetchError::Denied("this is no address".to_owned()))?;
        headers::prepare(&mut request, &origin).map_err(failed)?;
        let route = Route { origin: &origin, addresses: &addresses, connect_time: TIME, first_byte: TIME };
        let (response, connection) = sender.exchange(request, &route).await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), most).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => FetchError::TooLong(most),
            Err(error) => FetchError::Failed(format!("the answer broke off: {error}")),
        })?;
        // Nothing else is asked for soon: the connection is closed, not kept.
        drop(connection);
        Ok(body.to_bytes().into())
    }
}

impl Fetch for GuardedFetch {
    fn get<'a>(&'a self, url: &'a str, most: usize) -> BoxFuture<'a, Result<Vec<u8>, FetchError>> {
        Box::pin(async move {
            let too_slow = || FetchError::Failed(format!("there was no whole answer within {} s", TIME.as_secs()));
            timeout(TIME, self.fetch(url, most)).await.map_err(|_| too_slow())?
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::capability::http::{PublicHosts, SystemResolver};

    /// Asks a server on loopback that answers with this.
    async fn ask(answer: &'static str, most: usize) -> Result<Vec<u8>, FetchError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/index.json", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let got = fetch().get(&url, most).await;
        served.await.unwrap();
        got
    }

    fn fetch() -> GuardedFetch {
        let roots = TlsRoots { system: false, also: Vec::new() };
        GuardedFetch::new(Arc::new(PublicHosts::default()), Arc::new(SystemResolver), roots)
    }

    #[tokio::test]
    async fn answers_are_got_up_to_their_bound() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nindex";
        assert_eq!(ask(answer, 5).await, Ok(b"index".to_vec()));
        assert_eq!(ask(answer, 4).await, Err(FetchError::TooLong(4)));
        let moved = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(ask(moved, 5).await, Err(FetchError::Status(302)), "redirects are not followed");
        assert!(matches!(
            ask("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nindex", 99).await,
            Err(FetchError::Failed(_))
        ));
    }

    #[tokio::test]
    async fn what_the_policy_does_not_allow_is_not_asked() {
        for url in [
            "http://10.0.0.1/",
            "https://192.168.1.1/",
            "http://169.254.169.254/latest",
            "https://127.0.0.1/",
            "http://localhost:1/",
            "ftp://example.org/",
            "nothing",
        ] {
            let got = fetch().get(url, 100).await;
            assert!(matches!(got, Err(FetchError::Denied(_))), "{url}: {got:?}");
        }
    }
}
