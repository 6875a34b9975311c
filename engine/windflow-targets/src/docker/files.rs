//! Secrets and configs are written into a container before it starts.

use bollard::query_parameters::UploadToContainerOptionsBuilder;
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::project::File;

use super::{DockerTarget, errors};

pub(super) async fn write(target: &DockerTarget, container: &str, files: &[File]) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let archive = archive(files).map_err(|error| DriverError::new("files", format!("secrets and configs: {error}")))?;
    let options = UploadToContainerOptionsBuilder::default().path("/").build();
    let body = bollard::body_full(archive.into());
    target.docker.upload_to_container(container, Some(options), body).await.map_err(|error| {
        let error = errors::of(&error);
        DriverError { message: format!("secrets and configs cannot be written: {}", error.message), ..error }
    })
}

fn archive(files: &[File]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.content.len() as u64);
        header.set_mode(file.mode);
        header.set_uid(file.uid);
        header.set_gid(file.gid);
        archive.append_data(&mut header, file.target.trim_start_matches('/'), file.content.as_bytes())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_beside_the_root() {
        let file = |target: &str| File { target: target.into(), content: "x".into(), mode: 0o400, uid: 1, gid: 2 };
        assert!(archive(&[file("/run/secrets/key")]).is_ok());
        assert!(archive(&[file("/../etc/passwd")]).is_err());
    }
}
