//! Values made small. sled needs about twice the room of what it holds, which is more than paid back by this.
//!
//! A packed value begins with a byte: 0, and the rest is the value; or 1, and the rest is the length of the value (4 bytes,
//! little-endian) and an LZ4 block that may refer to [`DICTIONARY`], as if that came before it. Records are short and much
//! alike, so that most of what LZ4 finds is in the dictionary.

use std::borrow::Cow;

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};

/// **Frozen**: what was packed with it can only be read with it. A better one would be another first byte.
const DICTIONARY: &[u8] = br#"{"run":"01900000-0000-7000-8000-000000000000","workflow":"windflow: 1
name: description: inputs: { type: string, default: "" } triggers: permissions: http: credentials: nodes:
    uses: transform@1
    needs: []
    with: { url: "${{ inputs.url }}", if: "${{ nodes.fetch.output.status }}" }
outputs: layout: "type":"object","properties":"headers":{"content-type":"application/json"},"body":{"id":"name":"status":200,"items":[],"url":"https://example.org/","message":"error":null,"failure":{"node":"failure":{"kind":"denied","code":"internal","retry":"never","details":{}},"status":"cancelled","status":"failed","status":"running","started_by":"cli","started_at":17,"status":"succeeded","started_by":"cli","started_at":17,"finished_at":17,"sequence":
{"v":1,"at":17,"event":{"run_started":{"workflow":"","document":"sha256:","inputs":{},"components":{"http@1":"sha256:","condition@1":"sha256:"},"grants":{"http":["https://"],"credentials":[]},"started_by":"cli"}}}
{"v":1,"at":17,"event":{"node_skipped":{"node":"","reason":"needs"}}}
{"v":1,"at":17,"event":{"cancel_requested":{"by":"cli"}}}
{"v":1,"at":17,"event":{"attempt_cancelled":{"node":"","attempt":1}}}
{"v":1,"at":17,"event":{"attempt_failed":{"node":"","attempt":1,"failure":{"kind":"timeout","code":"timeout","message":"","retry":"may_help"},"retry_at":17,"took_us":}}}
{"v":1,"at":17,"event":{"run_finished":{"status":"failed","failure":{"node":"","failure":{}}}}
{"v":1,"at":17,"event":{"run_finished":{"status":"succeeded","outputs":{}}}}
{"v":1,"at":17,"event":{"attempt_started":{"node":"","attempt":1,"key":"01900000-0000-7000-8000-000000000000:fetch"}}}
{"v":1,"at":17,"event":{"attempt_succeeded":{"node":"","attempt":1,"port":"out","output":{"took_us":}}}
"#;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// The value, packed where that makes it smaller.
pub(super) fn pack(value: &[u8]) -> Vec<u8> {
    let packed = compress_prepend_size_with_dict(value, DICTIONARY);
    let (kind, content) = if packed.len() < value.len() { (LZ4, packed.as_slice()) } else { (PLAIN, value) };
    let mut bytes = Vec::with_capacity(1 + content.len());
    bytes.push(kind);
    bytes.extend_from_slice(content);
    bytes
}

/// The value again, which has at most so many bytes. The error says what is wrong with the packed one.
pub(super) fn unpack(packed: &[u8], most: usize) -> Result<Cow<'_, [u8]>, String> {
    if unpacked_len(packed) > most {
        return Err(format!("a value is larger than {most} bytes"));
    }
    match packed.split_first() {
        Some((&PLAIN, value)) => Ok(Cow::Borrowed(value)),
        Some((&LZ4, rest)) => decompress_size_prepended_with_dict(rest, DICTIONARY)
            .map(Cow::Owned)
            .map_err(|error| format!("a value cannot be unpacked: {error}")),
        _ => Err("a value is packed in a way that this release does not know".to_owned()),
    }
}

/// How long the value is without being packed, as its packed form says.
pub(super) fn unpacked_len(packed: &[u8]) -> usize {
    match packed.split_first() {
        Some((&LZ4, rest)) => {
            rest.first_chunk().map_or(0, |length| usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX))
        }
        Some((_, value)) => value.len(),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windflow_core::id::Digest;

    #[test]
    fn values_come_back() {
        let noise: Vec<u8> = (0..200_u32).flat_map(|number| Digest::of(&number.to_be_bytes()).0).collect();
        for value in [&b""[..], b"x", b"{\"v\":1,\"at\":1790000000000}", &[b'x'; 7168], &noise] {
            let packed = pack(value);
            assert_eq!(unpack(&packed, 10_000).unwrap(), value);
            assert_eq!(unpacked_len(&packed), value.len());
            assert!(packed.len() <= value.len() + 1);
        }
    }

    #[test]
    fn a_record_becomes_a_fraction() {
        let record = br#"{"v":1,"at":1790000000501,"event":{"attempt_succeeded":{"node":"healthy","attempt":1,"port":"true","output":{"status":200},"took_us":131}}}"#;
        assert!(pack(record).len() * 2 < record.len(), "{} of {}", pack(record).len(), record.len());
    }

    /// The fixtures of stores show that it is also read as it was written.
    #[test]
    fn the_dictionary_stays_as_it_is() {
        let frozen = "sha256:f0b2c1eed55925a5361f2188d2d495f3ad747193d02d0649f0df62f3b74615e4";
        assert_eq!(Digest::of(DICTIONARY).to_string(), frozen);
    }

    #[test]
    fn damage_is_an_error() {
        let whole = pack(&b"windflow ".repeat(100));
        for bad in [&b""[..], &[2, 1], &[1], &[1, 255, 255, 255, 255, 0], whole.get(..whole.len() - 3).unwrap()] {
            assert!(unpack(bad, 10_000).is_err(), "{bad:?}");
        }
        assert!(unpack(&whole, 899).is_err());
        for place in 0..whole.len() {
            let mut bad = whole.clone();
            bad[place] ^= 0x55;
            drop(unpack(&bad, 10_000));
        }
    }
}
