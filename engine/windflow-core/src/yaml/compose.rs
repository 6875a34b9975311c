//! From the events of the parser to a tree.
//!
//! `saphyr-parser` reads YAML 1.2 and knows where everything stands; a reader into serde types would lose the places and
//! stop at the first problem.

use std::collections::HashSet;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::alias::{self, Anchors};
use super::{Kind, Limits, Node, Scalar, scalar};
use crate::place::{Place, Spanned};
use crate::problem::{Problem, is_invisible};

/// Problems that are told of one document; more would bury the first.
const MAX_PROBLEMS: usize = 100;

pub(super) fn compose(text: &str, limits: Limits) -> (Option<Node>, Vec<Problem>) {
    if text.len() > limits.bytes {
        let message = format!("the document is {} bytes long; at most {} are read", text.len(), limits.bytes);
        return (None, vec![Problem::document("too_long", message).remedy("split it into several workflows")]);
    }
    let mut composer = Composer {
        text,
        offsets: Offsets::new(text),
        limits,
        nodes: 0,
        open: Vec::new(),
        anchors: Anchors::default(),
        root: None,
        partial: false,
        problems: invisible(text),
    };
    composer.read();
    let Composer { root, partial, mut problems, .. } = composer;
    if root.is_none() && problems.is_empty() {
        problems.push(Problem::document("empty", "the document is empty").remedy("begin with `windflow: 1`"));
    }
    (root.filter(|_| !partial), problems)
}

struct Composer<'a> {
    text: &'a str,
    offsets: Offsets,
    limits: Limits,
    nodes: usize,
    open: Vec<Open>,
    anchors: Anchors,
    root: Option<Node>,
    /// Something is missing from the tree: judging the rest would call it wrong for that alone.
    partial: bool,
    problems: Vec<Problem>,
}

/// A list or map that is not at its end.
struct Open {
    start: Marker,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { entries: Vec<(Spanned<String>, Node)>, keys: HashSet<String>, key: Option<Key> },
}

/// A key whose value is still to come. One that is refused takes its value with it.
enum Key {
    Taken(Spanned<String>),
    Refused,
}

impl Composer<'_> {
    fn read(&mut self) {
        let mut documents = 0;
        for event in Parser::new_from_str(self.text) {
            let (event, span) = match event {
                Ok(found) => found,
                Err(error) => {
                    let place = self.place(Span::empty(*error.marker()));
                    // The parser has a bound of its own for brackets that it must look beyond.
                    self.problems.push(if error.info().contains("recursion limit") {
                        too_deep(&place, self.limits.depth)
                    } else {
                        Problem::error("yaml_syntax", &place, format!("this is no YAML: {}", error.info()))
                            .remedy_if(remedy(error.info()).map(str::to_owned))
                    });
                    self.partial = true;
                    return;
                }
            };
            let place = self.place(span);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let message = "a second document begins here; a workflow is one document";
                        self.problems.push(
                            Problem::error("several_documents", &place, message)
                                .remedy("write each workflow into a file of its own"),
                        );
                        self.partial = true;
                        return;
                    }
                }
                Event::Alias(anchor) if self.limits.aliases => self.alias(anchor, place),
                Event::Alias(_) => {
                    self.partial = true;
                    self.refuse(
                        "alias",
                        &place,
                        "aliases are refused: a short text could mean an endless one",
                        "write the value out",
                    );
                    self.add(Node { place, kind: Kind::List(Vec::new()) });
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.modifiers(&place, anchor, tag.is_some());
                    let node = self.scalar(&text, style, place);
                    self.anchors.keep(anchor, &node);
                    self.add(node);
                }
                Event::SequenceStart(anchor, tag) => {
                    self.modifiers(&place, anchor, tag.is_some());
                    self.open.push(Open { start: span.start, anchor, kind: OpenKind::List(Vec::new()) });
                }
                Event::MappingStart(anchor, tag) => {
                    self.modifiers(&place, anchor, tag.is_some());
                    let kind = OpenKind::Map { entries: Vec::new(), keys: HashSet::new(), key: None };
                    self.open.push(Open { start: span.start, anchor, kind });
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(span),
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
            if !self.within_limits(span) {
                return;
            }
        }
    }

    /// Whether reading goes on.
    fn within_limits(&mut self, span: Span) -> bool {
        let problem = if self.open.len() > self.limits.depth {
            Some(too_deep(&self.place(span), self.limits.depth))
        } else if self.nodes > self.limits.nodes {
            let message = format!("the document has more than {} values", self.limits.nodes);
            Some(
                Problem::error("too_many_values", &self.place(span), message).remedy("split it into several workflows"),
            )
        } else {
            None
        };
        if let Some(problem) = problem {
            self.problems.push(problem);
            self.partial = true;
            return false;
        }
        let crowded = self.problems.len() >= MAX_PROBLEMS;
        self.partial |= crowded;
        !crowded
    }

    fn modifiers(&mut self, place: &Place, anchor: usize, tagged: bool) {
        if anchor > 0 && !self.limits.aliases {
            self.refuse(
                "anchor",
                place,
                "anchors are refused: a short text could mean an endless one",
                "write the value out where it is needed",
            );
        }
        if tagged {
            self.refuse(
                "tag",
                place,
                "tags are refused: a value is what it looks like",
                "leave the tag out; put text in quotes",
            );
        }
    }

    fn refuse(&mut self, code: &'static str, place: &Place, message: &str, remedy: &str) {
        self.problems.push(Problem::error(code, place, message).remedy(remedy));
    }

    fn scalar(&self, text: &str, style: ScalarStyle, mut place: Place) -> Node {
        let written = self.text.get(place.bytes.clone()).unwrap_or_default();
        if let Some(length) = quoted_length(written, style) {
            place.bytes.end = place.bytes.start + length;
        }
        let value = match style {
            ScalarStyle::Plain => scalar::resolve(text),
            _ => serde_json::Value::String(text.to_owned()),
        };
        let source = text.contains("${{").then(|| self.text.get(place.bytes.clone()).unwrap_or_default().into());
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        Node { place, kind: Kind::Scalar(Scalar { value, text: text.to_owned(), block, source }) }
    }

    fn close(&mut self, span: Span) {
        let Some(Open { start, anchor, kind }) = self.open.pop() else { return };
        let kind = match kind {
            OpenKind::List(items) => Kind::List(items),
            OpenKind::Map { entries, .. } if self.limits.aliases => {
                Kind::Map(alias::merge(entries, &mut self.problems))
            }
            OpenKind::Map { entries, .. } => Kind::Map(entries),
        };
        let place = self.place(Span { start, end: span.end });
        let node = Node { place, kind };
        if self.limits.aliases {
            self.anchors.keep(anchor, &node);
        }
        self.add(node);
    }

    fn alias(&mut self, anchor: usize, place: Place) {
        let Some((node, size)) = self.anchors.get(anchor) else {
            self.refuse("alias", &place, "this names an anchor that is not complete yet", "write the value out");
            self.add(Node { place, kind: Kind::List(Vec::new()) });
            return;
        };
        // Counted before it is copied: a few aliases of aliases could fill the memory.
        self.nodes += size;
        if self.nodes <= self.limits.nodes {
            let node = node.clone();
            self.add(node);
        }
    }

    fn add(&mut self, node: Node) {
        self.nodes += 1;
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { entries, keys, key }) => match key.take() {
                Some(Key::Taken(taken)) => entries.push((taken, node)),
                Some(Key::Refused) => {}
                None => match check_key(&node, keys, self.limits.aliases) {
                    Ok(taken) => *key = Some(Key::Taken(taken)),
                    Err(problem) => {
                        *key = Some(Key::Refused);
                        self.partial |= problem.code != "duplicate_key";
                        self.problems.push(problem);
                    }
                },
            },
        }
    }

    fn place(&self, span: Span) -> Place {
        let start = self.offsets.byte(self.text, span.start.index());
        let end = self.offsets.byte(self.text, span.end.index()).max(start);
        // The parser ends a value where the next one begins; what is meant is its text.
        let shown = self.text.get(start..end).map_or(0, |text| text.trim_end().len());
        Place {
            line: u32::try_from(span.start.line()).unwrap_or(u32::MAX),
            column: u32::try_from(span.start.col() + 1).unwrap_or(u32::MAX),
            bytes: start..start + shown,
        }
    }
}

/// How long a quoted text is, its quotes included: a comment may follow it.
fn quoted_length(written: &str, style: ScalarStyle) -> Option<usize> {
    let quote = match style {
        ScalarStyle::DoubleQuoted => '"',
        ScalarStyle::SingleQuoted => '\'',
        _ => return None,
    };
    let mut characters = written.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        let escaped = match quote {
            '"' => character == '\\',
            _ => character == quote && characters.peek().is_some_and(|(_, next)| *next == quote),
        };
        if escaped {
            characters.next();
        } else if character == quote {
            return Some(at + 1);
        }
    }
    None
}

fn too_deep(place: &Place, depth: usize) -> Problem {
    Problem::error("too_deep", place, format!("lists and maps are nested more than {depth} deep"))
        .remedy("make it flatter; nothing after this place was read")
}

/// Characters that a reader does not see, or that make a text look like another one.
fn invisible(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let found = text.char_indices().filter(|(_, c)| is_invisible(*c)).take(10);
    let origin = Place { line: 1, column: 1, bytes: 0..0 };
    for (at, c) in found {
        let place = origin.within(text, at..at + c.len_utf8());
        let message =
            format!("the character U+{:04X} cannot be seen, and may hide what the document says", u32::from(c));
        let problem = Problem::error("invisible_character", &place, message);
        problems.push(problem.remedy(format!("write it as an escape in double quotes: \"\\u{:04X}\"", u32::from(c))));
    }
    problems
}

fn check_key(node: &Node, keys: &mut HashSet<String>, merges: bool) -> Result<Spanned<String>, Problem> {
    let Kind::Scalar(scalar) = &node.kind else {
        return Err(Problem::error("key", &node.place, format!("a key is text, but this is {}", node.what())));
    };
    if scalar.text == "<<" && !merges {
        return Err(Problem::error("merge", &node.place, "merge keys are refused").remedy("write the keys out"));
    }
    if !keys.insert(scalar.text.clone()) {
        let message = format!("the key `{}` is there twice", scalar.text);
        return Err(Problem::error("duplicate_key", &node.place, message).remedy("keep one of them"));
    }
    Ok(Spanned::new(scalar.text.clone(), node.place.clone()))
}

/// The parser counts characters; places are in bytes.
struct Offsets(Option<Vec<u32>>);

impl Offsets {
    fn new(text: &str) -> Self {
        let offsets = || text.char_indices().map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        Self((!text.is_ascii()).then(offsets))
    }

    fn byte(&self, text: &str, character: usize) -> usize {
        match &self.0 {
            None => character.min(text.len()),
            Some(offsets) => offsets.get(character).map_or(text.len(), |at| *at as usize),
        }
    }
}

/// What most often stands behind what the scanner says.
fn remedy(info: &str) -> Option<&'static str> {
    let known = [
        ("tabs disallowed", "YAML is indented with spaces: replace the tab"),
        ("did not find expected key", "keys of one map stand in the same column: compare with the line above"),
        (
            "mapping values are not allowed",
            "text with `: ` in it is put into quotes, and a key stands on a line of its own",
        ),
        ("expected ',' or '}'", "a map in braces is closed with `}`, and has commas between its keys"),
        ("expected ',' or ']'", "a list in brackets is closed with `]`, and has commas between its items"),
        ("quoted scalar", "the quotation mark that closes the text is missing"),
    ];
    known.iter().find(|(sign, _)| info.contains(sign)).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::yaml::{Kind, Limits, parse};

    fn codes(text: &str) -> Vec<(&'static str, String)> {
        parse(text, Limits::default()).1.into_iter().map(|problem| (problem.code, problem.place.to_string())).collect()
    }

    #[test]
    fn values_keep_their_places() {
        let text = "é: [1, two]\nb:\n  c: \"x\" # why\n";
        let (node, problems) = parse(text, Limits::default());
        assert!(problems.is_empty(), "{problems:?}");
        let node = node.unwrap();
        assert_eq!(node.to_json(), json!({ "é": [1, "two"], "b": { "c": "x" } }));
        let Kind::Map(entries) = &node.kind else { panic!("a map") };
        let Kind::List(items) = &entries[0].1.kind else { panic!("a list") };
        assert_eq!(&text[items[1].place.bytes.clone()], "two");
        assert_eq!(items[1].place.to_string(), "1:8");
        let Kind::Map(inner) = &entries[1].1.kind else { panic!("a map") };
        assert_eq!(&text[inner[0].1.place.bytes.clone()], "\"x\"");
        assert_eq!(&text[inner[0].0.place.bytes.clone()], "c");
    }

    #[test]
    fn what_is_refused_is_told_with_its_place() {
        assert_eq!(codes("a: &x 1\nb: *x\n").iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["anchor", "alias"]);
        assert_eq!(codes("a: !!str 1\n")[0].0, "tag");
        assert_eq!(codes("a: 1\nb: 2\na: 3\n"), [("duplicate_key", "3:1".to_owned())]);
        assert_eq!(codes("a: 1\n---\nb: 2\n")[0].0, "several_documents");
        assert_eq!(codes("? [a]\n: 1\n")[0].0, "key");
        assert_eq!(codes("<<: { a: 1 }\n")[0].0, "merge");
        assert_eq!(codes("")[0].0, "empty");
        assert_eq!(codes("a: [1, 2\n")[0].0, "yaml_syntax");
    }

    #[test]
    fn hostile_documents_end_quickly() {
        for text in
            ["[".repeat(100_000), "{a: ".repeat(50_000), "- ".repeat(100_000), format!("a: {}", "x ".repeat(1 << 20))]
        {
            assert!(!codes(&text).is_empty());
        }
        let many = format!("a: [{}]\n", "1,".repeat(300_000));
        assert_eq!(codes(&many)[0].0, "too_many_values");
    }
}
