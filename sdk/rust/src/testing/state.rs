//! State in tests: values of this thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::Json;
use crate::state::{Entry, Error, Expected};

thread_local! {
    static STATE: RefCell<(u64, BTreeMap<String, Entry>)> = const { RefCell::new((0, BTreeMap::new())) };
}

pub(crate) fn get(key: &str) -> Result<Option<Entry>, Error> {
    Ok(STATE.with_borrow(|(_, values)| values.get(key).cloned()))
}

pub(crate) fn set(key: &str, value: Vec<u8>, expected: Expected) -> Result<u64, Error> {
    let text = String::from_utf8(value).map_err(|error| Error::Refused(error.to_string()))?;
    let value = Json::from_text(text).map_err(|error| Error::Refused(error.message))?;
    STATE.with_borrow_mut(|(version, values)| {
        compare(values.get(key), expected)?;
        *version += 1;
        values.insert(key.to_owned(), Entry { value, version: *version });
        Ok(*version)
    })
}

pub(crate) fn delete(key: &str, expected: Expected) -> Result<(), Error> {
    STATE.with_borrow_mut(|(_, values)| {
        compare(values.get(key), expected)?;
        values.remove(key);
        Ok(())
    })
}

fn compare(found: Option<&Entry>, expected: Expected) -> Result<(), Error> {
    let fits = match expected {
        Expected::Any => true,
        Expected::Absent => found.is_none(),
        Expected::Version(version) => found.is_some_and(|entry| entry.version == version),
    };
    if fits { Ok(()) } else { Err(Error::Conflict) }
}
