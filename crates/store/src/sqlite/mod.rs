//! The embedded engine: one SQLite file in WAL mode, `synchronous=FULL`.
