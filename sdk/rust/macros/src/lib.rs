//! The attributes of `windflow-sdk`; use them through that crate, which documents them.
//!
//! They only put text around an item, so they get by without a parser of Rust: guests build quickly.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// Makes a function a node type of the function's name.
///
/// The function takes the configuration and returns `Result<Output, NodeError>`, which emits out of the port `out`, or
/// `Result<Emission<Output>, NodeError>` to choose the port. `#[node(name = "other-name")]` gives another name.
#[proc_macro_attribute]
pub fn node(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match expand_node(arguments, &item) {
        Ok(tokens) => tokens,
        Err(message) => failed(&message, item),
    }
}

/// Makes a type a node type's configuration: it is read from JSON, refuses unknown fields and describes itself.
#[proc_macro_attribute]
pub fn config(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    with_attributes(
        "#[derive(Debug, ::windflow_sdk::serde::Deserialize)]
         #[serde(crate = \"::windflow_sdk::serde\", deny_unknown_fields)]
         #[cfg_attr(not(target_arch = \"wasm32\"), derive(::windflow_sdk::schemars::JsonSchema))]
         #[cfg_attr(not(target_arch = \"wasm32\"), schemars(crate = \"::windflow_sdk::schemars\"))]",
        item,
    )
}

/// Makes a type a node type's output: it is written as JSON and describes itself.
#[proc_macro_attribute]
pub fn output(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    with_attributes(
        "#[derive(Debug, ::windflow_sdk::serde::Serialize)]
         #[serde(crate = \"::windflow_sdk::serde\")]
         #[cfg_attr(not(target_arch = \"wasm32\"), derive(::windflow_sdk::schemars::JsonSchema))]
         #[cfg_attr(not(target_arch = \"wasm32\"), schemars(crate = \"::windflow_sdk::schemars\", deny_unknown_fields))]",
        item,
    )
}

fn expand_node(arguments: TokenStream, item: &TokenStream) -> Result<TokenStream, String> {
    let (visibility, function) = signature(item)?;
    let name = node_name(arguments)?.unwrap_or_else(|| function.trim_start_matches("r#").to_owned());
    let generated = format!(
        "#[doc(hidden)]
         #[allow(unreachable_pub, reason = \"as visible as the function, which may be in a private module\")]
         {visibility} mod {function} {{
             pub const NODE: ::windflow_sdk::Node = ::windflow_sdk::Node {{
                 name: {name:?},
                 execute: |config| ::windflow_sdk::run(super::{function}, config),
                 #[cfg(not(target_arch = \"wasm32\"))]
                 schemas: || ::windflow_sdk::schema::of(super::{function}),
             }};
         }}"
    );
    let mut tokens = with_attributes(
        "#[allow(clippy::needless_pass_by_value, reason = \"a node type owns its configuration\")]",
        item.clone(),
    );
    tokens.extend(parse(&generated));
    Ok(tokens)
}

/// The visibility and the name of the function that `item` is.
fn signature(item: &TokenStream) -> Result<(String, String), String> {
    let mut visibility = String::new();
    let mut tokens = item.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let TokenTree::Ident(word) = token else { continue };
        match word.to_string().as_str() {
            "pub" => {
                visibility = "pub".to_owned();
                if let Some(TokenTree::Group(group)) = tokens.peek()
                    && group.delimiter() == Delimiter::Parenthesis
                {
                    visibility.push_str(&group.to_string());
                }
            }
            "async" => return Err("a node type cannot be async: write a plain `fn`".to_owned()),
            "fn" => {
                return match tokens.next() {
                    Some(TokenTree::Ident(name)) => Ok((visibility, name.to_string())),
                    _ => break,
                };
            }
            "struct" | "enum" | "impl" | "mod" | "trait" => break,
            _ => {}
        }
    }
    Err("`#[node]` belongs on a function: `fn name(config: Config) -> Result<Output, NodeError>`".to_owned())
}

/// The name in `name = "…"`.
fn node_name(arguments: TokenStream) -> Result<Option<String>, String> {
    let arguments: Vec<_> = arguments.into_iter().map(|token| token.to_string()).collect();
    match arguments.as_slice() {
        [] => Ok(None),
        [key, equals, text] if key == "name" && equals == "=" && text.starts_with('"') => {
            Ok(Some(text.trim_matches('"').to_owned()))
        }
        _ => Err("`#[node]` takes nothing or `name = \"…\"`".to_owned()),
    }
}

fn with_attributes(attributes: &str, item: TokenStream) -> TokenStream {
    let mut tokens = parse(attributes);
    tokens.extend(item);
    tokens
}

/// A compiler error in front of the item, so that the item itself raises no second one.
fn failed(message: &str, item: TokenStream) -> TokenStream {
    let mut tokens = parse(&format!("::core::compile_error!({message:?});"));
    tokens.extend(item);
    tokens
}

#[allow(clippy::expect_used, reason = "the text is ours; a mistake in it shows at the first use")]
fn parse(text: &str) -> TokenStream {
    text.parse().expect("tokens of our own")
}
