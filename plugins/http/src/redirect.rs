//! Following redirects, as browsers do. Each hop is a request of its own, which the host checks.

use windflow_sdk::NodeError;
use windflow_sdk::http::{Request, Response, send};

/// Sends a request and those that the answers redirect to. Gives the last request and its answer.
pub(crate) fn send_following(mut request: Request, most: u32) -> Result<(Request, Response), NodeError> {
    let mut followed = 0;
    loop {
        let response = send(&request)?;
        let Some(location) = location(&response, most) else { return Ok((request, response)) };
        if followed == most {
            let from = request.url.public();
            return Err(NodeError::new(
                "too_many_redirects",
                format!(
                    "{from}: more than {most} redirects; raise `follow_redirects`, or look whether they go in circles"
                ),
            ));
        }
        followed += 1;
        request = next(&request, response.status, location)?;
    }
}

fn location(response: &Response, most: u32) -> Option<&str> {
    if most == 0 || !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    response.header("location")
}

fn next(request: &Request, status: u16, location: &str) -> Result<Request, NodeError> {
    let url = request.url.join(location).map_err(|problem| {
        let from = request.url.public();
        NodeError::new("invalid_redirect", format!("{from} redirects to an address that is none: {problem}"))
    })?;
    let mut next = request.clone();
    next.url = url;
    let becomes_get = match status {
        303 => request.method != "HEAD",
        301 | 302 => request.method == "POST",
        _ => false,
    };
    if becomes_get {
        "GET".clone_into(&mut next.method);
        next.body = None;
        drop_headers(&mut next, &["content-type", "content-length", "content-encoding", "idempotency-key"]);
    }
    if !next.url.same_origin(&request.url) {
        drop_headers(&mut next, &["authorization", "cookie", "proxy-authorization"]);
    }
    Ok(next)
}

fn drop_headers(request: &mut Request, names: &[&str]) {
    request.headers.retain(|(name, _)| !names.iter().any(|dropped| name.eq_ignore_ascii_case(dropped)));
}
