//! Palisade's wiring: configuration, listener, worker loop, command line, the sample organization.

pub mod sample;
