//! What nodes ask of targets, done: the port of the core over the book and the drivers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::OrganisationId;
use windflow_core::json::Json;
use windflow_core::ports::records::Records;
use windflow_core::ports::store::BoxFuture;
use windflow_core::ports::targets::{TargetCall, Targets};
use windflow_core::run::Timestamp;
use windflow_stacks::book::{Book, BookError, Request as Begin};
use windflow_stacks::carry::{Carry, CarryError, Reached, TIMEOUT};
use windflow_stacks::compose::{self, Context, no_files};
use windflow_stacks::deployment::{Content, Deployment};
use windflow_stacks::driver::{Action, DriverError, Drivers, Event, LogQuery};
use windflow_stacks::plan::{HealthState, State};
use windflow_stacks::project::Restart;
use windflow_stacks::risk::{Risk, risks};
use windflow_stacks::vault::Vault;

use self::request::Request;
use self::waiting::{Cancel, UnderWay};

mod progress;
mod request;
mod single;
mod waiting;

/// Does what nodes ask of targets.
#[derive(Clone)]
pub struct TargetService(Arc<Inner>);

struct Inner {
    records: Arc<dyn Records>,
    vault: Arc<Vault>,
    drivers: Arc<dyn Drivers>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// One at a time for each deployment or container: whoever asks again waits for what is being undone.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// How much is under way, also of what nobody waits for any more.
    under_way: watch::Sender<usize>,
}

/// Longest answer of `logs`, in lines.
const MAX_LINES: usize = 10_000;

fn failed(error: &DriverError) -> Failure {
    let remedy = error.remedy.as_deref().map(|remedy| format!(". {remedy}")).unwrap_or_default();
    Failure {
        code: error.code.clone(),
        retry: if error.may_help { RetryHint::MayHelp } else { RetryHint::Never },
        ..Failure::new(FailureKind::Node, format!("{}{remedy}", error.message))
    }
}

fn not_kept(error: &BookError) -> Failure {
    let code = match error {
        BookError::NotFound(_) => "not_found",
        BookError::UnderWay(_) => "under_way",
        BookError::Conflict => "conflict",
        _ => "refused",
    };
    let retry = matches!(error, BookError::UnderWay(_) | BookError::Conflict);
    Failure {
        code: code.to_owned(),
        retry: if retry { RetryHint::MayHelp } else { RetryHint::Never },
        ..Failure::new(FailureKind::Node, error.to_string())
    }
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureKind::InvalidConfig, message)
}

/// What reaches beyond containers is refused unless each of it is confirmed by its name.
fn unconfirmed(risks: impl IntoIterator<Item = Risk>, confirmed: &[String]) -> Result<(), Failure> {
    let open = risks.into_iter().filter(|risk| !confirmed.contains(&risk.name()));
    let told: Vec<_> = open.map(|risk| format!("{risk} (`{}`)", risk.name())).collect();
    if told.is_empty() {
        return Ok(());
    }
    let told = told.join("; ");
    let message = format!("this reaches beyond containers, and has to be named under `confirm`: {told}");
    Err(Failure { code: "not_confirmed".to_owned(), ..invalid(message) })
}

fn not_reached(error: &CarryError) -> Failure {
    match error {
        CarryError::Book(error) => not_kept(error),
        CarryError::Driver(error) => failed(error),
    }
}

impl TargetService {
    /// Over a store, with the installation's key, drivers and the time.
    #[must_use]
    pub fn new(
        records: Arc<dyn Records>,
        vault: Arc<Vault>,
        drivers: Arc<dyn Drivers>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let (turns, under_way) = (Mutex::default(), watch::Sender::new(0));
        Self(Arc::new(Inner { records, vault, drivers, now: Box::new(now), turns, under_way }))
    }

    /// Waits until nothing is under way: what attempts that were torn off had begun is undone by then.
    pub async fn settled(&self) {
        // The sender is our own: it is there as long as this waits.
        let _ = self.0.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    fn book(&self, organisation: &OrganisationId) -> Book {
        Book::new(Arc::clone(&self.0.records), Arc::clone(&self.0.vault), organisation.clone())
    }

    /// Whoever has it is alone at what has this id.
    fn turn(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        match self.0.turns.lock() {
            Ok(mut turns) => {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
                Arc::clone(turns.entry(id.to_owned()).or_default())
            }
            Err(_) => Arc::default(),
        }
    }

    async fn reach(&self, book: &Book, target: &str) -> Result<Reached, Failure> {
        book.reach(&*self.0.drivers, target).await.map_err(|error| not_reached(&error))
    }

    async fn do_it(&self, call: &TargetCall, cancel: &Cancel) -> Result<Value, Failure> {
        let asked = Request::read(call.request.text())
            .map_err(|why| invalid(format!("this cannot be asked of a target: {why}")))?;
        let book = self.book(&call.organisation);
        let reached = match &asked {
            // What has ended needs no target that can be reached.
            Request::Carry(request::Carry { deployment }) => {
                let known = book.deployment(deployment).map_err(|error| not_kept(&error))?;
                if known.target != call.target {
                    let message = format!("deployment {deployment} is for the target {}", known.target);
                    return Err(Failure::new(FailureKind::Denied, message));
                }
                if known.ended_at.is_some() && !known.error.as_ref().is_some_and(|error| error.may_help) {
                    return answer(&known);
                }
                self.reach(&book, &call.target).await
            }
            _ => self.reach(&book, &call.target).await,
        };
        match asked {
            Request::Carry(request::Carry { deployment }) => {
                let known = book.deployment(&deployment).map_err(|error| not_kept(&error))?;
                self.carry(&book, reached, known, TIMEOUT, call, cancel).await
            }
            Request::Deploy(wanted) => {
                let (begin, timeout) = self.wanted(&book, *wanted, call)?;
                let begun = book.begin(&begin, (self.0.now)()).map_err(|error| not_kept(&error))?;
                self.carry(&book, reached, begun, timeout, call, cancel).await
            }
            Request::Scale(request::Scale { stack, replicas }) => {
                let (good, mut content) = book.good(&call.target, &stack).map_err(|error| not_kept(&error))?;
                content.project.scale(&replicas).map_err(invalid)?;
                let begin = self.begin(call, content, good.version);
                let begun = book.begin(&begin, (self.0.now)()).map_err(|error| not_kept(&error))?;
                let done = self.carry(&book, reached, begun, TIMEOUT, call, cancel).await?;
                changes(&done, &format!("{stack} could not be scaled"))
            }
            Request::Rollback(request::Rollback { stack, to }) => {
                let begun = self.rolling_back(&book, &stack, to.as_deref(), call)?;
                let done = self.carry(&book, reached, begun, TIMEOUT, call, cancel).await?;
                changes(&done, &format!("{stack} could not be rolled back"))
            }
            Request::Remove(request::Remove { stack, volumes }) => {
                let current = book.current(&call.target, &stack).map_err(|error| not_kept(&error))?;
                if let Some(other) = current.and_then(|current| current.under_way) {
                    return Err(not_kept(&BookError::UnderWay(other)));
                }
                let asked = request::Services { stack, services: Vec::new() };
                let done = act(&reached?, &asked, Action::Remove { volumes }).await?;
                book.removed(&call.target, &asked.stack, false).map_err(|error| not_kept(&error))?;
                book.durable().await.map_err(|error| not_kept(&error))?;
                Ok(done)
            }
            Request::Status(asked) => status(&reached?, &book, &call.target, &asked.stack).await,
            Request::Start(asked) => act(&reached?, &asked, Action::Start).await,
            Request::Stop(asked) => act(&reached?, &asked, Action::Stop).await,
            Request::Restart(asked) => act(&reached?, &asked, Action::Restart).await,
            Request::Logs(asked) => logs(&reached?, asked).await,
            Request::Single(asked) => {
                let judged = single::judge(*asked, &book, call).await?;
                let key = single::key(call);
                let turn = self.turn(&key);
                let _turn = turn.lock().await;
                single::perform(judged, &reached?, &key, call, cancel).await
            }
        }
    }

    /// The deployment that goes back. Asked again it is the one that was begun: what is present by then is what it brought back itself.
    fn rolling_back(
        &self,
        book: &Book,
        stack: &str,
        to: Option<&str>,
        call: &TargetCall,
    ) -> Result<Deployment, Failure> {
        match book.resume(&id(call)) {
            Err(BookError::NotFound(_)) => {}
            known => return known.map_err(|error| not_kept(&error)),
        }
        let earlier = match to {
            None => book.before(&call.target, stack),
            Some(to) => book.earlier(&call.target, stack, to),
        };
        let (earlier, content) = earlier.map_err(|error| not_kept(&error))?;
        let begin = Begin { rollback_to: Some(earlier.id), ..self.begin(call, content, earlier.version) };
        book.begin(&begin, (self.0.now)()).map_err(|error| not_kept(&error))
    }

    /// The same run and node always begin the same deployment. Ids begin with the run's, which grow with time.
    fn begin(&self, call: &TargetCall, content: Content, version: Option<u32>) -> Begin {
        Begin {
            id: id(call),
            version,
            target: call.target.clone(),
            content,
            rollback_to: None,
            by: format!("run:{}", call.run),
            take_over: false,
        }
    }

    fn wanted(&self, book: &Book, wanted: request::Deploy, call: &TargetCall) -> Result<(Begin, Duration), Failure> {
        let (text, name, version) = match (&wanted.stack, wanted.compose) {
            (Some(stack), None) => {
                let version = match wanted.version {
                    Some(version) => version,
                    None => book.stack(stack).map_err(|error| not_kept(&error))?.version,
                };
                let kept = book.stack_version(stack, version).map_err(|error| not_kept(&error))?;
                (kept.text, Some(stack.as_str()), Some(version))
            }
            (None, Some(text)) => (text, None, None),
            _ => return Err(invalid("name either a kept `stack` or a document under `compose`".to_owned())),
        };
        if let Some(unknown) = compose::unknown(&text, wanted.variables.keys()) {
            let message = format!("{unknown}: {}", unknown.remedy);
            return Err(Failure { code: "unknown_variable".to_owned(), ..invalid(message) });
        }
        let declared = compose::declared(&text);
        let values = match name {
            Some(name) => {
                book.values(&call.target, name, &declared, &wanted.variables).map_err(|error| not_kept(&error))?
            }
            None => wanted.variables,
        };
        let context = Context { name, variables: &values, profiles: &wanted.profiles, files: &no_files };
        let loaded = compose::load(&text, &context);
        let Some(project) = loaded.project else {
            let errors = loaded.problems.iter().filter(|problem| problem.is_error()).take(5);
            let told: Vec<_> = errors.map(|problem| format!("{}: {}", problem.place, problem.message)).collect();
            return Err(Failure { code: "invalid_stack".to_owned(), ..invalid(told.join("; ")) });
        };
        unconfirmed(risks(&project), &wanted.confirm)?;
        let timeout = wanted.seconds.map_or(TIMEOUT, |seconds| Duration::from_secs(seconds.into()));
        Ok((self.begin(call, Content { project, values: loaded.values }, version), timeout))
    }

    async fn carry(
        &self,
        book: &Book,
        reached: Result<Reached, Failure>,
        begun: Deployment,
        timeout: Duration,
        call: &TargetCall,
        cancel: &Cancel,
    ) -> Result<Value, Failure> {
        let turn = self.turn(&begun.id);
        let _turn = turn.lock().await;
        let reached = match reached {
            Ok(reached) => reached,
            Err(failure) => {
                let error = DriverError::new(&failure.code, failure.message.clone()).may_help();
                book.end(&begun, Err(error), (self.0.now)()).map_err(|error| not_kept(&error))?;
                return Err(failure);
            }
        };
        // Somebody else may have ended it while this waited; what was cut off goes on.
        let begun = book.resume(&begun.id).map_err(|error| not_kept(&error))?;
        let progress = progress::Progress::new(Arc::clone(&call.events));
        let events = |event: Event| progress.tell(&event);
        let now = || (self.0.now)();
        let carry = Carry { book, reached: &reached, timeout, cancel, events: &events, now: &now };
        let ended = carry.out(&begun).await.map_err(|error| not_kept(&error))?;
        answer(&ended)
    }
}

/// The deployment that a node run begins.
fn id(call: &TargetCall) -> String {
    let key: String = call.key.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("{}-{key}", call.run)
}

/// What a node is told of a deployment that it did not ask for as such: what changed, where it is good.
fn changes(done: &Value, otherwise: &str) -> Result<Value, Failure> {
    let verdict = done["verdict"].as_str().unwrap_or_default();
    if ["deployed", "unchanged"].contains(&verdict) {
        return Ok(json!({ "lines": [done["changes"]] }));
    }
    let why = done.pointer("/error/message").and_then(Value::as_str).unwrap_or("it failed");
    Err(Failure::new(FailureKind::Node, format!("{otherwise}: {why}")))
}

/// What a node is told of a deployment that has ended.
fn answer(ended: &Deployment) -> Result<Value, Failure> {
    if let Some(error) = &ended.error {
        return Err(failed(error));
    }
    let outcome = ended.outcome.as_ref();
    Ok(json!({
        "deployment": ended.id,
        "stack": ended.stack,
        "target": ended.target,
        "verdict": ended.status.word(),
        "changes": outcome.map(|outcome| outcome.plan.summary()).unwrap_or_default(),
        "error": outcome.and_then(|outcome| outcome.error.as_ref()),
        "log": outcome.map(|outcome| outcome.log.clone()).unwrap_or_default(),
        "left": outcome.map(|outcome| outcome.left.clone()).unwrap_or_default(),
    }))
}

async fn status(reached: &Reached, book: &Book, target: &str, stack: &str) -> Result<Value, Failure> {
    let seen = reached.driver.observe(stack).await.map_err(|error| failed(&error))?;
    let wanted: BTreeMap<String, Restart> = match book.good(target, stack) {
        Ok((_, content)) => {
            content.project.services.iter().map(|(name, service)| (name.clone(), service.restart)).collect()
        }
        Err(_) => BTreeMap::new(),
    };
    let own = || seen.containers.iter().filter(|found| !found.retired);
    let is_well = |found: &windflow_stacks::plan::Container| match found.state {
        State::Running => found.health != Some(HealthState::Unhealthy),
        State::Exited(0) => wanted.get(&found.service) == Some(&Restart::No),
        _ => false,
    };
    let all_there = wanted.keys().all(|name| own().any(|found| found.service == *name));
    let containers: Vec<_> = own()
        .map(|found| {
            let state = match found.state {
                State::Exited(_) => "exited".to_owned(),
                other => serde_json::to_value(other).ok().and_then(|word| Some(word.as_str()?.to_owned())).unwrap_or_default(),
            };
            json!({ "service": found.service, "name": found.name, "state": state, "health": found.health, "image": found.image })
        })
        .collect();
    let healthy = !containers.is_empty() && all_there && own().all(is_well);
    Ok(json!({ "healthy": healthy, "containers": containers }))
}

async fn act(reached: &Reached, asked: &request::Services, action: Action) -> Result<Value, Failure> {
    let done = reached
        .driver
        .act(&asked.stack, &asked.services, &action, &|_: Event| ())
        .await
        .map_err(|error| failed(&error))?;
    Ok(json!({ "lines": done }))
}

async fn logs(reached: &Reached, asked: request::Logs) -> Result<Value, Failure> {
    let request::Logs { stack, services, tail } = asked;
    let lines = Mutex::new(Vec::new());
    let hear = |line: windflow_stacks::driver::LogLine| -> BoxFuture<'_, bool> {
        let more = lines.lock().is_ok_and(|mut lines| {
            lines.push(format!("{} | {}", line.service, line.text));
            lines.len() < MAX_LINES
        });
        Box::pin(std::future::ready(more))
    };
    let query = LogQuery { services, tail: Some(tail), since_seconds: None, follow: false };
    reached.driver.logs(&stack, &query, &hear).await.map_err(|error| failed(&error))?;
    Ok(json!({ "lines": lines.into_inner().unwrap_or_default() }))
}

impl Targets for TargetService {
    fn perform(&self, call: TargetCall) -> BoxFuture<'_, Result<Json, Failure>> {
        let (cancel, leaving) = Cancel::new(Arc::clone(&call.cancel));
        let service = self.clone();
        Box::pin(async move {
            let under_way = UnderWay::new(&service.0.under_way);
            // On its own: an attempt that is torn off must not tear a deployment off in the middle.
            let task = tokio::spawn(async move {
                let done = service.do_it(&call, &cancel).await;
                drop(under_way);
                done
            });
            let done = task.await.unwrap_or_else(|error| {
                Err(Failure::new(FailureKind::Unavailable, format!("the target's task ended abnormally: {error}")))
            });
            drop(leaving);
            done.map(Json::from)
        })
    }
}
