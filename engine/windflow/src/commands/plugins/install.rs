//! `windflow plugins install`, `update` and `remove`.

use windflow_host::HostConfig;

use super::consent;
use super::fetch::{self, Fetched};
use crate::cli::{Global, InstallPluginArgs, UpdatePluginsArgs};
use crate::engine::data_dir;
use crate::exit::invalid;
use crate::installed::{Entry, Installed, squatting};
use crate::render;

pub(super) fn install(global: &Global, args: &InstallPluginArgs) -> anyhow::Result<()> {
    let fetched = fetch::fetch(global, fetch::source(&args.source)?)?;
    if let Some(wanted) = args.digest.filter(|wanted| *wanted != fetched.package.digest) {
        return Err(invalid(format!(
            "{} is not what you expect: its digest is {}, and not {wanted}. Do not install it before you know why",
            args.source, fetched.package.digest
        )));
    }
    let mut installed = Installed::open(&data_dir(global)?)?;
    accept(global, &mut installed, &fetched, args.yes)
}

pub(super) fn update(global: &Global, args: &UpdatePluginsArgs) -> anyhow::Result<()> {
    let mut installed = Installed::open(&data_dir(global)?)?;
    let mut wanted: Vec<Entry> = Vec::new();
    if args.names.is_empty() {
        wanted.extend(installed.entries().iter().cloned());
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
    let plugin = &package.manifest.plugin;
    // One that was damaged meanwhile is put into its place again.
    let same = installed.entries().iter().any(|entry| entry.component == package.digest);
    if same && installed.read(&package.digest).is_ok() {
        render::line(&format!(
            "{} {} {} is installed already",
            render::status("unchanged"),
            plugin.name,
            plugin.version
        ));
        return Ok(());
    }
    let own = squatting::own()?;
    let mut others = Vec::new();
    for entry in installed.entries() {
        // One that is damaged offers nothing.
        if let Ok(package) = installed.read(&entry.component).and_then(|bytes| Ok(windflow_package::read(&bytes)?)) {
            others.push((entry.clone(), package.manifest));
        }
    }
    squatting::refuse(&package.manifest, &own, &others)?;
    let alike = squatting::alike(&package.manifest, &own);
    let before = installed.before(&package.manifest).cloned();
    consent::ask(&consent::describe(fetched, before.as_ref(), &alike), yes)?;
    render::line("\ncompiling it for this machine");
    compile(global, bytes)?;
    installed.add(package, bytes, source.clone())?;
    let nodes: Vec<String> =
        package.manifest.nodes.keys().map(|node| format!("{node}@{}", plugin.version.major)).collect();
    render::line(&format!(
        "{} {} {}: write `uses: {}`; `windflow plugins show {}` explains it",
        render::status("installed"),
        plugin.name,
        plugin.version,
        nodes.first().map_or("", String::as_str),
        plugin.name,
    ));
    Ok(())
}

/// What does not run here is not installed; what does has its code kept, so that the first run need not wait.
fn compile(global: &Global, bytes: &[u8]) -> anyhow::Result<()> {
    let config = HostConfig { cache_dir: Some(data_dir(global)?.join("compiled")), ..HostConfig::default() };
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
