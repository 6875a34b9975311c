//! Addresses of `http` and `https`, as much of them as a client needs.

use std::fmt;

/// An absolute address. What is no part of a request, the fragment, is left away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    https: bool,
    /// Host and port where it is not the scheme's own; in lower case.
    authority: String,
    /// Begins with `/`, ends before `?`; percent-encoded.
    path: String,
    /// Without `?`; percent-encoded.
    query: Option<String>,
}

impl Url {
    /// Reads an absolute address. What may not stand in one as it is, such as a space or an `é`, is percent-encoded.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it and how to mend it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        let (https, rest) = if lower.starts_with("https://") {
            (true, &text[8..])
        } else if lower.starts_with("http://") {
            (false, &text[7..])
        } else {
            return Err(quoted(text, "does not begin with `http://` or `https://`"));
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let authority = authority(https, &rest[..end]).map_err(|problem| quoted(text, problem))?;
        let (path, query) = path_and_query(&rest[end..]);
        Ok(Self { https, authority, path: without_dots(&path), query })
    }

    /// Reads an address that may be relative to this one, as in a `Location`.
    ///
    /// # Errors
    ///
    /// As [`Url::parse`].
    pub fn join(&self, text: &str) -> Result<Self, String> {
        let text = text.trim();
        let scheme_end = text.find(':').filter(|end| !text[..*end].contains(['/', '?', '#']));
        if scheme_end.is_some() {
            return Self::parse(text);
        }
        if text.starts_with("//") {
            return Self::parse(&[if self.https { "https:" } else { "http:" }, text].concat());
        }
        let (path, query) = path_and_query(text);
        let text_path = &text[..text.find(['?', '#']).unwrap_or(text.len())];
        let path = match text_path.chars().next() {
            None => self.path.clone(),
            Some('/') => path,
            // In the place of what stands behind the last slash.
            Some(_) => self.path[..=self.path.rfind('/').unwrap_or(0)].to_owned() + path.trim_start_matches('/'),
        };
        let query = if text_path.is_empty() && query.is_none() { self.query.clone() } else { query };
        Ok(Self { path: without_dots(&path), query, ..self.clone() })
    }

    /// Adds a field to the query, encoded.
    pub fn push_query(&mut self, name: &str, value: &str) {
        let query = self.query.get_or_insert_default();
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&encode(name));
        query.push('=');
        query.push_str(&encode(value));
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Host and, where it is not the scheme's own, port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query, as they stand in a request.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => [&self.path, "?", query].concat(),
            None => self.path.clone(),
        }
    }

    /// Whether scheme, host and port are the same.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.https == other.https && self.authority == other.authority
    }

    /// For messages: without the query, which may hold a key.
    #[must_use]
    pub fn public(&self) -> String {
        Self { query: None, ..self.clone() }.to_string()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.https { "https://" } else { "http://" })?;
        f.write_str(&self.authority)?;
        f.write_str(&self.path_and_query())
    }
}

/// Percent-encodes all but letters, digits and `-_.~`.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            push_encoded(&mut out, byte);
        }
    }
    out
}

fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn authority(https: bool, text: &str) -> Result<String, &'static str> {
    if text.contains('@') {
        return Err("holds a user name; write it into `auth` instead");
    }
    let host_end = match text.rfind(']') {
        Some(bracket) => bracket + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, port) = text.split_at(host_end);
    if host.is_empty() {
        return Err("names no host");
    }
    if !host.is_ascii() {
        return Err("has a host with letters beyond ASCII; write its `xn--` form");
    }
    if host.bytes().any(|byte| byte <= b' ' || b"\"%<>\\^`{|}".contains(&byte)) {
        return Err("has a host with characters that no host has");
    }
    let default = if https { 443 } else { 80 };
    let port = match port.strip_prefix(':') {
        None | Some("") => default,
        Some(port) => {
            port.parse::<u16>().ok().filter(|port| *port > 0).ok_or("has a port that is no number up to 65535")?
        }
    };
    let host = host.to_ascii_lowercase();
    Ok(if port == default { host } else { [&host, ":", &port.to_string()].concat() })
}

fn path_and_query(text: &str) -> (String, Option<String>) {
    let text = &text[..text.find('#').unwrap_or(text.len())];
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let mut path = cleaned(path);
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    (path, query.map(cleaned))
}

/// Percent-encodes only what may not stand in an address as it is.
fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte <= b' ' || byte >= 0x7f || b"\"<>\\^`{|}".contains(&byte) {
            push_encoded(&mut out, byte);
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// Goes up for `..` and stays for `.`.
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    parts.pop();
                }
                if last {
                    parts.push("");
                }
            }
            _ => parts.push(segment),
        }
    }
    ["/", &parts.join("/")].concat()
}

fn quoted(text: &str, problem: &str) -> String {
    // A query may hold a key.
    let shown = text.split(['?', '#']).next().unwrap_or_default();
    let shown = shown.rsplit_once('@').map_or(shown, |(_, host)| host);
    format!("the address `{shown}` {problem}")
}

#[cfg(test)]
mod tests;
