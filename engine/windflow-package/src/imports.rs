//! Which imports a component may have, given what its manifest asks for.

use semver::Version;
use windflow_core::manifest::RequestedCapabilities;

use crate::CONTRACT_MAJOR;
use crate::error::PackageError;

/// Refuses imports that the manifest does not ask for. Tells whether the component is pure.
pub(crate) fn check(imports: &[&str], asked: &RequestedCapabilities) -> Result<bool, PackageError> {
    let mut pure = true;
    for import in imports {
        pure &= check_one(import, asked)?;
    }
    Ok(pure)
}

/// Whether the import leaves the component pure.
fn check_one(import: &str, asked: &RequestedCapabilities) -> Result<bool, PackageError> {
    let unknown = |remedy| Err(PackageError::UnknownImport { import: import.to_owned(), remedy });
    let Some((package, interface, version)) = split(import) else {
        return unknown("import interfaces of windflow:node and of WASI 0.2 only");
    };
    match package {
        "windflow:node" => {
            if version.major != CONTRACT_MAJOR {
                return Err(PackageError::ContractVersion { import: import.to_owned() });
            }
            match interface {
                "types" | "log" | "progress" => Ok(true),
                "run-context" => needs(asked.run_context, import, "write `run_context = true` under [capabilities]"),
                "docker" => needs(asked.docker, import, "write `docker = true` under [capabilities]"),
                "email" => needs(asked.email, import, "write `email = true` under [capabilities]"),
                "state" => needs(asked.state, import, "write `state = true` under [capabilities]"),
                "files" => needs(asked.files, import, "write `files = true` under [capabilities]"),
                "events" => needs(asked.events, import, "write `events = true` under [capabilities]"),
                "cancellation" => needs(asked.cancellation, import, "write `cancellation = true` under [capabilities]"),
                _ => unknown("it may be newer than this WindFlow, so update WindFlow, or build with an older SDK"),
            }
        }
        "wasi:http" | "wasi:io" | "wasi:cli" | "wasi:clocks" | "wasi:random" | "wasi:filesystem" | "wasi:sockets"
            if (version.major, version.minor) != (0, 2) =>
        {
            unknown("only version 0.2 of WASI is; build for wasm32-wasip2 or wasm32-unknown-unknown")
        }
        "wasi:http" => needs(
            !asked.http.is_empty(),
            import,
            "write the hosts under [capabilities], as in `http = [\"api.example.com\"]`, or `http = [\"*\"]` for those that \
             the workflow grants",
        ),
        // Runtimes of languages import these whether or not the program uses them. The host links them to an empty world:
        // no file, no environment, no socket; unless `clock` and `random` are asked for, time and chance are the run's.
        "wasi:io" | "wasi:cli" | "wasi:clocks" | "wasi:random" | "wasi:filesystem" | "wasi:sockets" => Ok(false),
        _ => unknown("leave out the library that needs it; requests are sent by wasi:http"),
    }
}

fn needs(given: bool, import: &str, remedy: &'static str) -> Result<bool, PackageError> {
    if given { Ok(false) } else { Err(PackageError::NotAskedFor { import: import.to_owned(), remedy }) }
}

/// `wasi:io/poll@0.2.6` as package, interface and version.
fn split(import: &str) -> Option<(&str, &str, Version)> {
    let (path, version) = import.split_once('@')?;
    let (package, interface) = path.split_once('/')?;
    Some((package, interface, Version::parse(version).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(import: &str, asked: &RequestedCapabilities) -> String {
        match check(&[import], asked) {
            Ok(true) => "pure".to_owned(),
            Ok(false) => "impure".to_owned(),
            Err(PackageError::NotAskedFor { .. }) => "not asked for".to_owned(),
            Err(PackageError::UnknownImport { .. }) => "unknown".to_owned(),
            Err(PackageError::ContractVersion { .. }) => "version".to_owned(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn every_import_is_covered_by_the_manifest_or_refused() {
        let nothing = RequestedCapabilities::default();
        let everything = RequestedCapabilities {
            http: vec!["example.com".parse().unwrap()],
            run_context: true,
            cancellation: true,
            docker: true,
            email: true,
            credentials: true,
            state: true,
            events: true,
            files: true,
            hands_files: vec!["folder".to_owned()],
            clock: true,
            random: true,
        };
        for (import, without, with) in [
            ("windflow:node/types@1.0.0", "pure", "pure"),
            ("windflow:node/log@1.0.0", "pure", "pure"),
            ("windflow:node/progress@1.4.2", "pure", "pure"),
            ("windflow:node/run-context@1.0.0", "not asked for", "impure"),
            ("windflow:node/cancellation@1.0.0", "not asked for", "impure"),
            ("windflow:node/docker@1.1.0", "not asked for", "impure"),
            ("windflow:node/email@1.2.0", "not asked for", "impure"),
            ("windflow:node/telegraph@1.9.0", "unknown", "unknown"),
            ("windflow:node/state@1.0.0", "not asked for", "impure"),
            ("windflow:node/events@1.0.0", "not asked for", "impure"),
            ("windflow:node/files@1.0.0", "not asked for", "impure"),
            ("windflow:node/log@2.0.0", "version", "version"),
            ("windflow:node/log@0.1.0", "version", "version"),
            ("windflow:node/log", "unknown", "unknown"),
            ("wasi:http/outgoing-handler@0.2.6", "not asked for", "impure"),
            ("wasi:http/types@0.3.0", "unknown", "unknown"),
            ("wasi:io/poll@0.2.0", "impure", "impure"),
            ("wasi:sockets/tcp@0.2.3", "impure", "impure"),
            ("wasi:clocks/wall-clock@0.2.6", "impure", "impure"),
            ("wasi:random/random@0.2.6", "impure", "impure"),
            ("wasi:cli/environment@0.2.3", "impure", "impure"),
            ("wasi:keyvalue/store@0.2.0", "unknown", "unknown"),
            ("wasi:httpx/types@0.2.0", "unknown", "unknown"),
            ("execute", "unknown", "unknown"),
            ("", "unknown", "unknown"),
        ] {
            assert_eq!(outcome(import, &nothing), without, "{import} without capabilities");
            assert_eq!(outcome(import, &everything), with, "{import} with all capabilities");
        }
    }
}
