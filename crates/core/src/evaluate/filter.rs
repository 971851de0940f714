//! Which filter of a policy leaves a resource out of its scope.

use crate::ident::{AccountId, PolicyId, Region, ResourceType};
use crate::policy::Elder;
use crate::scope::{AccountFilter, TagScope};

/// What leaves a resource out of a policy's scope: the first that does, from the account down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Filter {
    /// Its account is out.
    Account(AccountFilter),
    /// The policy judges another Region.
    Region(Region),
    /// The policy is not about resources of its type, but of these.
    Type(Vec<ResourceType>),
    /// Its tags keep it out.
    Tags(TagScope),
    /// It is of another account, and seen because that shares a VPC.
    Owner(AccountId),
    /// An older policy of the type holds it (semantics §11 row 53).
    Elder {
        /// The older policy.
        id: PolicyId,
        /// Its name.
        name: Box<str>,
    },
    /// A rule of the policy's type.
    Special(Special),
}

/// Rules that leave out resources whose account, type and tags are in scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Special {
    /// A terminated instance lingers in the inventory.
    Terminated,
    /// A network or gateway load balancer (semantics §10 row 18).
    NotApplicationLoadBalancer,
    /// An interface that an AWS service manages.
    RequesterManaged,
    /// It is in a VPC that another account shares, and the policy leaves those out.
    SharedVpc,
    /// Not one of the inspection VPCs of a centralized policy (semantics §11 row 54).
    NotInspection,
    /// A firewall that no resource set of the policy names, or that an older policy's does too (semantics
    /// §5.8).
    NotInResourceSets,
    /// None of the above: the policy's rule does not look at it.
    NotJudged,
}

impl Filter {
    /// That an older policy holds it.
    pub(super) fn elder(elder: &Elder) -> Filter {
        Filter::Elder { id: elder.id.clone(), name: elder.name.clone() }
    }

    /// For programs: one word a filter.
    pub fn word(&self) -> &'static str {
        match self {
            Filter::Account(AccountFilter::NotInOrganization | AccountFilter::Status(_)) => {
                "account"
            }
            Filter::Account(AccountFilter::NotIncluded { .. }) => "include-map",
            Filter::Account(AccountFilter::Excluded { .. }) => "exclude-map",
            Filter::Account(AccountFilter::NotAdministrators) => "administrator-scope",
            Filter::Region(_) => "region",
            Filter::Type(_) => "resource-type",
            Filter::Tags(_) => "tags",
            Filter::Owner(_) => "owner",
            Filter::Elder { .. } => "older-policy",
            Filter::Special(_) => "special-rule",
        }
    }

    /// Why the resource is out, as the end of a sentence that begins with it.
    pub fn summary(&self) -> String {
        match self {
            Filter::Account(account) => account.summary(),
            Filter::Region(region) => format!("the policy judges {region} alone"),
            Filter::Type(types) => {
                let types: Vec<&str> = types.iter().map(ResourceType::as_str).collect();
                format!("the policy is about resources of type {}", types.join(", "))
            }
            Filter::Tags(tags) => tags_summary(tags),
            Filter::Owner(owner) => {
                format!("account {owner} owns it: it is seen here because a VPC is shared")
            }
            Filter::Elder { name, .. } => {
                format!("policy `{name}`, which was created before this one, judges it")
            }
            Filter::Special(special) => special.summary().to_owned(),
        }
    }
}

impl Special {
    fn summary(self) -> &'static str {
        match self {
            Special::Terminated => "the instance is terminated",
            Special::NotApplicationLoadBalancer => {
                "of load balancers, policies are about application ones alone"
            }
            Special::RequesterManaged => "an AWS service manages the interface",
            Special::SharedVpc => {
                "its VPC is shared by another account, and the policy leaves shared VPCs out"
            }
            Special::NotInspection => {
                "a centralized policy is about the inspection VPCs that it names alone"
            }
            Special::NotInResourceSets => {
                "the policy's resource sets do not name it, or those of an older policy do as well"
            }
            Special::NotJudged => "the policy's rule does not look at it",
        }
    }
}

fn tags_summary(filter: &TagScope) -> String {
    let pairs: Vec<String> = filter
        .tags
        .iter()
        .map(|(key, value)| match value.is_empty() {
            true => format!("`{key}`"),
            false => format!("`{key}={value}`"),
        })
        .collect();
    let (verb, join) = match (filter.exclude, filter.any) {
        (true, true) => ("leaves out resources tagged", " or "),
        (true, false) => ("leaves out resources tagged", " and "),
        (false, true) => ("is about resources tagged", " or "),
        (false, false) => ("is about resources tagged", " and "),
    };
    format!("by its tags: the policy {verb} {}", pairs.join(join))
}
