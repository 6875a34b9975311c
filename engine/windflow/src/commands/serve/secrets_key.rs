//! The key that encrypts secrets at rest. It does not lie in the store, so that a copy of the store alone opens nothing.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use anyhow::Context;

use crate::exit::invalid;

const VARIABLE: &str = "WINDFLOW_SECRETS_KEY";

/// The key of the environment, else that of the file, which is made where it was not named and is not there.
pub(crate) fn read_or_make(data_dir: &Path, named: Option<&Path>) -> anyhow::Result<[u8; 32]> {
    let path = data_dir.join("secrets.key");
    read(data_dir, named)?
        .map_or_else(|| make(&path).with_context(|| format!("the key of secrets, {}", path.display())), Ok)
}

/// The same where there is one.
pub(crate) fn read(data_dir: &Path, named: Option<&Path>) -> anyhow::Result<Option<[u8; 32]>> {
    if let Some(text) = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) {
        return parse(&text).map(Some).ok_or_else(|| invalid(format!("{VARIABLE} has to be 64 hexadecimal digits")));
    }
    let own = data_dir.join("secrets.key");
    let path = named.unwrap_or(&own);
    let cannot = || format!("the key of secrets, {}", path.display());
    match std::fs::File::open(path) {
        Ok(file) => {
            let mut text = String::new();
            file.take(200).read_to_string(&mut text).with_context(cannot)?;
            parse(&text)
                .map(Some)
                .ok_or_else(|| invalid(format!("{}: no key, which has 64 hexadecimal digits", path.display())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => Err(error).with_context(cannot),
    }
}

fn make(path: &Path) -> anyhow::Result<[u8; 32]> {
    let key = windflow_server::generate_key().context("the system gives no random numbers")?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{text}")?;
    file.sync_all()?;
    Ok(key)
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_64_digits_and_nothing_else() {
        assert_eq!(parse(&format!("{}\n", "0f".repeat(32))), Some([15; 32]));
        for bad in ["", "0f", &"0g".repeat(32), &"0f".repeat(33), &"+f".repeat(32)] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
