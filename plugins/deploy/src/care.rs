//! `docker`: looks after what is deployed, runs single containers and makes images.

#[cfg(not(target_arch = "wasm32"))]
mod ask;
mod ended;
mod output;

use std::collections::BTreeMap;

use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::{NodeError, config, docker as target, node};

use self::output::Output;

/// What is done, and where.
#[config]
pub struct Config {
    /// Name of the target, which the workflow grants under `permissions: docker:`.
    target: String,
    /// Name of the stack that it is about: needed for what is done with one; of `run` it is the one whose networks and volumes are used.
    #[serde(default)]
    stack: Option<String>,
    /// What is done.
    action: Action,
    /// With these services; with all where none is named.
    #[serde(default)]
    services: Vec<String>,
    /// How many containers, by service, for `scale`.
    #[serde(default)]
    replicas: BTreeMap<String, u32>,
    /// The last so many lines of each container, for `logs`.
    #[serde(default = "usual_lines")]
    tail: u32,
    /// For `remove`: the volumes of the stack, too, and what is in them.
    #[serde(default)]
    volumes: bool,
}

fn usual_lines() -> u32 {
    100
}

/// What can be done.
#[config]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Start containers of the stack that were stopped.
    Start,
    /// Stop containers of the stack; they stay.
    Stop,
    /// Stop and start containers of the stack.
    Restart,
    /// Another number of containers of the stack.
    Scale,
    /// Bring back what the deployment before the present one was made from.
    Rollback,
    /// Take containers and networks of the stack away; its volumes only where `volumes` says so.
    Remove,
    /// Read what containers of the stack write.
    Logs,
    /// Run a container once, to its end, and take it away.
    Run(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Run"))] Value),
    /// Run a command in a container of the stack.
    Exec(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Exec"))] Value),
    /// Build an image.
    Build(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Build"))] Value),
    /// Fetch an image from its registry.
    Pull(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Image"))] Value),
    /// Give an image further names.
    Tag(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Tag"))] Value),
    /// Bring an image to the registry that its name says.
    Push(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Image"))] Value),
    /// Tell what an image, or the containers of the stack, are like.
    Inspect(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Inspect"))] Value),
    /// Take away what workflows left: containers that ran once, images without a name.
    Prune(#[cfg_attr(not(target_arch = "wasm32"), schemars(with = "ask::Prune"))] Value),
}

/// Does it.
#[node]
pub fn docker(config: Config) -> Result<Output, NodeError> {
    let Config { target, stack, action, services, replicas, tail, volumes } = config;
    let of_stack = |mut request: Value| match &stack {
        Some(stack) => {
            request["stack"] = json!(stack);
            Ok(request)
        }
        None => Err(NodeError::new("invalid_config", "this is done with a stack: name it under `stack`")),
    };
    let request = match action {
        Action::Run(mut run) => {
            let accepted = ended::accepted(&mut run)?;
            run["stack"] = json!(stack);
            return ended::judge(target::perform(&target, &named("run", run))?, &accepted);
        }
        Action::Exec(mut exec) => {
            let accepted = ended::accepted(&mut exec)?;
            return ended::judge(target::perform(&target, &of_stack(named("exec", exec))?)?, &accepted);
        }
        Action::Scale if replicas.is_empty() => {
            return Err(NodeError::new("invalid_config", "`scale` needs `replicas`, a number by service"));
        }
        Action::Scale => of_stack(json!({ "do": "scale", "replicas": replicas }))?,
        Action::Rollback => of_stack(json!({ "do": "rollback" }))?,
        Action::Remove => of_stack(json!({ "do": "remove", "volumes": volumes }))?,
        Action::Logs => of_stack(json!({ "do": "logs", "services": services, "tail": tail }))?,
        Action::Start => of_stack(json!({ "do": "start", "services": services }))?,
        Action::Stop => of_stack(json!({ "do": "stop", "services": services }))?,
        Action::Restart => of_stack(json!({ "do": "restart", "services": services }))?,
        Action::Inspect(inspect) if inspect["image"].is_null() => of_stack(named("inspect", inspect))?,
        Action::Inspect(inspect) => named("inspect", inspect),
        Action::Build(build) => named("build", build),
        Action::Pull(image) => named("pull", image),
        Action::Tag(tag) => named("tag", tag),
        Action::Push(image) => named("push", image),
        Action::Prune(prune) => named("prune", prune),
    };
    target::perform(&target, &request)
}

/// The request for it. The engine has checked its form.
fn named(what: &str, mut asked: Value) -> Value {
    asked["do"] = json!(what);
    asked
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::NodeError;
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;

    use super::docker;

    fn run(config: Value, answer: Value) -> (Result<Value, NodeError>, Value) {
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Value::Null));
        let hears = std::sync::Arc::clone(&asked);
        testing::docker::set_target(move |_, request| {
            *hears.lock().unwrap() = request.clone();
            Ok(answer.clone())
        });
        let done = testing::run(docker::NODE, config).map(|emitted| emitted.value);
        let asked = asked.lock().unwrap().clone();
        (done, asked)
    }

    #[test]
    fn what_is_asked_of_a_stack_follows_from_the_action() {
        for action in ["start", "stop", "restart", "logs", "scale", "rollback", "remove"] {
            let config = json!({ "target": "edge", "stack": "shop", "action": action, "replicas": { "web": 2 } });
            let (done, asked) = run(config, json!({ "lines": ["x"] }));
            assert_eq!(
                (done.unwrap(), &asked["do"], &asked["stack"]),
                (json!({ "lines": ["x"] }), &json!(action), &json!("shop"))
            );
            assert_eq!(
                asked.get("volumes"),
                (action == "remove").then_some(&json!(false)),
                "they stay unless somebody asks"
            );
        }
        for config in [
            json!({ "target": "edge", "stack": "shop", "action": "scale" }),
            json!({ "target": "edge", "action": "stop" }),
            json!({ "target": "edge", "action": { "exec": { "service": "web", "command": ["a"] } } }),
            json!({ "target": "edge", "action": { "inspect": {} } }),
        ] {
            assert_eq!(run(config, Value::Null).0.unwrap_err().code, "invalid_config");
        }
    }

    #[test]
    fn an_exit_status_that_is_not_accepted_is_an_error() {
        let with = |accept: Value| {
            let mut run = json!({ "image": "app:1", "command": ["test"] });
            if !accept.is_null() {
                run["accept"] = accept;
            }
            json!({ "target": "edge", "action": { "run": run } })
        };
        let ended = |code: i64| json!({ "exit_code": code, "timed_out": false, "out_of_memory": false, "output": "a\noh no\n", "stdout": "a\n", "cut": false });
        let (done, asked) = run(with(Value::Null), ended(0));
        let expect = json!({ "lines": [], "exit_code": 0, "output": "a\noh no\n", "stdout": "a\n", "cut": false });
        assert_eq!(done.unwrap(), expect);
        assert_eq!(
            asked,
            json!({ "do": "run", "stack": null, "image": "app:1", "command": ["test"] }),
            "nothing else is said"
        );
        let error = run(with(Value::Null), ended(3)).0.unwrap_err();
        assert_eq!((error.code.as_ref(), error.message.as_str()), ("exit_code", "it ended with status 3: oh no"));
        let details: Value = windflow_sdk::serde_json::from_slice(&error.details.unwrap()).unwrap();
        assert_eq!((&details["exit_code"], &details["stdout"]), (&json!(3), &json!("a\n")));
        assert_eq!(run(with(json!([0, 3])), ended(3)).0.unwrap()["exit_code"], 3);

        let mut late = ended(0);
        late["timed_out"] = json!(true);
        late["exit_code"] = Value::Null;
        assert_eq!(run(with(Value::Null), late).0.unwrap_err().code, "timeout");
        let mut large = ended(137);
        large["out_of_memory"] = json!(true);
        assert_eq!(run(with(Value::Null), large).0.unwrap_err().code, "out_of_memory");
    }

    #[test]
    fn what_is_asked_of_images_is_handed_on() {
        let image = json!({ "id": "sha256:1", "tags": ["app:1"], "digests": [], "size": 7, "created": "", "platform": "linux/amd64" });
        let build = json!({ "dockerfile": "FROM scratch", "tags": ["app:1"], "files": { "a": "b" } });
        let (done, asked) = run(json!({ "target": "edge", "action": { "build": build } }), json!({ "image": image }));
        assert_eq!(
            (&done.unwrap()["image"], &asked["do"], &asked["files"]["a"]),
            (&image, &json!("build"), &json!("b"))
        );
        let build =
            json!({ "folder": "shop", "dockerfile": "docker/Dockerfile", "tags": ["app:1"], "executable": ["run.sh"] });
        let (_, asked) = run(json!({ "target": "edge", "action": { "build": build } }), json!({ "image": image }));
        assert_eq!((&asked["folder"], &asked["executable"]), (&json!("shop"), &json!(["run.sh"])));
        let push = json!({ "target": "edge", "action": { "push": { "image": "r.test/app:1" } } });
        let (done, asked) = run(push, json!({ "digest": "sha256:2" }));
        assert_eq!(done.unwrap(), json!({ "lines": [], "digest": "sha256:2" }));
        assert_eq!(asked, json!({ "do": "push", "image": "r.test/app:1" }));
        let inspect = json!({ "target": "edge", "stack": "shop", "action": { "inspect": { "service": "web" } } });
        let (_, asked) = run(inspect, json!({ "containers": [] }));
        assert_eq!(asked, json!({ "do": "inspect", "stack": "shop", "service": "web" }));
    }
}
