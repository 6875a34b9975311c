//! A server, as its API lets one ask it.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Method, RequestBuilder, Response, Url, header, redirect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::reply::{self, Refused};
use crate::exit::invalid;

/// What holds the key of whoever asks, where no file does.
const TOKEN: &str = "WINDFLOW_TOKEN";
/// How long an answer may take, streams apart.
const PATIENCE: Duration = Duration::from_secs(60);
/// Keys are far shorter.
const MAX_TOKEN_BYTES: usize = 4096;

/// Where a server is.
#[derive(Debug, Clone)]
pub(crate) struct ServerAddress(Url);

impl FromStr for ServerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|error| format!("{error}; write it as https://flows.example.org"))?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err("write it as https://flows.example.org".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("the address holds a login: the key belongs into {TOKEN}"));
        }
        Ok(Self(url))
    }
}

/// One server, and who asks it.
pub(crate) struct Server {
    http: Client,
    address: Url,
    token: Option<String>,
}

/// A part of a list.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

impl Server {
    /// The server of an address, asked with the key of the file or of the environment.
    ///
    /// # Errors
    /// Where the file cannot be read, or this machine has no certificates to know servers by.
    pub(crate) fn new(address: &ServerAddress, token_file: Option<&Path>) -> anyhow::Result<Self> {
        // Whatever was chosen before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .user_agent(concat!("windflow/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            // The key goes to the server that was named, and to no other.
            .redirect(redirect::Policy::none())
            .build()?;
        let address = address.0.clone();
        let token = token(token_file)?;
        let encrypted = address.scheme() == "https";
        if token.is_some() && !encrypted && !is_this_machine(&address) {
            crate::render::line(&format!(
                "warning: {address} is not encrypted: whoever is on the way can read the key"
            ));
        }
        Ok(Self { http, address, token })
    }

    /// A request for what has this path below `/api/v1`.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request; whatever is no success is an error that says what the server said.
    ///
    /// # Errors
    /// [`Refused`], or that the server was not reached.
    pub(crate) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let answer = request.send().await.map_err(|error| self.unreached(error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if let Some(elsewhere) = answer.headers().get(header::LOCATION).filter(|_| status.is_redirection()) {
            let elsewhere = elsewhere.to_str().unwrap_or("another address");
            anyhow::bail!("{} says that it is at {elsewhere}\n  = give that address to --server", self.address);
        }
        Err(Refused::read(answer, self.token.is_some()).await.into())
    }

    /// Sends a request that is answered at once, and reads the answer.
    ///
    /// # Errors
    /// As [`Server::send`], and where the answer is not what the API says.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let answer = self.send(request.timeout(PATIENCE)).await?;
        let bytes = reply::body(answer).await.map_err(|error| self.unreached(error))?;
        serde_json::from_slice(&bytes).with_context(|| {
            format!("{} answered something else than this command understands; is it as new as this one?", self.address)
        })
    }

    /// Reads one thing.
    ///
    /// # Errors
    /// As [`Server::ask`].
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> anyhow::Result<T> {
        self.ask(self.request(Method::GET, path)).await
    }

    /// Reads a page of a list.
    ///
    /// # Errors
    /// As [`Server::ask`].
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        cursor: Option<&str>,
    ) -> anyhow::Result<Page<T>> {
        let cursor = cursor.map(|cursor| ("cursor", cursor.to_owned()));
        let query: Vec<_> = query.iter().cloned().chain(cursor).collect();
        self.ask(with_query(self.request(Method::GET, path), &query)?).await
    }

    /// Reads a whole list.
    ///
    /// # Errors
    /// As [`Server::ask`].
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> anyhow::Result<Vec<T>> {
        let query = [&[("limit", "500".to_owned())], query].concat();
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page: Page<T> = self.page(path, &query, cursor.as_deref()).await?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    fn unreached(&self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        let error = error.into();
        // The innermost cause says what happened; those around it only where.
        let cause = error.chain().last().map_or_else(String::new, ToString::to_string);
        anyhow::anyhow!("{} cannot be reached: {cause}", self.address)
    }
}

/// The request with these fields in its query.
pub(super) fn with_query(request: RequestBuilder, query: &[(&str, String)]) -> anyhow::Result<RequestBuilder> {
    let (http, request) = request.build_split();
    let mut request = request?;
    if !query.is_empty() {
        request.url_mut().query_pairs_mut().extend_pairs(query);
    }
    Ok(RequestBuilder::from_parts(http, request))
}

fn is_this_machine(address: &Url) -> bool {
    address.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    })
}

fn token(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let text = match file {
        Some(path) => {
            Some(std::fs::read_to_string(path).map_err(|error| invalid(format!("{}: {error}", path.display())))?)
        }
        None => std::env::var(TOKEN).ok(),
    };
    let Some(token) = text.as_deref().map(str::trim).filter(|token| !token.is_empty()) else { return Ok(None) };
    if token.len() > MAX_TOKEN_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let from = file.map_or_else(|| TOKEN.to_owned(), |path| path.display().to_string());
        return Err(invalid(format!(
            "{from} holds no API key\n  = `windflow token create` makes one, on the machine of the server"
        )));
    }
    Ok(Some(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_or_refused() {
        for good in ["http://127.0.0.1:7878", "https://flows.example.org/windflow/"] {
            assert!(good.parse::<ServerAddress>().is_ok(), "{good}");
        }
        for bad in ["flows.example.org", "ftp://flows.example.org", "https://ada:pw@flows.example.org", "mailto:ada"] {
            assert!(bad.parse::<ServerAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_below_the_address_and_never_beside_it() {
        let server = Server::new(&"http://127.0.0.1:1/flows/".parse().unwrap(), None).unwrap();
        let request = server.request(Method::GET, &["workflows", "../a b?"]).build().unwrap();
        assert_eq!(request.url().as_str(), "http://127.0.0.1:1/flows/api/v1/workflows/..%2Fa%20b%3F");
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (address, own) in [
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://127.8.8.8", true),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_this_machine(&address.parse().unwrap()), own, "{address}");
        }
    }
}
