//! How much of its disk an engine uses. Engines of different ages tell it in different words, of which the client knows the youngest alone:
//! it is asked in an older version of the interface, which all of them speak.

use std::time::Duration;

use serde::Deserialize;
use windflow_stacks::driver::{DriverError, Result};

use super::DockerTarget;
use super::connect::get;

/// How long an engine may take to count.
const COUNT: Duration = Duration::from_secs(20);

/// Bytes of the answer, which names everything that there is.
const LONGEST: usize = 16 << 20;

/// The youngest version that tells it in the old words, and that young engines still speak.
const VERSION: (usize, usize) = (1, 44);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Used {
    layers_size: i64,
    containers: Option<Vec<Container>>,
    volumes: Option<Vec<Volume>>,
    build_cache: Option<Vec<Cache>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Container {
    size_rw: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Volume {
    usage_data: Option<Cache>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Cache {
    size: i64,
}

impl Used {
    /// Bytes in all. What was not counted is below nothing.
    fn bytes(&self) -> u64 {
        let containers = self.containers.iter().flatten().map(|one| one.size_rw);
        let volumes = self.volumes.iter().flatten().filter_map(|one| one.usage_data.as_ref()).map(|used| used.size);
        let cache = self.build_cache.iter().flatten().map(|one| one.size);
        let all = [self.layers_size].into_iter().chain(containers).chain(volumes).chain(cache);
        all.filter_map(|bytes| u64::try_from(bytes).ok()).fold(0, u64::saturating_add)
    }
}

pub(super) async fn disk(target: &DockerTarget) -> Result<u64> {
    let speaks = target.docker.client_version();
    let (major, minor) = (speaks.major_version, speaks.minor_version).min(VERSION);
    let unknown = |why: &dyn std::fmt::Display| {
        DriverError::new("unreachable", format!("the engine does not say how much of its disk is used: {why}"))
            .may_help()
    };
    let path = format!("/v{major}.{minor}/system/df");
    let answer = tokio::time::timeout(COUNT, get(&target.way, &path, LONGEST)).await;
    let answer = answer.map_err(|_| unknown(&"it takes too long to count"))?.map_err(|error| unknown(&error))?;
    serde_json::from_slice::<Used>(&answer).map(|used| used.bytes()).map_err(|error| unknown(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_what_there_is_of_everything() {
        let told = r#"{"LayersSize":1000,"Images":[{"Size":1000}],"Containers":[{"SizeRw":20},{}],
            "Volumes":[{"UsageData":{"Size":300,"RefCount":1}},{"UsageData":{"Size":-1}},{}],"BuildCache":null}"#;
        assert_eq!(serde_json::from_str::<Used>(told).unwrap().bytes(), 1320);
        assert_eq!(serde_json::from_str::<Used>("{}").unwrap().bytes(), 0);
    }
}
