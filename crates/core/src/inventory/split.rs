//! Finds the items of a delivered file without building a tree: pushed bytes in, one item's raw
//! text out.
