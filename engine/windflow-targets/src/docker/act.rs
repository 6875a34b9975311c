//! What is done with a stack that is deployed.

use futures::future::try_join_all;
use windflow_stacks::driver::{Action, Event, Events, Result};
use windflow_stacks::plan::Container;

use super::{DockerTarget, parts};

pub(super) async fn act(
    target: &DockerTarget,
    stack: &str,
    services: &[String],
    action: &Action,
    events: &dyn Events,
) -> Result<Vec<String>> {
    let seen = target.seen(stack).await?;
    let chosen = |found: &&Container| services.is_empty() || services.contains(&found.service);
    seen.known(stack, services)?;
    let removes = matches!(action, Action::Remove { .. });
    let own: Vec<&Container> =
        seen.containers.iter().filter(chosen).filter(|found| removes || !found.retired).collect();
    let done = try_join_all(own.iter().map(|found| one(target, found, action, events))).await?;
    let mut done: Vec<String> = done;
    if let (Action::Remove { volumes }, true) = (action, services.is_empty()) {
        for name in seen.networks.keys() {
            let removed = parts::remove_network(target, name).await?;
            done.push(format!("network {name} {}", if removed { "removed" } else { "stays: others use it" }));
        }
        for name in seen.volumes.keys() {
            let removed = *volumes && parts::remove_volume(target, name).await?;
            done.push(format!("volume {name} {}", if removed { "removed" } else { "stays" }));
        }
    }
    Ok(done)
}

async fn one(target: &DockerTarget, found: &Container, action: &Action, events: &dyn Events) -> Result<String> {
    let doing = match action {
        Action::Stop => {
            target.stop(&found.id, None).await?;
            "stopped"
        }
        Action::Start => {
            target.start(&found.id).await?;
            "started"
        }
        Action::Restart => {
            target.stop(&found.id, None).await?;
            target.start(&found.id).await?;
            "restarted"
        }
        Action::Remove { .. } => {
            target.stop(&found.id, None).await?;
            target.remove(&found.id).await?;
            "removed"
        }
    };
    let (service, number) = (found.service.clone(), found.number);
    events.tell(Event::Container { service, number, doing: doing.to_owned(), detail: String::new() });
    Ok(format!("{} {doing}", found.name))
}
