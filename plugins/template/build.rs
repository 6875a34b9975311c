//! Interpreters call themselves for what is nested: they need more stack than the 64 KiB that suit other guests. The template
//! engine bounds its own depth, and 128 KiB hold that; they lie within the memory that the host keeps resident.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|target| target == "wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=131072");
    }
}
