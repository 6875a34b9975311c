//! The stack templates of the marketplace on a real engine that has no image: it fetches stand-ins from a registry under the names that the templates
//! write. What starts when, what waits for what, volumes, networks, secrets, scripts, health checks and ports are the real ones.

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
        let arguments = ["stacks", "remove", &self.name, "--target", engine.address(), "--volumes", "--yes"];
        let output = self.windflow(&arguments);
        assert!(output.status.success(), "{}: {}", self.name, stderr(&output));
        assert_eq!(self.containers(engine), "", "{}", self.name);
        let volumes = engine.docker(&["volume", "ls", "-q", "--filter", &format!("name=^{}_", self.name)]);
        assert_eq!(volumes, "", "{}", self.name);
    }
}

fn quick(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim().strip_prefix("interval: ") {
        Some(time) if line.starts_with("      ") && time.ends_with('s') => "      interval: 600ms",
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An image whose program ends at once.
fn broken(engine: &DockerEngine, image: &str) -> String {
    let name = format!("{}:broken", image.split(':').next().unwrap());
    engine.stand_ins(&[&name]);
    name
}

/// The images that a deployment says it fetches.
fn told(said: &str) -> impl Iterator<Item = String> {
    said.lines().filter_map(|line| line.strip_prefix("fetching ")).map(str::to_owned)
}

/// How the large ones are broken, by a change of their text, and what their first deployment has to say in this order.
const LARGE: &[(&str, Break, &[&str])] = &[
    (
        "microservices",
        Break::Image("rabbitmq:4.2.1-management-alpine"),
        &["db healthy", "migrate completed", "api creating", "api healthy", "proxy creating"],
    ),
    // A migration that fails.
    (
        "production-django-react",
        Break::Text("[\"python\", \"prepare.py\"]", "[\"false\"]"),
        &["db healthy", "migrate completed", "api creating", "api healthy", "web creating"],
    ),
    ("prometheus-grafana", Break::Image("grafana/grafana:12.4.0"), &["prometheus healthy", "grafana creating"]),
    ("wordpress-mysql", Break::Image("wordpress:6.9.4-php8.3-apache"), &["db healthy", "wordpress creating"]),
];

enum Break {
    /// This image's program ends at once.
    Image(&'static str),
    /// This becomes that.
    Text(&'static str, &'static str),
}

/// Changes a stack that runs into one that does not come up: it is rolled back and serves as before.
fn breaks(template: &Template, engine: &DockerEngine, how: &Break) {
    let (from, to) = match how {
        Break::Image(image) => (*image, broken(engine, image)),
        Break::Text(from, to) => (*from, (*to).to_owned()),
    };
    assert!(template.text.contains(from), "{}: {from}", template.name);
    template.write(&quick(&template.text.replace(from, &to)));
    let output = template.deploy(engine);
    assert_eq!(output.status.code(), Some(1), "{}: {}", template.name, stderr(&output));
    assert!(stderr(&output).contains("what ran before is brought back"), "{}", stderr(&output));
    if let Break::Image(_) = how {
        assert_eq!(told(&stderr(&output)).collect::<Vec<_>>(), [to], "it was fetched before it broke");
    }
    template.answers();
    let containers = template.containers(engine);
    assert!(!containers.contains("previous") && !containers.contains("unhealthy"), "{containers}");
    template.write(&quick(&template.text));
    let output = template.deploy(engine);
    assert!(stdout(&output).contains("nothing changed"), "{}{}", stdout(&output), stderr(&output));
}

/// What its first deployment fetched.
fn is_tried(template: &Template, engine: &DockerEngine) -> BTreeSet<String> {
    let said = template.comes_up(engine);
    if let Some((_, how, order)) = LARGE.iter().find(|(name, ..)| *name == template.name) {
        let places: Vec<_> =
            order.iter().map(|line| said.find(line).unwrap_or_else(|| panic!("{line}: {said}"))).collect();
        assert!(places.is_sorted(), "{}: {said}", template.name);
        breaks(template, engine, how);
    }
    template.goes(engine);
    told(&said).collect()
}

#[test]
fn every_stack_template_comes_up_and_goes_and_the_large_ones_are_rolled_back_where_they_break() {
    let mut names: Vec<String> =
        std::fs::read_dir(stacks()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() >= 20, "{names:?}");
    // The large ones first, so that nobody waits for one at the end.
    names.sort_by_key(|name| (LARGE.iter().all(|(large, ..)| large != name), name.clone()));
    let templates: Vec<Template> = names.iter().map(|name| Template::new(name)).collect();
    let images: BTreeSet<&str> = templates.iter().flat_map(Template::images).collect();
    let engine = DockerEngine::start_empty();
    engine.stand_ins(&images.iter().copied().collect::<Vec<_>>());
    assert_eq!(engine.docker(&["images", "--all", "--quiet"]), "", "nothing is there before it is fetched");
    let fetched = Mutex::new(BTreeSet::new());
    // Four at a time, which the engine has enough networks for.
    let waiting = Mutex::new(templates.iter());
    let next = || waiting.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(template) = next() {
                    let told = is_tried(template, &engine);
                    fetched.lock().unwrap().extend(told);
                }
            });
        }
    });
    // Each image of each template was fetched by a deployment, which said so, from the registry, which gave away nothing else.
    let broken = |image: &String| image.ends_with(":broken");
    assert!(fetched.into_inner().unwrap().iter().eq(&images), "{images:?}");
    assert!(engine.fetched().iter().filter(|image| !broken(image)).eq(&images), "{:?}", engine.fetched());
}
