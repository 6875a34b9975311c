//! Where lists of workflows show this one: `folder` and `tags`. No part of its logic.

use super::read::Reader;
use crate::place::Spanned;
use crate::yaml;

/// Characters of a tag, and of one folder's name, at most.
const MAX_CHARACTERS: usize = 40;

/// Tags of a workflow at most.
const MAX_TAGS: usize = 20;

/// Folders within folders at most.
const MAX_DEPTH: usize = 5;

const WORD: &str = "use 1 to 40 characters that do not begin or end with a space";

/// What is neither empty nor long, prints, and looks the same wherever it is shown.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().count() <= MAX_CHARACTERS
        && !text.chars().any(|c| c.is_control() || c == '/' || c == ',')
}

pub(super) fn tags(reader: &mut Reader, node: &yaml::Node) -> Vec<Spanned<String>> {
    let items = reader.list(node, "`tags`");
    if items.len() > MAX_TAGS {
        reader.error("too_many", &node.place, format!("a workflow has at most {MAX_TAGS} tags, not {}", items.len()));
        return Vec::new();
    }
    let mut tags: Vec<Spanned<String>> = Vec::new();
    for item in items {
        let Some(text) = reader.text(item, "a tag") else { continue };
        if !is_label(text) {
            let remedy = format!("{WORD}, and neither / nor a comma");
            reader.error_with("invalid_tag", &item.place, format!("`{text}` cannot be a tag"), remedy);
        } else if tags.iter().any(|tag| tag.value == text) {
            reader.error_with("duplicate_tag", &item.place, format!("the tag `{text}` is there twice"), "remove one");
        } else {
            tags.push(Spanned::new(text.to_owned(), item.place.clone()));
        }
    }
    tags
}

pub(super) fn folder(reader: &mut Reader, node: &yaml::Node) -> Option<Spanned<String>> {
    let text = reader.text(node, "`folder`")?;
    let parts = text.split('/').count();
    if parts > MAX_DEPTH || !text.split('/').all(is_label) {
        let remedy = format!("write names with / between them, {MAX_DEPTH} at most, as in `team/reports`; {WORD}");
        reader.error_with("invalid_folder", &node.place, format!("`{text}` cannot be a folder"), remedy);
        return None;
    }
    Some(Spanned::new(text.to_owned(), node.place.clone()))
}

#[cfg(test)]
mod tests {
    use crate::workflow::Workflow;

    fn read(labels: &str) -> (Vec<String>, Option<String>, Vec<String>) {
        let text = format!("windflow: 1\nname: a\n{labels}\nnodes:\n  b: {{ uses: wait@1 }}\n");
        let (workflow, problems) = Workflow::parse(&text);
        let workflow = workflow.unwrap();
        let tags = workflow.tags.into_iter().map(|tag| tag.value).collect();
        let problems = problems.iter().map(|problem| problem.code.to_string()).collect();
        (tags, workflow.folder.map(|folder| folder.value), problems)
    }

    #[test]
    fn labels_are_read_as_they_are_written() {
        let (tags, folder, problems) = read("folder: Team A/reports\ntags: [daily, Für alle]");
        assert_eq!(
            (tags, folder.as_deref()),
            (vec!["daily".to_owned(), "Für alle".to_owned()], Some("Team A/reports"))
        );
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert_eq!(read("tags: daily").2, ["wrong_type"]);
        assert_eq!(read("tags: [a, a]").2, ["duplicate_tag"]);
        assert_eq!(read("tags: [\"\", \" a\", a/b, 7]").2, ["invalid_tag", "invalid_tag", "invalid_tag", "wrong_type"]);
        assert_eq!(read(&format!("tags: [{}]", "x, ".repeat(21))).2, ["too_many"]);
        for folder in ["/a", "a/", "a//b", "a/b/c/d/e/f", "\"\""] {
            assert_eq!(read(&format!("folder: {folder}")).2, ["invalid_folder"], "{folder}");
        }
    }
}
