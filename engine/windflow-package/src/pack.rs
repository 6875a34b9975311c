//! Making a package out of what a compiler made.

use std::panic::catch_unwind;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Validator, WasmFeatures};
use windflow_core::manifest::{MANIFEST_SECTION, Manifest};
use wit_component::ComponentEncoder;

use crate::error::PackageError;
use crate::sections::{self, Kind, damaged};

/// Name prefix of the custom sections by which wit-bindgen says what a core module implements.
const COMPONENT_TYPE_PREFIX: &str = "component-type";

/// Makes a package of a core module built with wit-bindgen, or of a finished component; a manifest that it has already is
/// replaced. The same input always gives the same bytes.
///
/// # Errors
/// What is wrong with the module or the manifest, and how to mend it. What is returned can be read by [`crate::read`].
pub fn pack(module: &[u8], manifest: &Manifest) -> Result<Vec<u8>, PackageError> {
    let (kind, sections) = sections::split(module)?;
    let mut package = match kind {
        Kind::CoreModule => componentize(module, &sections)?,
        Kind::Component => {
            // What comes from elsewhere is validated now, and not by whoever installs it.
            Validator::new_with_features(WasmFeatures::default())
                .validate_all(module)
                .map_err(|error| damaged(&error))?;
            without_manifest(module)?
        }
    };
    let json = serde_json::to_vec(manifest).map_err(PackageError::ManifestSyntax)?;
    CustomSection { name: MANIFEST_SECTION.into(), data: json.into() }.append_to_component(&mut package);
    crate::read(&package)?;
    Ok(package)
}

fn componentize(module: &[u8], sections: &[sections::Section<'_>]) -> Result<Vec<u8>, PackageError> {
    let mut described = false;
    for section in sections {
        described |= section.custom()?.is_some_and(|(name, _)| name.starts_with(COMPONENT_TYPE_PREFIX));
    }
    if !described {
        return Err(PackageError::NoComponentType);
    }
    let encode = || ComponentEncoder::default().validate(true).module(module)?.encode();
    // The encoder trusts the compiler and panics where a module contradicts itself.
    match catch_unwind(encode) {
        Ok(component) => component.map_err(|error| PackageError::Componentize(format!("{error:#}"))),
        Err(_) => Err(PackageError::Componentize("its description of types is damaged".to_owned())),
    }
}

fn without_manifest(component: &[u8]) -> Result<Vec<u8>, PackageError> {
    let (_, sections) = sections::split(component)?;
    let mut kept = component.to_vec();
    for section in sections.iter().rev() {
        if section.custom()?.is_some_and(|(name, _)| name == MANIFEST_SECTION) {
            kept.drain(section.whole.clone());
        }
    }
    Ok(kept)
}
