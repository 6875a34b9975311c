use super::*;

#[track_caller]
fn check(text: &str, expect: &str) {
    let url = Url::parse(text).map_or_else(|problem| problem, |url| url.to_string());
    assert!(if expect.starts_with("http") { url == expect } else { url.contains(expect) }, "{url}");
}

#[track_caller]
fn check_join(location: &str, expect: &str) {
    let base = Url::parse("https://example.org/a/b?q=1").unwrap();
    assert_eq!(base.join(location).unwrap().to_string(), expect);
}

#[test]
fn reads_addresses() {
    check("https://Example.org", "https://example.org/");
    check(" HTTP://example.org:80/a b/é?x=a b&y={}#part ", "http://example.org/a%20b/%C3%A9?x=a%20b&y=%7B%7D");
    check("https://example.org:8443?x", "https://example.org:8443/?x");
    check("http://[::1]:8080/a/../b/./c/..", "http://[::1]:8080/b/");
    check("http://example.org/a%2Fb", "http://example.org/a%2Fb");
}

#[test]
fn says_what_is_wrong() {
    check("example.org/a", "does not begin with");
    check("ftp://example.org?key=secret", "`ftp://example.org` does not begin");
    check("https:///a", "names no host");
    check("https://user:secret@example.org/", "write it into `auth`");
    assert!(!Url::parse("https://user:secret@example.org/").unwrap_err().contains("secret"));
    check("https://exämple.org/", "`xn--`");
    check("https://exa mple.org/", "no host has");
    check("https://example.org:0/", "no number up to 65535");
    check("https://example.org\\@evil.org/", "https://example.org/%5C@evil.org/");
}

#[test]
fn joins_what_is_relative() {
    check_join("c", "https://example.org/a/c");
    check_join("/c?d=1#e", "https://example.org/c?d=1");
    check_join("../c", "https://example.org/c");
    check_join("?x", "https://example.org/a/b?x");
    check_join("", "https://example.org/a/b?q=1");
    check_join("//other.org/x", "https://other.org/x");
    check_join("http://other.org/x:y", "http://other.org/x:y");
    check_join("c?to=http://x", "https://example.org/a/c?to=http://x");
}

#[test]
fn adds_to_the_query() {
    let mut url = Url::parse("https://example.org/a?x=1").unwrap();
    url.push_query("a b", "é&=");
    assert_eq!(url.to_string(), "https://example.org/a?x=1&a%20b=%C3%A9%26%3D");
    assert_eq!(url.public(), "https://example.org/a");
}
