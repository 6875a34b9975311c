//! Names of images.

/// Whether a text can name an image: `nginx`, `registry.test:5000/team/app:1.2`, `app@sha256:…`. The engine judges the rest.
///
/// # Errors
/// Why it cannot.
pub fn check(image: &str) -> Result<(), String> {
    let shown: String = image.chars().take(80).collect();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    if image.is_empty() || image.len() > 500 || !image.bytes().all(fits) || !image.as_bytes()[0].is_ascii_alphanumeric()
    {
        return Err(format!("{shown:?} is no name of an image: write it as name:tag or registry.example.org/name:tag"));
    }
    Ok(())
}

/// An image's name, and its tag or digest.
#[must_use]
pub fn split(image: &str) -> (&str, &str) {
    if let Some((name, digest)) = image.split_once('@') {
        return (name, digest);
    }
    match image.rsplit_once(':') {
        // A colon before a slash is that of the registry's port.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

/// The registry that an image comes from.
#[must_use]
pub fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_are_taken_apart() {
        for (image, name, tag, host) in [
            ("nginx", "nginx", "latest", "docker.io"),
            ("a/b:1.2", "a/b", "1.2", "docker.io"),
            ("registry.test:5000/a/b", "registry.test:5000/a/b", "latest", "registry.test:5000"),
            ("registry.test:5000/a:1", "registry.test:5000/a", "1", "registry.test:5000"),
            ("a@sha256:00", "a", "sha256:00", "docker.io"),
            ("localhost/a", "localhost/a", "latest", "localhost"),
        ] {
            assert_eq!((check(image), split(image), registry(image)), (Ok(()), (name, tag), host), "{image}");
        }
        for bad in ["", "-x", "a b", "a\n", "--help", "a?b", &"a".repeat(501)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
