//! What evaluating expressions costs.
fn main() {}
