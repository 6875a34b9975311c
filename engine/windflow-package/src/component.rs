//! What of a component can be seen from outside.

use wasmparser::{
    ComponentExportSectionReader, ComponentExternalKind, ComponentImportSectionReader, ComponentTypeRef, TypeBounds,
};
use windflow_core::manifest::{MANIFEST_SECTION, MAX_MANIFEST_BYTES};

use crate::error::PackageError;
use crate::sections::{self, Kind, damaged};

/// Ids of the sections of a component that are looked into.
const IMPORTS: u8 = 10;
const EXPORTS: u8 = 11;

/// WASI 0.2 whole has fewer interfaces than this.
const MAX_IMPORTS: usize = 256;

/// A component taken apart, nothing of it believed yet.
pub(crate) struct Parts<'a> {
    pub(crate) manifest: &'a [u8],
    pub(crate) imports: Vec<&'a str>,
    pub(crate) exports_execute: bool,
}

/// Looks at the top level only: what nested modules and components hold does not count, be it a manifest or an import,
/// since the host sees none of it.
pub(crate) fn scan(bytes: &[u8]) -> Result<Parts<'_>, PackageError> {
    let (kind, sections) = sections::split(bytes)?;
    if kind == Kind::CoreModule {
        return Err(PackageError::CoreModule);
    }
    let mut manifest = None;
    let mut imports = Vec::new();
    let mut exports_execute = false;
    for section in sections {
        match section.id {
            sections::CUSTOM => {
                let Some((MANIFEST_SECTION, data)) = section.custom()? else { continue };
                if data.len() > MAX_MANIFEST_BYTES {
                    return Err(PackageError::ManifestTooLarge(data.len()));
                }
                if manifest.replace(data).is_some() {
                    return Err(PackageError::ManyManifests);
                }
            }
            IMPORTS => read_imports(section.body, &mut imports)?,
            EXPORTS => exports_execute |= has_execute(section.body)?,
            _ => {}
        }
    }
    Ok(Parts { manifest: manifest.ok_or(PackageError::NoManifest)?, imports, exports_execute })
}

fn read_imports<'a>(body: wasmparser::BinaryReader<'a>, into: &mut Vec<&'a str>) -> Result<(), PackageError> {
    for import in ComponentImportSectionReader::new(body).map_err(|error| damaged(&error))? {
        let import = import.map_err(|error| damaged(&error))?;
        // The world's `use types.{…}`: another name for a type that is known already. It gives no power.
        if matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
            continue;
        }
        if into.len() == MAX_IMPORTS {
            return Err(PackageError::TooManyImports(MAX_IMPORTS));
        }
        into.push(import.name.name);
    }
    Ok(())
}

fn has_execute(body: wasmparser::BinaryReader<'_>) -> Result<bool, PackageError> {
    let mut found = false;
    for export in ComponentExportSectionReader::new(body).map_err(|error| damaged(&error))? {
        let export = export.map_err(|error| damaged(&error))?;
        found |= export.kind == ComponentExternalKind::Func && export.name.name == "execute";
    }
    Ok(found)
}
