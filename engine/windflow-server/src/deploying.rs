//! Deployments by the server: each is a durable run of one `deploy` node, under the id of the deployment itself. Whatever happens
//! to the server, the run goes on, and the deployment with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Map;
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::records::Records;
use windflow_core::ports::store::StoreError;
use windflow_runtime::StartError;
use windflow_stacks::book::{Book, BookError, Request};
use windflow_stacks::carry::{CarryError, LOCAL, Reached};
use windflow_stacks::compose::{self, Context, Loaded, no_files};
use windflow_stacks::deployment::{Content, Deployment, Status};
use windflow_stacks::driver::DriverError;
use windflow_stacks::keys::Keys;
use windflow_stacks::variables::Kind;
use windflow_stacks::vault::Vault;

use crate::launch::{Launch, launch_as};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// The name of the workflow that carries a deployment out.
pub(crate) const WORKFLOW: &str = "deploy-stack";

/// Makes books for organisations.
pub(crate) struct Books {
    records: Arc<dyn Records>,
    vault: Arc<Vault>,
}

impl Books {
    pub(crate) fn new(records: Arc<dyn Records>, keys: &Keys) -> Result<Self, Problem> {
        let vault = Vault::new(keys).ok_or_else(|| Problem::internal("the key of secrets is none"))?;
        Ok(Self { records, vault: Arc::new(vault) })
    }

    pub(crate) fn of(&self, organisation: &OrganisationId) -> Book {
        Book::new(Arc::clone(&self.records), Arc::clone(&self.vault), organisation.clone())
    }
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        let said = error.to_string();
        match error {
            BookError::NotFound(what) => Self::not_found(what),
            BookError::Exists(_) => Self::conflict("exists", said),
            BookError::UnderWay(_) => Self::conflict("under_way", said).remedy("wait until it has ended, or stop it"),
            BookError::InUse(_) => Self::conflict("in_use", said),
            BookError::Invalid(_) => Self::invalid("invalid", said),
            BookError::Conflict => Self::conflict("conflict", said).remedy("read it again, then decide anew"),
            BookError::Sealed(_) => Self::internal(said),
            BookError::Store(error) => error.into(),
        }
    }
}

impl From<DriverError> for Problem {
    fn from(error: DriverError) -> Self {
        let problem = Self::invalid("target", format!("{} [{}]", error.message, error.code));
        match error.remedy {
            Some(remedy) => problem.remedy(remedy),
            None => problem,
        }
    }
}

impl From<CarryError> for Problem {
    fn from(error: CarryError) -> Self {
        match error {
            CarryError::Book(error) => error.into(),
            CarryError::Driver(error) => error.into(),
        }
    }
}

impl App {
    pub(crate) fn book(&self, organisation: &OrganisationId) -> Book {
        self.books.of(organisation)
    }

    /// Reaches a target that is described. This machine's own engine is none unless somebody describes it: it is the operator's.
    pub(crate) async fn reach(&self, book: &Book, target: &str) -> Answer<Reached> {
        known(book, target)?;
        Ok(book.reach(&*self.drivers, target).await?)
    }
}

/// Refuses a target that nobody has described.
pub(crate) fn known(book: &Book, target: &str) -> Answer<()> {
    match book.target(target) {
        Ok(_) => Ok(()),
        Err(BookError::NotFound(what)) => Err(Problem::not_found(what).remedy(if target == LOCAL {
            "a server deploys to targets that somebody has described: POST /api/v1/targets; only the command line has its own machine's engine as `local`"
        } else {
            "a target is described before something is deployed to it: POST /api/v1/targets; GET /api/v1/targets lists those that there are"
        })),
        Err(error) => Err(error.into()),
    }
}

/// What is asked for of a stack.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) version: Option<u32>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) profiles: Vec<String>,
    pub(crate) replicas: BTreeMap<String, u32>,
}

/// Reads a document as the server does: without files beside it.
pub(crate) fn read(text: &str, name: Option<&str>, values: &BTreeMap<String, String>, profiles: &[String]) -> Loaded {
    compose::load(text, &Context { name, variables: values, profiles, files: &no_files })
}

/// What a kept stack comes to for a target, and the number of its version.
pub(crate) fn content(book: &Book, stack: &str, target: &str, wanted: &Wanted) -> Answer<(Content, u32)> {
    let version = match wanted.version {
        Some(version) => version,
        None => book.stack(stack)?.version,
    };
    let text = book.stack_version(stack, version)?.text;
    Ok((content_of(book, stack, &text, target, wanted)?, version))
}

/// Refuses values of variables that a document has not: what was misspelt would be deployed with its default.
pub(crate) fn are_known(text: &str, given: &BTreeMap<String, String>) -> Answer<()> {
    match compose::unknown(text, given.keys()) {
        Some(unknown) => Err(Problem::invalid("unknown_variable", unknown.to_string()).remedy(unknown.remedy)),
        None => Ok(()),
    }
}

/// What a document comes to for a target.
pub(crate) fn content_of(book: &Book, stack: &str, text: &str, target: &str, wanted: &Wanted) -> Answer<Content> {
    are_known(text, &wanted.variables)?;
    let values = book.values(target, stack, &compose::declared(text), &wanted.variables)?;
    let loaded = read(text, Some(stack), &values, &wanted.profiles);
    let Some(mut project) = loaded.project else { return Err(Problem::stack(&loaded.problems)) };
    project.scale(&wanted.replicas).map_err(|why| Problem::invalid("invalid_scale", why))?;
    Ok(Content { project, values: loaded.values })
}

/// What was said of a deployment's variables otherwise than their defaults. Of what its document does not declare nobody knows whether it is
/// secret, so that it is left out like passwords.
pub(crate) fn said(book: &Book, deployment: &Deployment) -> Answer<BTreeMap<String, String>> {
    let Some(version) = deployment.version else { return Ok(BTreeMap::new()) };
    let declared = match book.stack_version(&deployment.stack, version) {
        Ok(version) => compose::declared(&version.text),
        Err(BookError::NotFound(_)) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut values = book.content(deployment)?.values;
    values.retain(|name, value| {
        let variable = declared.iter().find(|variable| variable.name == *name);
        variable.is_some_and(|one| one.kind != Kind::Password && one.default.as_ref() != Some(value))
    });
    Ok(values)
}

fn run_key(organisation: &OrganisationId, id: &str) -> Option<RunKey> {
    let run: RunId = id.parse().ok()?;
    Some(RunKey { organisation: organisation.clone(), run })
}

/// Whether the run that carries a deployment out is over, or never began.
fn run_is_over(app: &App, organisation: &OrganisationId, id: &str) -> Answer<bool> {
    // What a node of a workflow began has the id of that run in front.
    let run = id.get(..36).unwrap_or(id);
    let Some(key) = run_key(organisation, run) else { return Ok(true) };
    match app.store.run(&key) {
        Ok(run) => Ok(run.finished_at.is_some()),
        Err(StoreError::NotFound(_)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Begins a deployment, and the run that carries it out; durable when it returns.
pub(crate) async fn begin(
    app: &App,
    organisation: &OrganisationId,
    target: &str,
    version: Option<u32>,
    content: Content,
    rollback_to: Option<String>,
    by: String,
) -> Answer<Deployment> {
    let book = app.book(organisation);
    known(&book, target)?;
    let run = app.clock.new_run_id();
    let mut request = Request {
        id: run.to_string(),
        version,
        target: target.to_owned(),
        content,
        rollback_to,
        by: by.clone(),
        take_over: false,
    };
    let begun = match book.begin(&request, app.now()) {
        // One whose run is over will never end by itself.
        Err(BookError::UnderWay(other)) if run_is_over(app, organisation, &other)? => {
            request.take_over = true;
            book.begin(&request, app.now())?
        }
        other => other?,
    };
    let launch = Launch::new(organisation, document(target, &begun.id), Map::new(), by);
    match launch_as(app, launch, run).await {
        Ok(_) => Ok(begun),
        Err(error) => {
            let why = match &error {
                StartError::Invalid(invalid) => invalid.problems.first().map(|problem| problem.message.clone()),
                _ => None,
            };
            let why = DriverError::new("not_started", why.unwrap_or_else(|| error.to_string()));
            book.end(&begun, Err(why), app.now())?;
            book.durable().await?;
            Err(error.into())
        }
    }
}

/// The workflow of a deployment. Secrets stay in the deployment: the run knows its id alone. An engine that goes may come back within two minutes, as
/// long as its machine takes to start.
fn document(target: &str, deployment: &str) -> String {
    let (target, deployment) = (serde_json::json!(target), serde_json::json!(deployment));
    format!(
        "windflow: 1\nname: {WORKFLOW}\ndescription: Carries a deployment out\npermissions: {{ docker: [{target}] }}\nnodes:\n  \
         deploy:\n    uses: deploy@1\n    timeout: 1h\n    retry: {{ attempts: 8, initial: 2s, max: 30s }}\n    \
         with: {{ target: {target}, deployment: {deployment} }}\n\
         outputs: {{ verdict: \"${{{{ nodes.deploy.output.verdict }}}}\" }}\n"
    )
}

/// Ends what a crash left between a deployment and its run: the run that is not there begins.
pub(crate) async fn recover(app: &App, organisation: &OrganisationId) -> Answer<()> {
    let book = app.book(organisation);
    let mut after = None::<String>;
    loop {
        let (targets, next) = book.targets(after.as_deref(), 500)?;
        for target in targets {
            for (_, current) in book.on_target(&target.name)? {
                let Some(id) = current.under_way else { continue };
                let deployment = book.deployment(&id)?;
                let Some(key) = run_key(organisation, &id).filter(|_| deployment.status == Status::Running) else {
                    continue;
                };
                if matches!(app.store.run(&key), Err(StoreError::NotFound(_))) {
                    let (document, by) = (document(&target.name, &id), deployment.by.clone());
                    launch_as(app, Launch::new(organisation, document, Map::new(), by), key.run).await?;
                }
            }
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}
