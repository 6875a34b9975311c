//! The framing that core modules and components share: a header, then sections of an id, a length and a body.

use std::ops::Range;

use wasmparser::{BinaryReader, CustomSectionReader};

use crate::MAX_PACKAGE_BYTES;
use crate::error::PackageError;

/// Id of custom sections, in both formats.
pub(crate) const CUSTOM: u8 = 0;

const HEADER_BYTES: usize = 8;

/// What a WebAssembly file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    CoreModule,
    Component,
}

/// One section at the top level.
pub(crate) struct Section<'a> {
    pub(crate) id: u8,
    /// Where it lies in the file, with its id and length.
    pub(crate) whole: Range<usize>,
    /// Its body, reading which gives places in the file.
    pub(crate) body: BinaryReader<'a>,
}

impl<'a> Section<'a> {
    /// The name and the content, if it is a custom section.
    pub(crate) fn custom(&self) -> Result<Option<(&'a str, &'a [u8])>, PackageError> {
        if self.id != CUSTOM {
            return Ok(None);
        }
        let section = CustomSectionReader::new(self.body.clone()).map_err(|error| damaged(&error))?;
        Ok(Some((section.name(), section.data())))
    }
}

/// The bytes as a sequence of sections. Bodies are skipped, so this costs little however large they are.
pub(crate) fn split(bytes: &[u8]) -> Result<(Kind, Vec<Section<'_>>), PackageError> {
    if bytes.len() > MAX_PACKAGE_BYTES {
        return Err(PackageError::TooLarge(bytes.len()));
    }
    let kind = kind(bytes)?;
    let mut reader = BinaryReader::new(bytes.get(HEADER_BYTES..).unwrap_or_default(), HEADER_BYTES);
    let mut sections = Vec::new();
    while !reader.eof() {
        sections.push(next(&mut reader).map_err(|error| damaged(&error))?);
    }
    Ok((kind, sections))
}

fn next<'a>(reader: &mut BinaryReader<'a>) -> wasmparser::Result<Section<'a>> {
    let start = reader.original_position();
    let id = reader.read_u8()?;
    let length = reader.read_var_u32()? as usize;
    let body_start = reader.original_position();
    let body = BinaryReader::new(reader.read_bytes(length)?, body_start);
    Ok(Section { id, whole: start..reader.original_position(), body })
}

fn kind(bytes: &[u8]) -> Result<Kind, PackageError> {
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(PackageError::NotWasm)?;
    if magic != b"\0asm" {
        return Err(PackageError::NotWasm);
    }
    let (format, _) = rest.split_first_chunk::<4>().ok_or(PackageError::NotWasm)?;
    match u32::from_le_bytes(*format) {
        0x0000_0001 => Ok(Kind::CoreModule),
        // Layer 1 (component), version 0x0d: the one of WASI 0.2.
        0x0001_000d => Ok(Kind::Component),
        other => Err(PackageError::UnknownFormat(other)),
    }
}

pub(crate) fn damaged(error: &wasmparser::BinaryReaderError) -> PackageError {
    PackageError::Damaged(format!("{} at byte {}", error.message(), error.offset()))
}
