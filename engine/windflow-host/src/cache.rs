//! Compiled code on disk, so that a start need not compile.
//!
//! Compiled code is native code that the engine runs unchecked, so a file is only used if this user's host wrote it: the
//! folder is private, and every file carries an HMAC under a key that only this user can read. The code that was checked is
//! the code that is loaded, from the same bytes in memory. The HMAC covers the component's digest and the engine's version
//! and settings as well, so that a file cannot stand in for another. Whatever is wrong, the component is compiled anew.

mod folder;

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use ring::hmac;
use wasmtime::Engine;
use wasmtime::component::Component;
use windflow_core::id::Digest;

use self::folder::Folder;

/// Length of the HMAC at the beginning of every file.
const MAC_BYTES: usize = 32;

/// A folder of compiled code that is safe to load.
pub(crate) struct Cache {
    folder: Folder,
    key: hmac::Key,
    /// What the engine's version and settings come to.
    engine: u64,
}

impl Cache {
    /// Opens the folder, or makes it. Nothing where it cannot be used safely.
    pub(crate) fn open(path: &Path, engine: &Engine) -> Option<Self> {
        match Folder::open(path).and_then(|folder| Ok((hmac::Key::new(hmac::HMAC_SHA256, &folder.key()?), folder))) {
            Ok((key, folder)) => {
                let mut hasher = Fnv::default();
                engine.precompile_compatibility_hash().hash(&mut hasher);
                Some(Self { folder, key, engine: hasher.finish() })
            }
            Err(error) => {
                tracing::warn!(folder = %path.display(), %error, "compiled code is not kept: this folder cannot be used for it");
                None
            }
        }
    }

    /// The compiled component, where it is there and as this host wrote it.
    pub(crate) fn get(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let name = self.name(digest);
        let content = match self.folder.read(&name) {
            Ok(content) => content?,
            Err(error) => {
                tracing::warn!(file = %name.display(), %error, "cached code is not used");
                return None;
            }
        };
        let (mac, code) = content.split_at_checked(MAC_BYTES)?;
        if hmac::verify(&self.key, &self.message(digest, code), mac).is_err() {
            tracing::warn!(file = %name.display(), "cached code is not as it was written; compiling anew");
            return None;
        }
        load(engine, code)
    }

    /// Keeps compiled code. A failure is only told: the next start compiles again.
    pub(crate) fn put(&self, digest: &Digest, component: &Component) {
        let written = component.serialize().map_err(|error| format!("{error:#}")).and_then(|code| {
            let mac = hmac::sign(&self.key, &self.message(digest, &code));
            self.folder.write(&self.name(digest), &[mac.as_ref(), &code]).map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(error, "compiled code could not be kept");
        }
    }

    fn name(&self, digest: &Digest) -> PathBuf {
        let digest = digest.to_string();
        let digest = digest.strip_prefix("sha256:").unwrap_or(&digest);
        format!("{digest}-{:016x}.cwasm", self.engine).into()
    }

    /// What the HMAC covers. Code is hashed first, so that it is not copied.
    fn message(&self, digest: &Digest, code: &[u8]) -> [u8; 72] {
        let mut message = [0; 72];
        message[..32].copy_from_slice(&digest.0);
        message[32..40].copy_from_slice(&self.engine.to_le_bytes());
        message[40..].copy_from_slice(ring::digest::digest(&ring::digest::SHA256, code).as_ref());
        message
    }
}

#[allow(unsafe_code, reason = "loading compiled code is unsafe by nature; this is the only place that does")]
fn load(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: `code` was written by `put` of a host of this user, from `Component::serialize`: its HMAC was just verified over
    // these very bytes, with a key that is readable by this user only. wasmtime itself checks version and settings.
    match unsafe { Component::deserialize(engine, code) } {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::debug!(%error, "cached code is of another engine");
            None
        }
    }
}

/// A hash that is the same in every process, unlike the standard library's. It names files; it secures nothing.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
