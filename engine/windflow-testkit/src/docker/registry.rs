//! A registry of images of its own for a test, that wants a login.

use std::collections::BTreeSet;
use std::process::Command;

use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/registry.sh");

/// A registry. It ends when it is dropped, and with the process at the latest.
pub struct DockerRegistry {
    host: String,
    folder: TempDir,
}

impl DockerRegistry {
    /// Who may use it, and by which password.
    pub const LOGIN: (&str, &str) = ("ada", "correct-horse");

    /// Installs what is needed, and starts one.
    ///
    /// # Panics
    /// Where none can run here: a test that needs one fails, and says so.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the registry");
        let path = folder.path().to_str().expect("a path in UTF-8");
        let own = std::process::id().to_string();
        let output = Command::new(SCRIPT).args(["start", path, &own, "login"]).output().expect("the script can be run");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no registry could be started here:\n{stderr}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        Self { host: stdout.lines().last().unwrap_or_default().to_owned(), folder }
    }

    /// What names of its images begin with: `127.0.0.1:…`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// The images that a registry has given away, by the names that they were asked for, out of its log: with their host where that is not
/// Docker Hub.
pub(super) fn given(log: &str) -> BTreeSet<String> {
    let image = |line: &str| {
        let (_, asked) = line.split_once("] \"")?;
        let (request, answer) = asked.split_once(" HTTP/1.1\" ")?;
        let place = request.strip_prefix("GET ").or_else(|| request.strip_prefix("HEAD "))?;
        let (host, path) = place.split_once("/v2/")?;
        let (name, tag) = path.split_once("/manifests/")?;
        if !answer.starts_with("200 ") || tag.starts_with("sha256:") {
            return None;
        }
        Some(match host.strip_prefix("http://") {
            Some(host) => format!("{host}/{name}:{tag}"),
            None => format!("{}:{tag}", name.strip_prefix("library/").unwrap_or(name)),
        })
    };
    log.lines().filter_map(image).collect()
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let path = self.folder.path().to_str().unwrap_or_default();
        let _ = Command::new(SCRIPT).args(["stop", path]).status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_away_is_read_from_the_log() {
        let log = r#"time="…" level=info msg="response completed" http.request.method=GET
127.0.0.1 - - [22/Nov/2026:19:23:03 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "docker"
127.0.0.1 - - [22/Nov/2026:19:23:03 +0000] "HEAD /v2/library/postgres/manifests/17 HTTP/1.1" 200 527 "" "docker"
127.0.0.1 - - [22/Nov/2026:19:23:03 +0000] "GET /v2/library/postgres/manifests/sha256:00 HTTP/1.1" 200 527 "" "docker"
127.0.0.1 - - [22/Nov/2026:19:23:03 +0000] "GET /v2/prom/prometheus/manifests/v3 HTTP/1.1" 200 527 "" "docker"
127.0.0.1 - - [22/Nov/2026:19:23:03 +0000] "HEAD http://quay.io/v2/minio/minio/manifests/x HTTP/1.1" 200 527 "" "docker"
127.0.0.1 - - [22/Nov/2026:19:23:03 +0000] "HEAD /v2/library/nosuch/manifests/1 HTTP/1.1" 404 91 "" "docker"
127.0.0.1 - - [22/Nov/2026:19:23:03 +0000] "PUT /v2/library/pushed/manifests/1 HTTP/1.1" 201 0 "" "docker""#;
        let given: Vec<String> = given(log).into_iter().collect();
        assert_eq!(given, ["postgres:17", "prom/prometheus:v3", "quay.io/minio/minio:x"]);
    }
}
