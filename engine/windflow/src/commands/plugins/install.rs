//! `windflow plugins install`, `update` and `remove`.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use windflow_core::ports::plugins::{PluginError, PluginPreview};
use windflow_host::HostConfig;

use super::fetch::{self, Fetched};
use super::{consent, stopping};
use crate::cli::{Global, InstallPluginArgs, UpdatePluginsArgs};
use crate::engine::{cache_dir, data_dir};
use crate::exit::invalid;
use crate::installed::{Entry, Installed, Source};
use crate::render;

pub(super) fn install(global: &Global, args: &InstallPluginArgs) -> anyhow::Result<()> {
    let fetched = wanted(global, args)?;
    let mut installed = Installed::open(&data_dir(global)?)?;
    accept(global, &mut installed, &fetched, args.yes)
}

/// The package that somebody named, if it is the one that they expect.
///
/// # Errors
/// As [`fetch::fetch`], and where it has another digest.
pub(crate) fn wanted(global: &Global, args: &InstallPluginArgs) -> anyhow::Result<Fetched> {
    let fetched = fetch::fetch(global, fetch::source(&args.source)?)?;
    if let Some(wanted) = args.digest.filter(|wanted| *wanted != fetched.package.digest) {
        return Err(invalid(format!(
            "{} is not what you expect: its digest is {}, and not {wanted}. Do not install it before you know why",
            args.source, fetched.package.digest
        )));
    }
    Ok(fetched)
}

pub(super) fn update(global: &Global, args: &UpdatePluginsArgs) -> anyhow::Result<()> {
    let mut installed = Installed::open(&data_dir(global)?)?;
    let mut wanted: Vec<Entry> = Vec::new();
    if args.names.is_empty() {
        let known = installed.entries().iter().filter(|entry| entry.source != Source::Upload);
        wanted.extend(known.cloned());
    }
    for name in &args.names {
        wanted.push(installed.find(name)?.clone());
    }
    if wanted.is_empty() {
        render::line("no plugin was installed yet; those of this binary are updated with it");
    }
    for entry in wanted {
        let fetched = fetch::fetch(global, entry.source.clone())?;
        if fetched.package.manifest.plugin.name != entry.name {
            return Err(invalid(format!(
                "{} is the plugin {} now, and no longer {}: nothing was updated",
                entry.source, fetched.package.manifest.plugin.name, entry.name
            )));
        }
        accept(global, &mut installed, &fetched, args.yes)?;
    }
    Ok(())
}

/// Checks a package, has somebody agree to it, compiles it and keeps it.
fn accept(global: &Global, installed: &mut Installed, fetched: &Fetched, yes: bool) -> anyhow::Result<()> {
    let Fetched { package, bytes, source } = fetched;
    let mut preview = installed.preview(package, bytes.len()).map_err(refused)?;
    if preview.installed {
        unchanged(&preview);
        return Ok(());
    }
    let unknown = match &mut preview.before {
        Some(before) => stopping::find(global, package, before)?,
        None => None,
    };
    let told = [Some(consent::describe(&preview, source)), unknown].into_iter().flatten().collect::<Vec<_>>();
    consent::ask(&told.join("\n"), yes)?;
    let (bar, began) = (compiling(bytes.len()), Instant::now());
    let compiled = compile(global, bytes);
    bar.finish_and_clear();
    compiled?;
    let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    render::line(&format!("compiled for this machine in {}", render::duration(took)));
    installed.add(package, bytes, source.clone())?;
    done(&preview);
    Ok(())
}

fn refused(error: PluginError) -> anyhow::Error {
    match error {
        PluginError::Unavailable(_) => error.into(),
        other => invalid(other.to_string()),
    }
}

/// Tells that nothing had to be done.
pub(crate) fn unchanged(PluginPreview { name, version, .. }: &PluginPreview) {
    render::line(&format!("{} {name} {version} is installed already", render::status("unchanged")));
}

/// Tells what can be done now.
pub(crate) fn done(PluginPreview { name, version, node_types, .. }: &PluginPreview) {
    let first = node_types.first().map_or_else(String::new, |node| node.uses.to_string());
    render::line(&format!(
        "{} {name} {version}: write `uses: {first}`; `windflow plugins show {name}` explains it",
        render::status("installed"),
    ));
}

/// Shows that it goes on, and for how long: the engine of a language takes many seconds on all processors, and how much of it is left
/// nobody knows.
fn compiling(bytes: usize) -> ProgressBar {
    render::line("");
    let size = render::bytes(u64::try_from(bytes).unwrap_or(u64::MAX));
    let text = format!("compiling {size} for this machine");
    let bar = ProgressBar::new_spinner().with_message(text.clone());
    if let Ok(look) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
        bar.set_style(look);
    }
    if bar.is_hidden() {
        render::line(&text);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// What does not run here is not installed; what does has its code kept, so that the first run need not wait.
fn compile(global: &Global, bytes: &[u8]) -> anyhow::Result<()> {
    let config = HostConfig { cache_dir: Some(cache_dir(global, &data_dir(global)?)), ..HostConfig::default() };
    let host = windflow_host::PluginHost::new(config)?;
    let installed = host.install(bytes.to_vec())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some((_, one)) = installed.first() {
        let component = one.component;
        runtime.block_on(host.compile(&component)).map_err(|why| invalid(format!("nothing was installed: {why}")))?;
    }
    Ok(())
}

pub(super) fn remove(global: &Global, name: &str) -> anyhow::Result<()> {
    let mut installed = Installed::open(&data_dir(global)?)?;
    let entry = installed.remove(name)?;
    render::line(&format!(
        "{} {} {}; workflows that use it no longer validate, and runs that began with it cannot go on",
        render::status("removed"),
        entry.name,
        entry.version
    ));
    Ok(())
}
