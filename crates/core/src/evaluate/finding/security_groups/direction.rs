//! Which way a rule points.

use serde::{Deserialize, Serialize};

/// Which way a rule of a security group points.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the group's interfaces.
    Ingress,
    /// Out of them.
    Egress,
}

impl Direction {
    /// The word in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }
}
