//! What can be asked of single containers and images, as it is described to authors. Fields are named as the target knows them, so
//! that all of it is handed on as it is.
#![allow(dead_code, reason = "the schemas are made from them")]

use std::collections::BTreeMap;

use windflow_sdk::config;

/// A container that runs once.
#[config]
pub(crate) struct Run {
    /// Its image.
    image: String,
    /// Its command, word by word, instead of the image's own. No shell reads it, unless it is one: [sh, -c, "…"].
    #[serde(default)]
    command: Option<Vec<String>>,
    /// What runs the command, instead of the image's own.
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
    /// Its environment.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// The folder that it begins in.
    #[serde(default)]
    working_dir: Option<String>,
    /// Who it runs as: a name or a number, and perhaps a group, as `1000:1000`.
    #[serde(default)]
    user: Option<String>,
    /// Operating system and architecture, where the image is for several.
    #[serde(default)]
    platform: Option<String>,
    /// When the image is fetched: `missing` where nothing is said.
    #[serde(default)]
    pull: Option<Pull>,
    /// What it may use.
    #[serde(default)]
    limits: Option<Limits>,
    /// Networks of the stack that it is on, by the names that the stack has for them.
    #[serde(default)]
    networks: Vec<String>,
    /// `none`: without any network. `host` has to be confirmed.
    #[serde(default)]
    network_mode: Option<String>,
    /// What is mounted, as `data:/path` or `data:/path:ro`: volumes of the stack, by the names that the stack has for them.
    #[serde(default)]
    volumes: Vec<String>,
    /// Whether it can write to its mounts alone.
    #[serde(default)]
    read_only: bool,
    /// Whether it can do everything on the target's machine. It has to be confirmed.
    #[serde(default)]
    privileged: bool,
    /// Kernel capabilities that it gets beside the usual ones. Grave ones have to be confirmed.
    #[serde(default)]
    cap_add: Vec<String>,
    /// Kernel capabilities that it does without.
    #[serde(default)]
    cap_drop: Vec<String>,
    /// Seconds until it has to have ended; 600 where nothing is said.
    #[serde(default)]
    seconds: Option<u32>,
    /// Risks that are confirmed by name, such as `run:host_network`.
    #[serde(default)]
    confirm: Vec<String>,
    /// Exit statuses that are no error; 0 alone where nothing is said.
    #[serde(default)]
    accept: Vec<i64>,
}

/// When an image is fetched.
#[config]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pull {
    /// Where the target does not have it.
    Missing,
    /// Each time.
    Always,
    /// Not at all: the target has to have it.
    Never,
}

/// What a container may use.
#[config]
pub(crate) struct Limits {
    /// Memory, as `512m` or `1g`.
    #[serde(default)]
    memory: Option<String>,
    /// Cores, as 0.5.
    #[serde(default)]
    cpus: Option<f64>,
    /// Processes.
    #[serde(default)]
    pids: Option<u32>,
}

/// A command in a container that runs.
#[config]
pub(crate) struct Exec {
    /// The service.
    service: String,
    /// Which of its containers, from 1; the first that runs where nothing is said.
    #[serde(default)]
    number: Option<u32>,
    /// The command, word by word. No shell reads it, unless it is one: [sh, -c, "…"].
    command: Vec<String>,
    /// Added to the environment of the container.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// The folder that it begins in.
    #[serde(default)]
    working_dir: Option<String>,
    /// Who it runs as.
    #[serde(default)]
    user: Option<String>,
    /// Seconds until it has to have ended; 600 where nothing is said.
    #[serde(default)]
    seconds: Option<u32>,
    /// Exit statuses that are no error; 0 alone where nothing is said.
    #[serde(default)]
    accept: Vec<i64>,
}

/// An image to build.
#[config]
pub(crate) struct Build {
    /// The text of the Dockerfile; with a `folder` or a `context` its path there, Dockerfile where nothing is said.
    #[serde(default)]
    dockerfile: Option<String>,
    /// Files beside the Dockerfile: their texts by their paths.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Which of the files are programs.
    #[serde(default)]
    executable: Vec<String>,
    /// Instead of files: a folder of the run, such as the one that git-checkout wrote. What its .dockerignore names stays. The workflow grants it: `permissions: files: true`.
    #[serde(default)]
    folder: Option<String>,
    /// Or a Git repository, as <https://host/repository.git#branch:folder>, or an archive. The target fetches it from where it is, so it has to be confirmed: `build:host_network`.
    #[serde(default)]
    context: Option<String>,
    /// Values of the Dockerfile's `ARG`s.
    #[serde(default)]
    arguments: BTreeMap<String, String>,
    /// The stage of the Dockerfile to stop at.
    #[serde(default)]
    target_stage: Option<String>,
    /// Names that the image gets, as `app:1.2` or `registry.example.org/app:1.2`.
    tags: Vec<String>,
    /// Whether newer versions of the images that it is based on are looked for.
    #[serde(default)]
    pull: bool,
    /// Whether every step is done anew.
    #[serde(default)]
    no_cache: bool,
    /// Operating system and architecture.
    #[serde(default)]
    platform: Option<String>,
    /// Seconds until it has to be done; 600 where nothing is said.
    #[serde(default)]
    seconds: Option<u32>,
    /// Risks that are confirmed by name: `build:host_network`.
    #[serde(default)]
    confirm: Vec<String>,
}

/// An image to fetch, or to bring to its registry.
#[config]
pub(crate) struct Image {
    /// Its name.
    image: String,
    /// Seconds until it has to be done; 600 where nothing is said.
    #[serde(default)]
    seconds: Option<u32>,
}

/// Further names of an image.
#[config]
pub(crate) struct Tag {
    /// The image.
    image: String,
    /// The names that it gets.
    tags: Vec<String>,
}

/// An image, or the containers of the stack.
#[config]
pub(crate) struct Inspect {
    /// The image; without one it is about the stack.
    #[serde(default)]
    image: Option<String>,
    /// A service of the stack; all of them where nothing is said.
    #[serde(default)]
    service: Option<String>,
}

/// What is taken away.
#[config]
pub(crate) struct Prune {
    /// Containers that ran once, whose time is over.
    #[serde(default = "yes")]
    containers: bool,
    /// Images that workflows built and that have no name any more.
    #[serde(default = "yes")]
    images: bool,
    /// Volumes of these stacks that no container uses, with what is in them.
    #[serde(default)]
    volumes_of: Vec<String>,
}

fn yes() -> bool {
    true
}
