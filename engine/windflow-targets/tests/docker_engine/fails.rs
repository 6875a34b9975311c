use std::time::Duration;

use windflow_stacks::driver::{Driver, Verdict};
use windflow_stacks::target::Credentials;
use windflow_targets::docker::{DockerTarget, Endpoint};

use super::support::{Place, free_port, get, project, shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_version_is_rolled_back_and_the_one_before_serves() {
    let place = Place::new().await;
    let port = free_port();
    place.deployed("d1", &shop(1, port)).await;
    let before = place.seen("shop").await;
    let never_healthy = shop(2, port).replace("http://127.0.0.1/,", "http://127.0.0.1/nosuch,");
    let ends = shop(2, port).replace("    ports:", "    command: sh -c \"echo oh no; exit 3\"\n    ports:");
    // A new service that fails undoes what was well by itself, too.
    let other = format!("{}\n", shop(2, port)).replace(
        "  db:\n",
        "  extra: { image: \"stand-in:1\", command: \"false\", restart: always, depends_on: [web] }\n  db:\n",
    );
    for (text, code) in [(never_healthy, "unhealthy"), (ends, "ended"), (other, "keeps_ending")] {
        let outcome = place.deploy("d2", &project(&text)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::RolledBack, "{outcome:#?}");
        assert_eq!(outcome.error.as_ref().unwrap().code, code, "{outcome:#?}");
        if code == "ended" {
            assert_eq!(outcome.log, ["oh no"]);
        }
        let mut now = place.seen("shop").await;
        now.containers.iter_mut().zip(&before.containers).for_each(|(now, then)| now.health = then.health);
        assert_eq!(
            now.containers.iter().map(|found| &found.id).collect::<Vec<_>>(),
            before.containers.iter().map(|found| &found.id).collect::<Vec<_>>()
        );
        assert_eq!(place.running("shop").await, ["shop-db-1", "shop-web-1"]);
        assert_eq!(get(port).as_deref(), Some("version 1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_says_why_and_leaves_nothing() {
    let place = Place::new().await;
    // Somebody else has the port.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let outcome = place.deploy("d1", &project(&shop(1, port))).await.unwrap();
    let error = outcome.error.unwrap();
    assert_eq!((outcome.verdict, error.code.as_str()), (Verdict::Failed, "port_taken"));
    assert_eq!(error.message, format!("the port 127.0.0.1:{port} of the target is taken"));
    assert_eq!(outcome.left, ["volume shop_data"]);
    let left = place.seen("shop").await;
    assert!(left.containers.is_empty() && left.networks.is_empty(), "{left:#?}");

    // There is no such image, and nobody to give it: nothing is touched.
    let text = "name: none\nservices: { web: { image: \"127.0.0.1:9/nosuch:1\" } }\n";
    let error = place.deploy("d2", &project(text)).await.unwrap_err();
    assert!(error.message.contains("127.0.0.1:9/nosuch:1") && error.code == "registry_unreachable", "{error:?}");
    let text = "name: none\nservices: { web: { image: \"nosuch:1\", pull_policy: never } }\n";
    assert_eq!(place.deploy("d3", &project(text)).await.unwrap_err().code, "image_missing");
    assert!(place.seen("none").await.networks.is_empty());

    // It takes too long.
    let text = "name: slow\nservices: { web: { image: \"stand-in:1\", command: sleep 100, stop_signal: SIGKILL, healthcheck: { test: \"false\", interval: 30s, start_period: 60s } } }\n";
    let outcome = place.deploy_within("d4", &project(text), Duration::from_secs(2)).await.unwrap();
    assert_eq!((outcome.verdict, outcome.error.unwrap().code.as_str()), (Verdict::Failed, "timeout"));

    // What others made has to be there.
    let text = "name: ext\nservices: { web: { image: \"stand-in:1\" } }\nnetworks: { default: { external: true, name: theirs } }\n";
    let outcome = place.deploy("d5", &project(text)).await.unwrap();
    assert_eq!(outcome.error.unwrap().code, "missing_external");

    // Settings of a network that is in use do not change.
    place.deployed("d6", "name: net\nservices: { web: { image: \"stand-in:1\" } }\nnetworks: { default: {} }\n").await;
    let text = "name: net\nservices: { web: { image: \"stand-in:1\" } }\nnetworks: { default: { internal: true } }\n";
    assert_eq!(place.deploy("d7", &project(text)).await.unwrap_err().code, "in_the_way");
    assert_eq!(place.running("net").await, ["net-web-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_not_there_is_told_precisely() {
    let reach = async |address: &str| {
        DockerTarget::connect(Endpoint::parse(address, &Credentials::default()).unwrap()).await.err().unwrap()
    };
    let error = reach("unix:///nosuch/docker.sock").await;
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("unreachable", "there is no socket /nosuch/docker.sock")
    );
    let error = reach(&format!("tcp://127.0.0.1:{}", free_port())).await;
    assert!(error.code == "unreachable" && error.message.contains("refused"), "{error:?}");

    // It goes in the middle of a deployment: that is an error, and going on is possible.
    let place = Place::new().await;
    let slow = "name: slow\nservices: { web: { image: \"stand-in:1\", command: sleep 100, stop_signal: SIGKILL, healthcheck: { test: \"false\", interval: 30s, start_period: 60s } } }\n";
    let slow = project(slow);
    let (ended, ()) = tokio::join!(place.deploy("d1", &slow), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        place.engine.stop();
    });
    let error = ended.unwrap_err();
    assert!(error.code == "unreachable" && error.may_help, "{error:?}");
    assert!(place.target.facts().await.is_err());
}
