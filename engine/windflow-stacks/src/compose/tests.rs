use std::collections::BTreeMap;

use super::{Context, Loaded, load, no_files};
use crate::project::{Condition, Pull, Restart, Source};

fn read(text: &str, variables: &[(&str, &str)]) -> Loaded {
    let variables: BTreeMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(text, &Context { name: None, variables: &variables, profiles: &[], files: &no_files })
}

fn codes(text: &str) -> Vec<(&'static str, String)> {
    read(text, &[]).problems.iter().map(|problem| (problem.code, problem.place.to_string())).collect()
}

const SHOP: &str = r#"
name: shop
x-windflow:
  variables:
    TAG: { type: image_tag, default: "1.0" }
    PASSWORD: { type: password }
x-common: &common
  restart: unless-stopped
  logging: { driver: json-file, options: { max-size: 10m } }
services:
  web:
    <<: *common
    image: "shop/web:${TAG}"
    command: serve --port 80
    ports: ["127.0.0.1:8080:80", { target: 81, published: "8081" }]
    environment: { DB: "postgres://db", DEBUG: true, NOTHING: null }
    depends_on: { db: { condition: service_healthy }, migrate: { condition: service_completed_successfully } }
    networks: { front: { aliases: [shop] }, back: }
    secrets: [db_password]
    configs: [{ source: motd, target: /etc/motd, mode: 0440 }]
    deploy: { replicas: 1, resources: { limits: { cpus: "0.5", memory: 64M, pids: 50 } } }
  migrate: { image: shop/web, depends_on: [db], networks: [back], pull_policy: always }
  db:
    image: postgres:15
    volumes: ["data:/var/lib/postgresql", { type: tmpfs, target: /tmp, tmpfs: { size: 16m } }]
    healthcheck: { test: pg_isready, interval: 1s, timeout: 500ms, retries: 3 }
    networks: [back]
    stop_grace_period: 1m30s
    ulimits: { nofile: { soft: 10, hard: 20 }, nproc: 5 }
  debug: { image: busybox, profiles: [debug] }
networks:
  front: {}
  back: { internal: true, ipam: { config: [{ subnet: 10.77.0.0/24 }] } }
volumes: { data: { name: shop-data } }
secrets: { db_password: { environment: PASSWORD } }
configs: { motd: { content: "hello $$you" } }
"#;

#[test]
fn a_whole_stack_is_read() {
    let loaded = read(SHOP, &[("PASSWORD", "p4ss")]);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let project = loaded.project.unwrap();
    assert_eq!(project.services.keys().collect::<Vec<_>>(), ["web", "migrate", "db"]);
    let web = &project.services["web"];
    assert_eq!((web.image.as_str(), web.restart), ("shop/web:1.0", Restart::UnlessStopped));
    assert_eq!(web.command.as_deref().unwrap(), ["serve", "--port", "80"]);
    assert_eq!(web.ports.iter().map(|port| port.published).collect::<Vec<_>>(), [Some(8080), Some(8081)]);
    assert_eq!(
        web.environment.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(),
        ["DB=postgres://db", "DEBUG=true"]
    );
    assert_eq!(web.depends_on["db"].condition, Condition::Healthy);
    assert_eq!(web.networks["front"].aliases, ["shop"]);
    let files: Vec<_> = web.files.iter().map(|file| (file.target.as_str(), file.content.as_str(), file.mode)).collect();
    assert_eq!(files, [("/run/secrets/db_password", "p4ss", 0o444), ("/etc/motd", "hello $you", 0o440)]);
    assert_eq!((web.resources.nano_cpus, web.resources.memory), (Some(500_000_000), Some(64 << 20)));
    assert_eq!(web.options.log_options["max-size"], "10m");
    assert_eq!(project.services["migrate"].pull, Pull::Always);
    let db = &project.services["db"];
    assert_eq!(db.mounts[1].source, Source::Memory(Some(16 << 20)));
    let health = db.health.as_ref().unwrap();
    assert_eq!(
        (health.test.as_deref().unwrap(), health.timeout),
        (&["CMD-SHELL".to_owned(), "pg_isready".to_owned()][..], Some(500))
    );
    assert_eq!((db.options.stop_grace_seconds, db.options.ulimits["nproc"]), (Some(90), (5, 5)));
    assert_eq!(
        (project.networks["front"].name.as_str(), project.volumes["data"].name.as_str()),
        ("shop_front", "shop-data")
    );
    assert!(!project.networks.contains_key("default"));
}

#[test]
fn profiles_switch_services_on() {
    let context =
        Context { name: Some("x"), variables: &BTreeMap::new(), profiles: &["debug".into()], files: &no_files };
    let project = load(SHOP, &context).project.unwrap();
    assert!(project.services.contains_key("debug") && project.networks.contains_key("default"));
    assert_eq!(project.name, "x");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let service = |rest: &str| format!("name: x\nservices:\n  web:\n    image: a\n    {rest}\n");
    for (text, expect) in [
        ("name: x\nservices: {}\n".to_owned(), ("no_services", "2:11")),
        ("services: { web: { image: a } }\n".to_owned(), ("no_name", "1:1")),
        ("name: X Y\nservices: { web: { image: a } }\n".to_owned(), ("invalid_name", "1:7")),
        ("name: x\nservices:\n  web: { ports: [80] }\n".to_owned(), ("no_image", "3:8")),
        (service("imagee: b"), ("unknown_key", "5:5")),
        (service("image2: b"), ("unknown_key", "5:5")),
        (service("build: ."), ("unsupported", "5:5")),
        (service("ports: [\"99999:80\"]"), ("invalid_port", "5:13")),
        (service("ports: [\"80:80\", \"127.0.0.1:80:81\"]"), ("port_taken", "5:22")),
        (service("volumes: [\"data:/x\"]"), ("unknown_name", "5:14")),
        (service("volumes: [\"./x:/x\"]"), ("invalid_mount", "5:15")),
        (service("networks: [front]"), ("unknown_name", "5:15")),
        (service("depends_on: [db]"), ("unknown_name", "5:17")),
        (service("depends_on: [web]"), ("cycle", "5:17")),
        (service("secrets: [key]"), ("unknown_name", "5:15")),
        (service("env_file: .env"), ("no_content", "5:15")),
        (service("environment: { A: $NONE }"), ("unset_variable", "5:23")),
        (service("environment: { A: \"${NONE:?why}\" }"), ("unset_variable", "5:23")),
        (service("mem_limit: lots"), ("invalid_size", "5:16")),
        (service("restart: sometimes"), ("invalid_restart", "5:14")),
        (service("deploy: { replicas: 2, endpoint_mode: vip }"), ("unsupported", "5:28")),
        (service("privileged: perhaps"), ("invalid_value", "5:17")),
        (service("command: \"a 'b\""), ("invalid_command", "5:14")),
        (service("x: !!set {}"), ("tag", "5:8")),
    ] {
        let found = codes(&text);
        assert!(found.contains(&(expect.0, expect.1.to_owned())), "{text}\n{found:?}");
        assert!(read(&text, &[]).project.is_none(), "{text}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = "services:\n  web:\n    image: a\n    imgae: b\n    build: .\n    ports: [\"99999:80\"]\n    depends_on: [bd]\n  db: { image: b }\n";
    let expect = |text: &str, variables: &[(&str, &str)], expect: &[&str]| {
        let loaded = read(text, variables);
        let found: Vec<_> = loaded.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(found, expect, "{text}\n{:?}", loaded.problems);
        assert!(loaded.project.is_none());
    };
    expect(text, &[], &["no_name", "unknown_key", "unsupported", "invalid_port", "unknown_name"]);
    // A value that is missing, or does not fit, hides nothing but itself.
    let with = |variables: &str| {
        format!("name: x\nx-windflow: {{ variables: {{ {variables} }} }}\n{}", text.replace("99999", "${PORT}"))
    };
    let rest = ["unknown_key", "unsupported", "unknown_name"];
    expect(&with("PORT: { type: port }"), &[], &[rest[0], rest[1], "unset_variable", rest[2]]);
    expect(&with("PORT: { type: port }"), &[("PORT", "http")], &["invalid_variable", rest[0], rest[1], rest[2]]);
    // Of what is not known, nothing is guessed; of a value in a wrong form, nothing is read.
    expect(&with(""), &[], &[rest[0], rest[1], "unset_variable"]);
    expect(
        &text.replace("image: b }", "image: [b] }"),
        &[],
        &["no_name", "unknown_key", "unsupported", "invalid_value"],
    );
}

#[test]
fn misspelt_words_are_suggested() {
    let loaded = read("name: x\nservices: { web: { image: a, enviroment: [A=1] } }\n", &[]);
    assert_eq!(loaded.problems[0].remedy.as_deref(), Some("did you mean `environment`?"));
}

#[test]
fn variables_have_types() {
    let text = "name: x\nx-windflow: { variables: { PORT: { type: port } } }\nservices: { web: { image: a, ports: [\"$PORT:80\"] } }\n";
    assert_eq!(read(text, &[("PORT", "8080")]).project.unwrap().services["web"].ports[0].published, Some(8080));
    let loaded = read(text, &[("PORT", "http")]);
    assert_eq!(
        (loaded.problems[0].code, loaded.problems[0].place.to_string()),
        ("invalid_variable", "2:28".to_owned())
    );
}

#[test]
fn hostile_documents_end_quickly() {
    let many = (0..3000).map(|n| format!("  s{n}: {{ image: a, depends_on: [s{}] }}\n", n + 1)).collect::<String>();
    let text = format!("name: x\nservices:\n{many}  s3000: {{ image: a }}\n");
    assert!(codes(&text).iter().any(|(code, _)| *code == "too_many_services"));
}
