//! The plugins that are part of the binary.

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));
