//! The keys that a target's SSH server may have.

use std::fmt::Write;

use windflow_stacks::driver::{DriverError, Result};

/// The name under which they are told to `ssh`: they are the target's, whatever its address.
pub(super) const ALIAS: &str = "windflow-target";

/// Keys at most.
const MOST: usize = 32;

/// Reads keys as `/etc/ssh/ssh_host_*_key.pub` has them, or as lines of a file `known_hosts` and of `ssh-keyscan`, whose names are left
/// aside. What comes back is a file `known_hosts`.
pub(super) fn known(text: &str) -> Result<String> {
    let refused = |why: String| {
        DriverError::new("ssh_host_keys", format!("the keys of the server cannot be used: {why}")).remedy(
            "give lines such as `ssh-ed25519 AAAA…`: `cat /etc/ssh/ssh_host_*_key.pub` on the target prints them",
        )
    };
    let mut known = String::new();
    let mut count = 0;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<_> = line.split_whitespace().take(3).collect();
        let Some([kind, key]) =
            words.windows(2).find(|pair| matches!(pair, [kind, key] if is_kind(kind) && is_key(key)))
        else {
            return Err(refused(format!("line {} is no key", at + 1)));
        };
        count += 1;
        // Writing to a text does not fail.
        let _ = writeln!(known, "{ALIAS} {kind} {key}");
    }
    match count {
        0 => Err(refused("there is none".to_owned())),
        1..=MOST => Ok(known),
        _ => Err(refused(format!("there are more than {MOST}"))),
    }
}

fn is_kind(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'@' | b'.'))
        && !word.starts_with('@')
}

/// Each begins with the length of a short word, in Base64.
fn is_key(word: &str) -> bool {
    word.starts_with("AAAA")
        && word.len() > 40
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ0pYxqQ3fVqk5Xl9e0bq3m0xUuL0aTn0x1pK9M7Lr2z";

    #[test]
    fn keys_come_as_the_server_has_them_or_as_scans_print_them() {
        let expect = format!("{ALIAS} ssh-ed25519 {KEY}\n");
        for text in [
            format!("ssh-ed25519 {KEY} root@edge\n"),
            format!("# edge:22 SSH-2.0-OpenSSH_9.2p1\n\nedge,[10.0.0.1]:2222 ssh-ed25519 {KEY}\r\n"),
            format!("|1|aGFzaA==|aGFzaA== ssh-ed25519 {KEY}"),
        ] {
            assert_eq!(known(&text).unwrap(), expect, "{text}");
        }
        for text in ["", "edge", "ssh-ed25519", "ssh-ed25519 AAAA", &format!("@cert-authority * ssh-ed25519 {KEY}")] {
            assert_eq!(known(text).unwrap_err().code, "ssh_host_keys", "{text}");
        }
        assert!(known(&format!("ssh-ed25519 {KEY}\n").repeat(MOST + 1)).is_err());
    }
}
