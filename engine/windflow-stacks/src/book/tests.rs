use windflow_core::run::Timestamp;
use windflow_store::MemoryStore;

use super::*;
use crate::deployment::{Content, Stack, Status};
use crate::driver::{DriverError, Outcome, RegistryLogin, Verdict};
use crate::plan::Plan;
use crate::project::{Project, Service};
use crate::target::{Credentials, New};

fn book() -> Book {
    let vault = Arc::new(Vault::new(&[7; 32].into()).unwrap());
    Book::new(Arc::new(MemoryStore::new()), vault, OrganisationId::local())
}

fn request(id: &str, image: &str) -> Request {
    let web = Service { image: image.into(), replicas: 1, ..Service::default() };
    let project = Project { name: "shop".into(), services: [("web".to_owned(), web)].into(), ..Project::default() };
    Request {
        id: id.into(),
        version: Some(1),
        target: "edge".into(),
        content: Content { project, values: [("PASSWORD".to_owned(), "p4ss".to_owned())].into() },
        rollback_to: None,
        by: "me".into(),
        take_over: false,
    }
}

fn done(verdict: Verdict) -> std::result::Result<Outcome, DriverError> {
    Ok(Outcome { verdict, plan: Plan::default(), error: None, log: Vec::new(), left: Vec::new() })
}

fn deploy(book: &Book, request: &Request, verdict: Verdict) {
    let begun = book.begin(request, Timestamp(1)).unwrap();
    book.end(&begun, done(verdict), Timestamp(2)).unwrap();
}

#[test]
fn one_deployment_of_a_stack_to_a_target_at_a_time() {
    let book = book();
    let one = book.begin(&request("1", "a"), Timestamp(1)).unwrap();
    assert_eq!(book.begin(&request("1", "a"), Timestamp(5)).unwrap(), one, "the same again is the same");
    assert_eq!(book.begin(&request("2", "b"), Timestamp(2)).unwrap_err(), BookError::UnderWay("1".into()));
    let elsewhere = Request { target: "other".into(), ..request("3", "b") };
    book.begin(&elsewhere, Timestamp(2)).unwrap();
    let two = book.begin(&Request { take_over: true, ..request("2", "b") }, Timestamp(3)).unwrap();
    assert_eq!(book.deployment("1").unwrap().status, Status::Abandoned);
    book.end(&two, done(Verdict::Deployed), Timestamp(4)).unwrap();
    assert_eq!(book.good("edge", "shop").unwrap().0.id, "2");
    book.begin(&request("4", "b"), Timestamp(5)).unwrap();
}

#[test]
fn a_rollback_goes_to_what_was_good_and_different() {
    let book = book();
    let before = |book: &Book| book.before("edge", "shop").map(|(deployment, _)| deployment.id);
    deploy(&book, &request("1", "a"), Verdict::Deployed);
    assert!(before(&book).is_err());
    deploy(&book, &request("2", "b"), Verdict::Deployed);
    deploy(&book, &request("3", "c"), Verdict::Deployed);
    deploy(&book, &request("4", "c"), Verdict::Unchanged);
    deploy(&book, &request("5", "broken"), Verdict::RolledBack);
    assert_eq!(before(&book).unwrap(), "2");
    deploy(&book, &Request { rollback_to: Some("2".into()), ..request("6", "b") }, Verdict::Deployed);
    assert_eq!(before(&book).unwrap(), "1", "a second rollback goes further back");
}

#[test]
fn secrets_lie_encrypted_and_passwords_stay() {
    let book = book();
    deploy(&book, &request("1", "a"), Verdict::Deployed);
    let kept = book.records.get(&OrganisationId::local(), "deployments/1").unwrap().unwrap().value;
    assert!(!String::from_utf8_lossy(&kept).contains("p4ss"));
    let text = "x-windflow: { variables: { PASSWORD: { type: password }, NAME: {} } }\n";
    let variables = crate::compose::declared(text);
    let given = [("NAME".to_owned(), "n".to_owned())].into();
    assert_eq!(book.values("edge", "shop", &variables, &given).unwrap()["PASSWORD"], "p4ss");
    assert!(!book.values("other", "shop", &variables, &given).unwrap().contains_key("PASSWORD"));
}

#[test]
fn stacks_have_versions() {
    let book = book();
    let keep = |text: &str| book.keep_stack("shop", "", text, "me", Timestamp(1)).unwrap().version;
    assert_eq!((keep("a"), keep("a"), keep("b")), (1, 1, 2));
    assert_eq!(book.stack_version("shop", 1).unwrap().text, "a");
    book.remove_stack("shop").unwrap();
    assert!(book.stack("shop").is_err());
    assert_eq!(keep("c"), 3);
    assert_eq!(
        book.stack_versions("shop", Some(1), 1).unwrap(),
        (vec![book.stack_version("shop", 2).unwrap()], Some(2))
    );
    assert!(book.keep_stack("No Name", "", "a", "me", Timestamp(1)).is_err());
}

#[test]
fn a_stack_that_was_forgotten_is_brought_back_as_it_was() {
    let book = book();
    let kept = book.keep_stack("shop", "A shop", "a", "me", Timestamp(1)).unwrap();
    assert!(book.bring_back_stack("shop", "A shop", 1, "you", Timestamp(2)).is_err(), "it is there");
    book.remove_stack("shop").unwrap();
    assert!(book.bring_back_stack("shop", "A shop", 2, "you", Timestamp(2)).is_err(), "there is no such version");
    let back = book.bring_back_stack("shop", "A shop", 1, "you", Timestamp(2)).unwrap();
    assert_eq!(back, Stack { updated_at: Timestamp(2), updated_by: "you".into(), ..kept });
    assert_eq!(book.stack("shop").unwrap(), back);
}

#[test]
fn targets_keep_their_credentials_to_themselves() {
    let book = book();
    let new = New { name: "edge".into(), address: "tcp://10.0.0.1:2376".into(), ..New::default() };
    let login = RegistryLogin { username: "u".into(), password: "hunter2".into() };
    let credentials = Credentials { registries: [("r.test".to_owned(), login)].into(), ..Credentials::default() };
    let target = book.add_target(&new, &credentials, "me", Timestamp(1)).unwrap();
    assert!(!serde_json::to_string(&target).unwrap().contains("hunter2"));
    assert_eq!(book.credentials(&target).unwrap().registries["r.test"].password, "hunter2");
    assert!(matches!(book.add_target(&new, &credentials, "me", Timestamp(1)), Err(BookError::Exists(_))));
    let changed =
        book.change_target(&New { description: "at the edge".into(), ..new }, None, "me", Timestamp(2)).unwrap();
    assert_eq!(book.credentials(&changed).unwrap().registries.len(), 1, "what is not given stays");
    deploy(&book, &request("1", "a"), Verdict::Deployed);
    assert!(matches!(book.remove_target("edge"), Err(BookError::InUse(_))));
    book.removed("edge", "shop", false).unwrap();
    book.remove_target("edge").unwrap();
    assert!(book.target("edge").is_err());
}

#[test]
fn what_was_cut_off_goes_on_under_its_id() {
    let book = book();
    let begun = book.begin(&request("1", "a"), Timestamp(1)).unwrap();
    let gone = DriverError::new("unreachable", "gone").may_help();
    book.end(&begun, Err(gone), Timestamp(2)).unwrap();
    let again = book.begin(&request("1", "a"), Timestamp(3)).unwrap();
    assert_eq!(again.status, Status::Running);
    book.end(&again, Err(DriverError::new("image_missing", "none")), Timestamp(4)).unwrap();
    assert_eq!(book.begin(&request("1", "a"), Timestamp(5)).unwrap().status, Status::Failed, "what is final stays");
}
