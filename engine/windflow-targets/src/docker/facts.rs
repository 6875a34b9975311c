//! What an engine is like.

use bollard::Docker;
use windflow_stacks::driver::{Facts, Result};

use super::errors;

pub(super) async fn facts(docker: &Docker) -> Result<Facts> {
    let info = docker.info().await.map_err(|error| errors::of(&error))?;
    let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    let text = |text: Option<String>| text.unwrap_or_default();
    Ok(Facts {
        engine: format!("Docker {}", text(info.server_version)),
        platform: format!("{} {}", text(info.operating_system), text(info.architecture)),
        cpus: number(info.ncpu),
        memory: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
        running: number(info.containers_running),
        containers: number(info.containers),
        images: number(info.images),
    })
}
