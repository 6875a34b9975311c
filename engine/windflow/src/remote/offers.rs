//! What a server offers: what `windflow templates` finds, shows and installs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_core::manifest::Text;
use windflow_marketplace::contents::Permissions;
use windflow_marketplace::manifest::{Kind, Requirements};

use super::deploy::{self, Risk, with};
use super::server::{Server, with_query};
use super::{own_templates, registries};
use crate::cli::{InstallArgs, TemplateRef, TemplatesCommand};
use crate::commands::deploy::confirm;
use crate::commands::templates::{self, Found, Shown};
use crate::exit::invalid;
use crate::render;

pub(super) async fn on_templates(server: &Server, command: TemplatesCommand) -> anyhow::Result<ExitCode> {
    let (text, kind, category, tag, json) = match command {
        TemplatesCommand::Search { text, kind, category, tag, json } => (text, kind, category, tag, json),
        TemplatesCommand::Show { template, text, json } => return show(server, &template, text, json).await,
        TemplatesCommand::Install(args) => return install(server, &args).await,
        TemplatesCommand::Registry(command) => return registries::run(server, command).await,
        TemplatesCommand::Installed { json } => return own_templates::list(server, json).await,
        TemplatesCommand::Update { name, kind, yes } => {
            return own_templates::update(server, &name, kind.map(Into::into), yes).await;
        }
        TemplatesCommand::Publish(args) => return own_templates::publish(server, &args).await,
        TemplatesCommand::Check { .. } | TemplatesCommand::New { .. } | TemplatesCommand::Import { .. } => {
            return Err(super::of_this_machine());
        }
    };
    let mut query = Vec::new();
    query.extend(Some(text.join(" ")).filter(|text| !text.is_empty()).map(|text| ("q", text)));
    query.extend(kind.map(|kind| ("kind", Kind::from(kind).word().to_owned())));
    query.extend(category.map(|category| ("category", category)));
    query.extend(tag.map(|tag| ("tag", tag)));
    let all: Vec<Value> = server.all(&["templates"], &query).await?;
    if json {
        render::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let read = |one: Value| {
        let Template { name, kind, version, category, summary } = serde_json::from_value(one)?;
        let (kind, summary) = (kind.word(), summary.get("en").to_owned());
        Ok(Found { name, kind, version, category, summary })
    };
    templates::print(all.into_iter().map(read).collect::<anyhow::Result<_>>()?)?;
    Ok(ExitCode::SUCCESS)
}

/// A template, as the API lists it.
#[derive(Deserialize)]
struct Template {
    name: String,
    kind: Kind,
    version: String,
    category: String,
    summary: Text,
}

/// A template with what people want to know before they install it, as the API shows it.
#[derive(Deserialize)]
struct Detail {
    name: String,
    kind: Kind,
    shown: String,
    registry: String,
    summary: Text,
    readme: Text,
    text: String,
    // What there is of stacks only, and of workflows only.
    services: Option<Vec<Service>>,
    volumes: Vec<String>,
    variables: Option<Vec<Variable>>,
    risks: Vec<Risk>,
    inputs: Option<BTreeMap<String, Value>>,
    reach: Vec<Used>,
    permissions: Option<Permissions>,
    requirements: Option<Requirements>,
    license: Option<String>,
    homepage: Option<String>,
}

#[derive(Deserialize)]
struct Service {
    name: String,
    image: String,
    ports: Vec<String>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    #[serde(default)]
    description: Text,
    default: Option<String>,
}

#[derive(Deserialize)]
struct Used {
    uses: String,
}

async fn detail(server: &Server, TemplateRef { name, version }: &TemplateRef) -> anyhow::Result<Value> {
    let query: Vec<_> = version.iter().map(|version| ("version", version.to_string())).collect();
    server.ask(with_query(server.request(Method::GET, &["templates", name]), &query)?).await
}

async fn show(server: &Server, template: &TemplateRef, text: bool, json: bool) -> anyhow::Result<ExitCode> {
    let detail = detail(server, template).await?;
    if json {
        render::json(&detail)?;
        return Ok(ExitCode::SUCCESS);
    }
    let detail: Detail = serde_json::from_value(detail)?;
    if text {
        render::result(&detail.text)?;
        return Ok(ExitCode::SUCCESS);
    }
    templates::print_one(&detail.into())?;
    Ok(ExitCode::SUCCESS)
}

impl From<Detail> for Shown {
    fn from(detail: Detail) -> Self {
        let mut about = Vec::new();
        let service = |one: &Service| ("service", templates::service(&one.name, &one.image, &one.ports));
        about.extend(detail.services.iter().flatten().map(service));
        about.extend(detail.volumes.into_iter().map(|volume| ("volume", volume)));
        let variable =
            |one: &Variable| templates::variable(&one.name, one.default.as_deref(), one.description.get("en"));
        about.extend(detail.variables.iter().flatten().map(|one| ("variable", variable(one))));
        about.extend(detail.risks.iter().map(|one| ("risk", templates::risk(&one.what, one.name()))));
        about.extend(detail.inputs.unwrap_or_default().into_keys().map(|input| ("input", input)));
        about.extend(detail.reach.into_iter().map(|one| ("uses", one.uses)));
        about.extend(detail.permissions.unwrap_or_default().told().into_iter().map(|what| ("granted", what)));
        about.extend(templates::needs(detail.requirements.unwrap_or_default()).map(|needs| ("needs", needs)));
        about.extend(detail.license.map(|license| ("license", license)));
        about.extend(detail.homepage.map(|homepage| ("homepage", homepage)));
        Self {
            head: format!("{} {} ({}, {})", detail.name, detail.shown, detail.kind.word(), detail.registry),
            summary: detail.summary.get("en").to_owned(),
            about,
            readme: detail.readme.get("en").to_owned(),
        }
    }
}

async fn install(server: &Server, args: &InstallArgs) -> anyhow::Result<ExitCode> {
    #[derive(Deserialize)]
    struct Installed {
        kind: Kind,
        name: String,
        deployment: Option<String>,
    }
    if args.timeout.is_some() {
        return Err(deploy::no_timeout());
    }
    if args.out != Path::new(".") {
        return Err(invalid("--out: the server keeps what is installed, and writes no folder; leave it out"));
    }
    let template: Detail = serde_json::from_value(detail(server, &args.template).await?)?;
    let name = args.name.as_ref().unwrap_or(&args.template.name);
    if template.kind == Kind::Workflow && args.deploy {
        return Err(invalid("a workflow is not deployed: run it with `windflow run`"));
    }
    let mut wanted = json!({ "as": name, "version": template.shown, "registry": template.registry });
    if args.deploy {
        let variables: BTreeMap<_, _> = args.variables.iter().cloned().collect();
        let confirmed = Risk::confirmed(name, template.risks, &args.confirm)?;
        if !args.yes {
            let planned = json!({ "text": template.text, "variables": variables });
            let plan = deploy::plan(server, name, &args.target, &planned).await?;
            confirm::plan(&plan, name, &args.target)?;
        }
        for (field, value) in [
            ("deploy", json!(true)),
            ("target", json!(args.target)),
            ("variables", json!(variables)),
            ("confirm", json!(confirmed)),
        ] {
            wanted = with(&wanted, field, value);
        }
    }
    let request = server.request(Method::POST, &["templates", &args.template.name, "install"]).json(&wanted);
    match server.ask(request).await? {
        Installed { deployment: Some(id), .. } => deploy::to_the_end(server, &id, false).await,
        Installed { kind: Kind::Stack, name, .. } => {
            render::line(&format!("the server keeps {name}; deploy it with: windflow deploy {name}"));
            Ok(ExitCode::SUCCESS)
        }
        Installed { kind: Kind::Workflow, name, .. } => {
            render::line(&format!(
                "the server keeps {name}; `windflow run {name}` runs it, `windflow workflows enable {name}` switches its triggers on"
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}
