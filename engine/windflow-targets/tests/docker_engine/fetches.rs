//! Images are fetched by the names that they have everywhere: those of Docker Hub, and those that begin with another registry.

use std::collections::BTreeMap;

use windflow_stacks::driver::{Event, Never};

use super::support::{DockerEngine, Place, project};

const IMAGES: [&str; 3] = ["postgres:17.10-alpine", "prom/prometheus:v3.13.1", "quay.io/minio/minio:RELEASE.2025"];

fn stack(images: &[&str]) -> String {
    let service = |(at, image)| format!("  s{at}: {{ image: \"{image}\", stop_signal: SIGKILL }}\n");
    let services: String = images.iter().enumerate().map(service).collect();
    format!("name: all\nservices:\n{services}")
}

/// What was told of each image that was fetched, in order.
fn told(place: &Place) -> BTreeMap<String, Vec<String>> {
    let mut told = BTreeMap::<String, Vec<String>>::new();
    for event in std::mem::take(&mut *place.events.lock().unwrap()) {
        if let Event::Image { image, doing, .. } = event {
            told.entry(image).or_default().push(doing);
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_comes_from_the_registry_that_its_name_says_and_from_nowhere_else() {
    let place = Place::on(DockerEngine::start_empty()).await;
    place.engine.stand_ins(&IMAGES);
    assert_eq!(place.engine.docker(&["images", "--all", "--quiet"]), "");

    place.deployed("d1", &stack(&IMAGES)).await;
    let steps = told(&place);
    assert!(steps.keys().eq(&IMAGES), "{steps:?}");
    for (image, steps) in &steps {
        let (first, last) = (steps.first().unwrap(), steps.last().unwrap());
        assert!(first.starts_with("Pulling from "), "{image}: {steps:?}");
        assert_eq!(*last, format!("Status: Downloaded newer image for {image}"));
    }
    assert!(place.engine.fetched().iter().eq(&IMAGES), "{:?}", place.engine.fetched());

    // What is there is not fetched again.
    place.deploy("d2", &project(&stack(&IMAGES))).await.unwrap();
    assert!(told(&place).is_empty());

    // What no registry has is said, and nothing is touched. Where it would have to come from Docker Hub, that is not reached from here.
    let before = place.containers();
    for (image, code, why) in [
        ("quay.io/minio/minio:nosuch", "image_missing", "manifest unknown"),
        ("prom/prometheus:nosuch", "registry_unreachable", "dial tcp 127.0.0.1:1: connect: connection refused"),
        ("registry.example.org/app:1", "registry_unreachable", "dial tcp 127.0.0.1:1: connect: connection refused"),
    ] {
        let error = place.deploy("d3", &project(&stack(&[IMAGES[0], image]))).await.unwrap_err();
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.message.contains(image) && error.message.contains(why), "{error:?}");
        assert!(error.remedy.is_some());
        let error = place.with(30, &Never, async |on, with| on.pull(image, with).await).await.unwrap_err();
        assert_eq!(error.code, code, "{error:?}");
    }
    assert_eq!(place.containers(), before);
    assert!(place.engine.fetched().iter().eq(&IMAGES), "{:?}", place.engine.fetched());
}
