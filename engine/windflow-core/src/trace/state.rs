//! What the systems that a trace goes through want to find again further on, as the header `tracestate` tells it from program to program. Only
//! whoever wrote a member understands it: it is handed on as it came, <https://www.w3.org/TR/trace-context/#tracestate-header>.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Most members of a list.
const MAX_MEMBERS: usize = 32;
/// Longest key, and longest value.
const MAX_PART: usize = 256;
/// Longest name of a tenant in a key, and of the system behind it.
const MAX_TENANT: usize = 241;
const MAX_SYSTEM: usize = 14;
/// The longest list that is handed on, in characters; what is more goes by whole members.
const MAX_KEPT: usize = 512;
/// Members that are longer than this go first.
const LONG: usize = 128;
/// The longest text that is looked at: twice what the longest members there are make together.
const MAX_BYTES: usize = 32 << 10;

/// A list of members that is valid and neither empty nor too long to be handed on. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceState(Arc<str>);

/// A text that is no `tracestate`, or says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tracestate is written key=value,key=value, with {MAX_MEMBERS} members at most")]
pub struct NoTraceState;

impl TraceState {
    /// As it is told.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TraceState {
    type Err = NoTraceState;

    fn from_str(text: &str) -> Result<Self, NoTraceState> {
        if text.len() > MAX_BYTES {
            return Err(NoTraceState);
        }
        let mut members: Vec<(&str, &str)> = Vec::new();
        let said = text.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty());
        for (number, member) in said.enumerate() {
            let (key, value) = member.split_once('=').ok_or(NoTraceState)?;
            if number >= MAX_MEMBERS || !is_key(key) || !is_value(value) {
                return Err(NoTraceState);
            }
            // Whoever says something puts it first: of two of the same key that is what counts.
            if members.iter().all(|(known, _)| *known != key) {
                members.push((key, member));
            }
        }
        let length = |members: &[(&str, &str)]| members.iter().map(|(_, member)| member.len() + 1).sum::<usize>();
        while length(&members) > MAX_KEPT + 1 {
            let long = members.iter().rposition(|(_, member)| member.len() > LONG);
            members.remove(long.unwrap_or(members.len() - 1));
        }
        if members.is_empty() {
            return Err(NoTraceState);
        }
        let members: Vec<&str> = members.into_iter().map(|(_, member)| member).collect();
        Ok(Self(members.join(",").into()))
    }
}

/// A name, or that of a tenant and of the system that it is one of.
fn is_key(key: &str) -> bool {
    let is_name = |name: &str, longest: usize, digit_first: bool| {
        let first = name.bytes().next();
        name.len() <= longest
            && first.is_some_and(|c| c.is_ascii_lowercase() || (digit_first && c.is_ascii_digit()))
            && name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    match key.split_once('@') {
        None => is_name(key, MAX_PART, false),
        Some((tenant, system)) => is_name(tenant, MAX_TENANT, true) && is_name(system, MAX_SYSTEM, false),
    }
}

/// Printable, without what parts members. That it does not end with a space follows from how members are parted.
fn is_value(value: &str) -> bool {
    (1..=MAX_PART).contains(&value.len()) && value.bytes().all(|c| matches!(c, b' '..=b'~') && c != b',' && c != b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, told: &str) {
        assert_eq!(text.parse::<TraceState>().as_ref().map(TraceState::as_str), Ok(told), "{text}");
    }

    fn many(number: usize, of: impl Fn(usize) -> String) -> String {
        (0..number).map(of).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn what_is_well_formed_is_handed_on_as_it_came() {
        for good in ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1", "1t@vendor=x y", "a_-*/9=!~<", "a= 1"] {
            check(good, good);
        }
        check(" \ta=1 ,, b=2\t,", "a=1,b=2");
        check("a=1,b=2,a=3", "a=1,b=2");
        let key = format!("{}@{}", "0".repeat(MAX_TENANT), "s".repeat(MAX_SYSTEM));
        // Each is as long as it may be, and longer than what goes on.
        assert_eq!(format!("{key}={}", "v".repeat(MAX_PART)).parse::<TraceState>(), Err(NoTraceState));
        check(&format!("{key}={}", "v".repeat(255)), &format!("{key}={}", "v".repeat(255)));
    }

    #[test]
    fn what_is_not_goes_as_a_whole() {
        for bad in [
            "",
            " ",
            ",",
            "a",
            "=1",
            "a=",
            "a= ",
            "a=1,b",
            "A=1",
            "1a=1",
            "-a=1",
            "a b=1",
            "a =1",
            "a=1=2",
            "a=\t1",
            "a=é",
            "a=1\r\nx: y",
            "a=\u{7f}",
            "@a=1",
            "a@=1",
            "a@@b=1",
            "a@b@c=1",
            "a@1b=1",
            "é=1",
            &format!("{}=1", "a".repeat(MAX_PART + 1)),
            &format!("a={}", "v".repeat(MAX_PART + 1)),
            &format!("{}@s=1", "t".repeat(MAX_TENANT + 1)),
            &format!("t@{}=1", "s".repeat(MAX_SYSTEM + 1)),
            &many(MAX_MEMBERS + 1, |number| format!("k{number}=1")),
            &format!("a=1{}", " ".repeat(MAX_BYTES)),
        ] {
            assert_eq!(bad.parse::<TraceState>(), Err(NoTraceState), "{bad}");
        }
    }

    #[test]
    fn what_is_too_long_goes_by_whole_members_long_ones_first_and_then_from_the_end() {
        let all = many(MAX_MEMBERS, |number| format!("k{number:02}=0123456789"));
        assert!(all.len() < MAX_KEPT);
        check(&all, &all);
        // 21 characters each, with the comma: 24 of them are 503 long.
        let each = |number| format!("k{number:02}={number:016}");
        check(&many(MAX_MEMBERS, each), &many(24, each));
        let (rest, long) =
            (many(30, |number| format!("k{number:02}=0123456789")), format!("long={}", "x".repeat(LONG)));
        check(&format!("a=1,{long},{rest}"), &format!("a=1,{rest}"));
        // Exactly as long as it may be.
        let exact = format!("a={},b={}", "x".repeat(253), "y".repeat(254));
        assert_eq!(exact.len(), MAX_KEPT);
        check(&exact, &exact);
    }
}
