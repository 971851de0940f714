//! What stood in the way of knowing, for people and for the wire.

use serde::{Deserialize, Serialize};

use crate::policy::DependentService;

/// Something that stood in the way of knowing.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Gap {
    /// Which service could not tell: the key in `IssueInfoMap`.
    pub service: DependentService,
    /// What and where, within the characters of model `DetailedInfo` (semantics §3.4).
    pub text: Box<str>,
}

impl Gap {
    /// A gap whose text is kept within the characters of model `DetailedInfo`: whatever else an id
    /// brings in becomes `_`. Letters and digits beyond ASCII are allowed there too, but no AWS id
    /// has them.
    pub fn new(service: DependentService, text: &str) -> Gap {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " _.:/=,+-@".contains(c);
        let text: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
        Gap { service, text: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_keeps_to_the_characters_of_the_model() {
        let gap = Gap::new(DependentService::Config, "a (b) \"c\" é\u{301}\n -_.:/=,+@ 09 AZ");
        assert_eq!(&*gap.text, "a _b_ _c_ ___ -_.:/=,+@ 09 AZ");
    }
}
