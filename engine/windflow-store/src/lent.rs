//! Content that was kept and is about to be mentioned.
//!
//! Between keeping content and appending what mentions it, the last run that mentioned it before may be deleted. So content
//! that was kept is lent to whoever kept it, until an append mentions it.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Whoever keeps content and never mentions it, because it failed in between, holds it no longer than twice this …
const AGE: Duration = Duration::from_secs(600);

/// … or until so many others were kept, so that memory is bounded.
const MOST: usize = 1 << 16;

/// What is lent, and how often.
#[derive(Debug)]
pub(crate) struct Lent<K> {
    now: HashMap<K, u32>,
    before: HashMap<K, u32>,
    since: Instant,
}

impl<K: Eq + Hash> Lent<K> {
    pub(crate) fn new() -> Self {
        Self { now: HashMap::new(), before: HashMap::new(), since: Instant::now() }
    }

    pub(crate) fn lend(&mut self, key: K) {
        if self.now.len() >= MOST || self.since.elapsed() > AGE {
            self.before = std::mem::take(&mut self.now);
            self.since = Instant::now();
        }
        let times = self.now.entry(key).or_default();
        *times = times.saturating_add(1);
    }

    /// It was mentioned.
    pub(crate) fn give_back(&mut self, key: &K) {
        for lent in [&mut self.before, &mut self.now] {
            if let Some(times) = lent.get_mut(key) {
                *times -= 1;
                if *times == 0 {
                    lent.remove(key);
                }
                return;
            }
        }
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.now.contains_key(key) || self.before.contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_to_give_back() {
        let mut lent = Lent::new();
        lent.lend(1);
        lent.lend(1);
        lent.give_back(&2);
        lent.give_back(&1);
        assert!(lent.contains(&1) && !lent.contains(&2));
        lent.give_back(&1);
        assert!(!lent.contains(&1));
    }

    #[test]
    fn what_is_never_given_back_is_forgotten_at_last() {
        let mut lent = Lent::new();
        for number in 0..3 * MOST {
            lent.lend(number);
            assert!(lent.contains(&number));
            assert!(lent.now.len() + lent.before.len() <= 2 * MOST);
        }
        assert!(!lent.contains(&0));
    }
}
