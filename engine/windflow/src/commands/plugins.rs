//! `windflow plugins …`

use std::fmt::Write as _;
use std::process::ExitCode;

use console::style;
use serde_json::{Value, json};
use windflow_core::capability::HttpPattern;
use windflow_core::id::NodeTypeRef;
use windflow_core::manifest::{DEFAULT_PORT, NodeType, reach};
use windflow_core::native::{Native, WithNative};
use windflow_core::ports::host::{InstalledNodeType, Registry};
use windflow_core::problem;
use windflow_core::schema;

use crate::cli::{Global, PluginsCommand};
use crate::engine::{checker, data_dir};
use crate::exit::invalid;
use crate::installed::Installed;
use crate::render::{self, fit, table::table};

mod build;
mod cases;
mod check;
pub(crate) mod consent;
pub(crate) mod fetch;
pub(crate) mod install;
mod stopping;

pub(crate) fn run(global: &Global, command: &PluginsCommand) -> anyhow::Result<ExitCode> {
    match command {
        PluginsCommand::List { json } => list(&WithNative(&checker(global)?), *json)?,
        PluginsCommand::Show { name, json } => {
            let installed = Installed::open(&data_dir(global)?)?;
            show(&WithNative(&checker(global)?), Some(&installed), name, *json)?;
        }
        PluginsCommand::New(args) => build::new(args)?,
        PluginsCommand::Build(args) => build::build(global, args)?,
        PluginsCommand::Pack(args) => build::pack(args)?,
        PluginsCommand::Check(args) => return check::run(global, args),
        PluginsCommand::Test(args) => return cases::run(global, args),
        PluginsCommand::Install(args) => install::install(global, args)?,
        PluginsCommand::Update(args) => install::update(global, args)?,
        PluginsCommand::Remove { name } => install::remove(global, name)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints node types.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn list(host: &dyn Registry, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let all: Vec<Value> = host.list().iter().map(|(uses, installed)| describe(uses, installed)).collect();
        return render::json(&all);
    }
    let mut rows = vec![["NODE TYPE", "WHAT IT DOES", "MAY TOUCH"].map(String::from).to_vec()];
    for (uses, installed) in host.list() {
        let what = fit(installed.node_type().description.get("en"), 70);
        rows.push(vec![uses.to_string(), what, touches_briefly(&uses, &installed)]);
    }
    render::result(&table(&rows))
}

fn describe(uses: &NodeTypeRef, installed: &InstalledNodeType) -> Value {
    json!({
        "uses": uses, "plugin": installed.manifest.plugin, "component": installed.component, "pure": installed.pure,
        "capabilities": installed.manifest.capabilities, "type": installed.node_type(),
    })
}

/// What the node type may touch, in one sentence.
fn touches(uses: &NodeTypeRef, installed: &InstalledNodeType) -> String {
    if Native::find(uses).is_some() {
        return "The engine itself does it: no plugin runs.".into();
    }
    reach(&installed.manifest.capabilities, installed.pure).get("en").to_owned()
}

/// The same in a few words, for a column. Shorter, and yet all of it.
fn touches_briefly(uses: &NodeTypeRef, installed: &InstalledNodeType) -> String {
    let asked = &installed.manifest.capabilities;
    let mut all: Vec<String> = if asked.http.iter().any(HttpPattern::is_anything) {
        vec!["granted hosts".into()]
    } else {
        asked.http.iter().map(|host| host.to_string().replace("https://", "")).collect()
    };
    for (asks, what) in [
        (asked.docker, "granted targets"),
        (asked.email, "granted mail servers"),
        (asked.events, "granted events"),
        (asked.state, "what the workflow keeps"),
        (asked.files || !asked.hands_files.is_empty(), "files of the run"),
        (asked.clock, "the time"),
        (asked.random, "random numbers"),
    ] {
        all.extend(asks.then(|| what.into()));
    }
    if Native::find(uses).is_some() || installed.pure || all.is_empty() {
        return "nothing".into();
    }
    all.join(", ")
}

/// Prints one node type, and where it is from, if this machine knows what is installed.
///
/// # Errors
/// Where there is none of the name, or stdout is closed.
pub(crate) fn show(host: &dyn Registry, ours: Option<&Installed>, name: &str, as_json: bool) -> anyhow::Result<()> {
    let all = host.list();
    let fits = |uses: &NodeTypeRef| uses.to_string() == name || &*uses.name == name;
    let Some((uses, installed)) = all.iter().rev().find(|(uses, _)| fits(uses)) else {
        let hint = problem::did_you_mean(name, all.iter().map(|(uses, _)| &*uses.name))
            .map_or_else(String::new, |hint| format!("; {hint}"));
        return Err(invalid(format!("no node type {name} is installed{hint}; `windflow plugins list` shows them")));
    };
    if as_json {
        return render::json(&describe(uses, installed));
    }
    let node = installed.node_type();
    let manifest = &installed.manifest.plugin;
    let mut text = format!("{}  {}\n{}\n", style(uses).bold(), node.title.get("en"), node.description.get("en"));
    let _ = writeln!(text, "\nplugin     {} {}, {}", manifest.name, manifest.version, installed.component);
    let entry = |ours: &Installed| {
        let entry = ours.entries().iter().find(|entry| entry.component == installed.component)?;
        Some(format!("{}, installed {}", entry.source, render::day(entry.installed_at)))
    };
    let from = match ours {
        _ if Native::find(uses).is_some() => Some("the engine".to_owned()),
        Some(ours) => Some(entry(ours).unwrap_or_else(|| "part of this binary".to_owned())),
        None => None,
    };
    if let Some(from) = from {
        let _ = writeln!(text, "from       {from}");
    }
    if let Some(licence) = &manifest.license {
        let _ = writeln!(text, "licence    {}", fit(licence, 60));
    }
    let _ = writeln!(text, "may touch  {}", touches(uses, installed));
    if let Some(grant) = grant(installed) {
        let _ = writeln!(text, "granted by {grant}");
    }
    text.push_str("\nconfiguration\n");
    text.push_str(&table(&fields(&node.config)));
    text.push_str("\nports\n");
    text.push_str(&table(&ports(node)));
    render::result(&text)
}

/// What a workflow writes to let it do all that it asks for. The author may grant less; names in capitals are theirs to choose.
fn grant(installed: &InstalledNodeType) -> Option<String> {
    let asked = &installed.manifest.capabilities;
    let http = if asked.http.iter().any(HttpPattern::is_anything) {
        vec!["HOST".to_owned()]
    } else {
        asked.http.iter().map(|host| host.to_string().replace("https://", "")).collect()
    };
    let quoted = |name: &String| if name.contains(['*', ':']) { format!("\"{name}\"") } else { name.clone() };
    let list = |names: Vec<String>| format!("[{}]", names.iter().map(quoted).collect::<Vec<_>>().join(", "));
    let one = |asks: bool, name: &str| if asks { list(vec![name.to_owned()]) } else { String::new() };
    let yes = |asks: bool| if asks { "true".to_owned() } else { String::new() };
    let all = [
        ("http", if http.is_empty() { String::new() } else { list(http) }),
        ("credentials", one(asked.credentials, "NAME")),
        ("docker", one(asked.docker, "TARGET")),
        ("email", one(asked.email, "HOST:PORT")),
        ("events", one(asked.events, "EVENT")),
        ("state", yes(asked.state)),
        ("files", yes(asked.files || !asked.hands_files.is_empty())),
        ("clock", yes(asked.clock)),
        ("random", yes(asked.random)),
    ];
    let all: Vec<String> =
        all.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}: {value}")).collect();
    (!installed.pure && !all.is_empty()).then(|| format!("permissions: {{ {} }}", all.join(", ")))
}

/// The longest that the kinds of a field may be on one line, in characters.
const LONGEST_KIND: usize = 50;

fn fields(schema: &Value) -> Vec<Vec<String>> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object();
    let row = |(name, field): (&String, &Value)| {
        let kind = match &field["type"] {
            Value::String(kind) => kind.clone(),
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
            _ => match schema::alternatives(schema, field).as_slice() {
                [] => "any".into(),
                several => several.join(" | "),
            },
        };
        let default = match (&field["default"], required.contains(&name.as_str())) {
            (_, true) => "required".into(),
            (Value::Null, false) => String::new(),
            (value, false) => format!("default {value}"),
        };
        let description = fit(field["description"].as_str().unwrap_or_default(), 90);
        if kind.chars().count() <= LONGEST_KIND {
            return vec![vec![format!("  {name}"), kind, default, description]];
        }
        // One line for each, or all the descriptions would stand far to the right.
        let mut rows = vec![vec![format!("  {name}"), "one of".into(), default, description]];
        rows.extend(kind.split(" | ").map(|one| vec![String::new(), format!("  {one}")]));
        rows
    };
    properties.into_iter().flatten().flat_map(row).collect()
}

fn ports(node: &NodeType) -> Vec<Vec<String>> {
    let mut rows: Vec<_> =
        node.ports.iter().map(|port| vec![format!("  {}", port.name), port.description.get("en").to_owned()]).collect();
    if let Some(field) = &node.ports_from {
        rows.push(vec![format!("  one for each of `{field}`")]);
    } else if rows.is_empty() {
        rows.push(vec![format!("  {DEFAULT_PORT}"), "what it gives".into()]);
    }
    rows.push(vec!["  error".into(), "why it failed".into()]);
    rows
}
