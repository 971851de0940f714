//! Managed prefix lists as peers of rules: judged by their entries where these are known (semantics
//! §11 row 35).

use std::cmp::Ordering;

use ipnet::IpNet;

use crate::ident::ResourceType;
use crate::inventory::{Body, Item, PrefixList, Shard};

use super::{DependentService, Gap, outdated};

/// An answer that may rest on entries nobody told. Ascending: the least of several is what holds of
/// all of them, the greatest what holds of any.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Answer {
    No,
    Unknown,
    Yes,
}

impl From<bool> for Answer {
    fn from(is_so: bool) -> Answer {
        if is_so { Answer::Yes } else { Answer::No }
    }
}

impl Answer {
    /// Whether it is so for certain.
    pub fn is_yes(self) -> bool {
        self == Answer::Yes
    }

    /// Whether all of these are so; of none it is.
    pub fn all(answers: impl Iterator<Item = Answer>) -> Answer {
        answers.min().unwrap_or(Answer::Yes)
    }

    /// Whether any of these is so; of none it is not.
    pub fn any(answers: impl Iterator<Item = Answer>) -> Answer {
        answers.max().unwrap_or(Answer::No)
    }
}

/// A prefix list that a rule names.
///
/// INVARIANT: lists that are compared were found in one shard, so an id tells the entries too.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListPeer<'a> {
    pub id: &'a str,
    held: Option<(&'a Item, &'a PrefixList)>,
}

impl<'a> ListPeer<'a> {
    /// A list of which only the id is known.
    pub fn unknown(id: &'a str) -> ListPeer<'a> {
        ListPeer { id, held: None }
    }

    /// The entries, IPv4 first, ascending; `None` where nothing told them. A prefix list has one
    /// address family: a family that is not told beside the other is empty.
    pub fn entries(&self) -> Option<impl Iterator<Item = IpNet> + Clone + use<'a>> {
        let (_, list) = self.held?;
        if list.ipv4.is_none() && list.ipv6.is_none() {
            return None;
        }
        let ipv4 = list.ipv4.iter().flatten().copied().map(IpNet::V4);
        Some(ipv4.chain(list.ipv6.iter().flatten().copied().map(IpNet::V6)))
    }

    /// That its entries may have changed since they were told. Where nothing told them, what does not
    /// ask for them is as it would be whatever they are.
    pub fn outdated(&self) -> Option<Gap> {
        let told = self.held.filter(|_| self.entries().is_some());
        told.and_then(|(item, _)| outdated(item))
    }

    /// That something was to be told by its entries, and nothing tells them.
    pub fn unknown_gap(&self) -> Gap {
        let text = format!("The entries of prefix list {} are unknown.", self.id);
        Gap::new(DependentService::Config, &text)
    }
}

impl PartialEq for ListPeer<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for ListPeer<'_> {}

impl PartialOrd for ListPeer<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ListPeer<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(other.id)
    }
}

/// The prefix lists of the shard judged. One in another account's inventory is unknown here
/// (semantics §11 row 35).
#[derive(Clone, Copy, Debug)]
pub(super) struct PrefixLists<'a>(&'a Shard);

impl<'a> PrefixLists<'a> {
    pub fn of(shard: &'a Shard) -> PrefixLists<'a> {
        PrefixLists(shard)
    }

    /// The list with what is known of it.
    pub fn find(&self, id: &'a str) -> ListPeer<'a> {
        let item = self.0.item(&ResourceType::PREFIX_LIST, id);
        let held = item.and_then(|item| match &item.body {
            Body::PrefixList(list) => Some((item, list)),
            _ => None,
        });
        ListPeer { id, held }
    }
}
