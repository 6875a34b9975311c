//! Connections to an engine, whichever way it is reached. The client of the engine's interface speaks over them.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use windflow_core::ports::store::BoxFuture;

use super::super::ANSWER;
use super::{ssh, tls};

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(15);

/// How connections are made.
pub(in crate::docker) enum Way {
    /// A socket of this machine.
    Unix(PathBuf),
    /// A port, in plain text.
    Tcp(String, u16),
    /// A port with TLS on both sides.
    Tls(tls::Way),
    /// A machine's own `docker` by its SSH server.
    Ssh(ssh::Way),
}

impl Way {
    pub(super) async fn dial(&self) -> io::Result<Line> {
        let stream: Box<dyn Stream> = match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Self::Tls(way) => Box::new(way.dial().await?),
            Self::Ssh(way) => Box::new(way.dial().await?),
        };
        Ok(Line { stream, heard: false })
    }

    /// Connections that are kept for the next request. One by SSH is a process and a sign-in; others are quick, and engines hang up.
    fn kept(&self) -> usize {
        match self {
            Self::Unix(_) | Self::Tcp(..) | Self::Tls(_) => 0,
            Self::Ssh(_) => 4,
        }
    }
}

/// A client of the engine that is reached this way. Nothing is dialled yet.
pub(super) fn docker(way: Arc<Way>) -> Result<Docker, bollard::errors::Error> {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(way.kept()).pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
    let client = builder.build(Connector(way));
    let transport = move |request: BollardRequest| {
        let answer = client.request(request);
        async move { answer.await.map_err(bollard::errors::Error::from) }
    };
    // Where it is, the way knows.
    Docker::connect_with_custom_transport(transport, Some("http://docker"), ANSWER.as_secs(), API_DEFAULT_VERSION)
}

/// The answer to one question that the client does not know of, where it is a short one.
pub(in crate::docker) async fn get(way: &Way, path: &str, longest: usize) -> io::Result<Bytes> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(way.dial().await?)).await.map_err(io::Error::other)?;
    let asked = async move {
        let request =
            Request::get(path).header(HOST, "docker").body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
        let answer = sender.send_request(request).await.map_err(io::Error::other)?;
        if !answer.status().is_success() {
            return Err(io::Error::other(format!("the engine answers {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), longest).collect().await.map_err(io::Error::other)?;
        Ok(body.to_bytes())
    };
    tokio::pin!(asked);
    tokio::select! {
        answered = &mut asked => answered,
        // The connection may be over before what it brought was read.
        ended = connection => match ended {
            Ok(()) => asked.await,
            Err(error) => Err(io::Error::other(error)),
        },
    }
}

#[derive(Clone)]
struct Connector(Arc<Way>);

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Line>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<TokioIo<Line>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let way = Arc::clone(&self.0);
        Box::pin(async move { Ok(TokioIo::new(way.dial().await?)) })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection. Why it is none stands in what is read: who hangs up at once, as a server that does not like a certificate and an `ssh` that
/// is refused do, says why and is then gone for whoever writes. So what cannot be written before anything was heard is no error yet.
pub(super) struct Line {
    stream: Box<dyn Stream>,
    heard: bool,
}

impl Line {
    fn excused<T>(&self, done: io::Result<T>, instead: T) -> io::Result<T> {
        done.or_else(|error| if self.heard { Err(error) } else { Ok(instead) })
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        self.heard |= into.filled().len() > before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, from));
        Poll::Ready(self.excused(written, from.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(self.excused(flushed, ()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
