//! What is asked of a git server, by its protocol of version 2 over HTTP (gitprotocol-http(5), gitprotocol-v2(5)).

use windflow_sdk::http::{Body, Request, Url, begin, send};
use windflow_sdk::{NodeError, progress};

use crate::pack::Id;
use crate::packets::{Packet, Packets, line, no_git};

/// What is read of a list of refs, and of the server's own description.
const LIST_BYTES: usize = 4 << 20;
/// What is read of a repository. The sandbox has 64 MiB for this, and for all that is made of it.
const PACK_BYTES: usize = 16 << 20;
/// Repositories move, a few times at most.
const REDIRECTS: usize = 5;

const SERVICE: &str = "/info/refs?service=git-upload-pack";
const AGENT: &str = "agent=windflow";

/// A server that speaks as it should.
pub(crate) struct Server {
    /// The repository's address, where the server says that it is.
    base: String,
}

/// Asks the server what it can.
pub(crate) fn connect(repository: &str) -> Result<Server, NodeError> {
    let wrong = |problem: String| NodeError::new("invalid_config", format!("`repository`: {problem}"));
    if repository.contains(['?', '#']) {
        return Err(wrong("write the address alone; the branch belongs into `ref`".to_owned()));
    }
    let mut url = Url::parse(&format!("{repository}{SERVICE}")).map_err(wrong)?;
    let mut base = repository.to_owned();
    for _ in 0..=REDIRECTS {
        let request = Request::new("GET", url.clone()).with_header("Git-Protocol", "version=2");
        let request = request.with_header("User-Agent", "git/2.0 (windflow)");
        let head = send(&request)?;
        if let Some(location) = head.header("location").filter(|_| matches!(head.status, 301 | 302 | 303 | 307 | 308)) {
            // Git itself follows here, too, and asks everything else where it was led to.
            url = url.join(location).map_err(|problem| no_git(&format!("it redirects wrongly: {problem}")))?;
            let led = location.strip_suffix(SERVICE).map(str::to_owned);
            base = led.filter(|led| led.contains("://")).ok_or_else(|| no_git("it redirects to something else"))?;
            continue;
        }
        if head.status != 200 {
            return Err(refused(head.status, &head.headers, &url));
        }
        check(&mut Packets::new(head.body, LIST_BYTES))?;
        return Ok(Server { base });
    }
    Err(no_git("it redirects without end"))
}

fn refused(status: u16, headers: &[(String, String)], url: &Url) -> NodeError {
    let hint = match status {
        401 | 403 => ": name a `credential` that may read the repository",
        404 => ": there is no such repository, or it wants a `credential`",
        _ => "",
    };
    let message = format!("{} answered with status {status}{hint}", url.public());
    NodeError::new("http_status", message).with_retry(windflow_sdk::http::retry(status, headers))
}

/// Whether it offers what is needed.
fn check(answer: &mut Packets) -> Result<(), NodeError> {
    let mut first = answer.text()?.unwrap_or_default();
    // Some servers begin with what is asked of them.
    if first.starts_with("# service=") {
        while answer.text()?.is_some() {}
        first = answer.text()?.unwrap_or_default();
    }
    if first != "version 2" {
        return Err(no_git("it does not speak version 2 of git's protocol"));
    }
    let mut offers = Vec::new();
    while let Some(offer) = answer.text()? {
        offers.push(offer);
    }
    if offers.iter().any(|offer| offer.starts_with("object-format=") && offer != "object-format=sha1") {
        return Err(no_git("its objects are named by another hash than SHA-1"));
    }
    let shallow = offers.iter().any(|offer| offer.strip_prefix("fetch").is_some_and(|can| can.contains("shallow")));
    if shallow { Ok(()) } else { Err(no_git("it cannot give the newest state alone")) }
}

impl Server {
    /// The full name of a ref, and the object that it stands for.
    pub(crate) fn find(&self, reference: &str) -> Result<(String, Id), NodeError> {
        if let Some(id) = Id::from_hex(reference) {
            return Ok((reference.to_owned(), id));
        }
        if reference.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(NodeError::new("invalid_config", "`ref` is no name of a branch, a tag or a commit"));
        }
        let wanted = match reference {
            "" | "HEAD" => vec!["HEAD".to_owned()],
            full if full.starts_with("refs/") => vec![full.to_owned()],
            // As git looks for names.
            name => vec![format!("refs/tags/{name}"), format!("refs/heads/{name}")],
        };
        let mut request = Vec::new();
        line(&mut request, "command=ls-refs");
        line(&mut request, AGENT);
        request.extend_from_slice(b"0001");
        line(&mut request, "peel");
        line(&mut request, "symrefs");
        wanted.iter().for_each(|name| line(&mut request, &format!("ref-prefix {name}")));
        request.extend_from_slice(b"0000");
        let mut answer = Packets::new(self.ask(request)?, LIST_BYTES);
        let mut found = Vec::new();
        while let Some(text) = answer.text()? {
            if let Some(error) = text.strip_prefix("ERR ") {
                return Err(said(error));
            }
            let mut words = text.split(' ');
            let (id, name) = (words.next().and_then(Id::from_hex), words.next().unwrap_or_default());
            // Prefixes: `refs/heads/main` finds `refs/heads/maintenance`, too.
            if let Some(id) = id.filter(|_| wanted.iter().any(|wanted| wanted == name)) {
                let points_to = words.find_map(|word| word.strip_prefix("symref-target:")).unwrap_or(name);
                found.push((name.to_owned(), points_to.to_owned(), id));
            }
        }
        let first = wanted.iter().find_map(|wanted| found.iter().find(|(name, ..)| name == wanted));
        first.map(|(_, name, id)| (name.clone(), *id)).ok_or_else(|| {
            let message = match reference {
                "" | "HEAD" => "the repository is empty".to_owned(),
                name => format!("the repository has no branch and no tag `{name}`"),
            };
            NodeError::new("ref_not_found", message)
        })
    }

    /// The pack with a commit and all that belongs to it, without what was before it.
    pub(crate) fn fetch(&self, id: &Id) -> Result<Vec<u8>, NodeError> {
        let mut request = Vec::new();
        line(&mut request, "command=fetch");
        line(&mut request, AGENT);
        request.extend_from_slice(b"0001");
        for argument in ["no-progress", "ofs-delta", "deepen 1"] {
            line(&mut request, argument);
        }
        line(&mut request, &format!("want {}", id.hex()));
        line(&mut request, "done");
        request.extend_from_slice(b"0000");
        // What goes with it is little beside the pack itself.
        let mut answer = Packets::new(self.ask(request)?, PACK_BYTES + (PACK_BYTES >> 3));
        loop {
            match answer.text()? {
                Some(section) if section == "packfile" => break,
                Some(text) if text.starts_with("ERR ") => return Err(said(&text[4..])),
                // Other sections tell what is not asked for; each ends for itself.
                Some(_) => while answer.text()?.is_some() {},
                None => return Err(no_git("it sends no objects")),
            }
        }
        let mut pack = Vec::new();
        while let Packet::Line(line) = answer.next()? {
            match line.split_first() {
                Some((1, data)) if pack.len() + data.len() <= PACK_BYTES => {
                    // Doubling would take more memory than there is.
                    if pack.capacity() - pack.len() < data.len() {
                        pack.reserve_exact(
                            (pack.len() / 4).max(256 << 10).min(PACK_BYTES - pack.len()).max(data.len()),
                        );
                    }
                    pack.extend_from_slice(data);
                }
                Some((1, _)) => {
                    let message =
                        format!("the repository is too large: its pack is longer than {} MiB", PACK_BYTES >> 20);
                    return Err(NodeError::new("too_large", message));
                }
                Some((3, error)) => return Err(said(&String::from_utf8_lossy(error))),
                _ => {}
            }
        }
        progress::report(None, &format!("{} KiB fetched", pack.len() >> 10));
        Ok(pack)
    }

    fn ask(&self, body: Vec<u8>) -> Result<Body, NodeError> {
        let url = Url::parse(&format!("{}/git-upload-pack", self.base)).map_err(|problem| no_git(&problem))?;
        let mut request = Request::new("POST", url)
            .with_header("Git-Protocol", "version=2")
            .with_header("User-Agent", "git/2.0 (windflow)")
            .with_header("Content-Type", "application/x-git-upload-pack-request")
            .with_header("Accept", "application/x-git-upload-pack-result");
        request.body = Some(body);
        Ok(begin(&request, 2000)?.body)
    }
}

/// The server says what is wrong.
fn said(error: &str) -> NodeError {
    let error: String = error.trim().chars().take(300).collect();
    NodeError::new("git_refused", format!("the git server says: {error}"))
}
