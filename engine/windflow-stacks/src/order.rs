//! The order in which services start: each after what it depends on.

use std::collections::HashMap;

use crate::project::Project;

/// Services in groups: those of a group need nothing of each other, only of groups before.
///
/// # Errors
/// Services that wait for each other, in a ring.
pub fn levels(project: &Project) -> Result<Vec<Vec<String>>, Vec<String>> {
    let mut level: HashMap<&str, usize> = HashMap::new();
    for start in project.services.keys() {
        visit(project, start, &mut Vec::new(), &mut level)?;
    }
    let count = level.values().max().map_or(0, |most| most + 1);
    let mut levels = vec![Vec::new(); count];
    for name in project.services.keys() {
        levels[level[name.as_str()]].push(name.clone());
    }
    Ok(levels)
}

fn visit<'a>(
    project: &'a Project,
    name: &'a str,
    path: &mut Vec<&'a str>,
    level: &mut HashMap<&'a str, usize>,
) -> Result<usize, Vec<String>> {
    if let Some(known) = level.get(name) {
        return Ok(*known);
    }
    if let Some(at) = path.iter().position(|other| *other == name) {
        return Err(path[at..].iter().chain([&name]).map(|name| (*name).to_owned()).collect());
    }
    path.push(name);
    let mut own = 0;
    let needs = project.services.get(name).into_iter().flat_map(|service| service.depends_on.keys());
    for other in needs.filter(|other| project.services.contains_key(*other)) {
        own = own.max(visit(project, other, path, level)? + 1);
    }
    path.pop();
    level.insert(name, own);
    Ok(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Condition, Dependency, Service};

    fn project(edges: &[(&str, &[&str])]) -> Project {
        let mut project = Project::default();
        for (name, needs) in edges {
            let needed = Dependency { condition: Condition::Started, restart: false };
            let depends_on = needs.iter().map(|name| ((*name).to_owned(), needed)).collect();
            project.services.insert((*name).to_owned(), Service { depends_on, ..Service::default() });
        }
        project
    }

    #[test]
    fn what_is_needed_comes_first() {
        let found = levels(&project(&[("web", &["db", "queue"]), ("db", &[]), ("queue", &["db"]), ("docs", &[])]));
        assert_eq!(found.unwrap(), [vec!["db", "docs"], vec!["queue"], vec!["web"]]);
    }

    #[test]
    fn rings_are_found() {
        assert_eq!(levels(&project(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])])).unwrap_err(), ["b", "c", "b"]);
        assert_eq!(levels(&project(&[("a", &["a"])])).unwrap_err(), ["a", "a"]);
    }
}
