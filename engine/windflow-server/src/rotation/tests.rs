use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use windflow_core::credential::Credential;
use windflow_core::ports::credentials::Credentials as _;
use windflow_core::ports::records::{Change, Changed, RecordPage, RecordsError, Stored};
use windflow_core::ports::store::{BoxFuture, StoreError};
use windflow_stacks::target::{Credentials, New};
use windflow_store::MemoryStore;

use super::*;
use crate::credentials::CredentialStore;
use crate::secrets::Secrets;

/// A store that takes so many changes, and fails from then on: as if the process were killed there.
struct Failing {
    store: Arc<MemoryStore>,
    left: AtomicUsize,
}

impl Records for Failing {
    fn get(&self, organisation: &OrganisationId, key: &str) -> Result<Option<Stored>, StoreError> {
        self.store.get(organisation, key)
    }

    fn scan(
        &self,
        organisation: &OrganisationId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordPage, StoreError> {
        self.store.scan(organisation, prefix, after, limit)
    }

    fn batch(&self, changes: Vec<Change>) -> Result<Changed, RecordsError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_err(|_| StoreError::Unavailable("killed".to_owned()))?;
        self.store.batch(changes)
    }

    fn durable(&self, position: Position) -> BoxFuture<'_, Result<(), StoreError>> {
        Records::durable(&*self.store, position)
    }
}

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [8; 32];

fn target() -> New {
    New {
        name: "shop".to_owned(),
        address: "tcp://127.0.0.1:1".to_owned(),
        environment: windflow_stacks::target::Environment::default(),
        groups: BTreeSet::new(),
        tags: BTreeSet::new(),
        description: String::new(),
    }
}

/// Something of each kind, under the old key.
async fn filled() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let records: Arc<dyn Records> = store.clone();
    known_key::keep(&*records, &OLD.into(), false).await.unwrap();
    let local = OrganisationId::local();
    let by = || "me".to_owned();
    let secrets = Secrets::new(records.clone(), &OLD.into()).unwrap();
    for number in 0..3 {
        secrets.set(&local, &format!("token{number}"), "s3cret", by(), Timestamp(1)).await.unwrap();
    }
    let document = json!({ "bind": "bearer", "hosts": ["api.example.org"], "value": "s3cret-value" });
    let credential: Credential = serde_json::from_value(document).unwrap();
    let credentials = CredentialStore::new(records.clone(), &OLD.into()).unwrap();
    credentials.set(&local, "chat", credential, by(), Timestamp(1)).await.unwrap();
    let book = Books::new(records, &OLD.into()).unwrap().of(&local);
    let login = Credentials { key: Some("s3cret-key".to_owned()), ..Credentials::default() };
    book.add_target(&target(), &login, "me", Timestamp(1)).unwrap();
    store
}

/// What opens under some keys, of five.
fn opens(records: &Arc<dyn Records>, keys: &Keys) -> usize {
    let local = OrganisationId::local();
    let secrets = Secrets::new(records.clone(), keys).unwrap();
    let number = (0..3).filter(|number| {
        secrets.open(&local, &format!("token{number}")).is_ok_and(|value| value.as_deref() == Some(b"s3cret"))
    });
    let number = number.count();
    let credentials = CredentialStore::new(records.clone(), keys).unwrap();
    let credential = credentials.get(&local, "chat").is_ok_and(|credential| credential.is_some());
    let book = Books::new(records.clone(), keys).unwrap().of(&local);
    let login = book.credentials(&book.target("shop").unwrap());
    let login = login.is_ok_and(|login| login.key.as_deref() == Some("s3cret-key"));
    number + usize::from(credential) + usize::from(login)
}

#[tokio::test]
async fn wherever_it_is_cut_off_everything_opens_and_it_goes_on() {
    let both = Keys::new(NEW, vec![OLD]);
    let mut cut_off = 0;
    for left in 0.. {
        let store = filled().await;
        let records: Arc<dyn Records> = store.clone();
        let failing = Arc::new(Failing { store, left: left.into() });
        let done = seal_anew(failing, &both, Timestamp(2)).await;
        assert_eq!(opens(&records, &both), 5, "after {left} changes");
        assert!(
            known_key::is_known_key(&*records, Some(&both)).unwrap(),
            "a server would not start after {left} changes"
        );
        if done.is_err() {
            cut_off += 1;
            let again = seal_anew(records.clone(), &both, Timestamp(3)).await.unwrap();
            assert_eq!(again.sealed, 5 - left.saturating_sub(1));
        }
        assert_eq!(opens(&records, &NEW.into()), 5, "after {left} changes");
        assert_eq!(opens(&records, &OLD.into()), 0, "the old key still opens something");
        let known = |key: [u8; 32]| known_key::is_known_key(&*records, Some(&key.into())).unwrap();
        assert!(known(NEW) && !known(OLD));
        let told = records.scan(&OrganisationId::local(), "audit/", None, 10).unwrap().items;
        assert!(!told.is_empty() && String::from_utf8_lossy(&told[0].value).contains("ROTATE"));
        if let Ok(done) = done {
            assert_eq!(done, Rotated { sealed: 5, lost: Vec::new() });
            break;
        }
    }
    // The line of the audit trail, five values, and what the key is known by.
    assert_eq!(cut_off, 7);
}

#[tokio::test]
async fn what_no_key_opens_is_told_and_left_as_it_is() {
    let records: Arc<dyn Records> = filled().await;
    let before = records.get(&OrganisationId::local(), "secrets/token0").unwrap();
    let rotated = seal_anew(records.clone(), &Keys::new(NEW, vec![[9; 32]]), Timestamp(2)).await.unwrap();
    assert_eq!((rotated.sealed, rotated.lost.len()), (0, 5));
    assert!(rotated.lost.contains(&"local/secrets/token0".to_owned()), "{:?}", rotated.lost);
    assert_eq!(records.get(&OrganisationId::local(), "secrets/token0").unwrap(), before);
}
