//! Images: built, named, pushed, pulled again, run.

use serde_json::{Value, json};
use windflow_stacks::containers::{Build, ImageFacts, Once, OnceJob, Prune};
use windflow_stacks::driver::{Never, RegistryLogin, Result};
use windflow_testkit::docker::DockerRegistry;

use super::support::Place;

async fn build(place: &Place, asked: Value) -> Result<ImageFacts> {
    let wanted: Build = serde_json::from_value(asked).unwrap();
    place.with(60, &Never, async |on, with| on.build(&wanted, None, with).await).await
}

async fn output_of(place: &Place, image: &str) -> String {
    let once: Once = serde_json::from_value(json!({ "image": image, "pull": "never" })).unwrap();
    let project = once.project(None).unwrap();
    let job = OnceJob { key: "run", project: &project };
    place.with(30, &Never, async |on, with| on.run(&job, with).await).await.unwrap().said.output
}

const DOCKERFILE: &str = "FROM stand-in:1 AS base\nARG WHO\nCOPY deep/hello /hello\nRUN echo \"$(cat /hello) $WHO\" >/said\nCMD [\"cat\", \"/said\"]\n\
                          FROM base AS other\nCMD [\"cat\", \"/hello\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_built_pushed_pulled_and_run() {
    let mut place = Place::new().await;
    let registry = DockerRegistry::start();
    let (host, (username, password)) = (registry.host().to_owned(), DockerRegistry::LOGIN);
    let name = format!("{host}/team/hello:1");
    let asked = json!({
        "dockerfile": DOCKERFILE, "files": { "deep/hello": "hello" }, "arguments": { "WHO": "you" }, "target_stage": "base",
        "tags": ["hello:1", name],
    });
    let image = build(&place, asked).await.unwrap();
    assert!(image.tags.contains(&"hello:1".to_owned()) && image.tags.contains(&name), "{image:?}");
    assert_eq!(output_of(&place, "hello:1").await, "hello you\n");
    let lines = place.lines.lock().unwrap().join("\n");
    assert!(lines.contains("Step 1/6") && lines.contains("RUN echo"), "{lines}");

    // Without the login nothing is brought there.
    let push = async |place: &Place| place.with(30, &Never, async |on, with| on.push(&name, with).await).await;
    let error = push(&place).await.unwrap_err();
    assert!(error.code == "image_unauthorised" && error.message.contains(&name), "{error:?}");
    let login = RegistryLogin { username: username.to_owned(), password: password.to_owned() };
    place.registries.insert(host, login);
    let digest = push(&place).await.unwrap();
    let _ = place.engine.docker(&["rmi", "--force", "hello:1", &name]);
    let pulled = place.with(30, &Never, async |on, with| on.pull(&name, with).await).await.unwrap();
    assert_eq!((&pulled.id, pulled.digests.len()), (&image.id, 1));
    assert!(
        pulled.digests[0].ends_with(&digest) && pulled.size > 0 && pulled.platform.starts_with("linux/"),
        "{pulled:?}"
    );
    assert_eq!(output_of(&place, &name).await, "hello you\n");

    let named = place.with(30, &Never, async |on, _| on.tag(&name, &["other/hello:2".to_owned()]).await).await.unwrap();
    assert!(named.tags.contains(&"other/hello:2".to_owned()));
    let missing = place.with(30, &Never, async |on, _| on.image("nosuch:1").await).await.unwrap_err();
    assert_eq!(missing.code, "image_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_fails_names_its_step_and_leaves_nothing() {
    let place = Place::new().await;
    let asked = |text: &str| json!({ "dockerfile": text, "tags": ["hello:1"] });
    let error =
        build(&place, asked("FROM stand-in:1\nRUN echo so far so good\nRUN echo oh no; exit 7\n")).await.unwrap_err();
    assert_eq!(error.code, "build_failed");
    for part in ["at Step 3/4 : RUN echo oh no; exit 7", "non-zero code: 7", "\n  oh no"] {
        assert!(error.message.contains(part), "{part}: {error:?}");
    }
    let error = build(&place, asked("FROM stand-in:1\nCOPY nosuch /\n")).await.unwrap_err();
    assert!(error.code == "build_failed" && error.message.contains("nosuch"), "{error:?}");
    let error = build(&place, asked("FORM stand-in:1\n")).await.unwrap_err();
    assert!(error.message.contains("FORM"), "{error:?}");
    assert!(error.remedy.is_some_and(|remedy| remedy.contains("misspelt")));
    // What only BuildKit can do is told as that, with what to do instead.
    for line in [
        "RUN --mount=type=cache,target=/x true",
        "COPY --chmod=755 Dockerfile /x",
        "COPY --link Dockerfile /x",
        "RUN --network=none true",
        "FROM --platform=$BUILDPLATFORM stand-in:1",
    ] {
        let error = build(&place, asked(&format!("FROM stand-in:1\n{line}\n"))).await.unwrap_err();
        assert_eq!(error.code, "needs_buildkit", "{line}: {error:?}");
        assert!(error.remedy.as_ref().is_some_and(|remedy| remedy.contains("not BuildKit")), "{error:?}");
    }
    let error = build(&place, asked("FROM stand-in:1\nRUN <<EOF\necho hello\nEOF\n")).await.unwrap_err();
    assert!(error.message.contains("line 3") && error.message.contains("ECHO"), "{error:?}");
    assert!(error.remedy.is_some_and(|remedy| remedy.contains("here-document") && remedy.contains("BuildKit")));
    let error = build(&place, asked("FROM 127.0.0.1:9/nosuch:1\n")).await.unwrap_err();
    assert_eq!(error.code, "registry_unreachable", "{error:?}");
    let late = place
        .with(2, &Never, async |on, with| {
            let wanted: Build = serde_json::from_value(asked("FROM stand-in:1\nRUN sleep 1000\n")).unwrap();
            on.build(&wanted, None, with).await
        })
        .await
        .unwrap_err();
    assert_eq!(late.code, "timeout", "{late:?}");
    let begun = std::time::Instant::now();
    while !place.containers().is_empty() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{}", place.containers());
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_workflows_made_is_pruned() {
    let place = Place::new().await;
    for text in ["one", "two"] {
        build(&place, json!({ "dockerfile": format!("FROM stand-in:1\nRUN echo {text} >/x\n"), "tags": ["hello:1"] }))
            .await
            .unwrap();
    }
    // Somebody else's image without a name, and a volume that nobody uses any more.
    let empty = tempfile::NamedTempFile::new().unwrap();
    let other = place.engine.docker(&["import", empty.path().to_str().unwrap()]);
    place.deployed("d1", "name: gone\nservices: { web: { image: \"stand-in:1\", volumes: [\"data:/data\"], command: sleep 100, stop_signal: SIGKILL } }\nvolumes: { data: {} }\n").await;
    let _ = place.engine.docker(&["volume", "create", "theirs"]);
    let prune = async |what: Prune| place.with(30, &Never, async |on, _| on.prune(&what).await).await.unwrap();
    let pruned = prune(Prune { containers: true, images: true, volumes_of: vec!["gone".into()] }).await;
    assert!(pruned.freed > 0 && pruned.lines.iter().all(|line| line.starts_with("image sha256:")), "{pruned:?}");
    assert_eq!(output_of(&place, "hello:1").await, "", "what has a name stays");
    assert!(place.engine.docker(&["images", "--quiet", "--no-trunc"]).contains(&other));
    let _ = place.engine.docker(&["rm", "--force", "gone-web-1"]);
    assert_eq!(prune(Prune { containers: true, images: true, ..Prune::default() }).await.lines, [""; 0]);
    let pruned = prune(Prune { volumes_of: vec!["gone".into()], ..Prune::default() }).await;
    assert_eq!(pruned.lines, ["volume gone_data removed"]);
    assert_eq!(place.engine.docker(&["volume", "ls", "--quiet"]), "theirs");
}
