//! RSS 2, RSS 1 and Atom, as they are found: names are compared without their prefixes, what is not known is passed over.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use windflow_sdk::http::Url;

use crate::{Entry, Output};

/// Deeper than any feed.
const DEPTH: usize = 64;

/// More than any feed.
const ENTRIES: usize = 10_000;

/// Reads a feed; else says why it is none.
pub(crate) fn read(text: &str) -> Result<Output, String> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut builder = Builder::default();
    loop {
        let event = reader.read_event().map_err(|error| format!("{error} at byte {}", reader.error_position()))?;
        match event {
            Event::Start(start) => builder.open(&start)?,
            Event::Empty(start) => {
                builder.open(&start)?;
                builder.close();
            }
            Event::End(_) => builder.close(),
            Event::Text(text) => builder.text.push_str(&text.xml10_content()),
            Event::CData(text) => builder.text.push_str(&text.xml10_content()),
            // Only what XML itself knows: a feed cannot define entities that grow.
            Event::GeneralRef(reference) => {
                if let Ok(Some(character)) = reference.resolve_char_ref() {
                    builder.text.push(character);
                } else if let Some(known) = quick_xml::escape::resolve_predefined_entity(&reference.xml10_content()) {
                    builder.text.push_str(known);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    builder.finish()
}

#[derive(Default)]
struct Builder {
    path: Vec<String>,
    text: String,
    feed: Output,
    entry: Option<Entry>,
    updated: Option<String>,
    is_feed: bool,
}

impl Builder {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.path.len() >= DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        let name = start.local_name().as_ref().to_ascii_lowercase();
        if self.path.is_empty() {
            self.is_feed = matches!(name.as_str(), "rss" | "rdf" | "feed");
        }
        match name.as_str() {
            "item" | "entry" if self.entry.is_none() => {
                let about = attribute(start, "about").unwrap_or_default();
                self.entry = Some(Entry { id: about, ..Entry::default() });
            }
            "link" => self.link(start),
            "category" => {
                if let (Some(entry), Some(term)) = (&mut self.entry, attribute(start, "term")) {
                    entry.categories.push(term);
                }
            }
            _ => {}
        }
        // Within a title or a text there may be elements: their text belongs to it.
        if !self.inside_text() {
            self.text.clear();
        }
        self.path.push(name);
        Ok(())
    }

    fn inside_text(&self) -> bool {
        self.path.iter().any(|name| matches!(name.as_str(), "title" | "summary" | "content" | "description"))
    }

    /// Atom's links are attributes; the one to read has no `rel`, or says `alternate`.
    fn link(&mut self, start: &BytesStart<'_>) {
        let Some(href) = attribute(start, "href") else { return };
        if attribute(start, "rel").is_some_and(|rel| rel != "alternate") {
            return;
        }
        let link = self.entry.as_mut().map_or(&mut self.feed.link, |entry| &mut entry.link);
        link.get_or_insert(href);
    }

    fn close(&mut self) {
        let Some(name) = self.path.pop() else { return };
        if self.inside_text() {
            return;
        }
        let text = std::mem::take(&mut self.text).trim().to_owned();
        let parent = self.path.last().map(String::as_str).unwrap_or_default();
        if matches!(name.as_str(), "item" | "entry") {
            self.end_entry();
        } else if text.is_empty() {
        } else if let Some(entry) = &mut self.entry {
            match (name.as_str(), parent) {
                ("title", "item" | "entry") => entry.title = text,
                ("link", "item") => entry.link = Some(text),
                ("guid" | "id", "item" | "entry") => entry.id = text,
                ("pubdate" | "published" | "date", _) => entry.published = Some(text),
                ("updated" | "modified", "entry") => self.updated = Some(text),
                ("creator", _) | ("author", "item") | ("name", "author") => {
                    entry.author.get_or_insert(text);
                }
                ("description" | "summary", "item" | "entry") => entry.summary = Some(text),
                ("content" | "encoded", "item" | "entry") => {
                    entry.summary.get_or_insert(text);
                }
                ("category" | "subject", "item") => entry.categories.push(text),
                _ => {}
            }
        } else {
            match (name.as_str(), parent) {
                ("title", "channel" | "feed") => self.feed.title = text,
                ("link", "channel") => self.feed.link = Some(text),
                _ => {}
            }
        }
    }

    fn end_entry(&mut self) {
        let Some(mut entry) = self.entry.take() else { return };
        let published = entry.published.take().or(self.updated.take());
        self.updated = None;
        entry.published = published.as_deref().and_then(time);
        if entry.id.is_empty() {
            entry.id = entry.link.clone().unwrap_or_else(|| entry.title.clone());
        }
        if self.feed.entries.len() < ENTRIES {
            self.feed.entries.push(entry);
        }
    }

    fn finish(mut self) -> Result<Output, String> {
        if !self.is_feed {
            return Err("it is neither RSS nor Atom".to_owned());
        }
        if !self.path.is_empty() {
            return Err("it breaks off".to_owned());
        }
        // Links within a feed may be relative to its site.
        if let Some(site) = self.feed.link.as_deref().and_then(|link| Url::parse(link).ok()) {
            for link in self.feed.entries.iter_mut().filter_map(|entry| entry.link.as_mut()) {
                if let Ok(joined) = site.join(link) {
                    *link = joined.to_string();
                }
            }
        }
        Ok(self.feed)
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let text = found.value.into_owned();
    let text = quick_xml::escape::unescape(&text).map(std::borrow::Cow::into_owned).unwrap_or(text);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn time(text: &str) -> Option<String> {
    let at = text.parse::<Timestamp>().ok().or_else(|| rfc2822::parse(text).ok().map(|at| at.timestamp()))?;
    Some(at.to_string())
}
