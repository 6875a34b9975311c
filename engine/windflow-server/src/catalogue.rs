//! The workflows of an organisation: their text, their versions, whether their triggers are on.

use serde::{Deserialize, Serialize};
use windflow_core::id::{Digest, OrganisationId, WorkflowName};
use windflow_core::ports::records::{Change, Expected, RecordVersion, Records};
use windflow_core::ports::store::StoreError;
use windflow_core::problem::{self, Problem as DocumentProblem};
use windflow_core::run::Timestamp;
use windflow_core::workflow::{self, Children, Workflow};
use windflow_triggers::Triggers;

use crate::kept::{self, Kept};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};
use crate::{children, drafts, missing};

/// A workflow, as kept. Its text is that of its latest version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: WorkflowName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    /// Number of the latest version, from 1.
    pub(crate) version: u32,
    pub(crate) document: Digest,
    /// What starts it, as `cron` and `webhook`, each once.
    #[serde(default)]
    pub(crate) triggers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
}

impl Entry {
    /// With what the text says that lists show.
    fn of(self, workflow: &Workflow) -> Self {
        let mut triggers: Vec<String> = workflow.triggers.values().map(|trigger| trigger.uses.value.clone()).collect();
        triggers.sort();
        triggers.dedup();
        Self {
            description: workflow.description.as_ref().map(|text| text.value.clone()),
            folder: workflow.folder.as_ref().map(|folder| folder.value.clone()),
            tags: workflow.tags.iter().map(|tag| tag.value.clone()).collect(),
            triggers,
            ..self
        }
    }

    /// Whether it lies in a folder, or in one within that.
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        let within = |rest: &str| rest.is_empty() || rest.starts_with('/');
        self.folder.as_deref().and_then(|own| own.strip_prefix(folder)).is_some_and(within)
    }
}

/// A version of a workflow. Never changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) version: u32,
    pub(crate) document: Digest,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) text: String,
}

/// A document that was checked.
pub(crate) struct Checked {
    pub(crate) workflow: Option<Workflow>,
    /// The workflows that it runs.
    pub(crate) children: Children,
    pub(crate) triggers: Triggers,
    pub(crate) problems: Vec<DocumentProblem>,
}

impl Checked {
    pub(crate) fn is_valid(&self) -> bool {
        self.workflow.is_some() && !self.problems.iter().any(DocumentProblem::is_error)
    }

    fn into_valid(self) -> Answer<(Workflow, Triggers)> {
        let valid = self.is_valid();
        match self.workflow.filter(|_| valid) {
            Some(workflow) => Ok((workflow, self.triggers)),
            None => Err(Problem::document(&self.problems)),
        }
    }
}

/// What the keys of all workflows begin with.
pub(crate) const ENTRIES: &str = "workflows/";

pub(crate) fn entry_key(name: &WorkflowName) -> String {
    format!("{ENTRIES}{name}")
}

fn versions_prefix(name: &WorkflowName) -> String {
    format!("versions/{name}/")
}

fn version_key(name: &WorkflowName, version: u32) -> String {
    format!("versions/{name}/{version:010}")
}

/// Holds a document against itself, the installed node types, and what triggers mean.
pub(crate) async fn check(app: &App, organisation: &OrganisationId, text: String) -> Answer<Checked> {
    let (app, organisation) = (app.clone(), organisation.clone());
    blocking(move || {
        let (workflow, mut problems) = Workflow::parse(&text);
        let (mut triggers, mut below) = (Triggers::default(), Children::default());
        if let Some(workflow) = &workflow {
            problems.extend(workflow::validate(workflow, &*app.registry));
            let (compiled, found) = windflow_triggers::compile(workflow);
            triggers = compiled;
            problems.extend(found);
            match children::resolve(&app, &organisation, workflow) {
                Ok(found) => below = found,
                Err(found) => problems.extend(found),
            }
        }
        problem::sort(&mut problems);
        Checked { workflow, children: below, triggers, problems }
    })
    .await
}

/// One workflow, where there is one of the name.
pub(crate) fn find(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<Option<Kept<Entry>>> {
    Ok(kept::read(&*app.records, organisation, &entry_key(name))?)
}

/// One workflow.
pub(crate) fn entry(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<Kept<Entry>> {
    find(app, organisation, name)?.ok_or_else(|| Problem::not_found(format!("workflow {name}")))
}

/// One version of a workflow.
pub(crate) fn version(app: &App, organisation: &OrganisationId, name: &WorkflowName, number: u32) -> Answer<Version> {
    kept_version(&*app.records, organisation, name, number)
}

/// The same of records, where no server runs.
pub(crate) fn kept_version(
    records: &dyn Records,
    organisation: &OrganisationId,
    name: &WorkflowName,
    number: u32,
) -> Answer<Version> {
    kept::read(records, organisation, &version_key(name, number))?
        .map(|kept| kept.value)
        .ok_or_else(|| Problem::not_found(format!("version {number} of workflow {name}")))
}

/// A workflow with the text of its latest version.
pub(crate) fn latest(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<(Kept<Entry>, Version)> {
    kept_latest(&*app.records, organisation, name)
}

/// The same of records, where no server runs.
pub(crate) fn kept_latest(
    records: &dyn Records,
    organisation: &OrganisationId,
    name: &WorkflowName,
) -> Answer<(Kept<Entry>, Version)> {
    let entry: Option<Kept<Entry>> = kept::read(records, organisation, &entry_key(name))?;
    let entry = entry.ok_or_else(|| Problem::not_found(format!("workflow {name}")))?;
    let version = kept_version(records, organisation, name, entry.value.version)?;
    Ok((entry, version))
}

/// The versions of a workflow, the first one first.
pub(crate) fn versions(
    app: &App,
    organisation: &OrganisationId,
    name: &WorkflowName,
    after: Option<u32>,
    limit: usize,
) -> Answer<(Vec<Version>, Option<u32>)> {
    let after = after.map(|number| version_key(name, number));
    let prefix = versions_prefix(name);
    let (items, next) = kept::scan::<Version>(&*app.records, organisation, &prefix, after.as_deref(), limit)?;
    let next = next.and_then(|key| key.strip_prefix(&prefix)?.parse().ok());
    Ok((items.into_iter().map(|kept| kept.value).collect(), next))
}

/// Keeps a new workflow, off.
pub(crate) async fn create(app: &App, organisation: &OrganisationId, text: String, by: String) -> Answer<Kept<Entry>> {
    let (workflow, _) = check(app, organisation, text.clone()).await?.into_valid()?;
    let now = app.now();
    let name = workflow.name.value.clone();
    let _turn = app.active.turn.lock().await;
    // Versions of a workflow that was deleted stay; a new one of the same name goes on counting.
    let number = last_version(app, organisation, &name)? + 1;
    let entry = Entry {
        name: name.clone(),
        description: None,
        enabled: false,
        version: number,
        document: Digest::of(text.as_bytes()),
        triggers: Vec::new(),
        folder: None,
        tags: Vec::new(),
        created_at: now,
        created_by: by.clone(),
        updated_at: now,
        updated_by: by,
    };
    let entry = entry.of(&workflow);
    save(app, organisation, entry, Expected::Absent, Some(text)).await.map_err(|problem| {
        if problem.status() == 409 {
            Problem::conflict("workflow_exists", format!("there is a workflow {name} already"))
                .remedy(format!("replace its text with PUT /api/v1/workflows/{name}/document, or choose another name"))
        } else {
            problem
        }
    })
}

fn last_version(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Result<u32, StoreError> {
    let (mut last, mut after) = (0, None::<String>);
    let prefix = versions_prefix(name);
    loop {
        let page = app.records.scan(organisation, &prefix, after.as_deref(), 1000)?;
        let number = page.items.last().and_then(|stored| stored.key.strip_prefix(&prefix)?.parse().ok());
        last = number.unwrap_or(last);
        after = page.next;
        if after.is_none() {
            return Ok(last);
        }
    }
}

/// Writes an entry, and its new version where there is one; durable when it returns.
async fn save(
    app: &App,
    organisation: &OrganisationId,
    entry: Entry,
    expected: Expected,
    text: Option<String>,
) -> Answer<Kept<Entry>> {
    let mut changes = Vec::new();
    if let Some(text) = text {
        let version = Version {
            version: entry.version,
            document: entry.document,
            at: entry.updated_at,
            by: entry.updated_by.clone(),
            text,
        };
        let key = version_key(&entry.name, entry.version);
        changes.push(Change::put(organisation, key, Expected::Absent, kept::encode(&version)?));
        changes.push(drafts::gone(organisation, &entry.name));
    }
    // The entry is the last change: its version is that of the batch.
    changes.push(Change::put(organisation, entry_key(&entry.name), expected, kept::encode(&entry)?));
    let changed = app.records.batch(changes)?;
    app.records.durable(changed.position).await?;
    Ok(Kept { version: changed.version, value: entry })
}

/// Which version whoever changes a workflow has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Whichever there is.
    Any,
    /// This one.
    Version(RecordVersion),
}

/// Refuses whoever has seen another version than the one that there is.
pub(crate) fn check_seen(entry: &Kept<Entry>, seen: Seen) -> Answer<()> {
    if seen == Seen::Any || seen == Seen::Version(entry.version) {
        return Ok(());
    }
    let detail = format!(
        "workflow {} was changed meanwhile, by {}: it is at version {} now",
        entry.value.name, entry.value.updated_by, entry.value.version
    );
    Err(Problem::new(axum::http::StatusCode::PRECONDITION_FAILED, "changed_meanwhile", detail)
        .remedy("get it again, bring both changes together, and send it with the new ETag"))
}

fn check_name(workflow: &Workflow, name: &WorkflowName) -> Answer<()> {
    if workflow.name.value == *name {
        return Ok(());
    }
    let detail = format!("the text is of a workflow called {}, not {name}", workflow.name.value);
    Err(Problem::invalid("name_differs", detail).remedy("create it as a new workflow to rename it"))
}

/// What [`replace`] would find wrong with a text. Nothing is kept.
pub(crate) async fn rehearse(
    app: &App,
    organisation: &OrganisationId,
    name: &WorkflowName,
    text: String,
    seen: Seen,
) -> Answer<Vec<DocumentProblem>> {
    let checked = check(app, organisation, text).await?;
    let before = entry(app, organisation, name)?;
    check_seen(&before, seen)?;
    if let Some(workflow) = &checked.workflow {
        check_name(workflow, name)?;
    }
    if before.value.enabled && checked.is_valid() {
        check_paths(app, organisation, name, &checked.triggers)?;
    }
    Ok(checked.problems)
}

/// Gives a workflow another text, which becomes its next version. Enabled triggers go on with it at once.
pub(crate) async fn replace(
    app: &App,
    organisation: &OrganisationId,
    name: &WorkflowName,
    text: String,
    seen: Seen,
    by: String,
) -> Answer<Kept<Entry>> {
    let (workflow, triggers) = check(app, organisation, text.clone()).await?.into_valid()?;
    let _turn = app.active.turn.lock().await;
    let before = entry(app, organisation, name)?;
    check_seen(&before, seen)?;
    check_name(&workflow, name)?;
    if before.value.document == Digest::of(text.as_bytes()) {
        return Ok(before);
    }
    if before.value.enabled {
        check_paths(app, organisation, name, &triggers)?;
    }
    let entry = Entry {
        version: before.value.version + 1,
        document: Digest::of(text.as_bytes()),
        updated_at: app.now(),
        updated_by: by,
        ..before.value
    };
    let entry = entry.of(&workflow);
    let kept = save(app, organisation, entry, Expected::Version(before.version), Some(text.clone())).await?;
    if kept.value.enabled {
        app.active.arm(organisation, name, &text, &triggers);
    }
    Ok(kept)
}

/// Takes a workflow away. Its runs and versions stay.
pub(crate) async fn delete(app: &App, organisation: &OrganisationId, name: &WorkflowName, seen: Seen) -> Answer<()> {
    let _turn = app.active.turn.lock().await;
    let before = entry(app, organisation, name)?;
    check_seen(&before, seen)?;
    let changed = app.records.delete(organisation, &entry_key(name), Expected::Version(before.version))?;
    app.active.disarm(organisation, name);
    app.records.durable(changed.position).await?;
    Ok(())
}

/// Takes a workflow away that was only just made, as if it had never been.
pub(crate) async fn undo(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<()> {
    let _turn = app.active.turn.lock().await;
    let before = entry(app, organisation, name)?;
    let version = version_key(name, before.value.version);
    let changed = app.records.batch(vec![
        Change::delete(organisation, version, Expected::Any),
        Change::delete(organisation, entry_key(name), Expected::Version(before.version)),
    ])?;
    app.active.disarm(organisation, name);
    app.records.durable(changed.position).await?;
    Ok(())
}

fn check_paths(app: &App, organisation: &OrganisationId, name: &WorkflowName, triggers: &Triggers) -> Answer<()> {
    app.active.check(organisation, name, triggers).map_err(|taken| {
        let detail = format!("workflow {} listens to {} {} already", taken.by, taken.method, taken.path);
        Problem::conflict("webhook_path_taken", detail).remedy("give the webhook another `path:`")
    })
}

/// Switches the triggers of a workflow on or off.
pub(crate) async fn enable(
    app: &App,
    organisation: &OrganisationId,
    name: &WorkflowName,
    enabled: bool,
    by: String,
) -> Answer<Kept<Entry>> {
    // Before the check: no plugin that it needs goes meanwhile.
    let _turn = app.active.turn.lock().await;
    let (_, text) = latest(app, organisation, name)?;
    let (_, triggers) = check(app, organisation, text.text.clone()).await?.into_valid()?;
    let before = entry(app, organisation, name)?;
    if before.value.enabled == enabled {
        return Ok(before);
    }
    if before.value.version != text.version {
        return Err(Problem::conflict("conflict", "the workflow was changed at this moment").remedy("ask again"));
    }
    if enabled {
        check_paths(app, organisation, name, &triggers)?;
        crate::scheduler::forget(app, organisation, name)?;
    }
    let entry = Entry { enabled, updated_at: app.now(), updated_by: by, ..before.value };
    let kept = save(app, organisation, entry, Expected::Version(before.version), None).await?;
    if enabled {
        app.active.arm(organisation, name, &text.text, &triggers);
    } else {
        app.active.disarm(organisation, name);
    }
    Ok(kept)
}

/// What is to be set before a workflow can do what it says.
pub(crate) async fn missing(app: &App, organisation: &OrganisationId, entry: &Entry) -> Answer<Vec<DocumentProblem>> {
    let text = version(app, organisation, &entry.name, entry.version)?.text;
    let (app, organisation) = (app.clone(), organisation.clone());
    let found = blocking(move || match Workflow::parse(&text).0 {
        Some(workflow) => {
            let triggers = windflow_triggers::compile(&workflow).0;
            missing::all(&app, &organisation, &workflow, &triggers)
        }
        None => Ok(Vec::new()),
    });
    found.await?
}

/// Arms the triggers of every enabled workflow: what a start of the server does.
pub(crate) async fn arm_all(app: &App) -> Answer<()> {
    for organisation in crate::people::organisations(&*app.records)? {
        let organisation = organisation.id;
        for entry in kept::all::<Entry>(&*app.records, &organisation, "workflows/")? {
            let Entry { name, version: number, enabled, .. } = entry.value;
            if !enabled {
                continue;
            }
            let text = version(app, &organisation, &name, number)?.text;
            let checked = check(app, &organisation, text.clone()).await?;
            if checked.is_valid() {
                app.active.arm(&organisation, &name, &text, &checked.triggers);
            } else {
                // A plugin is gone, or another, perhaps. Its schedules must not be forgotten without a word.
                app.active.disarm(&organisation, &name);
                tracing::error!(%organisation, workflow = %name, "an enabled workflow is not valid any more; its triggers are off");
            }
        }
    }
    Ok(())
}
