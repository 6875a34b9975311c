//! Secrets and configs: what is written into containers before they start.

use serde_json::Value;

use super::reader::Reader;
use crate::project::File;

/// Longest secret or config, in bytes.
const MAX_BYTES: usize = 500 << 10;

/// What a service has of `secrets:` or `configs:`.
pub(super) fn files(reader: &mut Reader<'_, '_>, service: &str, kind: &str) -> Vec<File> {
    let base = ["services", service, kind];
    let count = reader.get(&base).and_then(Value::as_array).map_or(0, Vec::len);
    let mut files = Vec::new();
    for at in 0..count {
        let at = at.to_string();
        let path = [base[0], base[1], base[2], at.as_str()];
        let field = |reader: &Reader<'_, '_>, key: &str| reader.text(&[&path[..], &[key]].concat());
        let (source, target) = match reader.get(&path) {
            Some(Value::String(name)) => (name.clone(), None),
            Some(_) => (field(reader, "source").unwrap_or_default(), field(reader, "target")),
            None => continue,
        };
        let target = match target {
            Some(target) if target.starts_with('/') => target,
            Some(target) if kind == "secrets" => format!("/run/secrets/{target}"),
            None if kind == "secrets" => format!("/run/secrets/{source}"),
            Some(target) => format!("/{target}"),
            None => format!("/{source}"),
        };
        let mode = field(reader, "mode").map(|text| mode(&text));
        if mode == Some(None) {
            reader.refuse(&path, "invalid_mode", "`mode` is no permission", "write it as 0440");
        }
        let number = |reader: &mut Reader<'_, '_>, key: &str| {
            let path = [&path[..], &[key]].concat();
            if reader.get(&path).is_some() { reader.number(&path).unwrap_or(0) } else { 0 }
        };
        let (uid, gid) = (number(reader, "uid"), number(reader, "gid"));
        if let Some(content) = content(reader, kind, &source, &path) {
            files.push(File { target, content, mode: mode.flatten().unwrap_or(0o444), uid, gid });
        }
    }
    files
}

/// YAML 1.2 takes `0440` for a number, whose digits are octal all the same.
fn mode(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777)
}

fn content(reader: &mut Reader<'_, '_>, kind: &str, name: &str, user: &[&str]) -> Option<String> {
    let what = kind.trim_end_matches('s');
    let path = [kind, name];
    if reader.get(&path).is_none() {
        let known = reader.keys(&[kind]);
        let near = windflow_core::problem::did_you_mean(name, known.iter().copied());
        let remedy = near.unwrap_or_else(|| format!("describe it under `{kind}:` at the top of the document"));
        reader.refuse(user, "unknown_name", format!("there is no {what} `{name}`"), &remedy);
        return None;
    }
    let field = |key: &str| reader.text(&[kind, name, key]);
    let content = match (field("content"), field("environment"), field("file")) {
        (Some(content), _, _) => Ok(content),
        (_, Some(variable), _) => match reader.values.get(&variable) {
            Some(value) => Ok(value.clone()),
            None => Err(format!("the {what} `{name}` comes from the variable {variable}, which has no value")),
        },
        (_, _, Some(file)) => {
            (reader.context.files)(&file).map_err(|why| format!("the {what} `{name}` comes from {file}: {why}"))
        }
        _ => Err(format!("the {what} `{name}` has neither `content`, `file` nor `environment`")),
    };
    let content = content.and_then(|content| match content.len() {
        0..=MAX_BYTES => Ok(content),
        length => Err(format!("the {what} `{name}` has {length} bytes; {MAX_BYTES} are taken at most")),
    });
    match content {
        Ok(content) => Some(content),
        Err(why) => {
            reader.refuse(&path, "no_content", why, "");
            None
        }
    }
}
