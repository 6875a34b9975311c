//! The workflow that is shipped, from a source to production, on real containers and a real registry.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use windflow_testkit::docker::{DockerRegistry, get};

use super::{Place, SHOP, path, stderr};

/// A server that hands out archives, as a place of sources does.
fn sources(archives: BTreeMap<&'static str, Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut asked) = (stream.unwrap(), [0; 2048]);
            let length = stream.read(&mut asked).unwrap_or_default();
            let line = String::from_utf8_lossy(&asked[..length]);
            let name = line.split_whitespace().nth(1).unwrap_or_default().trim_start_matches('/');
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/x-tar\r\nContent-Length: ";
            let _ = match archives.get(name) {
                Some(archive) => {
                    write!(stream, "{head}{}\r\n\r\n", archive.len()).and_then(|()| stream.write_all(archive))
                }
                None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
            };
        }
    });
    port
}

fn archive(dockerfile: &str, test: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in [("Dockerfile", dockerfile), ("test.sh", test)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
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
    let serves = "FROM stand-in:2\nCOPY test.sh /app/test.sh\n";
    let source = sources(BTreeMap::from([
        ("good.tar", archive(serves, "grep -q 'version 2' /www/index.html && echo passed")),
        ("untested.tar", archive(serves, "echo 1 of 7 failed; exit 1")),
        ("broken.tar", archive("FROM stand-in:2\nRUN false\n", "")),
        ("sick.tar", archive("FROM stand-in:2\nCOPY test.sh /app/test.sh\nCMD [\"sleep\", \"1000\"]\n", "true")),
    ]));
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
        let (from, version) = (format!("source=http://127.0.0.1:{source}/{name}.tar"), format!("version={version}"));
        let image = format!("image={image}");
        let inputs = ["-i", &from, "-i", &image, "-i", &version, "-i", "watch=1s"];
        place.windflow(&[&["run", path(&file), "--json"], &inputs[..]].concat())
    };
    let approve = || report(&place.windflow(&["runs", "approve", "last", "--json"]));

    // What cannot be built or fails its tests reaches neither the registry nor a person.
    for (name, code, said) in [("broken", "build_failed", "RUN false"), ("untested", "exit_code", "1 of 7 failed")] {
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
    assert_eq!(get(place.port).as_deref(), Some("version 2"));

    assert_eq!(begin("sick", "3").status.code(), Some(3));
    let ended = approve();
    assert_eq!(ended["nodes"]["failed"]["error"]["code"], "rolled_back", "{ended:#}");
    assert_eq!(get(place.port).as_deref(), Some("version 2"));
    assert!(place.containers().lines().all(|line| line.starts_with("shop-")), "{}", place.containers());
}
