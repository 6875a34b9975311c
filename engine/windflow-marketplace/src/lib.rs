//! What templates and registries of them mean. Decides only: fetching and keeping is the server's.
//!
//! A [`template::Template`] is a folder that [`template::read`] judges, a [`package`] is that folder as one file, a registry is an
//! [`index::Index`] of packages that [`registry::open`] believes only under a key, and a [`shelf::Shelf`] is what people search.
#![forbid(unsafe_code)]

pub mod authored;
pub mod bundle;
pub mod contents;
pub mod convert;
pub mod difference;
pub mod files;
pub mod index;
pub mod ledger;
pub mod manifest;
pub mod package;
mod picture;
pub mod registry;
pub mod shelf;
pub mod signature;
pub mod template;
