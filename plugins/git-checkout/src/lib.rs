//! `git-checkout`: the files of a repository, in the scratch folder of the run.

mod pack;
mod packets;
mod server;
mod tree;

use windflow_sdk::files;
use windflow_sdk::{NodeError, config, node, output};

use crate::pack::{Id, Pack};
use crate::tree::What;

/// So many of what was left out are named.
const NAMED: usize = 100;

/// Which repository, and what of it.
#[config]
pub struct Config {
    /// The repository, as https://git.example.org/shop.git.
    repository: String,
    /// A branch, a tag or a commit; the repository's own branch where it is empty.
    #[serde(default, rename = "ref")]
    reference: String,
    /// Only what is in this folder of the repository.
    #[serde(default)]
    subfolder: String,
    /// The folder of the run that gets the files; it is emptied before. The repository's name where it is empty.
    #[serde(default)]
    path: String,
    /// Signs in to the server.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    credential: Option<String>,
}

/// What was checked out.
#[output]
pub struct Output {
    /// The repository.
    repository: String,
    /// The name that was followed, as refs/heads/main; the commit itself where that was named.
    r#ref: String,
    /// The commit.
    commit: String,
    /// The folder of the run that has the files.
    path: String,
    /// How many files.
    files: u32,
    /// How long they are together.
    bytes: u64,
    /// Which of them are programs, by their paths below that folder. Files of a run have no modes: what needs them is told by this.
    executable: Vec<String>,
    /// Symbolic links, submodules, and files with names that no file of a run can have, none of which are there; the first 100.
    left_out: Vec<LeftOut>,
}

/// What is not there.
#[output]
pub struct LeftOut {
    /// Where it would be.
    path: String,
    /// `symlink`, `submodule` or `name`.
    kind: String,
}

/// Fetches the newest state of the ref and writes its files.
#[node(name = "git-checkout")]
pub fn git_checkout(config: Config) -> Result<Output, NodeError> {
    let repository = config.repository.trim_end_matches('/');
    let path = match config.path.as_str() {
        "" => repository.rsplit('/').next().unwrap_or_default().trim_end_matches(".git").to_owned(),
        path => path.to_owned(),
    };
    let subfolder = config.subfolder.trim_matches('/');
    let server = server::connect(repository)?;
    let (name, id) = server.find(config.reference.trim())?;
    let bytes = server.fetch(&id)?;
    let wrong = |problem: String| {
        NodeError::new("invalid_repository", format!("what the server sent cannot be used: {problem}"))
    };
    let mut pack = Pack::read(bytes).map_err(wrong)?;
    let (commit, tree) = tree::commit(&mut pack, id).map_err(wrong)?;
    let found = tree::files(&mut pack, tree, subfolder).map_err(wrong)?;
    files::remove(&path)?;
    let mut output = Output {
        repository: repository.to_owned(),
        r#ref: name,
        commit: commit.hex(),
        path: path.clone(),
        files: 0,
        bytes: 0,
        executable: Vec::new(),
        left_out: Vec::new(),
    };
    // What the configuration says is a mistake of whoever wrote it; names of the repository are told below.
    if let Err(files::Error::Refused(why)) = files::read_at(&format!("{path}/a"), 0, 1) {
        return Err(NodeError::new("file_refused", format!("`path`: {why}")));
    }
    for file in found {
        let is_program = matches!(file.what, What::Program(_));
        let id = match file.what {
            What::File(id) | What::Program(id) => id,
            What::Link => {
                output.leave_out(file.path, "symlink");
                continue;
            }
            What::Submodule => {
                output.leave_out(file.path, "submodule");
                continue;
            }
        };
        let content = blob(&mut pack, &id).map_err(wrong)?;
        let at = format!("{path}/{}", file.path);
        match files::write(&at, &content) {
            Ok(()) => {}
            Err(files::Error::Refused(_)) if is_no_name(&at) => {
                output.leave_out(file.path, "name");
                continue;
            }
            Err(files::Error::Refused(why)) => {
                return Err(NodeError::new("file_refused", format!("{at} of the repository: {why}")));
            }
            Err(other) => return Err(other.into()),
        }
        output.files += 1;
        output.bytes += content.len() as u64;
        // No more than a run may have files.
        if is_program {
            output.executable.push(file.path);
        }
    }
    Ok(output)
}

/// Whether no file of a run can have this path, such as `a:b`, which some systems could not hold.
fn is_no_name(path: &str) -> bool {
    matches!(files::read_at(path, 0, 1), Err(files::Error::Refused(_)))
}

impl Output {
    fn leave_out(&mut self, path: String, kind: &str) {
        if self.left_out.len() < NAMED {
            self.left_out.push(LeftOut { path, kind: kind.to_owned() });
        }
    }
}

fn blob(pack: &mut Pack, id: &Id) -> Result<Vec<u8>, String> {
    match pack.object(id)? {
        (pack::Kind::Blob, content) => Ok(content),
        _ => Err("a file is something else".to_owned()),
    }
}

/// What a fuzzer tries: the files of every commit of a pack with this content, whose checksum fits. Never part of the plugin.
///
/// # Errors
/// What is wrong with the pack.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub fn files_of_pack(content: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    use sha1::{Digest as _, Sha1};

    let mut pack = Pack::read([content, Sha1::digest(content).as_slice()].concat())?;
    let mut files = Vec::new();
    for id in pack.ids() {
        let Ok((_, tree)) = tree::commit(&mut pack, id) else { continue };
        for file in tree::files(&mut pack, tree, "")? {
            if let What::File(id) | What::Program(id) = file.what {
                files.push((file.path, blob(&mut pack, &id)?));
            }
        }
    }
    Ok(files)
}

windflow_sdk::plugin!(git_checkout);

#[cfg(test)]
mod tests;
