use super::*;
use crate::index::make;
use crate::template::tests::shop;

/// Entries like the shop's, with other words.
fn shelf(all: &[(&str, &str, &str, &[&str])]) -> Shelf {
    let made = make(&shop()).unwrap().entry;
    let entry = |(name, summary, category, tags): &(&str, &str, &str, &[&str])| {
        let mut entry = made.clone();
        entry.manifest.name = (*name).to_owned();
        entry.manifest.title.0 = [("en".to_owned(), name.replace('-', " "))].into();
        entry.manifest.summary.0 = [("en".to_owned(), (*summary).to_owned())].into();
        entry.manifest.category = (*category).to_owned();
        entry.manifest.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        (entry.services, entry.images) = (Vec::new(), Vec::new());
        entry.words = format!("readme {}", name.chars().rev().collect::<String>());
        Arc::new(entry)
    };
    Shelf::new(all.iter().map(entry).collect())
}

fn ours() -> Shelf {
    shelf(&[
        ("wordpress", "A blog with MySQL", "content", &["cms", "php"]),
        ("ghost", "A blog, like WordPress but newer", "content", &["cms", "node"]),
        ("mysql", "A database", "databases", &["sql"]),
        ("postgresql", "Une base de données éprouvée", "databases", &["sql"]),
    ])
}

fn names(text: &str) -> Vec<String> {
    let shelf = ours();
    let (mut hits, _) = find(&[&shelf], &Wanted { text: text.to_owned(), ..Wanted::default() });
    hits.sort_by(|one, other| other.score.cmp(&one.score).then(one.entry.name().cmp(other.entry.name())));
    hits.iter().map(|hit| hit.entry.name().to_owned()).collect()
}

#[test]
fn names_come_before_what_only_mentions_them() {
    assert_eq!(names("wordpress"), ["wordpress", "ghost"]);
    assert_eq!(names("mysql"), ["mysql", "wordpress"]);
    assert_eq!(names("word"), ["wordpress", "ghost"], "beginnings of words");
    assert_eq!(names("eprouvee"), ["postgresql"], "accents do not matter");
    assert_eq!(names("ÉPROUVÉE"), ["postgresql"]);
    assert_eq!(names("lqsym"), ["mysql"], "what READMEs say");
}

#[test]
fn typos_are_forgiven_where_nothing_else_fits() {
    assert_eq!(names("wrodpress"), ["wordpress", "ghost"]);
    assert_eq!(names("postgrse"), ["postgresql"]);
    assert!(names("xyzzyx").is_empty());
}

#[test]
fn a_word_that_some_shelf_has_is_not_misspelt_on_another() {
    let (one, other) = (shelf(&[("caddy", "x", "web", &[])]), shelf(&[("cadby", "x", "web", &[])]));
    let (hits, _) = find(&[&one, &other], &Wanted { text: "caddy".into(), ..Wanted::default() });
    assert_eq!(hits.iter().map(|hit| hit.entry.name()).collect::<Vec<_>>(), ["caddy"]);
}

#[test]
fn every_word_has_to_be_there() {
    assert_eq!(names("blog mysql"), ["wordpress"]);
    assert!(names("blog database").is_empty());
    assert_eq!(names("  "), ["ghost", "mysql", "postgresql", "wordpress"]);
}

#[test]
fn facets_count_what_another_choice_would_give() {
    let shelf = ours();
    let wanted = Wanted { category: Some("content".into()), tag: Some("php".into()), ..Wanted::default() };
    let (hits, facets) = find(&[&shelf, &shelf], &wanted);
    assert_eq!(hits.len(), 2, "on both shelves");
    assert_eq!(facets.kinds, [("stack", 2)].into());
    assert_eq!(facets.categories, [("content".to_owned(), 2)].into(), "with the tag");
    let tags = [("cms", 4), ("node", 2), ("php", 2)].map(|(tag, count)| (tag.to_owned(), count));
    assert_eq!(facets.tags, tags.into(), "in the category");
    let none = Wanted { kind: Some(Kind::Workflow), ..Wanted::default() };
    assert!(find(&[&shelf], &none).0.is_empty());
}
