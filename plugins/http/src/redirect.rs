//! Following redirects, as browsers do (Fetch standard, HTTP-redirect fetch).

use windflow_sdk::http::{Request, Response, split_url};

/// The request that follows a redirecting answer; nothing where it does not redirect.
pub(crate) fn next(request: &Request, response: &Response) -> Option<Request> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let url = join(&request.url, response.header("location")?)?;
    let mut next = request.clone();
    let becomes_get = match response.status {
        303 => request.method != "HEAD",
        301 | 302 => request.method == "POST",
        _ => false,
    };
    if becomes_get {
        "GET".clone_into(&mut next.method);
        next.body.clear();
        next.headers.retain(|(name, _)| !matches!(name.as_str(), "content-type" | "content-length" | "idempotency-key"));
    }
    if origin(&url) != origin(&request.url) {
        // What was meant for one server is not shown to another.
        next.headers.retain(|(name, _)| !matches!(name.as_str(), "authorization" | "cookie" | "proxy-authorization"));
    }
    next.url = url;
    Some(next)
}

fn origin(url: &str) -> Option<(bool, String)> {
    split_url(url).map(|(tls, authority, _)| (tls, authority.to_ascii_lowercase()))
}

/// A location as seen from a URL: absolute, without a scheme, from the root, or relative.
fn join(base: &str, location: &str) -> Option<String> {
    if location.contains("://") && split_url(location).is_some() {
        return Some(location.to_owned());
    }
    let (tls, authority, path) = split_url(base)?;
    let scheme = if tls { "https:" } else { "http:" };
    if location.starts_with("//") {
        return Some([scheme, location].concat());
    }
    let root = [scheme, "//", authority].concat();
    let path = path.split('?').next().unwrap_or_default();
    Some(match location.as_bytes().first() {
        None => base.to_owned(),
        Some(b'/') => root + location,
        Some(b'?') => [&root, path, location].concat(),
        Some(_) => {
            let folder = path.rfind('/').map_or("/", |end| &path[..=end]);
            [&root, folder, location].concat()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, location: &str, expect: &str) {
        assert_eq!(join(base, location).as_deref(), Some(expect), "{location} from {base}");
    }

    #[test]
    fn locations_are_seen_from_their_base() {
        check("https://a.test/x/y?q", "https://b.test/z", "https://b.test/z");
        check("https://a.test/x/y?q", "//b.test/z", "https://b.test/z");
        check("https://a.test/x/y?q", "/z", "https://a.test/z");
        check("https://a.test/x/y?q", "z", "https://a.test/x/z");
        check("https://a.test/x/y?q", "?r=1", "https://a.test/x/y?r=1");
        check("https://a.test", "z", "https://a.test/z");
    }
}
