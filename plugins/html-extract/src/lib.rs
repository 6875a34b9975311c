//! `html-extract`: takes values out of web pages.

use scraper::{ElementRef, Html, Node, Selector};
use windflow_sdk::serde_json::{Map, Value};
use windflow_sdk::{Fields, NodeError, config, node};

/// What is taken, and out of what.
#[config]
pub struct Config {
    /// The page; what came in, unless you write something else.
    #[serde(default = "input")]
    html: String,
    /// What is taken, by name: a CSS selector, or `{ select, attribute, all, html }`.
    fields: Fields<Field>,
    /// A selector: the output is then a list, with the fields of each element that it finds.
    #[serde(default)]
    each: Option<String>,
}

fn input() -> String {
    "${{ input }}".to_owned()
}

/// What is taken.
#[config]
#[serde(untagged)]
pub enum Field {
    /// The text of the first element that the selector finds.
    Text(String),
    /// As it says.
    Written(Written),
}

/// What is taken of which elements.
#[config]
#[derive(Default)]
#[serde(default)]
pub struct Written {
    /// A CSS selector; left out, the element itself.
    select: Option<String>,
    /// The value of this attribute, instead of the text.
    attribute: Option<String>,
    /// The HTML within, instead of the text.
    html: bool,
    /// All that are found, as a list.
    all: bool,
}

/// Takes the values.
#[node(name = "html-extract")]
pub fn html_extract(config: Config) -> Result<Value, NodeError> {
    let mut takers = Vec::new();
    for (name, field) in config.fields {
        let written = match field {
            Field::Text(select) => Written { select: Some(select), ..Written::default() },
            Field::Written(written) => written,
        };
        let select = written.select.as_deref().map(|select| selector(&name, select)).transpose()?;
        takers.push((name, select, written));
    }
    let each = config.each.as_deref().map(|each| selector("each", each)).transpose()?;
    let page = Html::parse_document(&config.html);
    let take = |element: ElementRef<'_>| {
        let fields =
            takers.iter().map(|(name, select, written)| (name.clone(), value(element, select.as_ref(), written)));
        Value::Object(fields.collect::<Map<_, _>>())
    };
    Ok(match each {
        Some(each) => Value::Array(page.select(&each).map(take).collect()),
        None => take(page.root_element()),
    })
}

fn selector(name: &str, text: &str) -> Result<Selector, NodeError> {
    Selector::parse(text).map_err(|_| {
        NodeError::new(
            "invalid_selector",
            format!("`{name}`: `{text}` is no CSS selector; write such as `h1` or `.price > a`"),
        )
    })
}

fn value(element: ElementRef<'_>, select: Option<&Selector>, written: &Written) -> Value {
    let of = |found: ElementRef<'_>| match &written.attribute {
        Some(attribute) => found.attr(attribute).map_or(Value::Null, |value| Value::from(value.trim())),
        None if written.html => Value::from(found.inner_html()),
        None => Value::from(text(found)),
    };
    let Some(select) = select else {
        return if written.all { Value::Array(vec![of(element)]) } else { of(element) };
    };
    let mut found = element.select(select);
    if written.all { Value::Array(found.map(of).collect()) } else { found.next().map_or(Value::Null, of) }
}

/// The text as a reader sees it: white space joined, scripts and styles left out.
fn text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    for node in element.descendants() {
        let Node::Text(part) = node.value() else { continue };
        let hidden = node.ancestors().take_while(|ancestor| ancestor.id() != element.id()).any(|ancestor| {
            ancestor
                .value()
                .as_element()
                .is_some_and(|it| matches!(it.name(), "script" | "style" | "template" | "noscript"))
        });
        if !hidden {
            text.push_str(part);
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

windflow_sdk::plugin!(html_extract);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::*;

    const PAGE: &str = r#"<!doctype html><title>News</title>
        <article><h2>One  <b>big</b>
          thing<script>alert(1)</script></h2><a href=" /1 ">more</a><i class=tag>a</i><i class=tag>b</i></article>
        <article><h2>Two</h2></article>"#;

    #[track_caller]
    fn check(config: Value, expect: Value) {
        assert_eq!(testing::run(html_extract::NODE, config).unwrap().value, expect);
    }

    #[test]
    fn takes_texts_attributes_and_lists() {
        check(
            json!({
                "html": PAGE,
                "fields": {
                    "title": "title",
                    "heads": { "select": "h2", "all": true },
                    "link": { "select": "a[href]", "attribute": "href" },
                    "bold": { "select": "h2", "html": true, "all": false },
                    "none": "table td",
                    "nones": { "select": "table td", "all": true },
                },
            }),
            json!({
                "title": "News", "heads": ["One big thing", "Two"], "link": "/1",
                "bold": "One  <b>big</b>\n          thing<script>alert(1)</script>", "none": null, "nones": [],
            }),
        );
    }

    #[test]
    fn gives_a_list_of_what_repeats() {
        check(
            json!({ "html": PAGE, "each": "article", "fields": { "head": "h2", "tags": { "select": ".tag", "all": true }, "self": {} } }),
            json!([
                { "head": "One big thing", "tags": ["a", "b"], "self": "One big thingmoreab" },
                { "head": "Two", "tags": [], "self": "Two" },
            ]),
        );
    }

    #[test]
    fn copes_with_what_is_no_page() {
        check(json!({ "html": "", "fields": { "a": "a" } }), json!({ "a": null }));
        check(
            json!({ "html": "<div><p>a<div><p>b", "fields": { "p": { "select": "p", "all": true } } }),
            json!({ "p": ["a", "b"] }),
        );
        let deep = "<div>".repeat(2_000);
        check(json!({ "html": deep, "fields": { "a": "a" } }), json!({ "a": null }));
        for selector in ["", "h1 >", "::::"] {
            let error =
                testing::run(html_extract::NODE, json!({ "html": "", "fields": { "a": selector } })).unwrap_err();
            assert!(error.message.contains("`a`: "), "{error}");
        }
    }
}
