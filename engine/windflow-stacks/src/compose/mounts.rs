//! What is mounted, in its short and long forms.

use serde_json::Value;

use super::reader::Reader;
use super::supported::unsupported;
use crate::project::{Mount, Source};

pub(super) fn mounts(reader: &mut Reader<'_, '_>, service: &str) -> Vec<Mount> {
    let path = ["services", service, "volumes"];
    let count = reader.get(&path).and_then(Value::as_array).map_or(0, Vec::len);
    let mut mounts = Vec::new();
    for at in 0..count {
        let at = at.to_string();
        let path = [path[0], path[1], path[2], at.as_str()];
        let read = match reader.get(&path) {
            Some(Value::String(text)) => short(text),
            Some(_) => long(reader, &path),
            None => continue,
        };
        match read {
            Ok(mount) => mounts.push(mount),
            Err(why) => {
                reader.refuse(&path, "invalid_mount", why, "write it as data:/path, /host/path:/path or /path:ro");
            }
        }
    }
    for entry in reader.list(&["services", service, "tmpfs"]) {
        let (target, options) = entry.split_once(':').unwrap_or((&entry, ""));
        let size = options.split(',').find_map(|option| super::units::bytes(option.strip_prefix("size=")?));
        mounts.push(Mount { target: target.to_owned(), source: Source::Memory(size), read_only: false });
    }
    mounts
}

fn long(reader: &mut Reader<'_, '_>, path: &[&str]) -> Result<Mount, String> {
    let at = |part: &'static str| [path, &[part]].concat();
    let target = reader.text(&at("target")).ok_or("`target` is missing")?;
    let source = reader.text(&at("source"));
    let read_only = reader.flag(&at("read_only")).unwrap_or_default();
    for (kind, part) in [("bind", "propagation"), ("bind", "selinux"), ("bind", "recursive"), ("volume", "subpath")] {
        let path = [path, &[kind, part]].concat();
        if reader.get(&path).is_some() {
            reader.problems.push(unsupported(part, "", &reader.document.key(&path)));
        }
    }
    let source = match (reader.text(&at("type")).as_deref(), source) {
        (Some("volume"), Some(name)) => Source::Volume(name),
        (Some("volume"), None) => Source::Anonymous,
        (Some("bind"), Some(path)) => Source::Host(host(&path)?),
        (Some("bind"), None) => return Err("a bind mount needs a `source`".to_owned()),
        (Some("tmpfs"), _) => Source::Memory(reader.bytes(&[path, &["tmpfs", "size"]].concat())),
        (kind, _) => return Err(format!("the type {:?} is not supported", kind.unwrap_or_default())),
    };
    mount(target, source, read_only)
}

/// `[source:]target[:options]`.
pub(crate) fn short(text: &str) -> Result<Mount, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [target, options] if target.starts_with('/') && !options.starts_with('/') => (None, *target, *options),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => return Err(format!("{text:?} is no mount")),
    };
    let mut read_only = false;
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => read_only = true,
            "rw" => read_only = false,
            other => return Err(format!("the option {other:?} of a mount is not supported")),
        }
    }
    let source = match source {
        None => Source::Anonymous,
        Some(path) if path.starts_with(['/', '.', '~']) => Source::Host(host(path)?),
        Some(name) => Source::Volume(name.to_owned()),
    };
    mount(target.to_owned(), source, read_only)
}

/// Paths are those of the target's machine, where nothing is relative to a document.
fn host(path: &str) -> Result<String, String> {
    if path.starts_with('/') {
        return Ok(path.to_owned());
    }
    Err(format!("{path:?} is relative, but the path is one of the target's machine: write it in full, or use a volume"))
}

fn mount(target: String, source: Source, read_only: bool) -> Result<Mount, String> {
    if !target.starts_with('/') {
        return Err(format!("{target:?} is no path in the container: it begins with /"));
    }
    Ok(Mount { target, source, read_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms() {
        let check = |text: &str, source: Source, target: &str, read_only| {
            assert_eq!(short(text), mount(target.to_owned(), source, read_only), "{text}");
        };
        check("data:/var/lib", Source::Volume("data".into()), "/var/lib", false);
        check("data:/var/lib:ro", Source::Volume("data".into()), "/var/lib", true);
        check("/etc/x:/x:rw", Source::Host("/etc/x".into()), "/x", false);
        check("/cache", Source::Anonymous, "/cache", false);
        check("/cache:ro", Source::Anonymous, "/cache", true);
        for bad in ["./x:/x", "~/x:/x", "data:x", "a:/b:z", "a:b:c:d", ""] {
            assert!(short(bad).is_err(), "{bad}");
        }
    }
}
