//! What is new.

use std::collections::HashSet;

use windflow_sdk::serde_json::Value;
use windflow_sdk::state::{Error, Expected, get, set};
use windflow_sdk::{Json, NodeError, config, context, node, serde};

/// How often the list is read again because others remember as well.
const ROUNDS: usize = 5;

/// Longer ids are refused: they would be kept.
const ID_BYTES: usize = 2000;

/// So many node runs are known by what they gave.
const TOLD: usize = 8;

/// What is kept under the key.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(crate = "windflow_sdk::serde")]
struct Kept {
    /// What was seen, what was seen last at the end.
    known: Vec<String>,
    /// What the last node runs gave.
    told: Vec<Told>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(crate = "windflow_sdk::serde")]
struct Told {
    key: String,
    ids: Vec<String>,
}

/// What is looked through, and how items are known.
#[config]
pub struct Config {
    /// Under which key what was seen is remembered.
    key: String,
    /// The list; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    items: Json,
    /// The field that tells items apart; the whole item where left out.
    #[serde(default)]
    by: Option<String>,
    /// How many are remembered, those that were seen last; all of one list in any case.
    #[serde(default = "thousand")]
    keep: u32,
}

fn thousand() -> u32 {
    1000
}

/// Gives the items that are new.
#[node]
pub fn seen(config: Config) -> Result<Vec<Value>, NodeError> {
    let wrong = |message: String| NodeError::new("invalid_config", message);
    let items: Vec<Value> = config.items.parse().map_err(|_| wrong("`items` is no list".to_owned()))?;
    let id = |item: &Value| {
        let value = match &config.by {
            Some(field) => item.get(field).ok_or_else(|| wrong(format!("an item has no field `{field}`")))?,
            None => item,
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if text.len() > ID_BYTES {
            Err(wrong(format!("what tells items apart has {} bytes; name a shorter field with `by`", text.len())))
        } else {
            Ok(text)
        }
    };
    let ids: Vec<String> = items.iter().map(id).collect::<Result<_, _>>()?;
    let key = context::idempotency_key();
    for _ in 0..ROUNDS {
        let entry = get(&config.key)?;
        let expected = entry.as_ref().map_or(Expected::Absent, |entry| Expected::Version(entry.version));
        let mut kept: Kept = entry.map_or_else(|| Ok(Kept::default()), |entry| entry.value.parse())?;
        if let Some(told) = kept.told.iter().find(|told| told.key == key) {
            // An earlier attempt remembered them, and ended before anybody heard of it.
            let fresh = items.iter().zip(&ids).filter(|(_, id)| told.ids.contains(id));
            return Ok(fresh.map(|(item, _)| item.clone()).collect());
        }
        let mut seen: HashSet<String> = kept.known.iter().cloned().collect();
        let fresh: Vec<usize> = (0..items.len()).filter(|index| seen.insert(ids[*index].clone())).collect();
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let new: Vec<String> = fresh.iter().map(|index| ids[*index].clone()).collect();
        // What a list still has must not be forgotten before what it has no more.
        let here: HashSet<&String> = ids.iter().collect();
        kept.known.retain(|id| !here.contains(id));
        let mut once = HashSet::new();
        kept.known.extend(ids.iter().filter(|id| once.insert(*id)).cloned());
        let surplus = kept.known.len().saturating_sub((config.keep as usize).max(once.len()));
        kept.known.drain(..surplus);
        kept.told.push(Told { key: key.clone(), ids: new });
        let surplus = kept.told.len().saturating_sub(TOLD);
        kept.told.drain(..surplus);
        match set(&config.key, &kept, expected) {
            Ok(_) => return Ok(fresh.into_iter().map(|index| items[index].clone()).collect()),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Conflict.into())
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::*;

    /// Each call is another node run.
    #[track_caller]
    fn check(config: Value, expect: Value) {
        thread_local!(static RUNS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
        RUNS.set(RUNS.get() + 1);
        testing::set_context(testing::Context {
            idempotency_key: RUNS.get().to_string(),
            ..testing::Context::default()
        });
        assert_eq!(testing::run(seen::NODE, config).unwrap().value, expect);
    }

    #[test]
    fn an_attempt_that_is_made_again_gives_the_same() {
        let config = json!({ "key": "k", "items": ["a", "b"] });
        check(config.clone(), json!(["a", "b"]));
        assert_eq!(testing::run(seen::NODE, config.clone()).unwrap().value, json!(["a", "b"]));
        check(config, json!([]));
    }

    #[test]
    fn what_was_seen_is_not_given_again() {
        let of = |ids: &[u32]| json!({ "key": "k", "by": "id", "items": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() });
        check(of(&[1, 2, 2]), json!([{ "id": 1 }, { "id": 2 }]));
        check(of(&[2, 3]), json!([{ "id": 3 }]));
        check(of(&[1, 2, 3]), json!([]));
        let short = json!({ "key": "short", "items": ["a", "b", "c"], "keep": 2 });
        check(short.clone(), json!(["a", "b", "c"]));
        check(short, json!([]));
        let of = |items: &[&str]| json!({ "key": "short", "items": items, "keep": 2 });
        check(of(&["d", "c"]), json!(["d"]));
        // `c` is still in the list, `a` and `b` were forgotten.
        check(of(&["c", "a"]), json!(["a"]));
        let error = testing::run(seen::NODE, json!({ "key": "k", "by": "x", "items": [1] })).unwrap_err();
        assert!(error.message.contains("no field `x`"), "{error}");
    }
}
