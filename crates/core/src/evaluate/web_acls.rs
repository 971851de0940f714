//! The web ACLs of a shard, and which of them a resource has (semantics §10 rows 16, 18).

use std::collections::BTreeMap;

use crate::ident::ResourceType;
use crate::inventory::{Body, Item, Shard, WafAssociation};

use super::{DependentService, Gap, outdated};

/// Of load balancers, application ones alone (semantics §10 row 18). Where the body does not tell,
/// the ARN does: `…:loadbalancer/app/…`.
pub(super) fn is_protectable(item: &Item) -> bool {
    if item.key.resource_type != ResourceType::LOAD_BALANCER {
        return true;
    }
    match &item.body {
        Body::LoadBalancer(balancer) if balancer.kind.is_some() => {
            balancer.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("application"))
        }
        _ => {
            let names = [Some(item.key.id.as_str()), item.arn.as_deref()];
            names.into_iter().flatten().any(|name| name.contains(":loadbalancer/app/"))
        }
    }
}

/// That it is not told of a load balancer whether it is an application one (semantics §11 row 38).
pub(super) fn kind_gap(item: &Item) -> Option<Gap> {
    let is_told = match &item.body {
        _ if item.key.resource_type != ResourceType::LOAD_BALANCER => true,
        Body::LoadBalancer(balancer) if balancer.kind.is_some() => true,
        _ => {
            let names = [Some(item.key.id.as_str()), item.arn.as_deref()];
            names.into_iter().flatten().any(|name| name.contains(":loadbalancer/"))
        }
    };
    let text = format!("The type of load balancer {} was not recorded.", item.key.id);
    (!is_told).then(|| Gap::new(DependentService::Config, &text))
}

/// The web ACLs of a shard.
pub(super) struct Acls<'a> {
    /// By id and by ARN.
    by_arn: BTreeMap<&'a str, &'a Item>,
    /// By a resource that their relationships name: the one with the smallest id, and whether others name
    /// it as well.
    by_resource: BTreeMap<(&'a ResourceType, &'a str), (&'a Item, bool)>,
    /// Every web ACL is held, with its relationships.
    all_seen: bool,
    /// Of one that is held, the relationships may have changed since.
    outdated: Option<Gap>,
}

impl<'a> Acls<'a> {
    pub fn of(shard: &'a Shard) -> Acls<'a> {
        let mut acls = Acls {
            by_arn: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            all_seen: shard.sees_all(&ResourceType::WAFV2_WEB_ACL),
            outdated: None,
        };
        let items = shard.items.get(&ResourceType::WAFV2_WEB_ACL);
        for item in items.into_iter().flat_map(BTreeMap::values) {
            acls.by_arn.insert(item.key.id.as_str(), item);
            let Body::WebAcl(acl) = &item.body else {
                acls.all_seen = false;
                continue;
            };
            acls.outdated = acls.outdated.take().or_else(|| outdated(item));
            acls.by_arn.entry(&acl.arn).or_insert(item);
            // Where none are told, any resource may be among them (semantics §11 row 38).
            acls.all_seen &= acl.associated.is_some();
            for (resource_type, id) in acl.associated.iter().flatten() {
                let named = acls.by_resource.entry((resource_type, id)).or_insert((item, false));
                named.1 |= named.0.key != item.key;
            }
        }
        acls
    }

    /// What web ACL a resource has; `None` when its body was not recorded. The resource's own
    /// attribute decides; relationships of web ACLs only when it is absent (semantics §10 row 16).
    pub fn found(&self, item: &'a Item) -> Option<Found<'a>> {
        Some(match association(item)? {
            WafAssociation::Bare => Found::None,
            WafAssociation::Acl(id) => Found::Acl(id, self.by_arn.get(&**id).copied()),
            WafAssociation::Unsaid => self.claimed(item),
        })
    }

    /// That what [`Acls::found`] finds rests on a web ACL's relationships which may have changed
    /// since.
    pub fn outdated(&self, item: &'a Item, found: &Found<'a>) -> Option<Gap> {
        match (association(item)?, found) {
            (WafAssociation::Unsaid, Found::Acl(_, Some(acl))) => outdated(acl),
            (WafAssociation::Unsaid, _) => self.outdated.clone(),
            (WafAssociation::Bare | WafAssociation::Acl(_), _) => None,
        }
    }

    fn claimed(&self, item: &'a Item) -> Found<'a> {
        let id = (&item.key.resource_type, item.key.id.as_str());
        let arn = (&item.key.resource_type, item.arn.as_deref().unwrap_or_default());
        let mut claims = [id, arn].into_iter().filter_map(|name| self.by_resource.get(&name));
        match (claims.next(), claims.next()) {
            (Some((_, true)), _) | (_, Some((_, true))) => Found::Several,
            (Some((one, _)), Some((other, _))) if one.key != other.key => Found::Several,
            (Some((acl, _)), _) => Found::Acl(acl.key.id.as_str(), Some(acl)),
            (None, _) if self.all_seen => Found::None,
            (None, _) => Found::Unseen,
        }
    }
}

/// What a resource says of its own web ACL.
pub(super) fn association(item: &Item) -> Option<&WafAssociation> {
    match &item.body {
        Body::LoadBalancer(balancer) => Some(&balancer.web_acl),
        Body::ApiStage(target) | Body::Distribution(target) => Some(&target.web_acl),
        _ => None,
    }
}

/// Which web ACL a resource has.
pub(super) enum Found<'a> {
    /// None.
    None,
    /// This one: its id or ARN, and its item if that is held.
    Acl(&'a str, Option<&'a Item>),
    /// Not every web ACL was seen: one of the others may be on it.
    Unseen,
    /// More than one names it, and it has one at the most: which is not known (semantics §10 row 16).
    Several,
}

/// That it is not known which web ACL a resource has, if any.
pub(super) fn unseen_acl_gap(item: &Item) -> Gap {
    let text = format!("The web ACL of {} was not recorded.", item.key.id);
    Gap::new(DependentService::Config, &text)
}

/// That more than one web ACL names a resource, of either generation.
pub(super) fn several_acls_gap(item: &Item) -> Gap {
    let text =
        format!("Which web ACL is on {} is not certain: more than one lists it.", item.key.id);
    Gap::new(DependentService::Config, &text)
}

/// What is told of a resource of which more than one web ACL is found.
pub(super) const SEVERAL: &str = "more than one lists it";
