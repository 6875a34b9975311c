//! Notices over WebSockets.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use windflow_server::{Role, Settings};
use windflow_testkit::host::Outcome;

use crate::support::{Client, PURE, SLOW, eventually, scripted, serve, serve_with, settings};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PATH: &str = "/api/v1/notifications/ws";

async fn connect(client: &Client) -> Result<Socket, u16> {
    let address = format!("{}{PATH}", client.base.replace("http://", "ws://"));
    let mut request = address.into_client_request().unwrap();
    if let Some(token) = &client.token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

/// As browsers do: the token is among the protocols that are offered. The protocol that was taken.
async fn connect_as_a_page(client: &Client, offered: &str) -> Result<(Socket, Option<String>), u16> {
    let address = format!("{}{PATH}", client.base.replace("http://", "ws://"));
    let mut request = address.into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
    match connect_async(request).await {
        Ok((socket, response)) => {
            let taken = response.headers().get("sec-websocket-protocol");
            Ok((socket, taken.map(|taken| taken.to_str().unwrap().to_owned())))
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

/// The next notice, or how it was closed.
async fn next(socket: &mut Socket) -> Result<Value, Option<CloseFrame>> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("nothing was told");
        match message {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(frame))) => return Err(frame),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(None),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_offer_their_token_as_a_protocol() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::FailForGood)])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(SLOW).await;
    let token = operator.token.clone().unwrap();
    let (mut page, taken) = connect_as_a_page(&operator, &format!("windflow, bearer.{token}")).await.unwrap();
    assert_eq!(taken.as_deref(), Some("windflow"));
    let run = operator.start("slow", json!({})).await;
    assert_eq!(next(&mut page).await.unwrap()["run"], json!(run));
    for refused in ["windflow".to_owned(), "windflow, bearer.".to_owned(), format!("windflow, bearer.{token}x")] {
        assert_eq!(connect_as_a_page(&operator, &refused).await.err(), Some(401), "{refused}");
    }
    // It shows nobody where no WebSocket is asked for.
    let plain = reqwest::Client::new().get(format!("{}/api/v1/runs", operator.base));
    let plain = plain.header("sec-websocket-protocol", format!("windflow, bearer.{token}")).send().await.unwrap();
    assert_eq!(plain.status().as_u16(), 401);
}

const ASKS: &str = "windflow: 1\nname: asks\nnodes:\n  may: { uses: approval@1, with: { message: \"May it?\" } }\n";

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_is_told_of_runs_that_fail_or_ask_and_of_nobody_else_s() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::FailForGood)])).await;
    let operator = served.person("local", Role::Operator).await;
    let stranger = served.person("other", Role::Operator).await;
    for text in [PURE, SLOW, ASKS] {
        operator.create(text).await;
    }
    stranger.create(SLOW).await;
    assert_eq!(connect(&served.anonymous()).await.err(), Some(401));
    operator.get(PATH).await.problem(400, "no_websocket");
    let mut ours = connect(&operator).await.unwrap();
    let mut theirs = connect(&stranger).await.unwrap();

    // What goes well is no news.
    let run = operator.start("pure", json!({})).await;
    operator.ended(&run).await;
    let failed = operator.start("slow", json!({})).await;
    let told = next(&mut ours).await.unwrap();
    assert_eq!(
        (&told["kind"], &told["run"], &told["workflow"]),
        (&json!("run_failed"), &json!(failed), &json!("slow"))
    );
    assert!(told["error"].is_string() && told["at"].is_u64(), "{told}");
    let asks = operator.start("asks", json!({})).await;
    let told = next(&mut ours).await.unwrap();
    assert_eq!((&told["kind"], &told["run"], &told["node"]), (&json!("run_asks"), &json!(asks), &json!("may")));
    assert_eq!((&told["of"], &told["message"]), (&json!("person"), &json!("May it?")));
    assert!(told.get("token").is_none(), "{told}");
    // What was first told to the others is their own.
    let own = stranger.start("slow", json!({})).await;
    assert_eq!(next(&mut theirs).await.unwrap()["run"], json!(own));

    // Whoever goes leaves their place.
    ours.close(None).await.unwrap();
    theirs.send(Message::text("x".repeat(2000))).await.unwrap();
    assert!(next(&mut theirs).await.is_err(), "what is too long was taken");
    eventually(async || {
        let metrics = operator.get("/metrics").await.expect(200).as_str().unwrap().to_owned();
        metrics.contains("windflow_live_streams 0")
    })
    .await;
    let mut last = connect(&operator).await.unwrap();
    let (_, closed) = tokio::join!(served.stop(), next(&mut last));
    assert_eq!(closed.unwrap_err().map(|frame| u16::from(frame.code)), Some(1001));
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_watch_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve_with(dir.path(), scripted(&[]), Settings { max_streams: 1, ..settings() }).await;
    let viewer = served.person("local", Role::Viewer).await;
    let held = connect(&viewer).await.unwrap();
    assert_eq!(connect(&viewer).await.err(), Some(503));
    drop(held);
    eventually(async || connect(&viewer).await.is_ok()).await;
    served.stop().await;
}
