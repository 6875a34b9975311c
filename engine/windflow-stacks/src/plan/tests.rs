use std::collections::BTreeMap;

use super::*;
use crate::project::{Condition, Dependency, Network, Service, Volume};

fn project(services: &[(&str, &str, u32)]) -> Project {
    let service = |(name, image, replicas): &(&str, &str, u32)| {
        ((*name).to_owned(), Service { image: (*image).to_owned(), replicas: *replicas, ..Service::default() })
    };
    Project { name: "shop".into(), services: services.iter().map(service).collect(), ..Project::default() }
}

fn running(project: &Project) -> Observed {
    let mut observed = Observed::default();
    for (name, service) in &project.services {
        for number in 1..=service.replicas {
            observed.containers.push(Container {
                id: format!("{name}{number}"),
                name: format!("shop-{name}-{number}"),
                service: name.clone(),
                number,
                hash: project.config_hash(name),
                image: service.image.clone(),
                image_id: "sha256:1".into(),
                state: State::Running,
                health: None,
                deployment: "d".into(),
                steady: true,
                settled: true,
                retired: false,
                ports: Vec::new(),
            });
        }
    }
    observed
}

fn changes(plan: &Plan) -> Vec<(&str, Change, &str)> {
    plan.steps.iter().map(|step| (step.name.as_str(), step.change, step.why.as_str())).collect()
}

#[test]
fn only_what_differs_changes() {
    let before = project(&[("web", "web:1", 1), ("db", "db:1", 1), ("old", "old:1", 1)]);
    let after = project(&[("web", "web:2", 1), ("db", "db:1", 1), ("new", "new:1", 1)]);
    let plan = plan(&after, &running(&before), &BTreeMap::new());
    let expect = [
        ("web", Change::Changed, "its image was web:1"),
        ("db", Change::Unchanged, "it is as wanted"),
        ("new", Change::Created, "it is not there"),
        ("old", Change::Removed, "the stack has it no more"),
    ];
    assert_eq!(changes(&plan), expect);
    assert_eq!(plan.summary(), "1 created, 1 changed, 1 removed, 1 unchanged");
    assert!(super::plan(&before, &running(&before), &BTreeMap::new()).is_empty());
}

#[test]
fn an_image_that_was_built_anew_is_another_one() {
    let wanted = project(&[("web", "web:1", 1)]);
    let images = [("web:1".to_owned(), "sha256:2".to_owned())].into();
    assert_eq!(changes(&plan(&wanted, &running(&wanted), &images))[0].2, "web:1 is another image now");
}

#[test]
fn the_number_of_containers_is_brought_about() {
    let (two, three) = (project(&[("web", "web:1", 2)]), project(&[("web", "web:1", 3)]));
    let up = plan(&three, &running(&two), &BTreeMap::new());
    assert_eq!(changes(&up), [("web", Change::Changed, "2 of 3 are there")]);
    let per = |plan: &Plan| plan.steps[0].replicas.iter().map(|replica| replica.change).collect::<Vec<_>>();
    assert_eq!(per(&up), [Change::Unchanged, Change::Unchanged, Change::Created]);
    let down = plan(&two, &running(&three), &BTreeMap::new());
    assert_eq!(per(&down), [Change::Unchanged, Change::Unchanged, Change::Removed]);
}

#[test]
fn how_a_container_is_counts() {
    let wanted = project(&[("web", "web:1", 1)]);
    for (state, health, expect) in [
        (State::Created, None, Change::Changed),
        (State::Running, Some(HealthState::Unhealthy), Change::Changed),
        (State::Running, Some(HealthState::Starting), Change::Unchanged),
        (State::Exited(0), None, Change::Unchanged),
        (State::Exited(1), None, Change::Started),
        (State::Dead, None, Change::Changed),
    ] {
        let mut observed = running(&wanted);
        (observed.containers[0].state, observed.containers[0].health) = (state, health);
        assert_eq!(plan(&wanted, &observed, &BTreeMap::new()).steps[0].change, expect, "{state:?}");
    }
}

#[test]
fn what_depends_may_ask_to_start_again() {
    let build = |db: &str| {
        let mut wanted = project(&[("web", "web:1", 1), ("api", "api:1", 1), ("db", db, 1)]);
        let again = Dependency { condition: Condition::Started, restart: true };
        wanted.services["web"].depends_on.insert("api".into(), again);
        wanted.services["api"].depends_on.insert("db".into(), again);
        wanted
    };
    let plan = plan(&build("db:2"), &running(&build("db:1")), &BTreeMap::new());
    assert!(plan.steps.iter().all(|step| step.change == Change::Changed), "{plan:?}");
}

#[test]
fn networks_and_volumes_do_not_change_under_those_who_use_them() {
    let mut wanted = project(&[]);
    wanted.networks.insert("front".into(), Network { name: "shop_front".into(), internal: true, ..Network::default() });
    wanted.volumes.insert("data".into(), Volume { name: "shop_data".into(), ..Volume::default() });
    let part = |hash: String| Part { hash, deployment: String::new() };
    let mut observed = Observed::default();
    observed.networks.insert("shop_old".into(), part("x".into()));
    assert_eq!(
        changes(&plan(&wanted, &observed, &BTreeMap::new()))
            .iter()
            .map(|(name, change, _)| (*name, *change))
            .collect::<Vec<_>>(),
        [("shop_front", Change::Created), ("shop_data", Change::Created), ("shop_old", Change::Removed)]
    );
    observed.networks.insert("shop_front".into(), part("other".into()));
    assert_eq!(plan(&wanted, &observed, &BTreeMap::new()).obstacles.len(), 1);
    observed.networks.insert("shop_front".into(), part(part_hash(&wanted.networks["front"])));
    observed.volumes.insert("shop_data".into(), part(String::new()));
    assert!(plan(&wanted, &observed, &BTreeMap::new()).obstacles.is_empty());
}

#[test]
fn thirty_services_are_planned_in_no_time() {
    let names: Vec<String> = (0..30).map(|n| format!("s{n}")).collect();
    let services: Vec<_> = names.iter().map(|name| (name.as_str(), "image:1", 2)).collect();
    let wanted = project(&services);
    let observed = running(&wanted);
    let begun = std::time::Instant::now();
    assert!(plan(&wanted, &observed, &BTreeMap::new()).is_empty());
    assert!(begun.elapsed().as_millis() < 50, "{:?}", begun.elapsed());
}
