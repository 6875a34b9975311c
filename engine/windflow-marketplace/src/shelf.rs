//! Templates on offer, in memory, to be searched.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::index::Entry;
use crate::manifest::Kind;

pub(crate) mod words;

/// Words of a query at most: more are left out.
const MAX_TERMS: usize = 12;

/// How much a word counts, by where it stands.
const NAME: u32 = 20;
const TITLE: u32 = 20;
const TAG: u32 = 12;
const PART: u32 = 6;
const SUMMARY: u32 = 6;
const README: u32 = 1;

/// How much a match counts.
const WHOLE: u32 = 10;
const BEGINNING: u32 = 6;
const MISSPELT: u32 = 2;

/// A text as an alphabet orders it: its words, without what accents, capitals and signs say.
#[must_use]
pub fn alphabetical(text: &str) -> Vec<String> {
    words::of(text).collect()
}

/// The templates of one registry.
#[derive(Debug, Default)]
pub struct Shelf {
    entries: Vec<Arc<Entry>>,
    /// Every word, which letters it has, and in which entries it stands with which weight.
    words: BTreeMap<String, Word>,
}

#[derive(Debug, Default)]
struct Word {
    letters: u64,
    /// By entry.
    weights: Vec<(u32, u32)>,
}

/// What is looked for. Everything has to hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// Words: each has to be there, or something that begins with it or is spelt nearly so.
    pub text: String,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// In this category.
    pub category: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
}

/// A template that fits.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Which of the shelves it is on.
    pub shelf: usize,
    /// It.
    pub entry: Arc<Entry>,
    /// How well it fits.
    pub score: u32,
}

/// How many templates there would be with each further choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// By kind.
    pub kinds: BTreeMap<&'static str, usize>,
    /// By category.
    pub categories: BTreeMap<String, usize>,
    /// By tag.
    pub tags: BTreeMap<String, usize>,
}

impl Shelf {
    /// A shelf of templates.
    #[must_use]
    pub fn new(entries: Vec<Arc<Entry>>) -> Self {
        let mut words: BTreeMap<String, Word> = BTreeMap::new();
        for (number, entry) in entries.iter().enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            for (word, weight) in weighed(entry) {
                let letters = words::letters(&word);
                let known = words.entry(word).or_default();
                known.letters = letters;
                known.weights.push((number, weight));
            }
        }
        Self { entries, words }
    }

    /// The template of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| entry.name() == name)
    }

    /// All of them.
    #[must_use]
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// Whether a word begins so.
    fn has(&self, term: &str) -> bool {
        self.words.range(term.to_owned()..).next().is_some_and(|(word, _)| word.starts_with(term))
    }

    /// How well each entry fits the words; 0 where it does not. Those that are misspelt are told.
    fn scores(&self, terms: &[(String, bool)]) -> Vec<u32> {
        let mut scores = vec![u32::from(terms.is_empty()); self.entries.len()];
        for (number, (term, misspelt)) in terms.iter().enumerate() {
            let found = self.term(term, *misspelt);
            for (score, found) in scores.iter_mut().zip(found) {
                let before = if number == 0 { found } else { *score };
                *score = if found == 0 || before == 0 { 0 } else { (*score).saturating_add(found) };
            }
        }
        scores
    }

    /// How well each entry fits one word.
    fn term(&self, term: &str, misspelt: bool) -> Vec<u32> {
        let mut scores = vec![0; self.entries.len()];
        let mut take = |word: &Word, how: u32| {
            for (entry, weight) in &word.weights {
                if let Some(score) = scores.get_mut(*entry as usize) {
                    *score = (*score).max(weight * how);
                }
            }
        };
        for (word, found) in self.words.range(term.to_owned()..).take_while(|(word, _)| word.starts_with(term)) {
            take(found, if word == term { WHOLE } else { BEGINNING });
        }
        let typos = words::typos(term);
        if misspelt && typos > 0 {
            let letters = words::letters(term);
            for (word, found) in &self.words {
                // Every letter that the word does not have is a typo of its own: most words are ruled out by that.
                let missing = (letters & !found.letters).count_ones() as usize;
                if missing <= typos && words::is_near(term, word, typos) {
                    take(found, MISSPELT);
                }
            }
        }
        scores
    }
}

/// The words of an entry, each with its greatest weight.
fn weighed(entry: &Entry) -> HashMap<String, u32> {
    let mut all = HashMap::new();
    let manifest = &entry.manifest;
    let mut add = |text: &str, weight: u32| {
        for word in words::of(text) {
            let known = all.entry(word).or_insert(weight);
            *known = (*known).max(weight);
        }
    };
    add(&manifest.name, NAME);
    manifest.title.0.values().for_each(|text| add(text, TITLE));
    manifest.summary.0.values().for_each(|text| add(text, SUMMARY));
    manifest.tags.iter().for_each(|text| add(text, TAG));
    add(&manifest.category, TAG);
    entry.services.iter().chain(&entry.images).chain(&entry.uses).for_each(|text| add(text, PART));
    add(&entry.words, README);
    all
}

/// The templates of some shelves that fit, and how many there would be with each further choice: counted as if that one
/// choice were not made yet. Not in any order.
#[must_use]
pub fn find(shelves: &[&Shelf], wanted: &Wanted) -> (Vec<Hit>, Facets) {
    // Only where nothing on any shelf begins with a word, it is taken for misspelt.
    let misspelt = |term: &String| !shelves.iter().any(|shelf| shelf.has(term));
    let terms = words::of(&wanted.text).take(MAX_TERMS).map(|term| (misspelt(&term), term));
    let terms: Vec<_> = terms.map(|(misspelt, term)| (term, misspelt)).collect();
    let (mut hits, mut facets) = (Vec::new(), Facets::default());
    for (number, shelf) in shelves.iter().enumerate() {
        for (entry, score) in shelf.entries.iter().zip(shelf.scores(&terms)).filter(|(_, score)| *score > 0) {
            let manifest = &entry.manifest;
            let kind = wanted.kind.is_none_or(|kind| kind == manifest.kind);
            let category = wanted.category.as_ref().is_none_or(|category| *category == manifest.category);
            let tag = wanted.tag.as_ref().is_none_or(|tag| manifest.tags.contains(tag));
            if category && tag {
                *facets.kinds.entry(manifest.kind.word()).or_default() += 1;
            }
            if kind && tag {
                *facets.categories.entry(manifest.category.clone()).or_default() += 1;
            }
            if kind && category {
                manifest.tags.iter().for_each(|tag| *facets.tags.entry(tag.clone()).or_default() += 1);
            }
            if kind && category && tag {
                hits.push(Hit { shelf: number, entry: Arc::clone(entry), score });
            }
        }
    }
    (hits, facets)
}

#[cfg(test)]
mod tests;
