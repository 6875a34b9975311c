//! Workflows of a server that would not fit a plugin any more, as the data folder knows them while no server runs on it.

use windflow_core::id::OrganisationId;
use windflow_core::ports::plugins::PluginBefore;
use windflow_package::Package;
use windflow_server::unfit;

use crate::cli::Global;
use crate::engine::{checker, data_dir, open_store};
use crate::installed::preview;

/// Tells them beside what grew.
///
/// # Errors
/// Where the data folder is not known, or an installed plugin cannot be read.
pub(super) fn find(global: &Global, package: &Package, before: &mut PluginBefore) -> anyhow::Result<Option<String>> {
    if !data_dir(global)?.join("store").exists() {
        return Ok(None);
    }
    let registry = checker(global)?;
    let offered = preview::offers(package.clone());
    let found = open_store(global)
        .map_err(|error| format!("{error:#}"))
        .and_then(|store| unfit(&store, &OrganisationId::local(), &registry, &offered));
    Ok(match found {
        Ok(found) => {
            (before.unfit, before.unfit_more) = (found.workflows, found.more);
            None
        }
        Err(why) => Some(format!(
            "  Whether the workflows of this data folder would still fit is not known: {why}\n  `windflow plugins install FILE|URL --server URL` asks the server that runs on it"
        )),
    })
}
