//! Deployments that are cut off, at whatever moment, go on or are undone by the next one.

use std::time::Duration;

use windflow_stacks::driver::Verdict;

use super::support::{Place, free_port, get, project, shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_was_cut_off_goes_on_or_gives_way() {
    let place = Place::new().await;
    let port = free_port();
    place.deployed("d0", &shop(1, port)).await;
    let (one, two) = (project(&shop(1, port)), project(&shop(2, port)));
    for round in 0..8_u64 {
        // Dropped after so long: like a process that was killed.
        let cut = Duration::from_millis(40 + round * 130);
        let name = format!("cut-{round}");
        let _ = tokio::time::timeout(cut, place.deploy(&name, &two)).await;
        if round % 2 == 0 {
            // The same again goes on.
            let outcome = place.deploy(&name, &two).await.unwrap();
            assert!(matches!(outcome.verdict, Verdict::Deployed | Verdict::Unchanged), "{round}: {outcome:#?}");
            assert_eq!(get(port).as_deref(), Some("version 2"), "{round}");
        }
        // Another one finds what was left, and puts it in order.
        let outcome = place.deploy(&format!("back-{round}"), &one).await.unwrap();
        assert!(matches!(outcome.verdict, Verdict::Deployed | Verdict::Unchanged), "{round}: {outcome:#?}");
        assert_eq!(get(port).as_deref(), Some("version 1"), "{round}");
        assert_eq!(place.running("shop").await, ["shop-db-1", "shop-web-1"], "{round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_deployment_that_was_cut_off_is_still_undone() {
    let place = Place::new().await;
    let port = free_port();
    place.deployed("d0", &shop(1, port)).await;
    let broken = project(&shop(2, port).replace("http://127.0.0.1/,", "http://127.0.0.1/nosuch,"));
    for round in 0..4_u64 {
        let name = format!("cut-{round}");
        let _ = tokio::time::timeout(Duration::from_millis(200 + round * 400), place.deploy(&name, &broken)).await;
        let outcome = place.deploy(&name, &broken).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::RolledBack, "{round}: {outcome:#?}");
        assert_eq!(get(port).as_deref(), Some("version 1"), "{round}");
        assert_eq!(place.running("shop").await, ["shop-db-1", "shop-web-1"], "{round}");
    }
}
