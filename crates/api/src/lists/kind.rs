//! The two kinds of list.

use palisade_store::ListContent;

use crate::mint;

/// Which of the two kinds of list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Apps,
    Protocols,
}

impl Kind {
    pub fn of(content: &ListContent) -> Kind {
        match content {
            ListContent::Apps(_) => Kind::Apps,
            ListContent::Protocols(_) => Kind::Protocols,
        }
    }

    pub fn noun(self) -> &'static str {
        match self {
            Kind::Apps => "applications list",
            Kind::Protocols => "protocols list",
        }
    }

    pub fn arn(self) -> &'static str {
        match self {
            Kind::Apps => mint::APPS_ARN,
            Kind::Protocols => mint::PROTOCOLS_ARN,
        }
    }
}
