//! Drawings of templates. They are shown as images, where scripts do not run; a drawing that wants more than to be seen is
//! refused all the same.

use roxmltree::{Document, Node};
use windflow_core::problem::Problem;

/// Longest drawing.
const MAX_BYTES: usize = 256 << 10;

const SVG: &str = "http://www.w3.org/2000/svg";

/// What a drawing may be made of.
const ELEMENTS: &[&str] = &[
    "svg",
    "g",
    "defs",
    "title",
    "desc",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "use",
    "symbol",
    "linearGradient",
    "radialGradient",
    "stop",
    "clipPath",
    "mask",
    "pattern",
    "marker",
    "filter",
    "feGaussianBlur",
    "feOffset",
    "feMerge",
    "feMergeNode",
    "feColorMatrix",
    "feFlood",
    "feBlend",
    "feComposite",
    "feDropShadow",
    "style",
    "metadata",
];

/// What is wrong with a drawing.
pub(crate) fn check(bytes: &[u8]) -> Vec<Problem> {
    let problem = |message: String| Problem::document("invalid_picture", message);
    if bytes.len() > MAX_BYTES {
        return vec![problem(format!("a drawing has {} KiB at most", MAX_BYTES >> 10))];
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return vec![problem("it is no UTF-8 text".to_owned())] };
    // Without a DTD there are no entities that grow.
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => return vec![problem(format!("it is no drawing: {error}"))],
    };
    let root = document.root_element();
    let mut problems = Vec::new();
    if !root.has_tag_name((SVG, "svg")) {
        problems.push(problem(format!("it is no drawing: it begins with <svg xmlns=\"{SVG}\">")));
    }
    for node in document.descendants().filter(Node::is_element) {
        if let Some(why) = refusal(&node) {
            let at = document.text_pos_at(node.range().start);
            let mut problem = Problem::error("unsafe_picture", &place(at), why);
            problem.place.bytes = node.range();
            problems.push(problem.remedy("draw it with shapes, text and gradients only"));
        }
    }
    problems
}

fn place(at: roxmltree::TextPos) -> windflow_core::place::Place {
    windflow_core::place::Place { line: at.row, column: at.col, bytes: 0..0 }
}

fn refusal(node: &Node<'_, '_>) -> Option<String> {
    let name = node.tag_name();
    let is_editors = name.namespace().is_some_and(|namespace| namespace != SVG);
    if !is_editors && !ELEMENTS.contains(&name.name()) {
        return Some(format!("<{}> has no place in a drawing", name.name()));
    }
    if name.name() == "style" && reaches_out(node.text().unwrap_or_default()) {
        return Some("its style reaches outside of the drawing".to_owned());
    }
    node.attributes().find_map(|attribute| {
        let (name, value) = (attribute.name(), attribute.value().trim());
        let is_handler = name.len() > 2 && name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("on"));
        let is_reference = name == "href" || name == "src";
        (is_handler || (is_reference && !value.starts_with('#')) || reaches_out(value))
            .then(|| format!("the attribute `{name}` has no place in a drawing"))
    })
}

/// Whether a text of a style, or of an attribute, names something outside.
fn reaches_out(text: &str) -> bool {
    let plain = text.to_ascii_lowercase();
    let urls = plain.match_indices("url(").any(|(at, _)| {
        let target = plain[at + 4..].trim_start().trim_start_matches(['"', '\'']);
        !target.starts_with('#')
    });
    urls || plain.contains("@import") || plain.contains("javascript:") || plain.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(inside: &str) -> Vec<&'static str> {
        let text = format!("<svg xmlns=\"{SVG}\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">{inside}</svg>");
        check(text.as_bytes()).iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn shapes_are_good() {
        let good = "<defs><linearGradient id=\"a\"><stop offset=\"0\"/></linearGradient></defs><style>.a{fill:url(#a)}</style>\
            <g fill=\"url(#a)\"><path d=\"M0 0h9\"/><use xlink:href=\"#b\"/><text>Hi</text></g>";
        assert!(codes(good).is_empty());
    }

    #[test]
    fn what_wants_more_is_refused() {
        for bad in [
            "<script>alert(1)</script>",
            "<foreignObject/>",
            "<image href=\"https://example.org/x.png\"/>",
            "<path onload=\"alert(1)\"/>",
            "<use xlink:href=\"https://example.org/x.svg#a\"/>",
            "<a href=\"javascript:alert(1)\"/>",
            "<path fill=\"url( 'https://example.org/x')\"/>",
            "<style>@import 'https://example.org'</style>",
            "<set attributeName=\"href\" to=\"x\"/>",
        ] {
            assert_eq!(codes(bad), ["unsafe_picture"], "{bad}");
        }
        let entities = "<!DOCTYPE svg [<!ENTITY a \"aaaa\">]><svg xmlns=\"http://www.w3.org/2000/svg\">&a;</svg>";
        for bad in [entities.as_bytes(), b"", b"\xff", b"<html/>", &vec![b' '; MAX_BYTES + 1]] {
            assert_eq!(check(bad)[0].code, "invalid_picture");
        }
    }
}
