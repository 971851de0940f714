//! The applications and protocols lists that a content audit names, found and joined.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::ListId;
use crate::policy::Policy;
use crate::policy::content_audit::{ListReference, ManagedOptions};

use super::opening::protocol_number;
use super::{App, DependentService, Fact, Gap, Reference, References};

/// Applications by protocol number, then port: the name of one at that port.
pub(super) type Apps = BTreeMap<u8, BTreeMap<u16, Box<str>>>;

/// The lists of each option that has some and whose lists were all found.
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
    /// Finds the lists of a policy's options. An option one of whose lists is missing is not
    /// judged (semantics §6.1), and a gap names the list (§10 row 27).
    pub fn find(
        policy: &Policy,
        options: &ManagedOptions,
        references: &References,
        gaps: &mut BTreeSet<Gap>,
    ) -> AuditLists {
        let mut finder = Finder { policy, references, gaps };
        AuditLists {
            allowed_protocols: finder.protocols(options.allowed_protocols.as_ref()),
            allowed_public_apps: finder.apps(options.allowed_public_apps.as_ref()),
            denied_public_apps: finder.apps(options.denied_public_apps.as_ref()),
        }
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
    gaps: &'a mut BTreeSet<Gap>,
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

    /// The contents of every list that a reference names, one after the other; `None` when it
    /// names none, or when one is missing.
    fn all<T>(
        &mut self,
        named: &ListReference,
        what: &str,
        custom: impl Fn(&Self, &ListId) -> Option<Vec<T>>,
        default: impl Fn(&ListId, Option<&str>) -> Option<Vec<T>>,
    ) -> Option<Vec<T>> {
        let mut missing = Vec::new();
        let mut contents = Vec::new();
        for id in &named.custom {
            match custom(self, id) {
                Some(list) => contents.extend(list),
                None => missing.push(format!("{what} {id} could not be found.")),
            }
        }
        if let Some((id, version)) = &named.default {
            match default(id, version.as_deref()) {
                Some(list) => contents.extend(list),
                None => missing.push(match version {
                    Some(version) => {
                        format!("{what} {id} of AWS, version {version}, could not be found.")
                    }
                    None => format!("{what} {id} of AWS could not be found."),
                }),
            }
        }
        let names_none = named.custom.is_empty() && named.default.is_none();
        let found_all = missing.is_empty();
        self.gaps.extend(missing.iter().map(|text| Gap::new(DependentService::Vpc, text)));
        (found_all && !names_none).then_some(contents)
    }
}
