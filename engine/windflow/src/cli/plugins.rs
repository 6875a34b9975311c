//! What can be typed about plugins.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use windflow_core::id::Digest;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginsCommand {
    /// List the node types that workflows can use
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a node type: what it does, its configuration, its ports, and what it may touch
    Show {
        /// Its name, with or without its version: http or http@1
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Begin a plugin in Rust: a folder with a node type that works, its cases and a workflow that uses it
    New(NewPluginArgs),
    /// Build a plugin in Rust and pack it into one file
    Build(BuildPluginArgs),
    /// Run a plugin's cases in the sandbox, offline
    Test(TestPluginArgs),
    /// Check a plugin: what it may touch, what it imports, its size, and what is missing
    Check(CheckPluginArgs),
    /// Make a plugin of a component that was built by other tools
    Pack(PackPluginArgs),
    /// Install a plugin, once you have read what it may touch
    Install(InstallPluginArgs),
    /// Update installed plugins from where they came from, once you have read what is new
    Update(UpdatePluginsArgs),
    /// Remove a plugin; runs that began with it cannot go on
    Remove {
        /// Its name, with its major version where several are installed: greet or greet@1
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "From nothing to a node in a running workflow:\n  \
windflow plugins new greet\n  \
windflow plugins install greet\n  \
windflow run greet/example.yaml\n\n\
The SDK is not on crates.io yet. The starter brings along the one that is part of this binary, in the folder `sdk`; with --sdk it uses \
another: a checkout of WindFlow, or a version where a registry has one.")]
pub(crate) struct NewPluginArgs {
    /// Its name, and that of its folder: a-z, 0-9 and -
    pub(crate) name: String,
    /// The SDK to use: the folder of a checkout, or a version of the crate windflow-sdk [default: a copy of this binary's]
    #[arg(long, value_name = "FOLDER|VERSION")]
    pub(crate) sdk: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "It needs Rust. Where the target wasm32-unknown-unknown is missing it is got by rustup, or its library is built once from\n\
Debian's source. `schema/` is written anew where the code is newer."
)]
pub(crate) struct BuildPluginArgs {
    /// Its folder, with Cargo.toml and plugin.toml
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Where to write the plugin [default: FOLDER/NAME.wasm]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "A case is a YAML file in the folder `cases` beside plugin.toml:\n\n  \
input: Zoé                       # what comes in over the edge: `${{ input }}`\n  \
with: { times: 2 }               # the node's configuration, as a workflow writes it\n  \
permissions: { http: [api.example.org] }\n  \
answers: [{ request: GET https://api.example.org/, json: [] }]   # what servers answer\n  \
expect:\n    \
output: { text: Hello Zoé! }   # and port: …; or error: { code: …, message: …, retry: … }; or denied: https://…\n\n\
docs/plugins/tutorial.md says more. Exit status: 0 all cases are met, 1 some are not.")]
pub(crate) struct TestPluginArgs {
    /// Its folder, which is built first; or a packed plugin
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The cases [default: the folder `cases` beside]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cases: Option<PathBuf>,
    /// Only cases whose path contains this
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// Write a report in JUnit's format
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 it can be installed, 2 it cannot. Nothing of it is run.")]
pub(crate) struct CheckPluginArgs {
    /// A packed plugin; or its folder, which is built first
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "For components of componentize-js, componentize-py, TinyGo and others:\n  \
windflow plugins pack greet.component.wasm --manifest plugin.toml --out greet.wasm")]
pub(crate) struct PackPluginArgs {
    /// The component, or a core module of wit-bindgen
    pub(crate) component: PathBuf,
    /// What it offers and asks for; schemas that it names lie beside it
    #[arg(long, value_name = "FILE", default_value = "plugin.toml")]
    pub(crate) manifest: PathBuf,
    /// Where to write the plugin [default: NAME.wasm in the working folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Everything that the plugin may touch is shown first, and of an update what is new; on a terminal you are asked.\n\
What you agree to holds for the very bytes that you saw: a file that is changed afterwards is not loaded.\n\
A server takes up what was installed beside it when it starts; with --server it is installed there at once, for everybody whom that\n\
server serves.\n\n\
Examples:\n  \
windflow plugins install .                                 # build the plugin of this folder, and install it\n  \
windflow plugins install greet.wasm --yes\n  \
windflow plugins install https://example.org/greet.wasm --digest sha256:…\n  \
windflow plugins install greet.wasm --server https://flows.example.org"
)]
pub(crate) struct InstallPluginArgs {
    /// A packed plugin; a folder, which is built first; or an address: https, or http of this machine
    #[arg(value_name = "FILE|FOLDER|URL")]
    pub(crate) source: String,
    /// Agree to what is shown
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Install exactly this and nothing else; `windflow plugins check` prints it
    #[arg(long, value_name = "DIGEST")]
    pub(crate) digest: Option<Digest>,
}

#[derive(Debug, Args)]
pub(crate) struct UpdatePluginsArgs {
    /// Their names [default: all that were installed]
    pub(crate) names: Vec<String>,
    /// Agree to what is shown
    #[arg(short, long)]
    pub(crate) yes: bool,
}
