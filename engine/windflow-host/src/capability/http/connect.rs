//! Connections to addresses that were checked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper::client::conn::http1::{self, SendRequest};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};
use windflow_core::capability::{Origin, Scheme};
use windflow_core::ports::store::BoxFuture;

use super::tls::Tls;

/// Stands in the place of the network, for tests of plugins. What is asked for has passed every check by then.
pub trait Dial: Send + Sync {
    /// A connection to a server of this origin, which speaks HTTP in plain text whatever the scheme.
    fn dial<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, io::Result<DuplexStream>>;
}

/// An open connection. Dropping it closes it at once, even in the middle of a body.
pub(super) struct Connection {
    pub(super) address: IpAddr,
    pub(super) sender: SendRequest<WasiBody>,
    worker: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

/// Dials exactly this address. The name is used for the server's certificate only, and never resolved again.
pub(super) async fn connect(origin: &Origin, address: IpAddr, tls: &Arc<Tls>) -> Result<Connection, Error> {
    let stream = TcpStream::connect(SocketAddr::new(address, origin.port)).await.map_err(Error::Connect)?;
    // A request is written in few pieces; waiting to join them only delays it. Failing to say so does no harm.
    let _ = stream.set_nodelay(true);
    match origin.scheme {
        Scheme::Http => speak(address, stream).await,
        Scheme::Https => {
            let config = match tls.made() {
                Some(config) => config,
                None => {
                    let tls = Arc::clone(tls);
                    let made = tokio::task::spawn_blocking(move || tls.config()).await;
                    made.unwrap_or_else(|error| Err(error.to_string()))
                }
            };
            let config = config.map_err(|error| Error::InternalError(Some(error)))?;
            let name = ServerName::try_from(origin.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
            let stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await.map_err(Error::Tls)?;
            speak(address, stream).await
        }
    }
}

pub(super) async fn speak<S>(address: IpAddr, stream: S) -> Result<Connection, Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(Error::Hyper)?;
    let worker = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
    });
    Ok(Connection { address, sender, worker: worker.abort_handle() })
}
