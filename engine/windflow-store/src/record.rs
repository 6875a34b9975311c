//! Records as bytes: JSON, so that whoever finds the file in ten years can read it.

use serde::Deserialize;
use windflow_core::ports::store::StoreError;
use windflow_core::run::{RECORD_VERSION, Record};

/// Largest record, as JSON. Larger outputs belong into blobs.
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// Largest append, all its records together.
pub const MAX_APPEND_BYTES: usize = 64 << 20;

/// Largest line of a list: it holds who started the run and why it failed, each of which was in a record.
pub(crate) const MAX_SUMMARY_BYTES: usize = 2 * MAX_RECORD_BYTES + (1 << 20);

/// Largest blob.
pub const MAX_BLOB_BYTES: usize = 64 << 20;

/// The record as JSON.
///
/// # Errors
/// [`StoreError::TooLarge`] where it is larger than [`MAX_RECORD_BYTES`].
pub fn encode(record: &Record) -> Result<Vec<u8>, StoreError> {
    let bytes = serde_json::to_vec(record)
        .map_err(|error| StoreError::Invalid(format!("the record cannot be written as JSON: {error}")))?;
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(StoreError::TooLarge(format!(
            "a record of {} bytes is too large for the journal, which takes {MAX_RECORD_BYTES}: keep large values as blobs",
            bytes.len()
        )));
    }
    Ok(bytes)
}

/// The records of one append as JSON.
///
/// # Errors
/// [`StoreError::TooLarge`] where one of them, or all together, are more than the journal takes.
pub(crate) fn encode_all(records: &[Record]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut all = Vec::with_capacity(records.len());
    let mut bytes = 0;
    for record in records {
        let record = encode(record)?;
        bytes += record.len();
        if bytes > MAX_APPEND_BYTES {
            return Err(StoreError::TooLarge(format!(
                "records of more than {MAX_APPEND_BYTES} bytes together are too large for one append: append some of them first"
            )));
        }
        all.push(record);
    }
    Ok(all)
}

/// The record that some JSON is.
///
/// # Errors
/// [`StoreError::Unavailable`] where a newer release wrote it, [`StoreError::Corrupted`] where it is no record.
pub fn decode(bytes: &[u8]) -> Result<Record, StoreError> {
    let mut records = decode_all(bytes, 2)?;
    match (records.pop(), records.pop()) {
        (Some(record), None) => Ok(record),
        _ => Err(StoreError::Corrupted("a journal entry is not exactly one record".to_owned())),
    }
}

/// Up to `limit` records that follow each other. Outputs pass through as they came and may contain line breaks, so that
/// records are told apart by their syntax, not by lines.
pub(crate) fn decode_all(bytes: &[u8], limit: usize) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    let mut rest = serde_json::Deserializer::from_slice(bytes).into_iter::<Record>();
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
            r#"{"v":3,"at":1,"event":{"cancel_requested":{"by":"x"}}}"#,
            r#"{"v":7,"at":1,"event":{"teleported":{"to":"mars"}}}"#,
            r#"{"v":7}"#,
        ] {
            let error = decode(newer.as_bytes()).unwrap_err();
            assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("newer release")), "{error}");
        }
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
        assert_eq!(encode(&records[1]).unwrap(), text.as_bytes());
    }
}
