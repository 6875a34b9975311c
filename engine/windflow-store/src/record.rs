//! Records as bytes: JSON, so that whoever finds the file in ten years can read it.
//!
//! A large value of an event lies beside the journal, as content under its digest: once, however many nodes hand it on. In
//! the record's JSON stands a word in its place, and `large` says which one it is:
//! `{"v":3,"at":1,"event":{…},"large":[{"value":0,"digest":"sha256:…"}]}`. The number is its place among
//! [`Event::values_mut`](windflow_core::run::Event::values_mut).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use windflow_core::id::Digest;
use windflow_core::json::Json;
use windflow_core::ports::store::StoreError;
use windflow_core::run::{Event, RECORD_VERSION, Record, Timestamp};

use crate::mentions;

/// Largest record, as JSON, without its large values.
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// Largest append, all its records and their large values together.
pub const MAX_APPEND_BYTES: usize = 64 << 20;

/// Largest line of a list: it holds who started the run and why it failed, each of which was in a record.
pub(crate) const MAX_SUMMARY_BYTES: usize = 2 * MAX_RECORD_BYTES + (1 << 20);

/// Largest blob, and largest value of an event.
pub const MAX_BLOB_BYTES: usize = 64 << 20;

/// From here on a value is large. Below, looking it up costs more than it spares.
pub const LARGE_VALUE_BYTES: usize = 64 << 10;

/// A record as it is kept, and the large values that are kept beside it.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) json: Vec<u8>,
    pub(crate) large: Vec<(Digest, Json)>,
}

impl Encoded {
    /// Adds the digests that the record mentions: those of its large values, and what these mention.
    pub(crate) fn mentions(&self, found: &mut BTreeSet<Digest>) {
        mentions::find(&self.json, found);
        self.large.iter().for_each(|(_, value)| mentions::find(value.text().as_bytes(), found));
    }
}

/// A record as it was kept: its large values are elsewhere.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    v: u32,
    at: Timestamp,
    event: Event,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    large: Vec<Large>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Large {
    value: u32,
    digest: Digest,
}

impl Kept {
    /// The record with all its values. `content` finds a large one.
    pub(crate) fn whole(
        mut self,
        content: impl Fn(&Digest) -> Result<Vec<u8>, StoreError>,
    ) -> Result<Record, StoreError> {
        if !self.large.is_empty() {
            let mut values = self.event.values_mut();
            for Large { value, digest } in self.large {
                let place = usize::try_from(value).ok().and_then(|value| values.get_mut(value));
                let place = place.ok_or_else(|| {
                    StoreError::Corrupted(format!(
                        "the event of a record has no value number {value}, which is said to be large"
                    ))
                })?;
                **place = Json::parse(content(&digest)?)
                    .map_err(|error| StoreError::Corrupted(format!("the large value {digest} is no JSON: {error}")))?;
            }
        }
        Ok(Record { v: self.v, at: self.at, event: self.event })
    }

    /// The large values that it has.
    pub(crate) fn large(&self) -> impl Iterator<Item = Digest> {
        self.large.iter().map(|large| large.digest)
    }
}

/// The record as JSON, and its large values.
///
/// # Errors
/// [`StoreError::TooLarge`] where it is larger than [`MAX_RECORD_BYTES`], or a value of it than [`MAX_BLOB_BYTES`].
fn encode_one(record: &Record) -> Result<Encoded, StoreError> {
    let json = to_json(record)?;
    // Most records are small, and none of their values need be looked at.
    if json.len() < LARGE_VALUE_BYTES {
        return Ok(Encoded { json, large: Vec::new() });
    }
    let mut kept = Kept { v: record.v, at: record.at, event: record.event.clone(), large: Vec::new() };
    let mut large = Vec::new();
    for (number, value) in (0..).zip(kept.event.values_mut()) {
        let bytes = value.text().len();
        if bytes > MAX_BLOB_BYTES {
            return Err(StoreError::TooLarge(format!(
                "a value of {bytes} bytes is too large for the journal, which takes {MAX_BLOB_BYTES}"
            )));
        }
        if bytes >= LARGE_VALUE_BYTES {
            let value = std::mem::replace(value, Json::from(serde_json::Value::from(ELSEWHERE)));
            let digest = Digest::of(value.text().as_bytes());
            kept.large.push(Large { value: number, digest });
            large.push((digest, value));
        }
    }
    let json = if large.is_empty() {
        json
    } else {
        // A record of an older release that is written anew, too.
        kept.v = kept.v.max(FIRST_WITH_LARGE);
        to_json(&kept)?
    };
    if json.len() > MAX_RECORD_BYTES {
        return Err(StoreError::TooLarge(format!(
            "a record of {} bytes without its large values is too large for the journal, which takes {MAX_RECORD_BYTES}",
            json.len()
        )));
    }
    Ok(Encoded { json, large })
}

/// What stands in the place of a large value. Not `null`, which would make a value that may be missing a missing one.
const ELSEWHERE: &str = "large";

/// The version of records that brought large values beside them.
const FIRST_WITH_LARGE: u32 = 3;

fn to_json(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record)
        .map_err(|error| StoreError::Invalid(format!("the record cannot be written as JSON: {error}")))
}

/// The records of one append.
///
/// # Errors
/// [`StoreError::TooLarge`] where one of them, or all together, are more than the journal takes.
pub(crate) fn encode_all(records: &[Record]) -> Result<Vec<Encoded>, StoreError> {
    let mut all = Vec::with_capacity(records.len());
    let mut bytes = 0;
    for record in records {
        let record = encode_one(record)?;
        bytes += record.json.len() + record.large.iter().map(|(_, value)| value.text().len()).sum::<usize>();
        if bytes > MAX_APPEND_BYTES {
            return Err(StoreError::TooLarge(format!(
                "records of more than {MAX_APPEND_BYTES} bytes together are too large for one append: append some of them first"
            )));
        }
        all.push(record);
    }
    Ok(all)
}

/// A record as JSON, its values in it.
///
/// # Errors
/// [`StoreError::Invalid`] where it cannot be written as JSON.
pub fn encode(record: &Record) -> Result<Vec<u8>, StoreError> {
    to_json(record)
}

/// The record that some JSON is, its values in it.
///
/// # Errors
/// [`StoreError::Unavailable`] where a newer release wrote it, [`StoreError::Corrupted`] where it is no record, or its large
/// values lie elsewhere.
pub fn decode(bytes: &[u8]) -> Result<Record, StoreError> {
    let mut records = decode_all(bytes, 2)?;
    match (records.pop(), records.pop()) {
        (Some(record), None) => record
            .whole(|digest| Err(StoreError::Corrupted(format!("the large value {digest} is not beside the record")))),
        _ => Err(StoreError::Corrupted("a journal entry is not exactly one record".to_owned())),
    }
}

/// Up to `limit` records that follow each other. Outputs pass through as they came and may contain line breaks, so that
/// records are told apart by their syntax, not by lines.
pub(crate) fn decode_all(bytes: &[u8], limit: usize) -> Result<Vec<Kept>, StoreError> {
    let mut records = Vec::new();
    let mut rest = serde_json::Deserializer::from_slice(bytes).into_iter::<Kept>();
    while records.len() < limit {
        let start = rest.byte_offset();
        match rest.next() {
            None => break,
            Some(Ok(record)) if record.v <= RECORD_VERSION => records.push(record),
            Some(Ok(record)) => return Err(newer(record.v)),
            Some(Err(error)) => return Err(unreadable(bytes.get(start..).unwrap_or_default(), &error)),
        }
    }
    Ok(records)
}

/// A record of a newer release may hold events that this one has no words for. Its version can be read all the same.
fn unreadable(bytes: &[u8], error: &serde_json::Error) -> StoreError {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::Deserializer::from_slice(bytes).into_iter::<Version>().next() {
        Some(Ok(Version { v })) if v > RECORD_VERSION => newer(v),
        _ => StoreError::Corrupted(format!("a journal entry is no record: {error}")),
    }
}

fn newer(version: u32) -> StoreError {
    StoreError::Unavailable(format!(
        "the journal was written by a newer release of windflow (its records have version {version}, this release reads up to \
         {RECORD_VERSION}): use that release, or a later one"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_newer_release_are_refused_by_name() {
        for newer in [
            r#"{"v":4,"at":1,"event":{"cancel_requested":{"by":"x"}}}"#,
            r#"{"v":7,"at":1,"event":{"teleported":{"to":"mars"}}}"#,
            r#"{"v":7}"#,
        ] {
            let error = decode(newer.as_bytes()).unwrap_err();
            assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("newer release")), "{error}");
        }
    }

    /// The third version, kept for ever.
    #[test]
    fn large_values_are_found_beside_the_record() {
        let line = include_str!("../tests/fixtures/large-v3.jsonl").trim_end();
        let output = format!("\"{}\"", "x".repeat(LARGE_VALUE_BYTES));
        let kept = || decode_all(line.as_bytes(), 1).unwrap().pop().unwrap();
        let whole = kept().whole(|digest| {
            assert_eq!(*digest, Digest::of(output.as_bytes()));
            Ok(output.clone().into_bytes())
        });
        let whole = whole.unwrap();
        let Event::AttemptSucceeded { output: found, .. } = &whole.event else { panic!("it is a success") };
        assert_eq!(found.text(), output);
        let again = encode_all(std::slice::from_ref(&whole)).unwrap();
        assert_eq!(String::from_utf8_lossy(&again[0].json), line);
        assert_eq!(again[0].large[0].1.text(), output);
        // Whoever has only the record cannot read it, and what is found must be a value.
        assert!(matches!(decode(line.as_bytes()), Err(StoreError::Corrupted(why)) if why.contains("beside")));
        assert!(matches!(kept().whole(|_| Ok(b"{".to_vec())), Err(StoreError::Corrupted(_))));
        let elsewhere = line.replace("\"value\":0", "\"value\":1");
        let kept = decode_all(elsewhere.as_bytes(), 1).unwrap().pop().unwrap();
        assert!(
            matches!(kept.whole(|_| Ok(b"1".to_vec())), Err(StoreError::Corrupted(why)) if why.contains("number 1"))
        );
    }

    #[test]
    fn what_is_no_record_is_damage() {
        for bad in ["", "{", "null", r#"{"v":1}"#, r#"{"v":1,"at":1,"event":{"teleported":{}}}"#, "\u{0}"] {
            let error = decode(bad.as_bytes()).unwrap_err();
            assert!(matches!(error, StoreError::Corrupted(_)), "{bad}: {error}");
        }
    }

    #[test]
    fn outputs_with_line_breaks_stay_as_they_are() {
        let text = "{\"v\":1,\"at\":1,\"event\":{\"attempt_succeeded\":{\"node\":\"a\",\"attempt\":1,\"port\":\"out\",\"output\":[1,\n\n2],\"took_us\":3}}}";
        let twice = format!("{text}\n{text}\n");
        let records = decode_all(twice.as_bytes(), 10).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(to_json(&records[1]).unwrap(), text.as_bytes());
    }
}
