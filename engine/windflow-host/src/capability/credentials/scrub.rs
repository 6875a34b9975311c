//! Blotting out the values of credentials.

use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use windflow_core::credential::{Binding, Credential, MIN_VALUE_BYTES};

/// What stands in the place of a value: as many of these as it had bytes, so that lengths that were told before still hold.
const BLOT: u8 = b'*';

/// Finds a value in the forms in which it may be written: as it is, in JSON, percent-encoded, in Base64.
pub(crate) struct Scrubber {
    /// The longest first: a value may be part of another of its forms. Access tokens are added as they come.
    needles: RwLock<Vec<Vec<u8>>>,
}

impl Scrubber {
    pub(crate) fn new(credential: &Credential) -> Self {
        let value = credential.value();
        let mut plain = vec![value.to_owned()];
        match credential.binding() {
            Binding::Basic { username } => plain.push(format!("{username}:{value}")),
            // The host of an address is no secret; what follows it is.
            Binding::Url => plain.extend(path_of(value).map(str::to_owned)),
            Binding::OAuth(_) => plain.extend(credential.client_secret().map(str::to_owned)),
            _ => {}
        }
        Self::of(plain.iter().map(String::as_str))
    }

    /// One that finds these.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let scrubber = Self { needles: RwLock::default() };
        texts.for_each(|text| scrubber.also(text));
        scrubber
    }

    /// Finds this as well from now on.
    pub(super) fn also(&self, text: &str) {
        let mut needles = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        if needles.iter().any(|known| known == text.as_bytes()) {
            return;
        }
        let more = forms(text).into_iter().map(String::into_bytes);
        needles.extend(more.filter(|needle| needle.len() >= MIN_VALUE_BYTES));
        needles.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
    }

    /// Blots out every occurrence. The length stays.
    pub(crate) fn bytes(&self, bytes: &mut [u8]) {
        for needle in &*self.needles.read().unwrap_or_else(PoisonError::into_inner) {
            let mut from = 0;
            while let Some(found) = bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, needle)) {
                let end = from + found + needle.len();
                bytes[from + found..end].fill(BLOT);
                from = end;
            }
        }
    }

    /// The text without the value.
    pub(crate) fn text(&self, text: String) -> String {
        let mut bytes = text.into_bytes();
        self.bytes(&mut bytes);
        // Needles are whole characters, so what is left is text.
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Blots out values in headers of an answer.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            let mut bytes = value.as_bytes().to_vec();
            self.bytes(&mut bytes);
            if bytes != value.as_bytes() {
                *value = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("*"));
            }
        }
    }

    /// How many bytes at the end may be the beginning of a value that goes on in the next piece.
    pub(crate) fn open_end(&self, bytes: &[u8]) -> usize {
        let open = |needle: &Vec<u8>| {
            let longest = bytes.len().min(needle.len() - 1);
            let tail = &bytes[bytes.len() - longest..];
            memchr::memchr_iter(needle[0], tail)
                .find(|at| needle.starts_with(&tail[*at..]))
                .map_or(0, |at| longest - at)
        };
        self.needles.read().unwrap_or_else(PoisonError::into_inner).iter().map(open).max().unwrap_or(0)
    }
}

/// Path and query of an address, without the first slash.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split_once('/').map(|(_, path)| path)
}

fn forms(text: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(text).to_string();
    let mut forms = vec![
        text.to_owned(),
        quoted[1..quoted.len() - 1].to_owned(),
        quoted[1..quoted.len() - 1].replace('/', "\\/"),
        percent_encoded(text),
    ];
    // Within other bytes Base64 begins at one of three places; the characters that depend on the neighbours are left off.
    for shift in 0..3 {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(text.as_bytes());
        let end = bytes.len() * 4 / 3;
        let begin = (shift * 4).div_ceil(3);
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            forms.extend(encoded.get(begin..end).map(str::to_owned));
        }
    }
    forms
}

pub(super) fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;

    fn scrubber(bind: &serde_json::Value, value: &str) -> Scrubber {
        let document = json!({ "bind": bind, "hosts": ["a.b"], "value": value });
        Scrubber::new(&serde_json::from_value(document).unwrap())
    }

    #[test]
    fn values_are_found_in_every_usual_form() {
        let value = "s3cret/+\"värde\"";
        let basic = scrubber(&json!({ "basic": { "username": "ada" } }), value);
        let mut shown = vec![
            value.to_owned(),
            serde_json::Value::from(value).to_string(),
            percent_encoded(value),
            STANDARD.encode(format!("ada:{value}")),
        ];
        shown.extend(["", "x", "xy"].map(|before| STANDARD.encode(format!("{before}{value} and after"))));
        for text in shown {
            let scrubbed = basic.text(format!("before {text} after"));
            let stars = scrubbed.matches('*').count();
            assert!(stars + 6 >= text.len().min(value.len()), "{text}: {scrubbed}");
            assert!(scrubbed.starts_with("before ") && scrubbed.ends_with(" after"), "{scrubbed}");
        }
        assert_eq!(basic.text("nothing of it".into()), "nothing of it");
    }

    #[test]
    fn the_host_of_an_address_is_no_secret() {
        let document = json!({ "bind": "url", "value": "https://hooks.example.org/T0/B0/s3cret" });
        let url = Scrubber::new(&serde_json::from_value(document).unwrap());
        assert_eq!(url.text("at hooks.example.org: /T0/B0/s3cret".into()), "at hooks.example.org: /************");
    }

    #[test]
    fn an_open_end_is_what_may_go_on() {
        let bearer = scrubber(&json!("bearer"), "abcabd-x");
        for (text, open) in [("", 0), ("zzz", 0), ("zab", 2), ("abcab", 5), ("abcabc", 3), ("zabcabd-", 7)] {
            assert_eq!(bearer.open_end(text.as_bytes()), open, "{text}");
        }
    }
}
