//! Getting a package: out of a file, a folder that is built, or from an address.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use windflow_core::capability::{Origin, Scheme};
use windflow_core::ports::fetch::Fetch;
use windflow_host::{AllowAll, GuardedFetch, SystemResolver, TlsRoots};
use windflow_package::{MAX_PACKAGE_BYTES, Package};

use super::build;
use crate::cli::Global;
use crate::exit::invalid;
use crate::installed::{self, Source};
use crate::render;

/// A package that was read and that nobody agreed to yet.
pub(crate) struct Fetched {
    pub(crate) package: Package,
    pub(crate) bytes: Vec<u8>,
    pub(crate) source: Source,
}

/// What somebody wrote as the source of a plugin.
///
/// # Errors
/// Where there is no such file or folder, or the address is not one that plugins are taken from.
pub(super) fn source(text: &str) -> anyhow::Result<Source> {
    if text.contains("://") {
        let origin = Origin::from_url(text)
            .ok_or_else(|| invalid(format!("{text} is no address that plugins are taken from: write https://…")))?;
        let own = origin.host == "localhost" || origin.host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        if origin.scheme != Scheme::Https && !own {
            return Err(invalid(format!(
                "{text}: anybody on the way could change it; plugins are taken by https only"
            )));
        }
        return Ok(Source::Url(text.to_owned()));
    }
    let path = Path::new(text).canonicalize().map_err(|error| invalid(format!("{text}: {error}")))?;
    Ok(if path.is_dir() { Source::Folder(path) } else { Source::File(path) })
}

/// Reads a package without trusting it.
///
/// # Errors
/// Where it cannot be got, does not build, is too long, damaged or no plugin.
pub(super) fn fetch(global: &Global, source: Source) -> anyhow::Result<Fetched> {
    let bytes = match &source {
        Source::Folder(folder) => {
            let built = build::from_folder(global, folder, None)?;
            return Ok(Fetched { package: built.package, bytes: built.bytes, source });
        }
        Source::File(path) => read(path)?,
        Source::Url(url) => download(url)?,
        Source::Upload => {
            return Err(invalid(
                "it was sent to the server, which keeps no place to get it from: install the new version, and it takes its place",
            ));
        }
    };
    let package = installed::read(&bytes).map_err(|error| invalid(format!("{source}: {error}")))?;
    Ok(Fetched { package, bytes, source })
}

/// Reads a file, bounded.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(MAX_PACKAGE_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| invalid(format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

/// Redirects are not followed: what was written is where it comes from.
fn download(url: &str) -> anyhow::Result<Vec<u8>> {
    render::line(&format!("getting {url}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fetch = GuardedFetch::new(Arc::new(AllowAll), Arc::new(SystemResolver), TlsRoots::default());
    let got = runtime.block_on(fetch.get(url, MAX_PACKAGE_BYTES));
    got.map_err(|error| anyhow::anyhow!("{url}: {error}"))
}
