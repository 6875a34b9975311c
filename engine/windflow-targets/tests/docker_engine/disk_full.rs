//! A target whose disk is full.

use std::collections::BTreeSet;

use windflow_stacks::driver::{Never, RegistryLogin, Verdict};
use windflow_testkit::docker::DockerRegistry;

use super::support::{DockerEngine, Place, free_port, get, project, shop};

/// Fills the disk until so many megabytes are left.
fn fill(place: &Place, left: u32) {
    let script = format!(
        "b=/bin/busybox; rm -f /fill/x; free=$($b df -m /fill | $b tail -n 1 | $b awk '{{ print $4 }}'); $b dd if=/dev/zero of=/fill/x bs=1048576 count=$((free + 1 - {left})) 2>/dev/null; true"
    );
    let _ = place.engine.docker(&["exec", "filler", "sh", "-c", &script]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_what_ran_before_serves_on() {
    let registry = DockerRegistry::start();
    let mut place = Place::on(DockerEngine::start_with(&[], Some("96m"))).await;
    let big = format!("{}/big:1", registry.host());
    let (username, password) = DockerRegistry::LOGIN;
    let login = RegistryLogin { username: username.to_owned(), password: password.to_owned() };
    place.registries.insert(registry.host().to_owned(), login);

    // An image that is larger than what will be left of the disk.
    let docker = |words: &[&str]| place.engine.docker(words);
    let _ = docker(&[
        "run",
        "--name",
        "maker",
        "stand-in:1",
        "sh",
        "-c",
        "for part in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do cat /bin/busybox; done >/data/big",
    ]);
    let _ = docker(&[
        "commit",
        "--change",
        "CMD [\"/bin/httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/www\"]",
        "maker",
        &big,
    ]);
    place.with(60, &Never, async |on, with| on.push(&big, with).await).await.unwrap();
    let _ = docker(&["rm", "maker"]);
    let _ = docker(&["rmi", &big]);
    let _ = docker(&["run", "--detach", "--name", "filler", "--volume", "fill:/fill", "stand-in:1", "sleep", "100000"]);

    let port = free_port();
    place.deployed("d1", &shop(1, port)).await;
    let before = place.containers();
    let images = || docker(&["images", "--quiet"]).lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let images_before = images();

    // It cannot be fetched: nothing was touched.
    fill(&place, 12);
    let wanted = shop(1, port).replacen("stand-in:1", &big, 1);
    let error = place.deploy("d2", &project(&wanted)).await.unwrap_err();
    assert_eq!(error.code, "disk_full", "{error:?}");
    assert!(error.remedy.is_some());
    assert_eq!((place.containers(), images()), (before.clone(), images_before));
    assert_eq!(get(port).as_deref(), Some("version 1"));

    // Nothing can be made any more: what runs goes on, or is brought back.
    fill(&place, 0);
    let ended = place.deploy("d3", &project(&shop(2, port))).await;
    let (code, told) = match ended {
        Ok(outcome) => {
            assert_eq!(outcome.verdict, Verdict::RolledBack, "{outcome:#?}");
            (outcome.error.as_ref().unwrap().code.clone(), format!("{outcome:#?}"))
        }
        Err(error) => (error.code.clone(), format!("{error:?}")),
    };
    assert_eq!(code, "disk_full", "{told}");
    assert_eq!(place.containers(), before, "{told}");
    assert_eq!(get(port).as_deref(), Some("version 1"), "{told}");

    // There is room again.
    fill(&place, 40);
    place.deployed("d4", &shop(2, port)).await;
    assert_eq!(get(port).as_deref(), Some("version 2"));
    assert_eq!(place.running("shop").await, ["shop-db-1", "shop-web-1"]);
}
