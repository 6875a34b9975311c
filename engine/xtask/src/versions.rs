//! What each version of a template holds, written down beside the templates: a version that somebody may have does not change any more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use semver::Version;
use windflow_marketplace::files::Files;
use windflow_marketplace::template::Template;

/// Where it is written, from the root of the repository.
pub(crate) const FILE: &str = "marketplace/versions.txt";

const HEAD: &str = "\
# What the versions of the templates hold. One that is written here stays as it is: what changes is a new version, with its heading in
# CHANGELOG.md. `UPDATE=1 cargo xtask marketplace` adds those that are new, and changes no line.
";

/// A version of a template, as it lies there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) digest: String,
}

/// The digest of files, however they are packed.
pub(crate) fn digest(files: &Files) -> String {
    let mut all = Vec::new();
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            all.extend((part.len() as u64).to_le_bytes());
            all.extend(part);
        }
    }
    Template::digest(&all)
}

/// Holds templates against what is written. What is to be written where versions are new, with what is to be said of them otherwise.
///
/// # Errors
/// What changed without a new version, each on a line.
pub(crate) fn check(written: &str, templates: &[Held]) -> Result<Option<(String, String)>, String> {
    let mut known: BTreeMap<String, BTreeMap<Version, String>> = BTreeMap::new();
    for line in written.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut parts = line.split(' ');
        let (Some(name), Some(Ok(version)), Some(digest), None) =
            (parts.next(), parts.next().map(Version::parse), parts.next(), parts.next())
        else {
            return Err(format!("{FILE}: {line:?} is no name, version and digest"));
        };
        known.entry(name.to_owned()).or_default().insert(version, digest.to_owned());
    }
    let (mut wrong, mut new) = (Vec::new(), Vec::new());
    for Held { name, version, digest } in templates {
        let versions = known.entry(name.clone()).or_default();
        match (versions.get(version), versions.last_key_value()) {
            (Some(same), _) if same == digest => {}
            (Some(_), _) => wrong.push(format!(
                "{name} {version} is another one than before: give its template.yaml a higher version, with its heading in CHANGELOG.md"
            )),
            (None, Some((latest, _))) if latest > version => {
                wrong.push(format!("{name} {version} is lower than {latest}, which there was before"));
            }
            (None, _) => {
                new.push(format!("{name} {version}"));
                versions.insert(version.clone(), digest.clone());
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    if new.is_empty() {
        return Ok(None);
    }
    let mut text = HEAD.to_owned();
    for (name, versions) in &known {
        for (version, digest) in versions {
            let _ = writeln!(text, "{name} {version} {digest}");
        }
    }
    let told = format!("{} not in {FILE}: `UPDATE=1 cargo xtask marketplace` writes what is new", new.join(", "));
    Ok(Some((text, told)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str, version: &str, digest: &str) -> Held {
        Held { name: name.into(), version: version.parse().unwrap(), digest: digest.into() }
    }

    #[test]
    fn a_version_that_is_written_does_not_change() {
        let (written, told) = check("", &[held("shop", "1.0.0", "a"), held("blog", "1.0.0", "b")]).unwrap().unwrap();
        assert_eq!(written, format!("{HEAD}blog 1.0.0 b\nshop 1.0.0 a\n"));
        assert!(told.starts_with("shop 1.0.0, blog 1.0.0 not in"), "{told}");
        assert_eq!(check(&written, &[held("shop", "1.0.0", "a")]).unwrap(), None);
        let error = check(&written, &[held("shop", "1.0.0", "c"), held("blog", "0.9.0", "b")]).unwrap_err();
        assert!(error.contains("shop 1.0.0 is another one") && error.contains("blog 0.9.0 is lower"), "{error}");
        // The next version is added, and the one before stays.
        let (written, _) = check(&written, &[held("shop", "1.10.0", "c")]).unwrap().unwrap();
        assert_eq!(written, format!("{HEAD}blog 1.0.0 b\nshop 1.0.0 a\nshop 1.10.0 c\n"));
        assert!(check(&written, &[held("shop", "1.9.0", "d")]).is_err());
        for bad in ["shop 1.0.0", "shop one a", "shop 1.0.0 a b"] {
            assert!(check(bad, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_is_of_names_and_contents() {
        let files = |pairs: &[(&str, &str)]| -> Files {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
        };
        let one = digest(&files(&[("a", "b"), ("c", "")]));
        assert_eq!(one, digest(&files(&[("c", ""), ("a", "b")])));
        for other in [&[("a", ""), ("c", "b")][..], &[("a", "bc")], &[("a", "b")], &[("ab", ""), ("c", "")]] {
            assert_ne!(one, digest(&files(other)));
        }
    }
}
