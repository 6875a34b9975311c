//! Where traces are told, as people write it.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, de};
use windflow_core::trace::Sampling;

/// The path that collectors listen to.
const PATH: &str = "/v1/traces";

/// The address of a collector that takes OTLP over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collector(Url);

impl Collector {
    /// Where the spans go, whether the address ends with the usual path or not.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.0.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&if path.ends_with(PATH) { path } else { path + PATH });
        url
    }

    /// Where the spans go: this very address.
    pub(crate) fn exact(&self) -> Url {
        self.0.clone()
    }
}

impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: Url = text.trim().parse().map_err(|error| format!("{text:?} is no address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!(
                "write the address of a collector's HTTP port, such as http://127.0.0.1:4318, not {text:?}"
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address is shown in logs: write what the collector wants to see as a header".to_owned());
        }
        Ok(Self(url))
    }
}

/// A header that the collector wants to see. Read where its value cannot get into the message of an error.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its value usually is a secret.
        write!(f, "{}=…", self.name)
    }
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What was written is not repeated: it may be a secret.
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as x-api-key=…")?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        let good = HeaderName::from_str(&name).is_ok() && HeaderValue::from_str(&value).is_ok();
        good.then_some(Self { name, value }).ok_or_else(|| "its name or its value cannot be sent".to_owned())
    }
}

/// Of how many runs traces are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share(pub(crate) Sampling);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = text.trim().parse().ok().and_then(Sampling::of);
        share.map(Self).ok_or_else(|| format!("write a number from 0 to 1, such as 0.1, not {text:?}"))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(d)?;
        Sampling::of(share).map(Self).ok_or_else(|| de::Error::custom("it is a number from 0 to 1"))
    }
}

impl<'de> Deserialize<'de> for Collector {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_end_with_the_path_or_not() {
        for (written, meant) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            ("https://otlp.example.org/some/v1/traces", "https://otlp.example.org/some/v1/traces"),
            ("https://otlp.example.org/some/", "https://otlp.example.org/some/v1/traces"),
        ] {
            assert_eq!(written.parse::<Collector>().unwrap().url().as_str(), meant);
        }
        for bad in ["", "127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://ada:secret@example.org"] {
            let error = bad.parse::<Collector>().unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_value_of_a_header_is_never_shown() {
        let header: Header = "X-Api-Key = a=secret ".parse().unwrap();
        assert_eq!((header.name.as_str(), header.value.as_str()), ("x-api-key", "a=secret"));
        assert!(!format!("{header:?}").contains("secret"));
        for bad in ["secret", "=secret", "a b=secret", "a=sec\nret"] {
            let error = bad.parse::<Header>().unwrap_err();
            assert!(!error.contains("sec"), "{error}");
        }
    }

    #[test]
    fn a_share_is_a_part_of_all() {
        assert_eq!("0.5".parse::<Share>(), Ok(Share(Sampling::of(0.5).unwrap())));
        for bad in ["", "2", "-1", "NaN", "10%"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }
}
