//! `windflow plugins new`, `build` and `pack`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use windflow_build::{Workspace, manifest_of, outsider};
use windflow_core::id::NodeTypeRef;
use windflow_core::manifest::reach;
use windflow_package::Package;

use crate::cli::{BuildPluginArgs, Global, NewPluginArgs, PackPluginArgs};
use crate::engine::data_dir;
use crate::exit::invalid;
use crate::installed::squatting;
use crate::render;
use crate::starter::{self, Sdk};

pub(super) fn new(args: &NewPluginArgs) -> anyhow::Result<()> {
    let name = &args.name;
    if format!("{name}@1").parse::<NodeTypeRef>().is_err() {
        return Err(invalid(format!(
            "{name:?} is no name of a plugin: begin with a letter and use a-z, 0-9 and -, 64 at most"
        )));
    }
    if squatting::own()?.contains(name) {
        return Err(invalid(format!("windflow itself offers a node type {name}: choose another name")));
    }
    let folder = Path::new(name);
    if folder.exists() {
        return Err(invalid(format!("{name} is there already: choose another name, or move it away")));
    }
    for (path, text) in starter::files(name, &sdk(args.sdk.as_deref())?) {
        let path = folder.join(path);
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(&path, text)
        };
        write().with_context(|| format!("{}", path.display()))?;
    }
    touch_schemas(&folder.join("schema"))?;
    render::line(&format!(
        "{} {name}/: the node is src/lib.rs, what people see of it plugin.toml\n\nGo on with:\n  \
         windflow plugins install {name}    # build it, and make it a node type of your workflows\n  \
         windflow run {name}/example.yaml\n\n`windflow plugins test {name}` runs its cases.",
        render::status("begun")
    ));
    Ok(())
}

/// They are those of the types as they are now: nothing has to be made anew before the first build.
fn touch_schemas(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        std::fs::File::options().append(true).open(entry?.path())?.set_modified(std::time::SystemTime::now())?;
    }
    Ok(())
}

fn sdk(wanted: Option<&str>) -> anyhow::Result<Sdk> {
    let Some(wanted) = wanted else { return Ok(Sdk::Own) };
    if semver::VersionReq::parse(wanted).is_ok() {
        return Ok(Sdk::Version(wanted.to_owned()));
    }
    // The crate itself, the folder `sdk`, or the checkout.
    let crates = [".", "rust", "sdk/rust"].map(|inside| Path::new(wanted).join(inside));
    let found = crates.iter().find(|folder| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.contains("name = \"windflow-sdk\"")
    });
    let found = found.and_then(|folder| folder.canonicalize().ok()).ok_or_else(|| {
        invalid(format!(
            "--sdk {wanted}: neither a version nor a folder with the crate windflow-sdk; leave it out to get a copy"
        ))
    })?;
    Ok(Sdk::Folder(found.display().to_string()))
}

/// A plugin that was built from its folder.
pub(super) struct Built {
    pub(super) package: Package,
    pub(super) bytes: Vec<u8>,
    /// Where it lies.
    pub(super) file: PathBuf,
}

pub(super) fn build(global: &Global, args: &BuildPluginArgs) -> anyhow::Result<()> {
    let built = from_folder(global, &args.folder, args.out.clone())?;
    told(&built.package, built.bytes.len(), &built.file);
    Ok(())
}

/// Builds the plugin of a folder.
pub(super) fn from_folder(global: &Global, folder: &Path, out: Option<PathBuf>) -> anyhow::Result<Built> {
    if !folder.join("plugin.toml").is_file() {
        return Err(invalid(format!("{} is no plugin's folder: it has no plugin.toml", folder.display())));
    }
    if !folder.join("Cargo.toml").is_file() {
        return Err(invalid(format!(
            "{} has no Cargo.toml: build it with the tools of its language, then `windflow plugins pack COMPONENT` makes a plugin of it",
            folder.display()
        )));
    }
    let workspace = of_plugin(Workspace::find(Some(folder)))?;
    let guest = of_plugin(workspace.guest(folder))?;
    of_plugin(guest.update_schemas(&workspace.target))?;
    // What is wrong with the manifest shows before anything is compiled.
    let name = of_plugin(guest.manifest())?.plugin.name;
    of_plugin(outsider(&guest, &workspace.target, &data_dir(global)?.join("wasm-sysroot")))?;
    let (package, bytes) = of_plugin(guest.pack(&guest.artifact(&workspace.target)))?;
    let file = out.unwrap_or_else(|| folder.join(format!("{name}.wasm")));
    std::fs::write(&file, &bytes).with_context(|| format!("{}", file.display()))?;
    Ok(Built { package, bytes, file })
}

/// What is wrong lies with the plugin, not with the engine.
fn of_plugin<T>(result: Result<T, windflow_build::BuildError>) -> anyhow::Result<T> {
    result.map_err(|error| invalid(error.to_string()))
}

pub(super) fn pack(args: &PackPluginArgs) -> anyhow::Result<()> {
    let (shown, folder) = (args.component.display(), args.manifest.parent().unwrap_or(Path::new("")));
    if args.manifest.file_name().is_none_or(|name| name != "plugin.toml") {
        return Err(invalid(format!("{} is to be called plugin.toml", args.manifest.display())));
    }
    let manifest = of_plugin(manifest_of(folder))?;
    let component = std::fs::read(&args.component).map_err(|error| invalid(format!("{shown}: {error}")))?;
    let bytes = windflow_package::pack(&component, &manifest).map_err(|error| invalid(format!("{shown}: {error}")))?;
    let package = windflow_package::read(&bytes)?;
    let file = args.out.clone().unwrap_or_else(|| format!("{}.wasm", manifest.plugin.name).into());
    if file == args.component {
        let file = file.display();
        return Err(invalid(format!("{file} would be overwritten: say where to write the plugin, --out FILE")));
    }
    std::fs::write(&file, &bytes).with_context(|| format!("{}", file.display()))?;
    told(&package, bytes.len(), &file);
    Ok(())
}

fn told(package: &Package, length: usize, file: &Path) {
    let plugin = &package.manifest.plugin;
    render::line(&format!(
        "{} {} {}: {}, {}\n  {}\n  {}",
        render::status("built"),
        plugin.name,
        plugin.version,
        file.display(),
        render::bytes(length as u64),
        reach(&package.manifest.capabilities, package.pure).get("en"),
        package.digest
    ));
}
