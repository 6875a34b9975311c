//! `windflow.lock`: what fails a build, and what is said of it.

use serde_json::json;

use super::support::{Bench, asks};

const WORKFLOW: &str = "windflow: 1\nname: asks\npermissions: { http: [api.example.org] }\nnodes:\n  \
    a: { uses: ask@1, with: { method: GET, url: \"https://api.example.org\" } }\n  b: { uses: log@1, needs: [a], with: { message: hi } }\n";

impl Bench {
    fn ask(&self, version: &str, hosts: &[&str]) {
        let file = self.repacked("http", "ask", version, |manifest| {
            manifest.capabilities = asks(&json!({ "http": hosts, "run_context": true, "credentials": true }));
        });
        self.run(&["plugins", "install", &file, "--yes"]).with(0, &[]);
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }
}

#[test]
fn growth_of_a_plugin_fails_the_build_and_is_told() {
    let bench = Bench::new();
    bench.ask("1.0.0", &["api.example.org"]);
    bench.write("asks.yaml", WORKFLOW);
    bench.run(&["check", "asks.yaml"]).with(0, &["valid asks.yaml"]);
    bench.run(&["check", "asks.yaml", "--locked"]).with(2, &["windflow.lock is not there", "windflow lock FILE"]);
    bench.run(&["lock", "asks.yaml"]).with(0, &["windflow.lock pins 1 workflows"]);
    bench.run(&["lock", "asks.yaml"]).with(0, &["is up to date"]);
    bench.run(&["check", "asks.yaml", "--locked"]).with(0, &["valid asks.yaml, as it is locked"]);

    bench.ask("1.1.0", &["api.example.org", "collect.example.net"]);
    let says = [
        "ask@1 is another component: ask 1.1.0 (sha256:",
        "and not ask 1.0.0 (sha256:",
        "it may now send requests to",
        "collect.example.net",
    ];
    bench
        .run(&["check", "asks.yaml", "--locked"])
        .with(1, &says)
        .with(1, &["error[locked]", "to accept what is new: windflow lock"]);
    bench.run(&["check", "asks.yaml"]).with(0, &says).with(0, &["note: "]);
    bench.run(&["lock", "asks.yaml"]).with(0, &[]);
    bench.run(&["check", "asks.yaml", "--locked", "--json"]).with(0, &["\"differences\": []"]);
    // Less is another component, too: somebody should have seen it.
    bench.ask("1.2.0", &["api.example.org"]);
    bench.run(&["check", "asks.yaml", "--locked"]).with(1, &["it may no longer send requests to"]);
}

#[test]
fn growth_of_a_workflow_fails_the_build_and_is_told() {
    let bench = Bench::new();
    bench.ask("1.0.0", &["api.example.org"]);
    bench.write("asks.yaml", WORKFLOW);
    std::fs::create_dir(bench.path().join("more")).unwrap();
    bench.write(
        "more/parent.yaml",
        "windflow: 1\nname: parent\nnodes:\n  child: { uses: workflow@1, with: { file: ../asks.yaml } }\n",
    );
    bench.run(&["lock", "asks.yaml", "more/parent.yaml"]).with(0, &["pins 2 workflows"]);
    let all = ["check", "./asks.yaml", "more/parent.yaml", "--locked"];
    bench.run(&all).with(0, &[]);
    bench.write(
        "asks.yaml",
        &WORKFLOW.replace("[api.example.org]", "[api.example.org, \"*.example.net\"], credentials: [key]"),
    );
    // The parent runs it.
    bench.run(&all).with(
        1,
        &[
            "asks.yaml grants more: + http: *.example.net",
            "asks.yaml grants more: + credentials: key",
            "more/parent.yaml grants more: + http: *.example.net",
        ],
    );
    bench.write(
        "asks.yaml",
        &WORKFLOW.replace(
            "uses: log@1, needs: [a], with: { message: hi }",
            "uses: http@1, needs: [a], with: { url: \"https://api.example.org\" }",
        ),
    );
    bench.run(&all).with(
        1,
        &[
            "asks.yaml uses http@1 now: it may send requests to the hosts that the workflow allows",
            "no longer uses log@1",
        ],
    );
    bench.write("asks.yaml", "windflow: 1\nname: asks\nnodes: { a: { uses: nothing@1 } }\n");
    bench.run(&all).with(2, &["nothing@1"]);
    bench.write("windflow.lock", "lock = \"x\"");
    bench.run(&all).with(2, &["windflow.lock cannot be read"]);
}
