//! How targets are, told while somebody looks: one watcher for each target, however many look. It hears from the engine what begins and ends
//! there, asks rarely what is used, and tries again less and less where the engine is gone. A minute after the last one has looked away, it ends.

mod one;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio::task::AbortHandle;
use windflow_core::id::OrganisationId;
use windflow_stacks::status::Status;
use windflow_stacks::target::Target;

use crate::problem::Answer;
use crate::state::{App, blocking};

/// Targets of one organisation that are watched: the first ones by name.
const MOST: usize = 500;

/// Targets that are watched in all.
const PLACES: usize = 2000;

/// Targets that are being reached at the same time.
const REACHED_TOGETHER: usize = 8;

/// News that a reader may be behind; one that is further is told everything anew.
const BEHIND: usize = 1024;

/// How long watching goes on when nobody looks any more: who loads a page again comes back.
const LINGER: Duration = Duration::from_secs(60);

/// News of a target.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// How it is.
    Status(Arc<Status>),
    /// It is there no more.
    Removed(String),
}

/// Who watches, by organisation.
pub(crate) struct Watching {
    boards: Mutex<HashMap<OrganisationId, Arc<Board>>>,
    places: Arc<Semaphore>,
    turns: Semaphore,
}

impl Default for Watching {
    fn default() -> Self {
        Self {
            boards: Mutex::default(),
            places: Arc::new(Semaphore::new(PLACES)),
            turns: Semaphore::new(REACHED_TOGETHER),
        }
    }
}

/// What is known of the targets of one organisation.
struct Board {
    news: broadcast::Sender<News>,
    latest: Mutex<BTreeMap<String, Arc<Status>>>,
    lookers: watch::Sender<usize>,
    /// The list of targets has changed.
    changed: Notify,
    /// Targets that are to be tried at once.
    again: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Board {
    fn new() -> Self {
        Self {
            news: broadcast::Sender::new(BEHIND),
            latest: Mutex::default(),
            lookers: watch::Sender::new(0),
            changed: Notify::new(),
            again: Mutex::default(),
        }
    }

    fn is_looked_at(&self) -> bool {
        *self.lookers.borrow() > 0
    }

    fn tell(&self, status: Status) {
        let status = Arc::new(status);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.insert(status.target.clone(), Arc::clone(&status));
        // Within the lock: who takes the list afterwards hears nothing older. Nobody listening is no error.
        let _ = self.news.send(News::Status(status));
    }

    fn forget(&self, target: &str) {
        self.again.lock().unwrap_or_else(PoisonError::into_inner).remove(target);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.remove(target);
        let _ = self.news.send(News::Removed(target.to_owned()));
    }

    /// Returns once nobody has looked for a while.
    async fn deserted(&self) {
        let mut lookers = self.lookers.subscribe();
        loop {
            // The sender is our own: it is there as long as this waits.
            let _ = lookers.wait_for(|count| *count == 0).await;
            tokio::select! {
                () = tokio::time::sleep(LINGER) => return,
                _ = lookers.wait_for(|count| *count > 0) => {}
            }
        }
    }
}

/// Somebody who looks.
pub(crate) struct Looking {
    board: Arc<Board>,
    news: broadcast::Receiver<News>,
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.board.lookers.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Looking {
    /// How all are. What is heard from then on comes after it.
    pub(crate) fn all(&mut self) -> Vec<Arc<Status>> {
        let latest = self.board.latest.lock().unwrap_or_else(PoisonError::into_inner);
        self.news = self.board.news.subscribe();
        latest.values().cloned().collect()
    }

    /// The next news; none where more was missed than is kept.
    pub(crate) async fn next(&mut self) -> Option<News> {
        self.news.recv().await.ok()
    }
}

impl Watching {
    /// Looks at the targets of an organisation. They are watched from then on, if they were not.
    pub(crate) fn look(&self, app: &App, organisation: &OrganisationId) -> Looking {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        let board = match boards.get(organisation) {
            Some(board) => Arc::clone(board),
            None => {
                let board = Arc::new(Board::new());
                boards.insert(organisation.clone(), Arc::clone(&board));
                tokio::spawn(keep(app.clone(), organisation.clone(), Arc::clone(&board)));
                board
            }
        };
        board.lookers.send_modify(|count| *count += 1);
        let news = board.news.subscribe();
        Looking { board, news }
    }

    fn board(&self, organisation: &OrganisationId) -> Option<Arc<Board>> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner).get(organisation).cloned()
    }

    /// The list of targets has changed.
    pub(crate) fn changed(&self, organisation: &OrganisationId) {
        if let Some(board) = self.board(organisation) {
            board.changed.notify_one();
        }
    }

    /// Somebody wants to know now how a target is.
    pub(crate) fn again(&self, organisation: &OrganisationId, target: &str) {
        if let Some(board) = self.board(organisation)
            && let Some(again) = board.again.lock().unwrap_or_else(PoisonError::into_inner).get(target)
        {
            again.notify_one();
        }
    }

    /// Lets go of a board at which nobody looks.
    fn leave(&self, organisation: &OrganisationId, board: &Board) -> bool {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        // Who looks does so under this lock.
        if board.is_looked_at() {
            return false;
        }
        boards.remove(organisation);
        true
    }
}

/// A target that is watched, as it was described then.
struct Watched {
    described: Target,
    task: AbortHandle,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Watches the targets of an organisation as long as somebody looks.
async fn keep(app: App, organisation: OrganisationId, board: Arc<Board>) {
    let mut watched: BTreeMap<String, Watched> = BTreeMap::new();
    loop {
        match described(&app, &organisation).await {
            Ok(targets) => bring_up_to_date(&app, &organisation, &board, &mut watched, targets),
            Err(problem) => tracing::warn!(%problem, "it could not be read which targets to watch"),
        }
        tokio::select! {
            () = board.changed.notified() => {}
            () = board.deserted() => if app.watching.leave(&organisation, &board) { return },
            () = app.stopped() => return,
        }
    }
}

async fn described(app: &App, organisation: &OrganisationId) -> Answer<Vec<Target>> {
    let book = app.book(organisation);
    blocking(move || Ok(book.targets(None, MOST)?.0)).await?
}

fn bring_up_to_date(
    app: &App,
    organisation: &OrganisationId,
    board: &Arc<Board>,
    watched: &mut BTreeMap<String, Watched>,
    targets: Vec<Target>,
) {
    let mut wanted: BTreeMap<_, _> = targets.into_iter().map(|target| (target.name.clone(), target)).collect();
    watched.retain(|name, one| match wanted.get(name) {
        Some(target) if *target == one.described => {
            wanted.remove(name);
            true
        }
        Some(_) => false,
        None => {
            board.forget(name);
            false
        }
    });
    for (name, described) in wanted {
        let again = Arc::new(Notify::new());
        board.again.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), Arc::clone(&again));
        let task = tokio::spawn(one::watch(app.clone(), organisation.clone(), name.clone(), Arc::clone(board), again));
        watched.insert(name, Watched { described, task: task.abort_handle() });
    }
}
