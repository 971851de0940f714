//! Prints the table of operations as README.md shows it: `cargo xtask matrix`.

fn main() {
    print!("{}", palisade_api::operations::matrix());
}
