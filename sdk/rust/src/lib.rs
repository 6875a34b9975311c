//! Write node types for WindFlow: a node type is a plain function over serde types.
//!
//! ```
//! use windflow_sdk::{NodeError, config, node, output};
//!
//! /// Who is greeted.
//! #[config]
//! struct Config {
//!     /// The name.
//!     name: String,
//! }
//!
//! /// What is said.
//! #[output]
//! struct Output {
//!     text: String,
//! }
//!
//! #[node]
//! fn greet(config: Config) -> Result<Output, NodeError> {
//!     if config.name.is_empty() {
//!         return Err(NodeError::new("no_name", "`name` is empty; write who is to be greeted"));
//!     }
//!     Ok(Output { text: format!("Hello {}", config.name) })
//! }
//!
//! windflow_sdk::plugin!(greet);
//! # fn main() {}
//! ```
//!
//! Compiled for `wasm32-unknown-unknown` and packed with its `plugin.toml` it is a component that can do nothing beside
//! what it imports: a node that uses neither [`http`], [`context`] nor [`cancellation`] is pure. Natively the same code
//! is an ordinary library; [`testing`] calls it without a host.

// Generated code names the crate as its users do.
#[allow(unused_extern_crates, reason = "only the code generated for guests uses it")]
extern crate self as windflow_sdk;

#[cfg(target_arch = "wasm32")]
mod allocator;
pub mod base64;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
pub mod cancellation;
#[cfg(any(test, feature = "clock"))]
pub mod clock;
pub mod context;
pub mod docker;
pub mod email;
mod emission;
mod error;
pub mod events;
mod fields;
pub mod files;
#[cfg(feature = "http")]
pub mod http;
mod json;
pub mod log;
mod node;
pub mod progress;
#[cfg(any(test, feature = "random"))]
pub mod random;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
pub mod state;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use emission::{Emission, Emit, Never, RawEmission};
pub use error::{NodeError, Retry};
pub use fields::Fields;
pub use json::{Json, input};
pub use node::{Node, execute, run};
#[cfg(not(target_arch = "wasm32"))]
pub use schemars;
pub use serde;
pub use serde_json;
pub use windflow_sdk_macros::{config, node, output};

/// Makes a crate a plugin of the named node types: `plugin!(condition, switch)`.
///
/// For WebAssembly it exports `execute`. In tests it adds one that compares the files `schema/<node>.config.json` and
/// `schema/<node>.output.json` with the types; run it with `UPDATE_SCHEMAS=1` to write them.
#[macro_export]
macro_rules! plugin {
    ($($node:ident),+ $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Plugin;
            impl $crate::bindings::Guest for Plugin {
                fn execute(
                    node_type: ::std::string::String,
                    config: ::std::vec::Vec<u8>,
                ) -> ::core::result::Result<$crate::bindings::Emission, $crate::bindings::NodeError> {
                    $crate::bindings::execute(&[$($node::NODE),+], &node_type, &config)
                }
            }
            $crate::bindings::export!(Plugin with_types_in $crate::bindings);
        };

        #[cfg(all(test, not(target_arch = "wasm32")))]
        #[test]
        fn schemas_are_those_of_the_types() {
            $crate::schema::check(::core::env!("CARGO_MANIFEST_DIR"), &[$($node::NODE),+]);
        }
    };
}
