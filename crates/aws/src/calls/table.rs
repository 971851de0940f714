//! How the rows of a file are written.

/// Writes each row as a constant that callers name, and the list of a file's rows.
macro_rules! table {
    ($list:ident: $($(#[$doc:meta])* $name:ident = $row:expr;)+) => {
        $($(#[$doc])* pub static $name: crate::call::Call = $row;)+
        pub(super) static $list: &[&crate::call::Call] = &[$(&$name),+];
    };
}
pub(super) use table;
