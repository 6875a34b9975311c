//! The stack templates of the marketplace on a real engine, with stand-ins under the names of their images: what starts when, what waits for what,
//! volumes, networks, secrets, scripts, health checks and ports are the real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;
use windflow_testkit::docker::{DockerEngine, get};

use super::{stderr, stdout};
use crate::common;

/// A template in a folder of its own, with a data folder beside it.
struct Template {
    name: String,
    text: String,
    folder: tempfile::TempDir,
    /// Its variables for ports, and the free ports that they get.
    ports: BTreeMap<String, u16>,
}

fn stacks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../marketplace/stacks")
}

/// Ports that templates get, each one once: several are deployed at the same time.
fn next_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(23_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if std::net::TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

impl Template {
    fn new(name: &str) -> Self {
        let text = std::fs::read_to_string(stacks().join(name).join("compose.yaml")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut template = Self { name: name.to_owned(), text: text.clone(), folder, ports: BTreeMap::new() };
        // Stand-ins are up at once, so they are asked more often.
        template.write(&quick(&text));
        let output = template.windflow(&["stacks", "validate", "stack.yaml", "--json"]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        for variable in read["variables"].as_array().unwrap().iter().filter(|variable| variable["type"] == "port") {
            let variable = variable["name"].as_str().unwrap();
            // A port that is the container's own as well stays what the image knows.
            let published =
                text.contains(&format!("${{{variable}}}:")) && !text.contains(&format!(":${{{variable}}}\""));
            if published {
                template.ports.insert(variable.to_owned(), next_port());
            }
        }
        template
    }

    fn write(&self, text: &str) {
        std::fs::write(self.folder.path().join("stack.yaml"), text).unwrap();
    }

    fn images(&self) -> BTreeSet<&str> {
        self.text.lines().filter_map(|line| line.trim().strip_prefix("image: ")).collect()
    }

    fn windflow(&self, arguments: &[&str]) -> Output {
        let mut command = common::windflow(&self.folder.path().join("data"));
        command.current_dir(self.folder.path()).args(arguments).output().unwrap()
    }

    fn deploy(&self, engine: &DockerEngine) -> Output {
        let ports: Vec<String> = self.ports.iter().map(|(name, port)| format!("{name}={port}")).collect();
        let mut arguments = vec!["deploy", "stack.yaml", "--target", engine.address(), "--timeout", "60s"];
        arguments.extend(ports.iter().flat_map(|port| ["--var", port.as_str()]));
        self.windflow(&arguments)
    }

    /// Deploys it; what went on, line by line.
    fn comes_up(&self, engine: &DockerEngine) -> String {
        let output = self.deploy(engine);
        assert!(output.status.success(), "{}: {}", self.name, stderr(&output));
        self.answers();
        stderr(&output)
    }

    fn answers(&self) {
        for (variable, port) in &self.ports {
            let answer = get(*port).unwrap_or_default();
            assert!(answer.contains("\"status\":\"ok\""), "{}: {variable} {port}: {answer}", self.name);
        }
    }

    fn containers(&self, engine: &DockerEngine) -> String {
        let own = format!("name=^{}-", self.name);
        engine.docker(&["ps", "--all", "--filter", &own, "--format", "{{.Names}} {{.Status}}"])
    }

    fn goes(&self, engine: &DockerEngine) {
        let arguments = ["stacks", "remove", &self.name, "--target", engine.address(), "--volumes"];
        let output = self.windflow(&arguments);
        assert!(output.status.success(), "{}: {}", self.name, stderr(&output));
        assert_eq!(self.containers(engine), "", "{}", self.name);
        let volumes = engine.docker(&["volume", "ls", "-q", "--filter", &format!("name=^{}_", self.name)]);
        assert_eq!(volumes, "", "{}", self.name);
    }
}

fn quick(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim().strip_prefix("interval: ") {
        Some(time) if line.starts_with("      ") && time.ends_with('s') => "      interval: 300ms",
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An image whose program ends at once.
fn broken(engine: &DockerEngine, image: &str) -> String {
    let name = format!("{}:broken", image.split(':').next().unwrap());
    let container = engine.docker(&["create", image]);
    engine.docker(&["commit", "--change", "ENTRYPOINT [\"/bin/false\"]", &container, &name]);
    engine.docker(&["rm", &container]);
    name
}

#[test]
fn every_stack_template_comes_up_and_goes() {
    let engine = DockerEngine::start();
    let mut names: Vec<String> =
        std::fs::read_dir(stacks()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    let templates: Vec<Template> = names.iter().map(|name| Template::new(name)).collect();
    let images: BTreeSet<&str> = templates.iter().flat_map(Template::images).collect();
    engine.stand_ins(&images.into_iter().collect::<Vec<_>>());
    // Three at a time, which the engine's networks are enough for.
    let waiting = Mutex::new(templates.iter());
    let next = || waiting.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(template) = next() {
                    template.comes_up(&engine);
                    template.goes(&engine);
                }
            });
        }
    });
}

/// Breaks a stack that runs by changing its text: it is rolled back and serves as before.
fn breaks(template: &Template, engine: &DockerEngine, from: &str, to: &str) {
    assert!(template.text.contains(from), "{}: {from}", template.name);
    template.comes_up(engine);
    template.write(&quick(&template.text.replace(from, to)));
    let output = template.deploy(engine);
    assert_eq!(output.status.code(), Some(1), "{}: {}", template.name, stderr(&output));
    assert!(stderr(&output).contains("what ran before is brought back"), "{}", stderr(&output));
    template.answers();
    let containers = template.containers(engine);
    assert!(!containers.contains("previous") && !containers.contains("unhealthy"), "{containers}");
    template.write(&quick(&template.text));
    let output = template.deploy(engine);
    assert!(stdout(&output).is_empty() && stderr(&output).contains("nothing changed"), "{}", stderr(&output));
    template.goes(engine);
}

#[test]
fn the_large_templates_are_rolled_back_where_they_break() {
    let engine = DockerEngine::start();
    let template = |name: &str| {
        let template = Template::new(name);
        engine.stand_ins(&template.images().into_iter().collect::<Vec<_>>());
        template
    };
    for (name, image) in [
        ("wordpress-mysql", "wordpress:6.9.4-php8.3-apache"),
        ("prometheus-grafana", "grafana/grafana:12.4.0"),
        ("microservices", "rabbitmq:4.2.1-management-alpine"),
    ] {
        let template = template(name);
        breaks(&template, &engine, image, &broken(&engine, image));
    }
    // A migration that fails.
    let template = template("production-django-react");
    breaks(&template, &engine, "[\"python\", \"prepare.py\"]", "[\"false\"]");
}

#[test]
fn migrations_run_before_what_needs_them() {
    let engine = DockerEngine::start();
    for (name, order) in [
        ("microservices", ["db healthy", "migrate completed", "api creating", "api healthy", "proxy creating"]),
        ("production-django-react", ["db healthy", "migrate completed", "api creating", "api healthy", "web creating"]),
    ] {
        let template = Template::new(name);
        engine.stand_ins(&template.images().into_iter().collect::<Vec<_>>());
        let said = template.comes_up(&engine);
        let places: Vec<_> =
            order.iter().map(|line| said.find(line).unwrap_or_else(|| panic!("{line}: {said}"))).collect();
        assert!(places.is_sorted(), "{name}: {said}");
        template.goes(&engine);
    }
}
