//! The command line against a real Docker engine. `make test SKIP_DOCKER=1` leaves these out by their module's name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

mod docker_engine {
    mod backups;
    mod elsewhere;
    mod gone;
    mod pipeline;
    mod scaling;
    mod scanning;
    mod served;
    mod single;
    mod templates;
    mod watched;

    use std::path::Path;
    use std::process::{Command, Output, Stdio};
    use std::time::{Duration, Instant};

    use serde_json::Value;
    use tempfile::TempDir;
    use windflow_testkit::docker::{DockerEngine, free_port, get};

    use crate::common;

    /// A web server, a worker, a queue and a database, all of them stand-ins.
    const SHOP: &str = r#"
name: shop
x-windflow:
  variables:
    TAG: { type: image_tag, default: "1" }
    WEB_PORT: { type: port }
    DB_PASSWORD: { type: password }
    CHECK: { default: "" }
    RETRIES: { default: "3" }
services:
  web:
    image: "stand-in:${TAG}"
    ports: ["127.0.0.1:${WEB_PORT}:80"]
    depends_on: { db: { condition: service_healthy }, queue: { condition: service_started } }
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1/${CHECK}", interval: 500ms, timeout: 2s, retries: "${RETRIES}" }
    stop_signal: SIGKILL
  worker: { image: "stand-in:1", command: sleep 1000, depends_on: [queue], stop_signal: SIGKILL }
  queue: { image: "stand-in:1", command: sleep 1000, stop_signal: SIGKILL }
  db:
    image: stand-in:1
    command: sh -c "cat /run/secrets/db_password; echo; exec sleep 1000"
    healthcheck: { test: test -s /run/secrets/db_password, interval: 500ms, timeout: 2s, retries: 8 }
    secrets: [db_password]
    volumes: ["data:/data"]
    stop_signal: SIGKILL
volumes: { data: {} }
secrets: { db_password: { environment: DB_PASSWORD } }
"#;

    struct Place {
        engine: DockerEngine,
        folder: TempDir,
        port: u16,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("shop.yaml"), SHOP).unwrap();
            Self { engine: DockerEngine::start(), folder, port: free_port() }
        }

        fn command(&self, arguments: &[&str]) -> Command {
            let mut command = common::windflow(&self.folder.path().join("data"));
            command.current_dir(self.folder.path()).args(arguments);
            command
        }

        fn windflow(&self, arguments: &[&str]) -> Output {
            self.command(arguments).output().unwrap()
        }

        fn on(&self, arguments: &[&str]) -> Output {
            self.windflow(&[arguments, &["--target", self.engine.address()]].concat())
        }

        fn deploy_command(&self, more: &[&str]) -> Command {
            let port = format!("WEB_PORT={}", self.port);
            let fixed = ["deploy", "shop.yaml", "--target", self.engine.address(), "--var", &port];
            self.command(&[&fixed, more].concat())
        }

        /// Deploys; the deployment and the exit status.
        fn deploy(&self, more: &[&str]) -> (Value, Option<i32>) {
            let output = self.deploy_command(&[more, &["--json"]].concat()).output().unwrap();
            let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
            (report, output.status.code())
        }

        fn containers(&self) -> String {
            self.engine.docker(&["ps", "--all", "--format", "{{.Names}} {{.State}}"])
        }
    }

    fn stderr(output: &Output) -> String {
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn stdout(output: &Output) -> String {
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn a_stack_is_deployed_broken_rolled_back_scaled_and_removed() {
        let place = Place::new();
        let planned = place.deploy_command(&["--plan"]).output().unwrap();
        assert!(stdout(&planned).ends_with("6 created\n"), "{}{}", stdout(&planned), stderr(&planned));
        assert_eq!(place.containers(), "", "a plan changes nothing");

        let first = place.deploy_command(&[]).output().unwrap();
        assert!(first.status.success(), "{}", stderr(&first));
        for line in ["plan 6 created", "db healthy", "web healthy"] {
            assert!(stderr(&first).contains(line), "{line}: {}", stderr(&first));
        }
        assert_eq!(get(place.port).as_deref(), Some("version 1"));
        let password = place.engine.docker(&["logs", "shop-db-1"]);
        assert_eq!(password.len(), 32);

        let (again, status) = place.deploy(&[]);
        assert_eq!((again["status"].as_str(), status), (Some("unchanged"), Some(0)));
        let (second, _) = place.deploy(&["--var", "TAG=2"]);
        assert_eq!(second["status"], "deployed");
        assert_eq!(get(place.port).as_deref(), Some("version 2"));
        assert_eq!(place.engine.docker(&["logs", "shop-db-1"]), password, "a password that was made stays");

        // Broken: what was there serves.
        let (broken, status) = place.deploy(&["--var", "TAG=1", "--var", "CHECK=nosuch"]);
        assert_eq!((broken["status"].as_str(), status), (Some("rolled_back"), Some(1)));
        assert_eq!(broken["outcome"]["error"]["code"], "unhealthy", "{broken:#}");
        assert_eq!(get(place.port).as_deref(), Some("version 2"));
        let (nosuch, status) = place.deploy(&["--var", "TAG=nosuch-1"]);
        assert_eq!((nosuch["status"].as_str(), status), (Some("failed"), Some(1)), "{nosuch:#}");
        assert_eq!(get(place.port).as_deref(), Some("version 2"));

        let back = place.on(&["stacks", "rollback", "shop"]);
        assert!(back.status.success(), "{}", stderr(&back));
        assert_eq!(get(place.port).as_deref(), Some("version 1"));
        let scaled = place.on(&["stacks", "scale", "shop", "worker=3"]);
        assert!(scaled.status.success(), "{}", stderr(&scaled));
        let shown = stdout(&place.on(&["stacks", "status", "shop"]));
        assert!(shown.contains("shop-worker-3") && shown.contains("running, healthy"), "{shown}");
        assert!(stderr(&place.on(&["stacks", "scale", "shop", "web=2"])).contains("fixed port"));
        assert!(stderr(&place.on(&["stacks", "scale", "shop", "wroker=2"])).contains("did you mean `worker`?"));
        let listed = stdout(&place.windflow(&["deployments", "list"]));
        assert!(listed.contains("rolled_back") && listed.lines().count() == 8, "{listed}");
        let logs = stdout(&place.on(&["stacks", "logs", "shop", "db"]));
        assert_eq!(logs.trim(), format!("db | {password}"));
        let of_last = stdout(&place.windflow(&["deployments", "logs", "last", "db"]));
        assert_eq!(of_last, logs);
        let unknown = place.on(&["stacks", "logs", "shop", "nosuch"]);
        assert!(unknown.status.code() == Some(1) && stderr(&unknown).contains("`web`"), "{}", stderr(&unknown));
        let none = place.on(&["stacks", "logs", "shoes"]);
        assert!(none.status.success() && stderr(&none).contains("nothing of shoes"), "{}", stderr(&none));

        let removed = place.on(&["stacks", "remove", "shop"]);
        assert!(stdout(&removed).contains("volume shop_data stays"), "{}{}", stdout(&removed), stderr(&removed));
        assert_eq!(place.containers(), "");
        assert_eq!(place.engine.docker(&["volume", "ls", "-q"]), "shop_data");
    }

    #[test]
    fn a_killed_deployment_goes_on() {
        let place = Place::new();
        assert_eq!(place.deploy(&[]).1, Some(0));
        for (round, tag) in [(1_u64, "2"), (2, "1"), (3, "2"), (4, "1")] {
            let tag = format!("TAG={tag}");
            let mut child =
                place.deploy_command(&["--var", &tag]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(round * 250));
            child.kill().unwrap();
            child.wait().unwrap();
            let (ended, status) = place.deploy(&["--var", &tag]);
            assert_eq!(status, Some(0), "{round}: {ended:#}");
            assert_eq!(get(place.port), Some(format!("version {}", &tag[4..])), "{round}");
            let names = place.containers();
            assert!(
                names.lines().all(|line| line.ends_with(" running")) && names.lines().count() == 4,
                "{round}: {names}"
            );
        }
        let all: Value = serde_json::from_str(&stdout(&place.windflow(&["deployments", "list", "--json"]))).unwrap();
        assert!(all.as_array().unwrap().iter().all(|found| found["status"] != "running"), "{all:#}");
    }

    #[test]
    fn what_is_interrupted_is_undone() {
        let place = Place::new();
        assert_eq!(place.deploy(&[]).1, Some(0));
        // It is not given up before it is interrupted.
        let mut command = place.deploy_command(&["--var", "TAG=2", "--var", "CHECK=nosuch", "--var", "RETRIES=300"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while !place.containers().contains(".previous") {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(get(place.port).as_deref(), Some("version 1"));
        assert!(!place.containers().contains(".previous"));
    }

    #[test]
    fn what_reaches_beyond_containers_is_confirmed_by_name() {
        let place = Place::new();
        let text = "name: peek\nservices: { web: { image: \"stand-in:1\", volumes: [\"/etc:/host:ro\"], command: sleep 100, stop_signal: SIGKILL } }\n";
        std::fs::write(place.folder.path().join("peek.yaml"), text).unwrap();
        let refused = place.on(&["deploy", "peek.yaml"]);
        assert_eq!(refused.status.code(), Some(2));
        let said = stderr(&refused);
        assert!(said.contains("the path /etc") && said.contains("--confirm web:host_path:/etc"), "{said}");
        assert_eq!(
            place.on(&["deploy", "peek.yaml", "--yes"]).status.code(),
            Some(2),
            "yes to the plan is no yes to a risk"
        );
        assert_eq!(place.containers(), "");
        let allowed = place.on(&["deploy", "peek.yaml", "--confirm", "web:host_path:/etc"]);
        assert!(allowed.status.success(), "{}", stderr(&allowed));
    }

    #[test]
    fn targets_are_described_and_tested() {
        let place = Place::new();
        let address = place.engine.address();
        assert!(
            place
                .windflow(&["targets", "add", "edge", address, "--tag", "lab", "--environment", "staging"])
                .status
                .success()
        );
        let facts: Value =
            serde_json::from_str(&stdout(&place.windflow(&["targets", "test", "edge", "--json"]))).unwrap();
        assert!(facts["engine"].as_str().unwrap().starts_with("Docker"));
        let again = place.windflow(&["targets", "add", "edge", address]);
        assert!(again.status.code() == Some(2) && stderr(&again).contains("already"));
        let gone = place.windflow(&["targets", "test", "unix:///nosuch.sock"]);
        assert!(stderr(&gone).contains("there is no socket /nosuch.sock"), "{}", stderr(&gone));
        let csv = place.folder.path().join("targets.csv");
        std::fs::write(&csv, format!("name,address,tags\nlab-1,{address},a;b\nBad Name,{address},\n")).unwrap();
        let imported = place.windflow(&["targets", "import", path(&csv)]);
        assert_eq!(imported.status.code(), Some(1));
        assert!(stdout(&imported).starts_with("2: lab-1 is kept\n3: refused: "), "{}", stdout(&imported));
        let listed = stdout(&place.windflow(&["targets", "list"]));
        assert!(listed.contains("edge") && listed.contains("staging") && listed.contains("lab-1"), "{listed}");
        let port = format!("WEB_PORT={}", place.port);
        let deployed = place.windflow(&["deploy", "shop.yaml", "--target", "edge", "--var", &port]);
        assert!(deployed.status.success(), "{}", stderr(&deployed));
        // This machine's own engine is one without being described, wherever it is named.
        assert!(stderr(&place.windflow(&["targets", "list"])).contains("`local`"));
        let local = stdout(&place.windflow(&["targets", "show", "local"]));
        assert!(local.contains("unix:///var/run/docker.sock") && local.contains("need not be described"), "{local}");
        let local: Value =
            serde_json::from_str(&stdout(&place.windflow(&["targets", "show", "local", "--json"]))).unwrap();
        assert_eq!((&local["name"], &local["described"]), (&Value::from("local"), &Value::from(false)));
        let removed = place.windflow(&["targets", "remove", "local"]);
        assert!(
            removed.status.code() == Some(2) && stderr(&removed).contains("windflow targets add local"),
            "{}",
            stderr(&removed)
        );
        assert_eq!(place.windflow(&["targets", "show", "nosuch"]).status.code(), Some(2));
        let misspelt = place.windflow(&["targets", "test", "egde"]);
        assert!(
            misspelt.status.code() == Some(2) && stderr(&misspelt).contains("did you mean `edge`?"),
            "{}",
            stderr(&misspelt)
        );
        let used = place.windflow(&["targets", "remove", "edge"]);
        assert!(stderr(&used).contains("remove it there first"), "{}", stderr(&used));
    }

    /// The workflow that is shipped, with approval, gate and rollback, on real containers.
    #[test]
    fn deploy_to_production_asks_deploys_and_rolls_back() {
        let place = Place::new();
        let address = place.engine.address();
        assert!(place.windflow(&["targets", "add", "production", address]).status.success());
        let kept =
            SHOP.replace("WEB_PORT: { type: port }", &format!("WEB_PORT: {{ type: port, default: {} }}", place.port));
        std::fs::write(place.folder.path().join("shop.yaml"), &kept).unwrap();
        let first = place.windflow(&["deploy", "shop.yaml", "--target", "production"]);
        assert!(first.status.success(), "{}", stderr(&first));

        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows/deploy-to-production/workflow.yaml");
        let begin = |version: &str| {
            let input = format!("version={version}");
            place.windflow(&["run", path(&file), "--input", &input, "--input", "watch=1s", "--quiet"])
        };
        assert_eq!(begin("2").status.code(), Some(3), "it waits for an answer");
        assert_eq!(get(place.port).as_deref(), Some("version 1"));
        let output = place.windflow(&["runs", "approve", "last", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        assert_eq!(
            (report["status"].as_str(), report["outputs"]["verdict"].as_str()),
            (Some("succeeded"), Some("deployed")),
            "{report:#}"
        );
        assert_eq!(get(place.port).as_deref(), Some("version 2"));

        // A version whose image is there, and whose check never succeeds.
        let broken = kept.replace("http://127.0.0.1/${CHECK}", "http://127.0.0.1/nosuch-${TAG}");
        std::fs::write(place.folder.path().join("shop.yaml"), broken).unwrap();
        assert_eq!(place.windflow(&["deploy", "shop.yaml", "--target", "production", "--json"]).status.code(), Some(1));
        assert_eq!(begin("1").status.code(), Some(3));
        let output = place.windflow(&["runs", "approve", "last", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        assert_eq!(report["nodes"]["rolled_back"]["error"]["code"], "rolled_back", "{report:#}");
        assert_eq!(get(place.port).as_deref(), Some("version 2"));

        // A variable that the stack has not is a mistake here, too.
        let text = std::fs::read_to_string(&file).unwrap().replace("variables: { TAG:", "variables: { TGA:");
        std::fs::write(place.folder.path().join("misspelt.yaml"), text).unwrap();
        assert_eq!(place.windflow(&["run", "misspelt.yaml", "--input", "version=1"]).status.code(), Some(3));
        let output = place.windflow(&["runs", "approve", "last", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        let error = &report["nodes"]["deploy"]["error"];
        assert_eq!(error["code"], "unknown_variable", "{report:#}");
        assert!(error["message"].as_str().is_some_and(|why| why.contains("did you mean `TAG`?")), "{report:#}");

        // Without the grant nothing is reached.
        let text = std::fs::read_to_string(&file).unwrap().replace("docker: [production]", "docker: []");
        std::fs::write(place.folder.path().join("denied.yaml"), text).unwrap();
        let denied = place.windflow(&["run", "denied.yaml", "--input", "version=1"]);
        assert!(
            denied.status.code() == Some(2) && stderr(&denied).contains("docker: [production]"),
            "{}",
            stderr(&denied)
        );
    }

    /// The process dies in the middle of the node's attempt: the run goes on, and so does its deployment.
    #[test]
    fn a_killed_run_goes_on_with_its_deployment() {
        let place = Place::new();
        let kept =
            SHOP.replace("WEB_PORT: { type: port }", &format!("WEB_PORT: {{ type: port, default: {} }}", place.port));
        let document =
            serde_json::to_string(&kept.replace("${CHECK}", "").replace("    CHECK: { default: \"\" }\n", "")).unwrap();
        let workflow = format!(
            "windflow: 1\nname: go\npermissions: {{ docker: [edge] }}\nnodes:\n  up:\n    uses: deploy@1\n    with: {{ target: edge, compose: {document} }}\noutputs: {{ verdict: \"${{{{ nodes.up.output.verdict }}}}\" }}\n"
        );
        std::fs::write(place.folder.path().join("go.yaml"), workflow).unwrap();
        assert!(place.windflow(&["targets", "add", "edge", place.engine.address()]).status.success());
        let mut child = place.command(&["run", "go.yaml"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while !place.containers().contains("shop-db-1") {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let resumed = place.windflow(&["runs", "resume", "last", "--json"]);
        let report: Value = serde_json::from_slice(&resumed.stdout).unwrap_or_else(|_| panic!("{}", stderr(&resumed)));
        assert_eq!(report["outputs"]["verdict"], "deployed", "{report:#}");
        assert_eq!(get(place.port).as_deref(), Some("version 1"));
        let all: Value = serde_json::from_str(&stdout(&place.windflow(&["deployments", "list", "--json"]))).unwrap();
        assert_eq!(all.as_array().unwrap().len(), 1, "one deployment, not two: {all:#}");
    }

    fn path(path: &Path) -> &str {
        path.to_str().unwrap()
    }
}
