//! Passwords: argon2id with the parameters that OWASP recommends, which are the crate's own.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Shortest password, in characters.
const MIN_CHARS: usize = 10;
/// Longest password, in bytes. Hashing a longer one would take long and gain nothing.
const MAX_BYTES: usize = 256;

/// Whether a password may be chosen.
pub(super) fn check(password: &str) -> Result<(), String> {
    if password.chars().count() < MIN_CHARS {
        return Err(format!("a password has at least {MIN_CHARS} characters"));
    }
    if password.len() > MAX_BYTES {
        return Err(format!("a password has at most {MAX_BYTES} bytes"));
    }
    Ok(())
}

/// What is kept of a password.
pub(super) fn hash(password: &str) -> Result<String, String> {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| format!("the password cannot be hashed: {error}"))?;
    Ok(hash.to_string())
}

/// Whether a password is the one of which the hash was kept. Where there is no hash, because there is no such person, it takes as
/// long as where there is one, so that the time tells nobody who is known here.
pub(super) fn verify(password: &str, hash: Option<&str>) -> bool {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aGFzdGhpc3NhbHQ$9sVNRxgTgJX1vWwWFVxvDJQK5vJkFXG1qPpKSDGZkfU";
    if password.len() > MAX_BYTES {
        return false;
    }
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_matches() {
        let kept = hash("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("horse"));
        assert!(verify("correct horse battery", Some(&kept)));
        for wrong in ["correct horse batterz", "", "correct horse battery "] {
            assert!(!verify(wrong, Some(&kept)), "{wrong}");
        }
        assert!(!verify("correct horse battery", None));
        assert!(!verify("correct horse battery", Some("no hash")));
        assert_ne!(hash("correct horse battery").unwrap(), kept, "every hash has a salt of its own");
    }

    #[test]
    fn who_is_not_known_costs_the_same() {
        let begun = std::time::Instant::now();
        assert!(!verify("correct horse battery", None));
        assert!(begun.elapsed().as_millis() >= 2, "the hash of nobody was not computed");
    }

    #[test]
    fn passwords_are_neither_short_nor_endless() {
        assert!(check("0123456789").is_ok() && check("éééééééééé").is_ok());
        assert!(check("012345678").is_err() && check(&"x".repeat(257)).is_err());
    }
}
