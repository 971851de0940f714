//! What each page shows. A view's members are also its JSON, and its sheet is its CSV.

pub mod account;
pub mod audit;
pub mod changes;
pub mod deletion;
pub mod editor;
pub mod heatmap;
pub mod history;
pub mod keys;
pub mod overview;
pub mod policies;
pub mod policy;
pub mod resource;
pub mod sources;
pub mod standing;
pub mod violations;
pub mod waivers;

use serde::Serialize;

use crate::shown::Count;

/// Where in a list a page is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paging {
    /// The first row shown, from 1; 0 where there is none.
    pub first: Count,
    /// The last row shown.
    pub last: Count,
    /// How many rows there are; none where nobody counted.
    pub all: Option<Count>,
    /// The page before.
    #[serde(skip)]
    pub before: Option<String>,
    /// The next page.
    #[serde(skip)]
    pub next: Option<String>,
}
