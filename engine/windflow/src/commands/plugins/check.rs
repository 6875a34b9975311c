//! `windflow plugins check`

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use windflow_core::manifest::{Manifest, Text, reach};
use windflow_host::{HostConfig, PluginHost};
use windflow_package::Package;

use super::{build, fetch};
use crate::cli::{CheckPluginArgs, Global};
use crate::exit::{self, invalid};
use crate::installed::squatting;
use crate::render;

/// Above this, loading and compiling begin to be felt.
const LARGE: usize = 4 << 20;

/// What was found.
#[derive(Default)]
struct Found {
    /// It cannot be installed.
    errors: Vec<String>,
    /// It could be better.
    warnings: Vec<String>,
}

pub(super) fn run(global: &Global, args: &CheckPluginArgs) -> anyhow::Result<ExitCode> {
    let folder = args.path.is_dir().then_some(&*args.path);
    let (package, bytes) = match folder {
        Some(folder) => {
            let built = build::from_folder(global, folder, None)?;
            (built.package, built.bytes)
        }
        None => {
            let bytes = fetch::read(&args.path)?;
            let read = windflow_package::read(&bytes);
            (read.map_err(|error| invalid(format!("{}: {error}", args.path.display())))?, bytes)
        }
    };
    let length = bytes.len();
    let mut found = Found::default();
    found.manifest(&package.manifest);
    found.unused(&package);
    found.runs(bytes)?;
    if let Some(folder) = folder {
        found.folder(folder);
    }
    if length > LARGE {
        found
            .warnings
            .push(format!("it has {}: the first run waits until it is compiled", render::bytes(length as u64)));
    }
    let own = squatting::own()?;
    if let Err(taken) = squatting::refuse(&package.manifest, &own, &[]) {
        found.errors.push(taken.to_string());
    }
    found.warnings.extend(squatting::alike(&package.manifest, &own).iter().map(squatting::alike_told));
    tell(args, &package, length, &found)?;
    Ok(ExitCode::from(if found.errors.is_empty() { 0 } else { exit::INVALID }))
}

fn tell(args: &CheckPluginArgs, package: &Package, length: usize, found: &Found) -> anyhow::Result<()> {
    let (plugin, reach) = (&package.manifest.plugin, reach(&package.manifest.capabilities, package.pure));
    if args.json {
        return render::json(&json!({
            "plugin": plugin, "component": package.digest, "bytes": length, "pure": package.pure, "imports": package.imports,
            "capabilities": package.manifest.capabilities, "reach": reach, "errors": found.errors, "warnings": found.warnings,
        }));
    }
    let mut text = format!("{} {}\n", plugin.name, plugin.version);
    let imports =
        if package.imports.is_empty() { "nothing".to_owned() } else { package.imports.join("\n            ") };
    text.push_str(&format!(
        "  may touch {}\n  imports   {imports}\n  size      {}\n  digest    {}",
        reach.get("en"),
        render::bytes(length as u64),
        package.digest
    ));
    render::result(&text)?;
    found.errors.iter().for_each(|error| render::error(error));
    found.warnings.iter().for_each(|warning| render::line(&format!("warning: {warning}")));
    if found.errors.is_empty() {
        render::line(&format!("{} it can be installed", render::status("valid")));
    }
    Ok(())
}

impl Found {
    fn manifest(&mut self, manifest: &Manifest) {
        let mut french = |what: &str, text: &Text| {
            if !text.is_empty() && !text.0.contains_key("fr") {
                self.warnings.push(format!("{what} has no French text: add it beside the English one, `fr = \"…\"`"));
            }
        };
        french("plugin.description", &manifest.plugin.description);
        for (name, node) in &manifest.nodes {
            french(&format!("node.{name}.title"), &node.title);
            french(&format!("node.{name}.description"), &node.description);
        }
        if manifest.plugin.license.is_none() {
            self.warnings.push("plugin.license is missing: others do not know whether they may use it".into());
        }
        for (name, node) in &manifest.nodes {
            if let Err(error) = node.config_checker() {
                self.errors.push(format!("node.{name}.config is no JSON Schema: {error}"));
            }
            if let Some(Err(error)) = node.output.as_ref().map(windflow_core::schema::Checker::new) {
                self.errors.push(format!("node.{name}.output is no JSON Schema: {error}"));
            }
            for (field, schema) in node.config["properties"].as_object().into_iter().flatten() {
                if schema.get("description").is_none() {
                    self.warnings.push(format!("node.{name}.config: the field `{field}` has no description"));
                }
            }
        }
    }

    /// Whoever installs it is told of everything that the manifest asks for: what is not used only frightens.
    fn unused(&mut self, package: &Package) {
        let asked = package.manifest.capabilities.list();
        for capability in asked.iter().map(ToString::to_string) {
            let interface = match capability.as_str() {
                // Neither is imported: the host does it.
                "credentials" | "hands_files" => continue,
                "http" => "wasi:http/".to_owned(),
                "clock" => "wasi:clocks/".to_owned(),
                "random" => "wasi:random/".to_owned(),
                other => format!("windflow:node/{}@", other.replace('_', "-")),
            };
            if !package.imports.iter().any(|import| import.starts_with(&interface)) {
                self.warnings
                    .push(format!("capabilities.{capability} is asked for and not used: leave it out of plugin.toml"));
            }
        }
        if asked.is_empty() && !package.pure {
            self.warnings
                .push("it asks for nothing and imports WASI, so that each of its nodes waits for the disk".into());
        }
    }

    /// Compiles it; nothing of it is run.
    fn runs(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        let host = PluginHost::new(HostConfig::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let installed = host.install(bytes)?;
        if let Some((_, one)) = installed.first()
            && let Err(why) = runtime.block_on(host.compile(&one.component))
        {
            self.errors.push(why);
        }
        Ok(())
    }

    fn folder(&mut self, folder: &Path) {
        if !folder.join("README.md").is_file() {
            self.warnings.push("there is no README.md: say what it does, with an example".into());
        }
        if !folder.join("cases").is_dir() {
            self.warnings.push("there are no cases: `windflow plugins test --help` says how one looks".into());
        }
    }
}
