//! The AWS Firewall Manager wire, without its domain: shapes, the two protocols, signatures, faults.
//!
//! A request goes through four steps, and its answer through one:
//!
//! 1. [`route`]: method, path and headers to a [`Protocol`] and an [`Operation`];
//! 2. [`sigv4::verify`]: the signature to the key and Region that made it (for faults before this, [`protocol_of`] says how to answer);
//! 3. [`decode`]: the body to the operation's typed input, with every constraint of the model checked;
//! 4. the caller's own work, giving the input's `Output` or a [`Fault`];
//! 5. [`respond`] or [`encode_fault`]: a [`Response`] ready to send.
//!
//! The types in [`shapes`], the [`Operation`]s and the shape [`TABLE`] are generated from `model/fms-model.json` by
//! `cargo xtask codegen`. [`decode_value`] and [`check`] read any other [`Table`] with the same code.

mod answer;
mod body;
pub mod cbor;
mod constraint;
mod fault;
mod generated;
mod json;
mod limits;
mod operation;
mod protocol;
mod route;
mod shape;
pub mod sigv4;
mod timestamp;
mod value;

pub use answer::{encode, encode_fault, respond, respond_as};
pub use body::{decode, decode_output, decode_value};
pub use constraint::{Dialect, VALUE_SHOWN_MAX, VIOLATIONS_SHOWN_MAX, Violations, check};
pub use fault::{ErrorKind, Fault};
pub use generated::operations::{Operation, TARGET_PREFIX};
pub use generated::shapes;
pub use generated::table::TABLE;
pub use limits::{BODY_SIZE_MAX, DEPTH_MAX, HEADERS_SIZE_MAX, VALUES_MAX};
pub use operation::{Input, Output, Says};
pub use protocol::{Protocol, Response};
pub use route::{Headers, protocol_of, route};
pub use shape::{
    Constraints, Kind, Member, Pattern, Shape, ShapeId, Shaped, Table, TimestampFormat,
};
pub use timestamp::Timestamp;
pub use value::{Misfit, Value};

/// A text that is none of an enum's values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is no value of {name}")]
pub struct UnknownValue {
    name: &'static str,
    text: String,
}

impl UnknownValue {
    pub(crate) fn new(name: &'static str, text: &str) -> Self {
        Self { name, text: text.to_owned() }
    }
}
