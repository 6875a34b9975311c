//! The plugins of a server: installed and removed while it runs, in its data folder and in its host alike.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::ports::host::InstalledNodeType;
use windflow_core::ports::plugins::{Agreed, InstalledPlugin, PluginError, PluginPreview, Plugins};
use windflow_host::{LoadError, PluginHost};
use windflow_package::PackageError;

use super::{Entry, Installed, Source, preview};
use crate::builtins;

/// Plugins of a data folder that a host offers.
pub(crate) struct ServedPlugins {
    data_dir: PathBuf,
    host: Arc<PluginHost>,
    /// Held by whoever changes what is installed, so that the folder and the host change in the same order.
    turn: Mutex<()>,
}

impl ServedPlugins {
    pub(crate) fn new(data_dir: PathBuf, host: Arc<PluginHost>) -> Self {
        Self { data_dir, host, turn: Mutex::default() }
    }

    /// As it is now: the command line may have changed it.
    fn open(&self) -> Result<Installed, PluginError> {
        Installed::open(&self.data_dir).map_err(unavailable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are handed over so")]
fn unavailable(error: anyhow::Error) -> PluginError {
    PluginError::Unavailable(format!("{error:#}"))
}

fn unloaded(error: LoadError) -> PluginError {
    match error {
        LoadError::Taken { .. } => PluginError::Taken(error.to_string()),
        LoadError::Package(PackageError::ContractVersion { .. }) => PluginError::Contract(error.to_string()),
        other => PluginError::Unfit(other.to_string()),
    }
}

impl From<&Entry> for InstalledPlugin {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.name.clone(),
            version: entry.version.clone(),
            digest: entry.component,
            installed_at: entry.installed_at,
            origin: entry.source.origin(),
        }
    }
}

impl Plugins for ServedPlugins {
    fn installed(&self) -> Result<Vec<InstalledPlugin>, PluginError> {
        Ok(self.open()?.entries().iter().map(Into::into).collect())
    }

    fn preview(&self, package: &[u8]) -> Result<PluginPreview, PluginError> {
        self.open()?.preview(&preview::read(package)?, package.len())
    }

    fn offers(&self, package: &[u8]) -> Result<Vec<(NodeTypeRef, InstalledNodeType)>, PluginError> {
        Ok(preview::offers(preview::read(package)?))
    }

    fn install(&self, package: Vec<u8>, agreed: Agreed) -> Result<bool, PluginError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let read = preview::read(&package)?;
        if read.digest != agreed.digest {
            return Err(PluginError::Other { found: read.digest, agreed: agreed.digest });
        }
        let mut installed = self.open()?;
        let shown = installed.preview(&read, package.len())?;
        if let Some(before) = shown.before.filter(|before| !before.more.is_empty() && !agreed.may_do_more) {
            let more: Vec<&str> = before.more.iter().map(|text| text.get("en")).collect();
            let (name, version, was) = (&shown.name, &shown.version, &before.version);
            let said = format!("{name} {version} may do more than version {was}: {}", more.join("; "));
            return Err(PluginError::Grown(said));
        }
        // What does not run here is not installed. It is offered only once it is durable, since runs begin with it at once.
        let compiled = self.host.compile_new(package.clone()).map_err(unloaded)?;
        self.host.may_offer(&compiled).map_err(unloaded)?;
        if !shown.installed {
            installed.add(&read, &package, Source::Upload).map_err(unavailable)?;
        }
        self.host.offer(&compiled).map_err(unloaded)?;
        Ok(!shown.installed)
    }

    fn find(&self, name: &str) -> Result<InstalledPlugin, PluginError> {
        let installed = self.open()?;
        let mut found = installed.named(name);
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry.into()),
            (Some(_), Some(_)) => Err(PluginError::Several(name.to_owned())),
            (None, _) if builtins::COMPONENTS.iter().any(|built_in| built_in.name == name) => {
                Err(PluginError::BuiltIn(name.to_owned()))
            }
            (None, _) => Err(PluginError::NotInstalled(name.to_owned())),
        }
    }

    fn remove(&self, digest: &Digest) -> Result<(), PluginError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut installed = self.open()?;
        let gone = || PluginError::NotInstalled(digest.to_string());
        let entry = installed.entries().iter().find(|entry| entry.component == *digest).ok_or_else(gone)?;
        let exactly = format!("{}@{}", entry.name, entry.version.major);
        let entry = installed.remove(&exactly).map_err(unavailable)?;
        self.host.withdraw(&entry.name, entry.version.major);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use windflow_core::ports::host::Registry;

    use super::super::tests::fork;
    use super::*;

    fn agreed(package: &[u8]) -> Agreed {
        Agreed { digest: Digest::of(package), may_do_more: false, may_stop_workflows: false }
    }

    #[test]
    fn what_is_installed_is_offered_at_once_and_after_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let host =
            || Arc::new(crate::engine::host_of(windflow_host::HostConfig::default(), Some(data.path())).unwrap());
        let first = host();
        let plugins = ServedPlugins::new(data.path().to_owned(), first.clone());
        let uses: NodeTypeRef = "fork@1".parse().unwrap();
        let (one, two) = (fork("1.0.0"), fork("1.1.0"));
        let seen = first.snapshot().unwrap();
        assert_eq!(plugins.install(one.clone(), agreed(&one)), Ok(true));
        assert_eq!(plugins.install(one.clone(), agreed(&one)), Ok(false), "it is installed already");
        assert!(seen.get(&uses).is_none(), "what somebody looks at changed meanwhile");
        assert_eq!(first.get(&uses).unwrap().component, Digest::of(&one));
        assert_eq!(plugins.install(two.clone(), agreed(&two)), Ok(true));
        assert_eq!(first.get(&uses).unwrap().component, Digest::of(&two));
        assert_eq!(host().get(&uses).unwrap().component, Digest::of(&two));
        // Going back is possible, too.
        assert_eq!(plugins.install(one.clone(), agreed(&one)), Ok(true));
        assert_eq!(first.get(&uses).unwrap().component, Digest::of(&one));

        let found = plugins.find("fork").unwrap();
        plugins.remove(&found.digest).unwrap();
        assert!(first.get(&uses).is_none() && host().get(&uses).is_none());
        assert_eq!(plugins.find("fork"), Err(PluginError::NotInstalled("fork".into())));
        assert_eq!(plugins.find("http"), Err(PluginError::BuiltIn("http".into())));
    }

    #[test]
    fn nothing_is_installed_that_nobody_agreed_to() {
        let data = tempfile::tempdir().unwrap();
        let host = Arc::new(crate::engine::host_of(windflow_host::HostConfig::default(), None).unwrap());
        let plugins = ServedPlugins::new(data.path().to_owned(), host.clone());
        let (one, two) = (fork("1.0.0"), fork("1.1.0"));
        assert!(matches!(plugins.install(two, agreed(&one)), Err(PluginError::Other { .. })));
        let cut = one[..one.len() / 2].to_vec();
        assert!(matches!(plugins.install(cut.clone(), agreed(&cut)), Err(PluginError::Unfit(_))));
        assert!(host.get(&"fork@1".parse().unwrap()).is_none());
        assert_eq!(plugins.installed(), Ok(Vec::new()));
    }
}
