//! The violators that fit a query, and how many there are of each kind.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Count, Words};
use crate::views::Paging;
use crate::views::standing::{ViolatorRow, sheet};

/// Violators.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "violations.html")]
pub struct Violations {
    #[serde(skip)]
    pub frame: Frame,
    /// The query as it was typed.
    pub query: String,
    /// What is wrong with it; empty where nothing is.
    pub error: String,
    /// What may be asked for.
    #[serde(skip)]
    pub terms: &'static [(&'static str, &'static str)],
    pub violators: Vec<ViolatorRow>,
    pub paging: Paging,
    pub facets: Vec<Facet>,
    /// Only the first so many violators were looked through: what is counted is counted of these.
    pub cut_at: Option<Count>,
    /// Whether the caller reads any policies of the Region.
    pub has_policies: bool,
    /// Accounts of which something is not known: they may have more.
    pub unknown_accounts: Count,
    #[serde(skip)]
    pub hidden: Vec<(&'static str, String)>,
    /// The page without a query.
    #[serde(skip)]
    pub everything: String,
}

/// Violators by one of their traits.
#[derive(Debug, Serialize)]
pub struct Facet {
    pub name: &'static str,
    pub values: Vec<FacetValue>,
    /// Values that are left out.
    pub more: Count,
}

/// One value.
#[derive(Debug, Serialize)]
pub struct FacetValue {
    pub value: Words,
    pub count: Count,
    #[serde(skip)]
    pub href: String,
}

impl View for Violations {
    fn sheet(&self) -> Option<Sheet> {
        Some(sheet(&self.violators))
    }
}
