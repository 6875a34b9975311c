//! What stacks, targets and deployments mean. Decides only: the doing is a [`driver::Driver`]'s.
//!
//! A stack is a Compose document with typed variables. [`compose::load`] reads it into a [`project::Project`], [`plan::plan`]
//! holds a project against what runs on a target and says what has to change and why, [`book::Book`] keeps targets, stacks and
//! deployments.
#![forbid(unsafe_code)]

pub mod book;
pub mod carry;
pub mod compose;
pub mod containers;
pub mod deployment;
pub mod driver;
pub mod keys;
pub mod order;
pub mod plan;
pub mod project;
pub mod risk;
pub mod status;
pub mod target;
pub mod variables;
pub mod vault;
