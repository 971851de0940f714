//! What is missing where nothing can be claimed: each gap with the fact that would close it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, Region, ResourceId, ResourceType};
use crate::inventory::{Cause, OpenGap, Shard, listed_by};
use crate::policy::Policy;

use super::coverage::{NOT_ENABLED, STALE, missed, not_recording};
use super::gap::Gap;
use super::judgement::Evidence;
use super::selection::untagged_gap;
use super::unrecorded::{outdated_gap, unseen_gap};
use super::{needed, reads};

/// Something that is missing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// What the ledger says of it.
    pub gap: Gap,
    /// Which fact would close it.
    pub fact: Lacking,
    /// What would supply that fact; `None`: nothing that an operator can do.
    pub ends_by: Option<String>,
}

/// A fact that is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lacking {
    /// Anything of the account and Region.
    Inventory,
    /// What there is of a type: nothing records it.
    Recording(ResourceType),
    /// All that there is of a type: a listing did not come to its end, or a part was not read.
    Listing {
        /// Of which type.
        resource_type: ResourceType,
        /// What was missed.
        open: OpenGap,
    },
    /// How it is by now: the newest inventory is too old.
    Newer,
    /// The configuration of a resource of the shard.
    Configuration(ResourceType, ResourceId),
    /// Its configuration of now: a later state tells none.
    LaterConfiguration(ResourceType, ResourceId),
    /// Its tags.
    Tags(ResourceType, ResourceId),
    /// A fact that only the text names.
    Other,
}

impl Missing {
    /// Each of these gaps with its fact.
    pub(super) fn all(
        policy: &Policy,
        evidence: &Evidence<'_>,
        gaps: &BTreeSet<Gap>,
    ) -> Vec<Missing> {
        if gaps.is_empty() {
            return Vec::new();
        }
        let known = Known::of(policy, evidence.shard);
        let one = |gap: &Gap| {
            let fact = known.fact(gap);
            let ends_by = told_by(evidence.shard, &fact);
            Missing { gap: gap.clone(), fact, ends_by }
        };
        gaps.iter().map(one).collect()
    }
}

/// The gaps that a shard can have, by the functions that make them.
struct Known(BTreeMap<Gap, Lacking>);

impl Known {
    fn of(policy: &Policy, shard: &Shard) -> Known {
        let mut known = BTreeMap::new();
        let mut types = reads(policy);
        types.extend(needed(policy));
        for kind in &types {
            known.insert(not_recording(kind), Lacking::Recording(kind.clone()));
        }
        for (kind, open) in
            shard.open_gaps.iter().flat_map(|(kind, all)| all.iter().map(move |one| (kind, one)))
        {
            let fact = Lacking::Listing { resource_type: kind.clone(), open: open.clone() };
            known.entry(missed(kind, open)).or_insert(fact);
        }
        for item in types.iter().flat_map(|kind| shard.of_type(kind)) {
            let (kind, id) = (|| item.key.resource_type.clone(), || item.key.id.clone());
            known.insert(untagged_gap(item), Lacking::Tags(kind(), id()));
            known.insert(unseen_gap(item), Lacking::Configuration(kind(), id()));
            known.insert(outdated_gap(item), Lacking::LaterConfiguration(kind(), id()));
        }
        Known(known)
    }

    fn fact(&self, gap: &Gap) -> Lacking {
        if let Some(fact) = self.0.get(gap) {
            return fact.clone();
        }
        match &*gap.text {
            NOT_ENABLED => Lacking::Inventory,
            text if text.starts_with(STALE) && !text.contains(" of account ") => Lacking::Newer,
            _ => Lacking::Other,
        }
    }
}

/// Which recorder, file or call would tell a fact.
pub(super) fn told_by(shard: &Shard, fact: &Lacking) -> Option<String> {
    let place = place(&shard.id.account, &shard.id.region);
    Some(match fact {
        Lacking::Inventory => format!(
            "deliver inventory of {place}: snapshots of its AWS Config recorder, or a live source that \
             reads it"
        ),
        Lacking::Recording(kind) => {
            format!("let the AWS Config recorder of {place} record {kind}{}", or_listed(kind))
        }
        Lacking::Listing { resource_type, open } => match (open.cause, &open.what) {
            (Cause::Call, Some(what)) => {
                format!("let call {} succeed in {place}", what.split(' ').next().unwrap_or(what))
            }
            // Of what may be of any type no type is named.
            (Cause::File, what) => {
                let than = what.as_deref().map(|what| format!(" than file {what}"));
                let newer = if than.is_some() { " that is newer" } else { "" };
                format!("deliver a whole snapshot of {place}{newer}{}", than.unwrap_or_default())
            }
            (Cause::Item, Some(what)) if !open.of_type => {
                format!("deliver item {what} of {place} again, in a form that can be read")
            }
            (Cause::Item | Cause::GoesOn | Cause::LeftOut, _) if !open.of_type => {
                format!("deliver a whole snapshot of {place}")
            }
            (Cause::Item, Some(what)) => {
                format!(
                    "deliver {resource_type} {what} of {place} again, in a form that can be read"
                )
            }
            _ => format!(
                "deliver a whole snapshot of {resource_type} of {place}{}",
                or_listed(resource_type)
            ),
        },
        Lacking::Newer => format!(
            "deliver newer inventory of {place}: a snapshot of its AWS Config recorder, or a live source \
             that reads it"
        ),
        Lacking::Configuration(kind, id) | Lacking::LaterConfiguration(kind, id) => format!(
            "deliver an item of {kind} {id} that tells its configuration, as the newest does not{}",
            or_listed(kind)
        ),
        Lacking::Tags(kind, id) => {
            format!("deliver an item of {kind} {id} that tells its tags{}", or_listed(kind))
        }
        Lacking::Other => "deliver what the text names".to_owned(),
    })
}

/// What else tells all of a type: the call of a live source, where one makes it.
fn or_listed(kind: &ResourceType) -> String {
    listed_by(kind)
        .map(|call| format!(", or let a live source list it by {call}"))
        .unwrap_or_default()
}

fn place(account: &AccountId, region: &Region) -> String {
    format!("account {account}, Region {region}")
}
