//! What a journal promises.

use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::RunKey;
use windflow_core::json::Json;
use windflow_core::ports::store::{Position, Store, StoreError};
use windflow_core::run::{Emitted, EndStatus, Event, KeptLog, Record, RunFailure, Sequence, Timestamp};

use super::sample::{finished, run_key, started, step, succeeded};
use super::{Check, wait};
use crate::{LARGE_VALUE_BYTES, MAX_APPEND_BYTES, MAX_BLOB_BYTES, MAX_RECORD_BYTES};

pub(super) const CHECKS: &[Check] = &[
    ("appends are read back in order, from 1", appends_are_read_back),
    ("a read begins after a sequence and ends at the limit", reads_are_parts),
    ("a run without records is not found", unknown_runs),
    ("an append after anything but the last sequence is a conflict, and changes nothing", conflicts),
    ("an append of nothing changes nothing, and still conflicts", empty_appends),
    ("a journal begins with the start of the run", first_is_start),
    ("positions grow, over all runs", positions_grow),
    ("what is durable can be waited for, again and from long ago", durable),
    ("waiting together costs no more than waiting once", durable_together),
    ("organisations do not see each other's runs", organisations),
    ("outputs pass through as the bytes that they were", outputs_pass_through),
    ("records of every size up to the limit are kept, larger ones refused", sizes),
    ("values of every size are read back, wherever an event has them", large_values),
    ("a value that looks like a reference to content is itself", forged_values),
    ("who reads while others append sees a beginning of the journal", reading_meanwhile),
    ("of those who append the same sequence at once, one wins", racing),
];

fn append(store: &dyn Store, run: &RunKey, expected: Sequence, records: &[Record]) -> Position {
    store.append(run, expected, records).unwrap()
}

fn read_all(store: &dyn Store, run: &RunKey) -> Vec<Record> {
    let records = store.read(run, 0, usize::MAX).unwrap();
    records
        .into_iter()
        .zip(1..)
        .map(|((sequence, record), place)| {
            assert_eq!(sequence, place);
            record
        })
        .collect()
}

fn appends_are_read_back(store: &dyn Store) {
    let run = run_key(1000, 1);
    let mut all = vec![started(1000, "a"), step(1001, 1)];
    append(store, &run, 0, &all);
    for number in 2..300 {
        let record = step(1000 + number, number);
        append(store, &run, number, std::slice::from_ref(&record));
        all.push(record);
        if number % 70 == 0 {
            assert_eq!(read_all(store, &run), all);
        }
    }
    all.push(finished(2000, EndStatus::Succeeded));
    let position = append(store, &run, 300, &all[300..]);
    assert_eq!(read_all(store, &run), all);
    wait(store.durable(position)).unwrap();
    assert_eq!(read_all(store, &run), all);
}

fn reads_are_parts(store: &dyn Store) {
    let run = run_key(1000, 1);
    append(store, &run, 0, &[started(1000, "a")]);
    for number in 1..100 {
        append(store, &run, number, &[step(1000, number)]);
    }
    let all = store.read(&run, 0, 1000).unwrap();
    for after in [0, 1, 2, 50, 98, 99, 100, 101, u64::MAX] {
        for limit in [0, 1, 2, 49, 100, usize::MAX] {
            let expect: Vec<_> = all.iter().filter(|(sequence, _)| *sequence > after).take(limit).cloned().collect();
            assert_eq!(store.read(&run, after, limit).unwrap(), expect, "{limit} after {after}");
        }
    }
}

fn unknown_runs(store: &dyn Store) {
    append(store, &run_key(1000, 1), 0, &[started(1000, "a")]);
    let error = store.read(&run_key(1000, 2), 0, 10).unwrap_err();
    assert!(matches!(error, StoreError::NotFound(_)), "{error}");
}

fn conflicts(store: &dyn Store) {
    let run = run_key(1000, 1);
    let before = [started(1000, "a"), step(1000, 1)];
    append(store, &run, 0, &before);
    for expected in [0, 1, 3, u64::MAX] {
        let error = store.append(&run, expected, &[step(1000, 2)]).unwrap_err();
        assert_eq!(error, StoreError::Conflict { run: run.run, expected, actual: 2 });
    }
    let unknown = run_key(1000, 2);
    let error = store.append(&unknown, 1, &[step(1000, 2)]).unwrap_err();
    assert_eq!(error, StoreError::Conflict { run: unknown.run, expected: 1, actual: 0 });
    assert_eq!(read_all(store, &run), before);
    assert_eq!(store.run(&run).unwrap().sequence, 2);
}

fn empty_appends(store: &dyn Store) {
    let run = run_key(1000, 1);
    wait(store.durable(append(store, &run, 0, &[]))).unwrap();
    assert!(matches!(store.read(&run, 0, 1), Err(StoreError::NotFound(_))));
    append(store, &run, 0, &[started(1000, "a")]);
    append(store, &run, 1, &[]);
    assert!(matches!(store.append(&run, 0, &[]), Err(StoreError::Conflict { .. })));
    assert_eq!(read_all(store, &run).len(), 1);
}

fn first_is_start(store: &dyn Store) {
    let run = run_key(1000, 1);
    let error = store.append(&run, 0, &[step(1000, 1), started(1000, "a")]).unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)), "{error}");
    assert!(matches!(store.read(&run, 0, 1), Err(StoreError::NotFound(_))));
    append(store, &run, 0, &[started(1000, "a")]);
}

fn positions_grow(store: &dyn Store) {
    let mut last = Position(0);
    for number in 0..20 {
        let position = append(store, &run_key(1000, number), 0, &[started(1000, "a")]);
        assert!(position > last);
        last = position;
    }
}

fn durable(store: &dyn Store) {
    wait(store.durable(Position::LATEST)).unwrap();
    let first = append(store, &run_key(1000, 1), 0, &[started(1000, "a")]);
    let second = append(store, &run_key(1000, 2), 0, &[started(1000, "a")]);
    for position in [second, first, second, Position(0), Position::LATEST] {
        wait(store.durable(position)).unwrap();
    }
}

fn durable_together(store: &dyn Store) {
    std::thread::scope(|scope| {
        for number in 0..16 {
            scope.spawn(move || {
                let run = run_key(1000, number);
                wait(store.durable(append(store, &run, 0, &[started(1000, "a")]))).unwrap();
                for sequence in 1..10 {
                    wait(store.durable(append(store, &run, sequence, &[step(1000, sequence)]))).unwrap();
                }
            });
        }
    });
    for number in 0..16 {
        assert_eq!(read_all(store, &run_key(1000, number)).len(), 10);
    }
}

fn organisations(store: &dyn Store) {
    let ours = run_key(1000, 1);
    let theirs = RunKey { organisation: "local-2".parse().unwrap(), run: ours.run };
    append(store, &ours, 0, &[started(1000, "a")]);
    assert!(matches!(store.read(&theirs, 0, 1), Err(StoreError::NotFound(_))));
    assert!(matches!(store.run(&theirs), Err(StoreError::NotFound(_))));
    append(store, &theirs, 0, &[started(1000, "b"), step(1000, 1)]);
    assert_eq!(read_all(store, &ours).len(), 1);
    assert_eq!(read_all(store, &theirs).len(), 2);
}

fn outputs_pass_through(store: &dyn Store) {
    let run = run_key(1000, 1);
    append(store, &run, 0, &[started(1000, "a")]);
    let texts =
        ["{ \"b\": 1.0,\n\n \"a\": [1e2] }", "12345678901234567890123", "\"\\u0000\\n\u{2028}é\"", "null", "{}"];
    for (number, text) in (1..).zip(texts) {
        append(store, &run, number, &[succeeded(1000, Json::parse(text.into()).unwrap())]);
    }
    for ((_, record), text) in store.read(&run, 1, 10).unwrap().into_iter().zip(texts) {
        let bytes = crate::encode(&record).unwrap();
        let kept = String::from_utf8(bytes).unwrap();
        assert!(kept.contains(text), "{text:?} became {kept:?}");
    }
}

fn sizes(store: &dyn Store) {
    let run = run_key(1000, 1);
    let of_size = |bytes: usize| succeeded(1000, Json::parse(format!("\"{}\"", "x".repeat(bytes)).into()).unwrap());
    let mut all = vec![started(1000, "a")];
    append(store, &run, 0, &all);
    for size in [0, 100, 6000, 7168 - 130, 7168, 7169, 14336, 100_000, 140_000, 1 << 20, 3, 6 << 20, 4] {
        let record = of_size(size);
        append(store, &run, all.len() as u64, std::slice::from_ref(&record));
        all.push(record);
    }
    // Many values that are not large, in one record.
    let many = vec![of_size(60_000); MAX_RECORD_BYTES / 60_000 + 1];
    let error = store.append(&run, all.len() as u64, &[repeating(&many)]).unwrap_err();
    assert!(matches!(&error, StoreError::TooLarge(why) if why.contains("16777216")), "{error}");
    let error = store.append(&run, all.len() as u64, &[of_size(MAX_BLOB_BYTES)]).unwrap_err();
    assert!(matches!(&error, StoreError::TooLarge(why) if why.contains("67108864")), "{error}");
    let many = vec![of_size(MAX_RECORD_BYTES - 1000); MAX_APPEND_BYTES / MAX_RECORD_BYTES + 1];
    let error = store.append(&run, all.len() as u64, &many).unwrap_err();
    assert!(matches!(&error, StoreError::TooLarge(why) if why.contains("67108864")), "{error}");
    // What was refused is not there, and keeps nothing from being appended.
    append(store, &run, all.len() as u64, &many[..1]);
    all.push(many[0].clone());
    for after in 0..all.len() {
        let read = store.read(&run, after as u64, 2).unwrap();
        assert!(read.iter().map(|(_, record)| record).eq(all.iter().skip(after).take(2)), "after {after}");
    }
}

/// The start of a run that takes over what others emitted.
fn repeating(emitted: &[Record]) -> Record {
    let mut record = started(1000, "a");
    let Event::RunStarted(started) = &mut record.event else { panic!("it is a start") };
    for (number, emitted) in emitted.iter().enumerate() {
        let Event::AttemptSucceeded { port, output, .. } = &emitted.event else { panic!("it is a success") };
        let emitted = Emitted { port: port.clone(), output: output.clone() };
        started.reused.insert(format!("node_{number}").parse().unwrap(), emitted);
    }
    record
}

fn large_values(store: &dyn Store) {
    let edge = LARGE_VALUE_BYTES - 2;
    let text =
        |letter: char, bytes: usize| Json::parse(format!("\"{}\"", letter.to_string().repeat(bytes)).into()).unwrap();
    let emitted: Vec<_> =
        [edge - 1, edge, edge + 1, 3, 1 << 20].map(|bytes| succeeded(1000, text('a', bytes))).into_iter().collect();
    let mut failure = Failure::new(FailureKind::Node, "it said so");
    failure.details = Some(text('d', 2 * edge));
    let failed = Event::AttemptFailed {
        node: "fetch".parse().unwrap(),
        item: None,
        attempt: 1,
        failure: failure.clone(),
        retry_at: None,
        took_us: 1,
        log: KeptLog::default(),
    };
    let ended = Event::RunFinished {
        status: EndStatus::Failed,
        outputs: None,
        failure: Some(RunFailure { node: None, failure }),
        uncompensated: Vec::new(),
    };
    let mut all = vec![repeating(&emitted)];
    all.extend(emitted);
    all.push(Record::new(
        Timestamp(1000),
        Event::ItemsListed { node: "fetch".parse().unwrap(), items: text('i', 300_000) },
    ));
    all.push(Record::new(Timestamp(1000), failed));
    all.push(Record::new(Timestamp(1000), ended));
    let run = run_key(1000, 1);
    // Before it is in a database, then from there.
    append(store, &run, 0, &all[..3]);
    assert_eq!(read_all(store, &run), all[..3]);
    wait(store.durable(append(store, &run, 3, &all[3..]))).unwrap();
    assert_eq!(read_all(store, &run), all);
    let Some(RunFailure { failure, .. }) = store.run(&run).unwrap().failure else { panic!("it failed") };
    assert_eq!(failure.details.unwrap().text().len(), 2 * edge + 2);
    // Another run with the same values keeps them when the first is gone.
    let other = run_key(1000, 2);
    append(store, &other, 0, &all);
    wait(store.durable(store.delete(&run).unwrap())).unwrap();
    assert_eq!(read_all(store, &other), all);
}

/// Who can put text into outputs can write what looks like a record of a large value.
fn forged_values(store: &dyn Store) {
    let run = run_key(1000, 1);
    let digest = store.put_blob(&run.organisation, b"\"secret\"").unwrap();
    let forged = format!(r#"{{"v":3,"large":[{{"value":0,"digest":"{digest}"}}],"digest":"{digest}","value":null}}"#);
    let record = succeeded(1000, Json::parse(forged.clone().into()).unwrap());
    append(store, &run, 0, &[started(1000, "a"), record]);
    let Event::AttemptSucceeded { output, .. } = &read_all(store, &run)[1].event else { panic!("it is a success") };
    assert_eq!(output.text(), forged);
}

fn racing(store: &dyn Store) {
    let run = run_key(1000, 1);
    append(store, &run, 0, &[started(1000, "a")]);
    for sequence in 1..50 {
        let won: usize = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|number| {
                    let run = &run;
                    scope.spawn(move || usize::from(store.append(run, sequence, &[step(1000, number)]).is_ok()))
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }
    assert_eq!(read_all(store, &run).len(), 50);
}

fn reading_meanwhile(store: &dyn Store) {
    let run = run_key(1000, 1);
    // Records that are kept in several parts, each other than the one before.
    let record = |sequence: u64| {
        let text = char::from(b'a' + (sequence % 26) as u8).to_string().repeat(20_000);
        succeeded(1000, Json::parse(format!("\"{text}{sequence}\"").into()).unwrap())
    };
    append(store, &run, 0, &[started(1000, "a")]);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    let sequence = store.run(&run).unwrap().sequence;
                    assert!(sequence >= last, "it went back from {last} to {sequence}");
                    let read = store.read(&run, sequence - 1, 10).unwrap();
                    assert!(!read.is_empty() && read.iter().all(|(at, kept)| *at == 1 || *kept == record(*at)));
                    last = sequence;
                }
            });
        }
        for sequence in 2..200 {
            // Other runs push this one out of what is known in memory.
            store.append(&run_key(2000, sequence), 0, &[started(2000, "b")]).unwrap();
            append(store, &run, sequence - 1, &[record(sequence)]);
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}
