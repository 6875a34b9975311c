//! Guests that want out of the scratch folder of their run, or want all of the disk.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use windflow_core::failure::FailureKind::Node;
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::files::{FileStore, MAX_FILES_BYTES};
use windflow_host::PluginHost;
use windflow_store::{FileOptions, FolderFiles};

use crate::support::{Attempt, CONTRACTS, Contract, host};

fn files(folder: &Path) -> Arc<FolderFiles> {
    Arc::new(FolderFiles::new(folder.join("data/files"), FileOptions { leave_free: 0 }))
}

fn using(contract: Contract) -> PluginHost {
    let host = host();
    host.install(contract.guest("files", &json!({ "files": true }))).unwrap();
    host
}

fn attempt(files: &Arc<FolderFiles>, what: &str) -> Attempt {
    let mut attempt = Attempt::of("files").config(what);
    attempt.grants.files = true;
    attempt.files = Some(Arc::clone(files) as Arc<dyn FileStore>);
    attempt
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder_of_the_run() {
    for contract in CONTRACTS {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "\"secret\"").unwrap();
        let (host, files) = (using(*contract), files(folder.path()));
        // Another run's, in the folder beside.
        let other: RunId = "01890000-0000-7000-8000-000000000001".parse().unwrap();
        let other = RunKey { organisation: OrganisationId::local(), run: other };
        files.write(&other, &"theirs".parse().unwrap(), 0, b"\"theirs\"").unwrap();
        let beside = format!("../{}/theirs", other.run);
        let absolute = folder.path().join("secret").display().to_string();
        let long = "a".repeat(100_000);
        let deep = "a/".repeat(60_000) + "b";
        for path in [
            "../../../../secret",
            "../secret",
            "..",
            ".",
            "/etc/passwd",
            "a/../../secret",
            "..\\..\\secret",
            "C:\\secret",
            "//x/y",
            "a\0b",
            "a//b",
            "a/",
            "%2e%2e/",
            "unfinished/",
            &beside,
            &absolute,
            &long,
            &deep,
        ] {
            for what in ["r", "w", "l", "d", "f", "o"] {
                let config = format!("{what}{path}");
                let failed = attempt(&files, &config).run(&host).await;
                assert!(failed.is_err(), "{what} {path:?} gave {failed:?}");
            }
        }
        // Names of the engine's own are names like others to a guest.
        for path in ["unfinished", "theirs", "local", "%2e%2e", "~", "..."] {
            attempt(&files, &format!("r{path}")).fails(&host, Node, "not_found").await;
            attempt(&files, &format!("w{path}")).gives(&host, "\"seen\"").await;
            attempt(&files, &format!("r{path}")).gives(&host, "\"seen\"").await;
        }
        assert_eq!(files.read(&other, &"theirs".parse().unwrap(), 0, 99).unwrap(), b"\"theirs\"");
        assert_eq!(std::fs::read_to_string(folder.path().join("secret")).unwrap(), "\"secret\"");
        let mut there: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        there.sort();
        assert_eq!(there, ["data", "secret"]);
    }
}

#[tokio::test]
async fn who_writes_without_end_is_stopped_and_leaves_room_to_others() {
    for contract in CONTRACTS {
        let folder = tempfile::tempdir().unwrap();
        let (host, files) = (using(*contract), files(folder.path()));
        let run: RunId = "01890000-0000-7000-8000-000000000000".parse().unwrap();
        let run = RunKey { organisation: OrganisationId::local(), run };
        // Several nodes of one run at the same time have no more than one has.
        let floods = ["fa", "fb", "fc"].map(|what| attempt(&files, what));
        let [a, b, c] = &floods;
        let ended = futures::join!(a.run(&host), b.run(&host), c.run(&host));
        for failure in [ended.0, ended.1, ended.2] {
            let failure = failure.unwrap_err();
            assert!(failure.kind == Node && failure.message.contains("64 MiB"), "{failure}");
        }
        let bytes: u64 = files.list(&run, None).unwrap().iter().map(|file| file.bytes).sum();
        assert!(bytes <= MAX_FILES_BYTES && bytes > MAX_FILES_BYTES - (1 << 20), "{bytes}");
        attempt(&files, "oa").fails(&host, Node, "bytes long").await;
        attempt(&files, "ma").fails(&host, Node, "8 MiB").await;
        attempt(&files, "d").gives(&host, "3").await;
        attempt(&files, "wa").gives(&host, "\"seen\"").await;
        files.forget(&run).unwrap();
        // Who comes too late finds nothing of it, and no other run's.
        attempt(&files, "ra").fails(&host, Node, "not_found").await;
    }
}
