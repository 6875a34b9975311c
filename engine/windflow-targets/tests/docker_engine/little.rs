//! What stays as it is costs little, and keeps nothing else back.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use windflow_stacks::driver::{Driver, Verdict};
use windflow_stacks::plan::Change;
use windflow_stacks::target::Credentials;
use windflow_targets::docker::{DockerTarget, Endpoint};

use super::support::{Place, project};

/// Hands on what comes to a socket, and counts the requests in it.
fn counted(socket: &str, at: &std::path::Path) -> Arc<AtomicUsize> {
    const LINE_END: &[u8] = b" HTTP/1.1\r\n";
    let (count, listener, socket) = (Arc::new(AtomicUsize::new(0)), UnixListener::bind(at).unwrap(), socket.to_owned());
    let counts = Arc::clone(&count);
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let far = UnixStream::connect(&socket).unwrap();
            let (mut answers, mut back) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
            let (counts, mut near, mut far) = (Arc::clone(&counts), near, far);
            std::thread::spawn(move || {
                let (mut piece, mut last) = (vec![0; 64 << 10], Vec::new());
                while let Ok(read @ 1..) = near.read(&mut piece) {
                    last.extend_from_slice(&piece[..read]);
                    counts.fetch_add(
                        last.windows(LINE_END.len()).filter(|found| *found == LINE_END).count(),
                        Ordering::SeqCst,
                    );
                    last.drain(..last.len().saturating_sub(LINE_END.len() - 1));
                    if far.write_all(&piece[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_services_that_stay_are_asked_about_together() {
    let place = Place::new().await;
    let service = |number: u32| {
        let needs = if number % 5 == 4 { format!(", depends_on: [s{}]", number - 1) } else { String::new() };
        format!("  s{number}: {{ image: \"stand-in:{}\", stop_signal: SIGKILL{needs} }}\n", number % 2 + 1)
    };
    let many = project(&format!("name: many\nservices:\n{}", (0..30).map(service).collect::<String>()));
    let outcome = place.deploy("d1", &many).await.unwrap();
    assert_eq!((outcome.verdict, outcome.plan.summary().as_str()), (Verdict::Deployed, "31 created"));

    // Those that began a moment ago are looked at one by one, until they have shown that they stay up.
    let begun = Instant::now();
    while !place.seen("many").await.containers.iter().all(|found| found.settled) {
        assert!(begun.elapsed() < Duration::from_secs(60), "they never count as settled");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("counted.sock");
    let requests = counted(place.engine.address().strip_prefix("unix://").unwrap(), &at);
    let endpoint = Endpoint::parse(&format!("unix://{}", at.display()), &Credentials::default()).unwrap();
    let place = Place { target: DockerTarget::connect(endpoint).await.unwrap(), ..place };
    requests.store(0, Ordering::SeqCst);
    let plan = place.target.plan(&many).await.unwrap();
    // Containers, networks, volumes, and each of two images.
    assert!(plan.is_empty() && requests.swap(0, Ordering::SeqCst) == 5);
    let again = place.deploy("d2", &many).await.unwrap();
    assert_eq!((again.verdict, requests.load(Ordering::SeqCst)), (Verdict::Unchanged, 5));
    assert_eq!(place.done().iter().filter(|done| done.ends_with(" running")).count(), 60, "each is told as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_started_again_before_keeps_no_deployment_back() {
    let place = Place::new().await;
    let stack = |version: u32| {
        let web = format!("{{ image: \"stand-in:{version}\", stop_signal: SIGKILL }}");
        let command = "test -f /tmp/broken && exit 3; while ! test -f /tmp/end; do sleep 1; done; rm /tmp/end; exit 4";
        project(&format!(
            "name: crash\nservices:\n  web: {web}\n  worker: {{ image: \"stand-in:1\", restart: always, stop_signal: SIGKILL, command: [sh, -c, \"{command}\"] }}\n"
        ))
    };
    assert_eq!(place.deploy("d1", &stack(1)).await.unwrap().verdict, Verdict::Deployed);
    let restarts = || -> u32 {
        place.engine.docker(&["inspect", "crash-worker-1", "--format", "{{.RestartCount}}"]).parse().unwrap()
    };
    let ended = async |files: &[&str], times: u32| {
        let _ = place.engine.docker(&[&["exec", "crash-worker-1", "touch"], files].concat());
        let begun = Instant::now();
        while restarts() < times {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not started again");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    ended(&["/tmp/end"], 1).await;
    let outcome = place.deploy("d2", &stack(2)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Deployed, "{outcome:#?}");
    assert_eq!(outcome.plan.service("worker").unwrap().change, Change::Unchanged);
    assert_eq!(place.deploy("d3", &stack(2)).await.unwrap().verdict, Verdict::Unchanged);

    // What ends again and again is not up, whoever made it.
    ended(&["/tmp/broken", "/tmp/end"], 3).await;
    let outcome = place.deploy("d4", &stack(1)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::RolledBack, "{outcome:#?}");
    assert_eq!(outcome.error.unwrap().code, "keeps_ending");
}
