//! Prints the table of operations as docs/operations.md shows it: `cargo xtask matrix`.

fn main() {
    print!("{}", palisade_api::operations::matrix());
}
