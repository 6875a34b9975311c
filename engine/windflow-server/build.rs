//! The web editor is built before this crate, by `web-editor/build.sh`, and embedded: what is new there is taken up.

fn main() {
    for embedded in ["../../web-editor/embedded", "../../workflows"] {
        println!("cargo::rerun-if-changed={embedded}");
    }
}
