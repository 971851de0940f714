//! The applications and protocols lists that a content audit names, found and joined.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::ListId;
use crate::lists::{App, default_apps_lists, default_protocols_lists, protocol_number};
use crate::policy::Policy;
use crate::policy::content_audit::{ListReference, ManagedOptions};

use super::{DependentService, Fact, Gap, Reference, References};

/// Applications by protocol number, then port: the name of one at that port.
pub(super) type Apps = BTreeMap<u8, BTreeMap<u16, Box<str>>>;

/// The lists of each option that has some.
#[derive(Debug, Default)]
pub(super) struct AuditLists {
    pub allowed_protocols: Option<BTreeSet<u8>>,
    pub allowed_public_apps: Option<Apps>,
    pub denied_public_apps: Option<Apps>,
}

/// Custom lists that a policy's options name.
pub(super) fn references(policy: &Policy, options: &ManagedOptions) -> BTreeSet<Reference> {
    let custom = |named: &Option<ListReference>, reference: fn(&Policy, &ListId) -> Reference| {
        let ids = named.iter().flat_map(|named| &named.custom);
        ids.map(|id| reference(policy, id)).collect::<Vec<_>>()
    };
    [
        custom(&options.allowed_protocols, protocols_list),
        custom(&options.allowed_public_apps, apps_list),
        custom(&options.denied_public_apps, apps_list),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl AuditLists {
    /// Finds the lists of a policy's options; `None`, with a gap for each that is missing, unless
    /// all are there (semantics §10 row 27).
    pub fn find(
        policy: &Policy,
        options: &ManagedOptions,
        references: &References,
        gaps: &mut BTreeSet<Gap>,
    ) -> Option<AuditLists> {
        let mut finder = Finder { policy, references, missing: Vec::new() };
        let lists = AuditLists {
            allowed_protocols: finder.protocols(options.allowed_protocols.as_ref()),
            allowed_public_apps: finder.apps(options.allowed_public_apps.as_ref()),
            denied_public_apps: finder.apps(options.denied_public_apps.as_ref()),
        };
        let found_all = finder.missing.is_empty();
        let texts = finder.missing.iter();
        gaps.extend(texts.map(|text| Gap::new(DependentService::Vpc, text)));
        found_all.then_some(lists)
    }
}

fn apps_list(policy: &Policy, id: &ListId) -> Reference {
    Reference::AppsList {
        owner: policy.owner.clone(),
        region: policy.region.clone(),
        id: id.clone(),
    }
}

fn protocols_list(policy: &Policy, id: &ListId) -> Reference {
    Reference::ProtocolsList {
        owner: policy.owner.clone(),
        region: policy.region.clone(),
        id: id.clone(),
    }
}

struct Finder<'a> {
    policy: &'a Policy,
    references: &'a References,
    missing: Vec<String>,
}

impl Finder<'_> {
    fn protocols(&mut self, named: Option<&ListReference>) -> Option<BTreeSet<u8>> {
        let texts = self.all(
            named?,
            "Protocols list",
            |finder, id| match finder.references.get(&protocols_list(finder.policy, id)) {
                Some(Fact::Protocols(protocols)) => Some(protocols.clone()),
                _ => None,
            },
            default_protocols,
        )?;
        Some(texts.iter().filter_map(|text| protocol_number(text)).collect())
    }

    fn apps(&mut self, named: Option<&ListReference>) -> Option<Apps> {
        let apps = self.all(
            named?,
            "Applications list",
            |finder, id| match finder.references.get(&apps_list(finder.policy, id)) {
                Some(Fact::Apps(apps)) => Some(apps.clone()),
                _ => None,
            },
            default_apps,
        )?;
        let mut by_protocol = Apps::new();
        for App { name, protocol, port } in apps {
            if let Some(number) = protocol_number(&protocol) {
                by_protocol.entry(number).or_default().entry(port).or_insert(name);
            }
        }
        Some(by_protocol)
    }

    /// What the lists that a reference names hold, one list after the other; `None` when it names
    /// none.
    fn all<T>(
        &mut self,
        named: &ListReference,
        what: &str,
        custom: impl Fn(&Self, &ListId) -> Option<Vec<T>>,
        default: impl Fn(&ListId, Option<&str>) -> Option<Vec<T>>,
    ) -> Option<Vec<T>> {
        if named.custom.is_empty() && named.default.is_none() {
            return None;
        }
        let mut held = Vec::new();
        for id in &named.custom {
            match custom(self, id) {
                Some(list) => held.extend(list),
                None => self.missing.push(format!("{what} {id} could not be found.")),
            }
        }
        if let Some((id, version)) = &named.default {
            match default(id, version.as_deref()) {
                Some(list) => held.extend(list),
                None => {
                    let version = version.as_deref().unwrap_or("latest");
                    self.missing.push(format!(
                        "{what} {id} of AWS, version {version}, could not be found."
                    ));
                }
            }
        }
        Some(held)
    }
}

/// What an AWS-managed list holds, of the version asked for or the newest.
fn default_apps(id: &ListId, version: Option<&str>) -> Option<Vec<App>> {
    let lists = default_apps_lists();
    lists.iter().find(|list| list.id == *id)?.apps(version).map(<[_]>::to_vec)
}

/// Likewise.
fn default_protocols(id: &ListId, version: Option<&str>) -> Option<Vec<Box<str>>> {
    let lists = default_protocols_lists();
    lists.iter().find(|list| list.id == *id)?.protocols(version).map(<[_]>::to_vec)
}
