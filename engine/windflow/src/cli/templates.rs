//! What can be typed about templates.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use semver::Version;
use windflow_marketplace::manifest::CATEGORIES;

use super::key_value;

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

/// What a template is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TemplateKind {
    Stack,
    Workflow,
}

/// What a text from elsewhere is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    Compose,
    Portainer,
    Caprover,
}

/// A template as it is named: `ghost`, or `ghost@1.2.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateRef {
    pub(crate) name: String,
    /// The latest where none is given.
    pub(crate) version: Option<Version>,
}

impl FromStr for TemplateRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, version)) = text.split_once('@') else {
            return Ok(Self { name: text.to_owned(), version: None });
        };
        let version = version.parse().map_err(|error| format!("{version:?} is no version such as 1.2.0: {error}"))?;
        Ok(Self { name: name.to_owned(), version: Some(version) })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TemplatesCommand {
    /// Find templates by words, kind, category and tag
    Search {
        /// Words, in English or French; beginnings and misspelt ones are found, too
        text: Vec<String>,
        /// Of this kind
        #[arg(long)]
        kind: Option<TemplateKind>,
        /// In this category
        #[arg(long, value_parser = PossibleValuesParser::new(CATEGORIES))]
        category: Option<String>,
        /// With this tag
        #[arg(long)]
        tag: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what is in a template, and what it may touch
    Show {
        /// Its name, with a version where another than the latest is wanted: ghost, ghost@1.2.0
        template: TemplateRef,
        /// Print its document and nothing else
        #[arg(long)]
        text: bool,
        /// Print JSON
        #[arg(long, conflicts_with = "text")]
        json: bool,
    },
    /// Make a stack or a workflow of a template
    #[command(
        after_help = "A stack is kept in the data folder, and deployed with --deploy. A workflow is written to FOLDER/NAME.\n\
Where something is wrong, nothing is left behind."
    )]
    Install(Box<InstallArgs>),
    /// Show what the latest version of its template would change of what was installed, and make it so
    Update {
        /// Name of the stack; of a server (--server) that of a workflow, too
        name: String,
        /// What it is, where a server has a stack and a workflow of this name
        #[arg(long)]
        kind: Option<TemplateKind>,
        /// Make it so
        #[arg(short, long)]
        yes: bool,
    },
    /// List what was installed, with the versions that there are
    Installed {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep a folder, a stack or a workflow as a template of one's own, after the same checks as a registry's
    #[command(
        after_help = "Of a template that is there already, --stack and --workflow make the next version: give it a higher one with --as NAME@VERSION. What is not \
                      said stays as it was. With --server the template is the organisation's, and the stack or workflow is the server's."
    )]
    Publish(Box<PublishArgs>),
    /// Check folders of templates and report every problem with its place
    Check {
        /// Folders with `template.yaml`
        #[arg(required = true)]
        folders: Vec<PathBuf>,
    },
    /// Begin a template: a folder with everything that it needs
    New {
        /// Its name
        name: String,
        /// What it is of
        #[arg(long, default_value = "stack")]
        kind: TemplateKind,
    },
    /// Make templates of a Compose file, of Portainer's app templates, or of a one-click app of CapRover
    Import {
        /// The file; - is stdin
        file: PathBuf,
        /// What it is [default: what it looks like]
        #[arg(long)]
        from: Option<ImportFormat>,
        /// Where to write the folders
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
    },
    /// Make a registry for others, and look after those from which a server (--server) takes templates
    #[command(subcommand)]
    Registry(RegistryCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// List them, with how many templates each has
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add one. Its index is fetched at once, and refused unless it is signed with the key
    Add {
        /// What to call it: a-z, 0-9 and -
        name: String,
        /// Where its index and packages lie: https, or http on the machine of the server
        address: String,
        /// The key that its index has to be signed with, as whoever runs it tells: ed25519:…
        #[arg(long)]
        key: String,
    },
    /// Fetch its index anew; it happens by itself once an hour
    Refresh {
        /// Its name
        name: String,
    },
    /// Forget it. What was installed from it stays
    Remove {
        /// Its name
        name: String,
    },
    /// Make a registry of folders, or add them to one: a folder with index, signature and packages, for any web server
    Make {
        /// Where to write it. What is in it already stays, with its versions
        registry: PathBuf,
        /// Folders with `template.yaml`
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// File with the key that signs it (Ed25519, PKCS#8 in PEM). It is made where it is not there: keep it, and to yourself
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// Name of the template, with a version where another than the latest is wanted: ghost, ghost@1.2.0
    pub(crate) template: TemplateRef,
    /// What the stack or workflow is called [default: as the template]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// A variable of a stack, as key=value
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = key_value, requires = "deploy")]
    pub(crate) variables: Vec<(String, String)>,
    /// Deploy the stack at once
    #[arg(long)]
    pub(crate) deploy: bool,
    /// Where to: the name of a target, or an address
    #[arg(short, long, default_value = windflow_stacks::carry::LOCAL)]
    pub(crate) target: String,
    /// Confirm a risk by its name, for example web:host_network
    #[arg(long, value_name = "RISK")]
    pub(crate) confirm: Vec<String>,
    /// Do not ask whether to go on
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// How long services may take until they are up [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Where to write a workflow
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The folder with `template.yaml`
    #[arg(required_unless_present_any = ["stack", "workflow"], conflicts_with_all = ["stack", "workflow", "AboutArgs"])]
    pub(crate) folder: Option<PathBuf>,
    /// Make it of a stack that is kept
    #[arg(long, value_name = "NAME", conflicts_with = "workflow")]
    pub(crate) stack: Option<String>,
    /// Make it of a workflow: of a file, or of one that the server keeps (--server)
    #[arg(long, value_name = "FILE")]
    pub(crate) workflow: Option<String>,
    #[command(flatten)]
    pub(crate) about: AboutArgs,
}

/// What is said of a template that is made of something.
#[derive(Debug, Args)]
#[group(id = "AboutArgs", multiple = true)]
pub(crate) struct AboutArgs {
    /// What it is called, and its version [default: as the stack or workflow, 1.0.0]
    #[arg(long = "as", value_name = "NAME[@VERSION]")]
    pub(crate) name: Option<TemplateRef>,
    /// Its title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Its title in French [default: the other one]
    #[arg(long, value_name = "TITLE", requires = "title")]
    pub(crate) title_fr: Option<String>,
    /// What it is, in a sentence [default: what the stack or workflow says of itself]
    #[arg(long)]
    pub(crate) summary: Option<String>,
    /// The same in French [default: the other one]
    #[arg(long, value_name = "SUMMARY", requires = "summary")]
    pub(crate) summary_fr: Option<String>,
    /// Where people look for it
    #[arg(long, value_parser = PossibleValuesParser::new(CATEGORIES))]
    pub(crate) category: Option<String>,
    /// A further word to find it by; may be given again
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// What changed in this version, in Markdown
    #[arg(long, value_name = "TEXT")]
    pub(crate) changes: Option<String>,
}
