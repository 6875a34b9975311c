//! The workflow that is shipped, from a source to production, on real containers and a real registry.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use windflow_testkit::docker::{DockerRegistry, get};

use super::{Place, SHOP, path, stderr, stdout};
use crate::common::git::{GitServer, git};

/// A repository with this Dockerfile and this test, beside a program, a link out of it and what no image needs.
fn publish(server: &GitServer, name: &str, dockerfile: &str, test: &str) -> String {
    let work = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = work.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    git(work.path(), &["init", "--quiet"]);
    write("app/Dockerfile", dockerfile);
    write("app/test.sh", test);
    write(
        "app/bin/made",
        "#!/bin/sh\ntest ! -e /app/notes.md && test ! -e /app/passwd && test $(wc -c </app/large) = 3000000 && echo made here\n",
    );
    std::fs::set_permissions(work.path().join("app/bin/made"), std::fs::Permissions::from_mode(0o755)).unwrap();
    write("app/.dockerignore", "*.md\n");
    write("app/notes.md", "what only people read");
    write("app/large", &"a line of many\n".repeat(200_000));
    std::os::unix::fs::symlink("/etc/passwd", work.path().join("app/passwd")).unwrap();
    write("outside", "beside the folder that it is built from");
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "--quiet", "-m", name]);
    server.publish(work.path(), &format!("{name}.git"));
    git(work.path(), &["rev-parse", "main"])
}

fn login(place: &Place, target: &str, host: &str) {
    let (name, password) = DockerRegistry::LOGIN;
    let mut command = place.command(&["targets", "login", target, host, "--username", name]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

#[test]
fn an_image_goes_from_its_source_to_production() {
    let place = Place::new();
    let registry = DockerRegistry::start();
    let server = GitServer::start();
    let serves = "FROM stand-in:2\nCOPY . /app/\nRUN /app/bin/made\n";
    let commit = publish(&server, "good", serves, "grep -q 'version 2' /www/index.html && echo passed");
    publish(&server, "untested", serves, "echo 1 of 7 failed; exit 1");
    publish(&server, "broken", "FROM stand-in:2\nRUN false\n", "");
    publish(&server, "nosy", "FROM stand-in:2\nCOPY ../outside /\n", "");
    publish(&server, "sick", &format!("{serves}CMD [\"sleep\", \"1000\"]\n"), "true");
    for target in ["builder", "production"] {
        assert!(place.windflow(&["targets", "add", target, place.engine.address()]).status.success());
        login(&place, target, registry.host());
    }
    let image = format!("{}/shop/web", registry.host());
    let _ = place.engine.docker(&["tag", "stand-in:1", &format!("{image}:1")]);
    let kept = SHOP
        .replace("WEB_PORT: { type: port }", &format!("WEB_PORT: {{ type: port, default: {} }}", place.port))
        .replace("stand-in:${TAG}", &format!("{image}:${{TAG}}"));
    std::fs::write(place.folder.path().join("shop.yaml"), &kept).unwrap();
    let first = place.windflow(&["deploy", "shop.yaml", "--target", "production"]);
    assert!(first.status.success(), "{}", stderr(&first));
    let before = place.containers();

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows/build-and-deploy/workflow.yaml");
    let begin = |name: &str, version: &str| {
        let (from, version) = (format!("repository={}/{name}.git", server.url), format!("version={version}"));
        let image = format!("image={image}");
        let inputs = ["-i", &from, "-i", &image, "-i", &version, "-i", "watch=1s", "-i", "subfolder=app"];
        place.windflow(&[&["run", path(&file), "--json", "--allow", &server.url], &inputs[..]].concat())
    };
    let approve = || report(&place.windflow(&["runs", "approve", "last", "--json"]));

    // What cannot be built or fails its tests reaches neither the registry nor a person.
    for (name, code, said) in [
        ("missing", "http_status", "no such repository"),
        ("broken", "build_failed", "RUN false"),
        ("nosy", "build_failed", "COPY ../outside"),
        ("untested", "exit_code", "1 of 7 failed"),
    ] {
        let ended = report(&begin(name, "0"));
        let error = &ended["nodes"]["failed"]["error"];
        assert!(error["code"] == code && error["message"].as_str().unwrap().contains(said), "{ended:#}");
        assert_eq!(ended["nodes"]["push"]["status"], "skipped", "{ended:#}");
    }
    assert_eq!(place.containers(), before);

    assert_eq!(begin("good", "2").status.code(), Some(3), "it waits for an answer");
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    // What is deployed is what the registry has, not what the builder had.
    let _ = place.engine.docker(&["rmi", &format!("{image}:2")]);
    let ended = approve();
    assert_eq!(
        (&ended["status"], &ended["outputs"]["verdict"]),
        (&"succeeded".into(), &"deployed".into()),
        "{ended:#}"
    );
    assert_eq!(ended["outputs"]["commit"], commit, "{ended:#}");
    assert_eq!(get(place.port).as_deref(), Some("version 2"));

    assert_eq!(begin("sick", "3").status.code(), Some(3));
    let ended = approve();
    assert_eq!(ended["nodes"]["failed"]["error"]["code"], "rolled_back", "{ended:#}");
    assert_eq!(get(place.port).as_deref(), Some("version 2"));
    assert!(place.containers().lines().all(|line| line.starts_with("shop-")), "{}", place.containers());

    // What follows is repeated without the checkout; where the image is built again, so is what it is built from.
    let fates = |from: &str| {
        let told = stderr(&place.windflow(&["runs", "rerun", "last", "--from", from, "--dry-run"]));
        let of = |node: &str| {
            let line = told.lines().find(|line| line.split_whitespace().nth(1) == Some(node));
            line.unwrap_or_else(|| panic!("{told}")).trim().to_owned()
        };
        (of("source"), of("build"))
    };
    let (source, build) = fates("deploy");
    assert!(source.starts_with("reused") && build.starts_with("reused"), "{source} {build}");
    let (source, build) = fates("build");
    assert!(
        source.starts_with("again") && source.contains("shares files") && build.contains("to run again"),
        "{source} {build}"
    );

    // What it may do is told beforehand, and without the grant nothing is handed over.
    let planned = stdout(&place.windflow(&["plan", path(&file)]));
    for line in [
        "files of the run, which end with it, from source",
        "files of the run, handed to a target to build from, by build",
    ] {
        assert!(planned.contains(line), "{line}: {planned}");
    }
}
