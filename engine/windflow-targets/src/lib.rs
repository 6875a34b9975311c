//! Drivers of the places that stacks are deployed to: one folder each. What they do was decided by `windflow-stacks`.
#![forbid(unsafe_code)]

pub mod docker;
