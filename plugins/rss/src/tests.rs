use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::testing;
use windflow_sdk::testing::http::{Answer, set_transport};

use super::*;

const RSS: &str = r#"<?xml version="1.0"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
 <title>Ours &amp; yours</title><link>https://example.org/</link>
 <item><title>Two</title><link>/2</link><guid isPermaLink="false">id-2</guid><pubDate>Sat, 21 Nov 2026 10:00:00 +0100</pubDate>
  <dc:creator>Ada</dc:creator><category>a</category><category>b</category><description><![CDATA[<p>Two & more</p>]]></description>
  <content:encoded>long</content:encoded></item>
 <item><title>One &#x2764;</title><link>https://example.org/1</link><pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate></item>
 <item><title>None</title></item>
</channel></rss>"#;

const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">Atom</title>
 <link rel="self" href="https://example.org/feed"/><link href="https://example.org/?a=1&amp;b=2"/>
 <entry><id>urn:1</id><title type="xhtml"><div>A <b>bold</b> one</div></title><link rel="alternate" href="https://example.org/1"/>
  <updated>2026-11-21T10:00:00Z</updated><author><name>Eve</name></author><category term="x"/><content type="html">&lt;p&gt;C&lt;/p&gt;</content></entry>
</feed>"#;

fn read(config: Value, answers: Vec<Answer>) -> Result<Value, NodeError> {
    let mut answers = answers.into_iter();
    set_transport(move |_: &Request| Ok(answers.next().unwrap()));
    testing::run(rss::NODE, config).map(|emitted| emitted.value)
}

fn feed(text: &str) -> Vec<Answer> {
    vec![Answer::new(200).body(text)]
}

#[test]
fn reads_rss() {
    let output = read(json!({ "url": "https://example.org/feed" }), feed(RSS)).unwrap();
    assert_eq!((&output["title"], &output["link"]), (&json!("Ours & yours"), &json!("https://example.org/")));
    assert_eq!(
        output["entries"][0],
        json!({
            "id": "id-2", "title": "Two", "link": "https://example.org/2", "published": "2026-11-21T09:00:00Z", "author": "Ada",
            "summary": "<p>Two & more</p>", "categories": ["a", "b"],
        })
    );
    assert_eq!(output["entries"][1]["title"], "One \u{2764}");
    assert_eq!(
        (&output["entries"][1]["id"], &output["entries"][2]["id"]),
        (&json!("https://example.org/1"), &json!("None"))
    );
}

#[test]
fn reads_atom() {
    let output = read(json!({ "url": "https://example.org/feed" }), feed(ATOM)).unwrap();
    assert_eq!((&output["title"], &output["link"]), (&json!("Atom"), &json!("https://example.org/?a=1&b=2")));
    assert_eq!(
        output["entries"],
        json!([{
            "id": "urn:1", "title": "A bold one", "link": "https://example.org/1", "published": "2026-11-21T10:00:00Z", "author": "Eve",
            "summary": "<p>C</p>", "categories": ["x"],
        }])
    );
}

#[test]
fn gives_the_newer_and_no_more_than_asked() {
    let config = json!({ "url": "https://example.org/feed", "since": "2026-11-20T12:00:00Z" });
    let titles = |output: Value| -> Vec<Value> {
        output["entries"].as_array().unwrap().iter().map(|entry| entry["title"].clone()).collect()
    };
    assert_eq!(titles(read(config, feed(RSS)).unwrap()), ["Two", "None"]);
    assert_eq!(titles(read(json!({ "url": "https://example.org/feed", "limit": 1 }), feed(RSS)).unwrap()), ["Two"]);
}

#[test]
fn follows_and_refuses() {
    let moved = Answer::new(301).header("location", "/new");
    let mut answers = vec![moved.clone()];
    answers.extend(feed(RSS));
    read(json!({ "url": "https://example.org/feed" }), answers).unwrap();
    let bomb = r#"<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><rss><channel><title>&b;x</title></channel></rss>"#;
    assert_eq!(read(json!({ "url": "https://e.org/" }), feed(bomb)).unwrap()["title"], "x");
    for (answers, says) in [
        (vec![moved; 6], "more than 5 redirects"),
        (feed("<html><p>no</p></html>"), "neither RSS nor Atom"),
        (feed("<rss><channel><item>"), "breaks off"),
        (feed("{}"), "neither RSS nor Atom"),
        (feed(&"<rss>".repeat(100)), "nested too deep"),
        (vec![Answer::new(404)], "status 404"),
    ] {
        let error = read(json!({ "url": "https://example.org/feed?key=x" }), answers).unwrap_err();
        assert!(error.message.contains(says) && !error.message.contains("key"), "{error}");
    }
}
