//! Compiled code on disk: used where it is as the host wrote it, and never otherwise.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use windflow_host::HostConfig;

use crate::support::{Attempt, host_with};

/// A folder with the code of the echo guest in it.
async fn warm() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("code");
    run(&cache).await;
    (folder, cache)
}

/// Runs the guest in a new host with this cache.
async fn run(cache: &Path) {
    let host = host_with(HostConfig { cache_dir: Some(cache.to_owned()), ..HostConfig::default() }, "echo");
    Attempt::of("echo").gives(&host, "{}").await;
}

fn code(cache: &Path) -> PathBuf {
    let mut found = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.extension().is_some_and(|extension| extension == "cwasm")).unwrap()
}

/// The file's identity: another one where the code was compiled and written again.
fn identity(path: &Path) -> (u64, Vec<u8>) {
    (fs::symlink_metadata(path).unwrap().ino(), fs::read(path).unwrap())
}

#[tokio::test]
async fn code_is_kept_and_used() {
    let (_folder, cache) = warm().await;
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in fs::read_dir(&cache).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 2, "the key and the code");
    let before = identity(&code(&cache));
    run(&cache).await;
    assert_eq!(identity(&code(&cache)), before);
}

/// Changes the folder, runs again, and expects that the guest works and the code was written anew.
async fn check(change: impl FnOnce(&Path)) {
    let (_folder, cache) = warm().await;
    change(&code(&cache));
    let before = identity(&code(&cache));
    run(&cache).await;
    let after = identity(&code(&cache));
    assert_ne!(after.0, before.0, "the changed file was used");
    run(&cache).await;
    assert_eq!(identity(&code(&cache)), after);
}

#[tokio::test]
async fn changed_code_is_never_loaded() {
    check(|path| {
        let mut content = fs::read(path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        fs::write(path, content).unwrap();
    })
    .await;
    check(|path| fs::write(path, b"").unwrap()).await;
    check(|path| {
        let content = fs::read(path).unwrap();
        fs::write(path, &content[..content.len() - 1]).unwrap();
    })
    .await;
    check(|path| fs::write(path, vec![0; 100_000]).unwrap()).await;
}

#[tokio::test]
async fn a_file_that_others_may_write_is_not_loaded() {
    check(|path| fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap()).await;
}

#[tokio::test]
async fn a_link_is_not_followed() {
    check(|path| {
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(path, &elsewhere).unwrap();
        symlink(&elsewhere, path).unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_code_of_another_component_does_not_pass() {
    let (_folder, cache) = warm().await;
    let host = host_with(HostConfig { cache_dir: Some(cache.clone()), ..HostConfig::default() }, "counter");
    let echo = code(&cache);
    Attempt::of("counter").gives(&host, "1").await;
    let counter = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
    let counter: Vec<_> = counter.filter(|path| *path != echo && path.extension().is_some()).collect();
    fs::copy(&counter[0], &echo).unwrap();
    run(&cache).await;
}

#[tokio::test]
async fn a_folder_that_is_not_private_is_not_used() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("code");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    run(&cache).await;
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);

    let link = folder.path().join("link");
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&cache, &link).unwrap();
    run(&link).await;
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
    run(&folder.path().join("file/that/is/made")).await;
}

#[tokio::test]
async fn a_new_key_makes_old_code_worthless_and_a_damaged_one_is_told() {
    check(|path| fs::remove_file(path.with_file_name("key")).unwrap()).await;
    let (_folder, cache) = warm().await;
    fs::write(cache.join("key"), b"short").unwrap();
    run(&cache).await;
}
