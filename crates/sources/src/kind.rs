//! A kind of resources: which type it is, where it is listed, and how.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use palisade_core::ident::ResourceType;

use crate::ask::Ask;
use crate::item::Found;

/// In which Regions a kind is listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// In every one that is collected.
    Regional,
    /// Once an account, in the Region that global resources are told of.
    Global,
    /// In every one; where global resources are told of, those of both scopes, whether that Region is collected or not.
    Both,
}

/// How it is listed.
pub type List = fn(Ask) -> Pin<Box<dyn Future<Output = Found> + Send>>;

/// A kind of resources.
#[derive(Clone)]
pub struct Kind {
    /// Its type at AWS Config.
    pub resource_type: ResourceType,
    /// Where it is listed.
    pub place: Place,
    /// Lists all of it.
    pub(crate) list: List,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("resource_type", &self.resource_type)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Kind {
    /// One that is listed in every Region.
    pub(crate) const fn regional(resource_type: ResourceType, list: List) -> Kind {
        Kind { resource_type, place: Place::Regional, list }
    }
}
