//! The plugins that were installed beside those of the binary: a folder of packages, and a record of what was agreed to.
//!
//! What was agreed to holds for the digest of a package. A file that has another one by now is not loaded.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use windflow_core::id::Digest;
use windflow_core::manifest::Manifest;
use windflow_host::PluginHost;
use windflow_package::{MAX_PACKAGE_BYTES, Package};

pub(crate) use self::preview::read;
pub(crate) use self::record::{Entry, Source};
use self::record::{Former, Record};
pub(crate) use self::served::ServedPlugins;
use crate::builtins;
use crate::exit::invalid;

pub(crate) mod preview;
mod record;
mod served;
pub(crate) mod squatting;

/// Former versions that are kept of a plugin, for runs that pinned them.
const FORMER: usize = 5;

/// The folder, as it was when it was read.
pub(crate) struct Installed {
    folder: PathBuf,
    record: Record,
}

impl Installed {
    /// What a data folder holds; nothing where nothing was installed yet.
    ///
    /// # Errors
    /// Where the record cannot be read.
    pub(crate) fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let folder = data_dir.join("plugins");
        let record = Record::read(&folder)?;
        Ok(Self { folder, record })
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.record.plugins
    }

    /// Those of a name (`greet`, or `greet@1`).
    fn named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        let fits =
            move |entry: &&Entry| entry.name == name || format!("{}@{}", entry.name, entry.version.major) == name;
        self.record.plugins.iter().filter(fits)
    }

    /// The plugin of a name (`greet`, or `greet@1`).
    ///
    /// # Errors
    /// Where there is none, or several of that name.
    pub(crate) fn find(&self, name: &str) -> anyhow::Result<&Entry> {
        let mut found = self.named(name);
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry),
            (Some(_), Some(_)) => {
                Err(invalid(format!("several versions of {name} are installed: say which, as in {name}@1")))
            }
            (None, _) if builtins::COMPONENTS.iter().any(|built_in| built_in.name == name) => {
                Err(invalid(format!("{name} is part of this binary: it is neither updated by itself nor removed")))
            }
            (None, _) => {
                let names = self.record.plugins.iter().map(|entry| entry.name.as_str());
                let hint = windflow_core::problem::did_you_mean(name, names).unwrap_or_default();
                Err(invalid(format!("no plugin {name} was installed; {hint} `windflow plugins list` shows them")))
            }
        }
    }

    /// What a plugin would take the place of: the same name and major version, else an earlier one of the same name.
    pub(crate) fn before(&self, manifest: &Manifest) -> Option<&Entry> {
        let same_name = || self.record.plugins.iter().filter(|entry| entry.name == manifest.plugin.name);
        let major = manifest.plugin.version.major;
        same_name()
            .find(|entry| entry.version.major == major)
            .or_else(|| same_name().max_by_key(|entry| &entry.version))
    }

    /// Reads a package, and checks that it is the one that was agreed to.
    pub(crate) fn read(&self, component: &Digest) -> anyhow::Result<Vec<u8>> {
        let path = self.path(component);
        let shown = path.display();
        let file = File::open(&path).with_context(|| format!("{shown}"))?;
        let mut bytes = Vec::new();
        file.take(MAX_PACKAGE_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(|| format!("{shown}"))?;
        if Digest::of(&bytes) != *component {
            anyhow::bail!("{shown} was changed since it was installed, so that nobody agreed to what it may touch now");
        }
        Ok(bytes)
    }

    /// Hands all to a host that has the built-in ones already. What cannot be loaded is told and left out: its workflows do
    /// not validate, all others run.
    ///
    /// # Errors
    /// Where a built-in plugin is broken.
    pub(crate) fn load_into(&self, host: &PluginHost) -> anyhow::Result<()> {
        if self.record.plugins.is_empty() {
            return Ok(());
        }
        let own = squatting::own()?;
        for entry in &self.record.plugins {
            let load = || -> anyhow::Result<()> {
                for former in &entry.former {
                    // Only runs that pinned it miss it.
                    if let Ok(bytes) = self.read(&former.component) {
                        host.keep(bytes)?;
                    }
                }
                let bytes = self.read(&entry.component)?;
                squatting::refuse(&windflow_package::read(&bytes)?.manifest, &own, &[])?;
                host.install(bytes)?;
                Ok(())
            };
            if let Err(error) = load() {
                let name = &entry.name;
                crate::render::line(&format!(
                    "warning: the plugin {name} is left out: {error:#}. Install it again, or `windflow plugins remove {name}`"
                ));
            }
        }
        Ok(())
    }

    /// Keeps a package that was agreed to, in the place of the one of the same name and major version.
    ///
    /// # Errors
    /// Where it cannot be written; then nothing has changed.
    pub(crate) fn add(&mut self, package: &Package, bytes: &[u8], source: Source) -> anyhow::Result<()> {
        let (_lock, manifest) = (self.lock()?, &package.manifest);
        self.write(&self.path(&package.digest), bytes)?;
        let ours =
            |entry: &Entry| entry.name == manifest.plugin.name && entry.version.major == manifest.plugin.version.major;
        let mut former = Vec::new();
        if let Some(at) = self.record.plugins.iter().position(ours) {
            let old = self.record.plugins.remove(at);
            former.push(Former { version: old.version, component: old.component });
            former.extend(old.former);
            former.retain(|former| former.component != package.digest);
        }
        let dropped = former.split_off(former.len().min(FORMER));
        self.record.plugins.push(Entry {
            name: manifest.plugin.name.clone(),
            version: manifest.plugin.version.clone(),
            component: package.digest,
            source,
            installed_at: crate::deploying::now(),
            capabilities: manifest.capabilities.clone(),
            pure: package.pure,
            former,
        });
        self.record.plugins.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        self.keep()?;
        self.forget(&dropped);
        Ok(())
    }

    /// Removes a plugin with its former versions.
    ///
    /// # Errors
    /// As [`Installed::find`], and where it cannot be written.
    pub(crate) fn remove(&mut self, name: &str) -> anyhow::Result<Entry> {
        let _lock = self.lock()?;
        let component = self.find(name)?.component;
        let at = self.record.plugins.iter().position(|entry| entry.component == component).context("it is gone")?;
        let entry = self.record.plugins.remove(at);
        self.keep()?;
        self.forget(&entry.former);
        self.forget(&[Former { version: entry.version.clone(), component: entry.component }]);
        Ok(entry)
    }

    fn path(&self, component: &Digest) -> PathBuf {
        self.folder.join(format!("{}.wasm", component.to_string().trim_start_matches("sha256:")))
    }

    /// Keeps others from changing the folder, and takes up what they changed before.
    fn lock(&mut self) -> anyhow::Result<File> {
        let shown = self.folder.display().to_string();
        fs::create_dir_all(&self.folder).with_context(|| shown.clone())?;
        let lock = File::create(self.folder.join("lock")).with_context(|| shown.clone())?;
        lock.lock().with_context(|| shown)?;
        self.record = Record::read(&self.folder)?;
        Ok(lock)
    }

    fn keep(&self) -> anyhow::Result<()> {
        self.write(&self.folder.join(record::FILE), self.record.text()?.as_bytes())
    }

    /// Whole or not at all, and on the disk before it counts.
    fn write(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let write = || -> std::io::Result<()> {
            let mut new = tempfile::NamedTempFile::new_in(&self.folder)?;
            new.write_all(bytes)?;
            new.as_file().sync_all()?;
            new.persist(path).map_err(|error| error.error)?;
            File::open(&self.folder)?.sync_all()
        };
        write().with_context(|| format!("{}", path.display()))
    }

    /// Deletes packages that no plugin names any more. One that stays does no harm.
    fn forget(&self, gone: &[Former]) {
        let named = |component: &Digest| {
            let all = self.record.plugins.iter();
            all.flat_map(|entry| entry.former.iter().map(|former| &former.component).chain([&entry.component]))
                .any(|other| other == component)
        };
        for former in gone.iter().filter(|former| !named(&former.component)) {
            let _ = fs::remove_file(self.path(&former.component));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plugin with the code of `condition` under the name `fork`.
    pub(super) fn fork(version: &str) -> Vec<u8> {
        let condition = builtins::COMPONENTS.iter().find(|it| it.name == "condition").unwrap().bytes;
        let mut manifest = windflow_package::read(condition).unwrap().manifest;
        manifest.plugin.name = "fork".into();
        manifest.plugin.version = version.parse().unwrap();
        let node = manifest.nodes.shift_remove("condition").unwrap();
        manifest.nodes.insert("fork".into(), node);
        windflow_package::pack(condition, &manifest).unwrap()
    }

    fn package(version: &str) -> (Package, Vec<u8>) {
        let bytes = fork(version);
        (windflow_package::read(&bytes).unwrap(), bytes)
    }

    fn source() -> Source {
        Source::File("/somewhere/fork.wasm".into())
    }

    #[test]
    fn a_later_version_takes_the_place_and_the_former_is_kept_for_its_runs() {
        let data = tempfile::tempdir().unwrap();
        let mut installed = Installed::open(data.path()).unwrap();
        let (one, two, next) = (package("1.0.0"), package("1.1.0"), package("2.0.0"));
        for (package, bytes) in [&one, &two, &next] {
            installed.add(package, bytes, source()).unwrap();
        }
        let installed = Installed::open(data.path()).unwrap();
        let versions: Vec<_> = installed.entries().iter().map(|entry| entry.version.to_string()).collect();
        assert_eq!(versions, ["1.1.0", "2.0.0"]);
        assert_eq!(installed.entries()[0].former[0].component, one.0.digest);
        assert!(installed.find("fork").unwrap_err().to_string().contains("fork@1"));
        let host = crate::engine::host_of(windflow_host::HostConfig::default(), None).unwrap();
        installed.load_into(&host).unwrap();
        let get = |uses: &str| windflow_core::ports::host::Registry::get(&host, &uses.parse().unwrap());
        assert_eq!(get("fork@1").unwrap().component, two.0.digest);
        assert_eq!(get("fork@2").unwrap().component, next.0.digest);
    }

    #[test]
    fn going_back_to_a_former_version_is_going_back() {
        let data = tempfile::tempdir().unwrap();
        let mut installed = Installed::open(data.path()).unwrap();
        let (one, two) = (package("1.0.0"), package("1.1.0"));
        for (package, bytes) in [&one, &two, &one] {
            installed.add(package, bytes, source()).unwrap();
        }
        let host = crate::engine::host_of(windflow_host::HostConfig::default(), None).unwrap();
        installed.load_into(&host).unwrap();
        let now = windflow_core::ports::host::Registry::get(&host, &"fork@1".parse().unwrap()).unwrap();
        assert_eq!(now.component, one.0.digest);
        installed.remove("fork").unwrap();
        let left: Vec<_> =
            fs::read_dir(data.path().join("plugins")).unwrap().flatten().map(|it| it.file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".wasm")), "{left:?}");
    }

    #[test]
    fn what_was_changed_since_is_not_loaded() {
        let data = tempfile::tempdir().unwrap();
        let mut installed = Installed::open(data.path()).unwrap();
        let (package, bytes) = package("1.0.0");
        installed.add(&package, &bytes, source()).unwrap();
        let path = installed.path(&package.digest);
        let mut changed = bytes.clone();
        *changed.last_mut().unwrap() ^= 1;
        for wrong in [changed, bytes[..bytes.len() / 2].to_vec(), Vec::new()] {
            fs::write(&path, wrong).unwrap();
            assert!(installed.read(&package.digest).unwrap_err().to_string().contains("was changed"));
            let host = crate::engine::host_of(windflow_host::HostConfig::default(), None).unwrap();
            installed.load_into(&host).unwrap();
            assert!(windflow_core::ports::host::Registry::get(&host, &"fork@1".parse().unwrap()).is_none());
        }
    }
}
