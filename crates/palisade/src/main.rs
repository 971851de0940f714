//! Palisade
fn main() {}
