//! One item's raw text becomes an [`super::Observation`], or a reason why it cannot.
