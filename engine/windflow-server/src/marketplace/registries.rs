//! Registries by address: believed under the key that was pinned when they were added, and never an older index than was seen.

use std::io::{Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use windflow_core::capability::{Origin, Scheme};
use windflow_core::id::OrganisationId;
use windflow_core::ports::fetch::FetchError;
use windflow_core::ports::records::{Change, Expected};
use windflow_core::run::Timestamp;
use windflow_marketplace::index::{self, Entry, Index, Packed};
use windflow_marketplace::manifest::is_name;
use windflow_marketplace::signature::PublicKey;
use windflow_marketplace::{package, registry};

use super::{BUILT_IN, PRIVATE};
use crate::kept::{self, Kept};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

const PREFIX: &str = "registries/";

/// Registries of an organisation at most.
const MAX_REGISTRIES: usize = 20;
/// A kept index is cut into pieces, each of which is a record.
const PIECE: usize = 1 << 20;
/// How long an index is taken for up to date, in milliseconds.
const FRESH_MS: u64 = 3_600_000;
/// How long a signature may be.
const MAX_SIGNATURE: usize = 1024;

/// A registry that an organisation takes templates from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) key: PublicKey,
    /// The highest that was seen.
    pub(crate) sequence: u64,
    pub(crate) templates: usize,
    /// When its index was last got.
    pub(crate) fetched_at: Timestamp,
    /// Why it could not be got the last time.
    pub(crate) error: Option<String>,
    pub(crate) added_by: String,
    pieces: usize,
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

fn piece_key(name: &str, number: usize) -> String {
    format!("registry-index/{name}/{number:02}")
}

fn signature_key(name: &str) -> String {
    format!("registry-index/{name}/signature")
}

fn packages_prefix(name: &str) -> String {
    format!("registry-packages/{name}/")
}

/// All of them, by name.
pub(crate) fn all(app: &App, organisation: &OrganisationId) -> Answer<Vec<Kept<Registered>>> {
    Ok(kept::all(&*app.records, organisation, PREFIX)?)
}

fn one(app: &App, organisation: &OrganisationId, name: &str) -> Answer<Kept<Registered>> {
    let found = if is_name(name) { kept::read(&*app.records, organisation, &key(name))? } else { None };
    found.ok_or_else(|| Problem::not_found(format!("registry {name}")))
}

/// An address that a registry may have: https, or plain text to this very machine, which is the operator's.
fn check_address(organisation: &OrganisationId, address: &str) -> Answer<String> {
    let plain = address.trim_end_matches('/');
    let invalid = |why: &str| {
        Err(Problem::invalid("invalid_address", format!("this is no address of a registry: {why}"))
            .remedy("write it as https://templates.example.org/registry"))
    };
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@' | '\\' | '"' | '<' | '>');
    if plain.len() > 300 || plain.contains(bad) || plain.contains("/../") || plain.ends_with("/..") {
        return invalid("it has something in it that it must not have");
    }
    let Some(origin) = Origin::from_url(plain) else { return invalid("it is none") };
    let own = origin.host == "localhost"
        || origin.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
    if own && *organisation != OrganisationId::local() {
        return invalid("this machine is the operator's");
    }
    if origin.scheme == Scheme::Http && !own {
        return invalid("it is not encrypted");
    }
    Ok(plain.to_owned())
}

fn not_got(url: &str, error: &FetchError) -> Problem {
    Problem::invalid("registry_unreachable", format!("{url} could not be got: {error}"))
        .remedy("check the address, and whether this server may reach it")
}

async fn get(app: &App, url: String, most: usize) -> Answer<Vec<u8>> {
    app.marketplace.fetch.get(&url, most).await.map_err(|error| not_got(&url, &error))
}

/// Gets and believes an index.
async fn fetch(app: &App, address: &str, key: &PublicKey, seen: u64) -> Answer<(Index, Vec<u8>, Vec<u8>)> {
    let signature = get(app, format!("{address}/index.json.sig"), MAX_SIGNATURE).await?;
    let bytes = get(app, format!("{address}/index.json"), index::MAX_BYTES).await?;
    let key = key.clone();
    blocking(move || Ok((registry::open(&bytes, &signature, &key, seen)?, bytes, signature))).await?
}

/// Adds a registry: its index is got, and believed under the key, before it is kept.
pub(crate) async fn add(
    app: &App,
    organisation: &OrganisationId,
    (name, address, pinned): (&str, &str, &str),
    by: &str,
) -> Answer<Registered> {
    if !is_name(name) || [BUILT_IN, PRIVATE].contains(&name) {
        return Err(Problem::invalid("invalid_name", format!("{name:?} cannot be the name of a registry"))
            .remedy("use a-z, 0-9 and -, 64 at most"));
    }
    let address = check_address(organisation, address)?;
    let pinned: PublicKey = pinned.parse().map_err(|error| Problem::invalid("invalid_key", format!("{error}")))?;
    let known = all(app, organisation)?;
    if known.iter().any(|kept| kept.value.name == name) {
        return Err(Problem::conflict("exists", format!("there is a registry {name} already")));
    }
    if known.len() >= MAX_REGISTRIES {
        return Err(Problem::conflict("too_many", format!("there are {MAX_REGISTRIES} registries at most")));
    }
    let (index, bytes, signature) = fetch(app, &address, &pinned, 0).await?;
    let registered = Registered {
        name: name.to_owned(),
        address,
        key: pinned,
        sequence: index.sequence,
        templates: index.templates.len(),
        fetched_at: app.now(),
        error: None,
        added_by: by.to_owned(),
        pieces: 0,
    };
    keep(app, organisation, registered, Expected::Absent, Some((bytes, signature))).await
}

/// Keeps what is known of a registry, with its index where there is a new one.
async fn keep(
    app: &App,
    organisation: &OrganisationId,
    mut registered: Registered,
    expected: Expected,
    index: Option<(Vec<u8>, Vec<u8>)>,
) -> Answer<Registered> {
    let name = registered.name.clone();
    let mut changes = Vec::new();
    if let Some((bytes, signature)) = index {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        let packed = packed.write_all(&bytes).and_then(|()| packed.finish()).map_err(Problem::internal)?;
        let put = |key, value: &[u8]| Change::put(organisation, key, Expected::Any, value);
        changes.extend(packed.chunks(PIECE).enumerate().map(|(number, piece)| put(piece_key(&name, number), piece)));
        registered.pieces = changes.len();
        changes.push(put(signature_key(&name), &signature));
    }
    changes.push(Change::put(organisation, key(&name), expected, kept::encode(&registered)?));
    let changed = app.records.batch(changes)?;
    app.records.durable(changed.position).await?;
    app.marketplace.forget(organisation);
    Ok(registered)
}

/// Gets the index of a registry anew. Where that fails, what was got before stays, and why is told.
pub(crate) async fn refresh(app: &App, organisation: &OrganisationId, name: &str) -> Answer<Registered> {
    let Kept { version, value: mut registered } = one(app, organisation, name)?;
    match fetch(app, &registered.address, &registered.key, registered.sequence).await {
        Ok((index, bytes, signature)) => {
            registered.sequence = index.sequence;
            registered.templates = index.templates.len();
            registered.fetched_at = app.now();
            registered.error = None;
            keep(app, organisation, registered, Expected::Version(version), Some((bytes, signature))).await
        }
        Err(problem) => {
            registered.error = Some(problem.to_string());
            keep(app, organisation, registered, Expected::Version(version), None).await?;
            Err(problem)
        }
    }
}

/// Gets the indexes anew that were not got for a while. A restart gets none.
pub(crate) async fn refresh_all(app: &App) -> Answer<()> {
    for organisation in crate::people::organisations(&*app.records)? {
        let due = |registered: &Registered| app.now().0.saturating_sub(registered.fetched_at.0) >= FRESH_MS;
        for kept in all(app, &organisation.id)?.into_iter().filter(|kept| due(&kept.value)) {
            let name = kept.value.name;
            if let Err(problem) = refresh(app, &organisation.id, &name).await {
                tracing::warn!(registry = %name, %problem, "the index of a registry could not be brought up to date");
            }
        }
    }
    Ok(())
}

/// Forgets a registry and what was got from it. What was installed stays.
pub(crate) async fn remove(app: &App, organisation: &OrganisationId, name: &str) -> Answer<()> {
    let found = one(app, organisation, name)?;
    for prefix in [packages_prefix(name), format!("registry-index/{name}/")] {
        loop {
            let page = app.records.scan(organisation, &prefix, None, 50)?;
            if page.items.is_empty() {
                break;
            }
            let gone = page.items.into_iter().map(|it| Change::delete(organisation, it.key, Expected::Any));
            app.records.batch(gone.collect())?;
        }
    }
    let changed = app.records.delete(organisation, &key(name), Expected::Version(found.version))?;
    app.records.durable(changed.position).await?;
    app.marketplace.forget(organisation);
    Ok(())
}

/// What a registry offers, from what is kept of it: believed under the same key as when it came.
pub(super) fn entries(app: &App, organisation: &OrganisationId, registered: &Registered) -> Answer<Vec<Arc<Entry>>> {
    let piece = |key: &str| -> Answer<Vec<u8>> {
        let stored = app.records.get(organisation, key)?;
        Ok(stored.map(|stored| stored.value).unwrap_or_default())
    };
    let name = &registered.name;
    let mut packed = Vec::new();
    for number in 0..registered.pieces {
        packed.extend(piece(&piece_key(name, number))?);
    }
    let mut bytes = Vec::new();
    let mut unpacking = GzDecoder::new(&*packed).take(index::MAX_BYTES as u64 + 1);
    unpacking.read_to_end(&mut bytes).map_err(Problem::internal)?;
    let index = registry::open(&bytes, &piece(&signature_key(name))?, &registered.key, 0)?;
    Ok(index.templates.into_iter().map(Arc::new).collect())
}

/// A package, kept once it was got.
pub(super) async fn package(
    app: &App,
    organisation: &OrganisationId,
    registered: &Registered,
    entry: &Entry,
    packed: &Packed,
) -> Answer<Vec<u8>> {
    let key = format!("{}{}/{}", packages_prefix(&registered.name), entry.name(), packed.version);
    if let Some(stored) = app.records.get(organisation, &key)?
        && registry::verify(entry, packed, &stored.value).is_ok()
    {
        return Ok(stored.value);
    }
    let url = format!("{}/{}", registered.address, entry.path(&packed.version));
    let bytes = get(app, url, package::MAX_BYTES).await?;
    registry::verify(entry, packed, &bytes)?;
    app.records.put(organisation, &key, Expected::Any, bytes.clone())?;
    Ok(bytes)
}
