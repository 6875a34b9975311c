//! Connections: accepted, bounded, and let go of.

use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::limits::Peer;
use crate::state::App;

/// How long a client may take to send the head of a request. Whoever sends byte by byte to hold connections is let go of.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers of a request, at most.
const MAX_HEADERS: usize = 100;

/// Serves connections until the server is to stop, then until those that are open have ended.
pub(crate) async fn serve(listener: TcpListener, router: Router, app: App) {
    let places = u32::try_from(app.settings.max_connections).unwrap_or(u32::MAX);
    let connections = Arc::new(Semaphore::new(places as usize));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_headers(MAX_HEADERS).half_close(false);
    loop {
        let accepted = async {
            // No place, no accept: further connections wait in the queue of the system.
            let place = Arc::clone(&connections).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = app.stopped() => break,
        };
        let (Ok(place), Ok((stream, peer))) = (place, accepted) else {
            // Out of file handles, for example. Trying again at once would only burn the processor.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Answers are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            router.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let app = app.clone();
        tokio::spawn(async move {
            tokio::pin!(connection);
            // A client that went away is no news.
            tokio::select! {
                _ = connection.as_mut() => {}
                () = app.stopped() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(place);
        });
    }
    drop(listener);
    // All places are free once every connection has ended.
    let _ = connections.acquire_many(places).await;
}
