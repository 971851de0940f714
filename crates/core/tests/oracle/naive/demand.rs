//! What a content audit asks for, with what it refers to (semantics §5.5, §6.1, §10 rows 9, 10, 27,
//! 57, §11 row 35).

use std::cell::Cell;

use serde_json::Value;

use super::age::may_be_otherwise;
use super::held::{self, Held};
use super::item::is_unseen;
use super::options::breaks_options;
use super::rules::{Peer, Rule, peer_inside, peers_meet, ports_inside, ports_meet};
use super::rules::{protocol_inside, protocols_meet, rules};
use super::{Mutation, Said, World, any_case, find, list, text};
use crate::address::Range;

const GROUP: &str = "AWS::EC2::SecurityGroup";
pub const PREFIX_LIST: &str = "AWS::EC2::PrefixList";

/// The options of all elements together, with lists resolved.
pub struct Demand {
    /// Something that the policy names is not in the inventory.
    pub missing: bool,
    /// An audit group may have changed since.
    pub outdated: bool,
    pub audit: Vec<Rule>,
    /// Directions in which the audit group has any rule, ingress first.
    pub directions: [bool; 2],
    pub action: String,
    pub managed: bool,
    pub options: Value,
    pub protocols: Option<Vec<String>>,
    pub allowed_apps: Option<Vec<(String, i64)>>,
    pub denied_apps: Option<Vec<(String, i64)>>,
}

/// What becomes of one rule.
#[derive(Clone, Copy, Default)]
pub struct Answer {
    pub violates: bool,
    /// Something would have to be known of a prefix list that is not.
    pub unknown: bool,
}

impl Answer {
    fn of(said: Said) -> Answer {
        Answer { violates: said == Said::Yes, unknown: said == Said::Untold }
    }
}

/// Prefix lists that the account's own inventory holds (row 35).
pub struct Lists<'h> {
    pub here: &'h Held<'h>,
    /// One that may have changed since was asked for.
    pub outdated: Cell<bool>,
}

impl Lists<'_> {
    /// The entries of a list, where they are known.
    pub fn entries(&self, id: &str) -> Option<Vec<Range>> {
        let list_item = self.here.item(PREFIX_LIST, id)?;
        let entries = any_case(held::body(list_item), "Entries").as_array()?;
        // Those that nobody told cannot have changed since.
        if self.here.is_outdated(list_item) {
            self.outdated.set(true);
        }
        Some(entries.iter().map(|entry| Range::parse(text(any_case(entry, "Cidr")))).collect())
    }
}

impl Demand {
    /// Resolves what the policy refers to.
    pub fn of(
        world: &World<'_>,
        here: &Held<'_>,
        data: &Value,
        broken: Option<Mutation>,
    ) -> Demand {
        let case = world.case;
        let (mut missing, mut outdated) = (false, false);
        let there = held::of_administrator(world, broken);
        let mut audit = vec![];
        let mut directions = [false; 2];
        for named in list(&data["securityGroups"]) {
            match there.item(GROUP, text(&named["id"])) {
                Some(group) if !is_unseen(group) => {
                    let told = rules(group, broken);
                    missing |= told.untold_ingress || told.untold_egress;
                    outdated |= there.is_outdated(group);
                    outdated |= may_be_otherwise(world, here, &there, (GROUP, text(&named["id"])));
                    told.rules.iter().for_each(|rule| directions[usize::from(rule.egress)] = true);
                    audit.extend(told.rules.into_iter().filter(|r| !matches!(r.peer, Peer::Group)));
                }
                _ => missing = true,
            }
        }
        // A prefix list that an audit rule names is part of it.
        let named = audit.iter().filter_map(|rule: &Rule| match &rule.peer {
            Peer::PrefixList(id) => here.item(PREFIX_LIST, id),
            _ => None,
        });
        let told = |list: &Value| any_case(held::body(list), "Entries").is_array();
        outdated |= named.into_iter().any(|list| told(list) && here.is_outdated(list));
        let elements = list(&data["preManagedOptions"]);
        let mut options = serde_json::Map::new();
        for element in elements {
            for (key, value) in element.as_object().expect("an option is an object") {
                if !value.is_null() {
                    options.insert(key.clone(), value.clone());
                }
            }
        }
        let mut demand = Demand {
            missing,
            outdated,
            audit,
            directions,
            action: text(&data["securityGroupAction"]["type"]).to_owned(),
            managed: !elements.is_empty(),
            options: Value::Object(options),
            protocols: None,
            allowed_apps: None,
            denied_apps: None,
        };
        demand.resolve_lists(case);
        demand
    }

    /// Lists of protocols and of apps.
    fn resolve_lists(&mut self, case: &Value) {
        for (key, kind) in [
            ("allowedProtocolsLists", "protocols"),
            ("allowedPublicAccessAppLists", "apps"),
            ("deniedPublicAccessAppLists", "apps"),
        ] {
            let reference = &self.options[key];
            let mut ids: Vec<&str> = list(&reference["customListIds"]).iter().map(text).collect();
            ids.extend(reference["defaultListId"].as_str());
            if ids.is_empty() {
                continue;
            }
            let mut apps = vec![];
            let mut names = vec![];
            for id in ids {
                let Some(found) = find(&case["lists"][kind], "ListId", id) else {
                    self.missing = true;
                    continue;
                };
                for name in list(&found["ProtocolsList"]) {
                    names.push(text(name).to_owned());
                }
                for app in list(&found["AppsList"]) {
                    let port = app["Port"].as_i64().expect("a port");
                    apps.push((text(&app["Protocol"]).to_owned(), port));
                }
            }
            match key {
                "allowedProtocolsLists" => self.protocols = Some(names),
                "allowedPublicAccessAppLists" => self.allowed_apps = Some(apps),
                _ => self.denied_apps = Some(apps),
            }
        }
    }

    /// Whether rules of a direction are looked at.
    pub fn looks_at(&self, egress: bool, broken: Option<Mutation>) -> bool {
        if !self.managed || broken == Some(Mutation::AuditDirectionIgnored) {
            return true;
        }
        match text(&self.options["auditSgDirection"]["type"]) {
            "INGRESS" => !egress,
            "EGRESS" => egress,
            _ => true,
        }
    }

    /// Whether what a rule lets in is looked at whatever else it does, and not only what it opens. Under
    /// ALLOW it is where an audit rule may hold the rule.
    pub fn reads_source(&self, rule: &Rule) -> bool {
        let set = |key: &str| !self.options[key].is_null();
        let public = self.allowed_apps.is_some() || self.denied_apps.is_some();
        !self.missing
            && ((!self.action.is_empty() && self.action != "ALLOW")
                || set("minIpv4CidrPrefixLenPerSgRule")
                || set("minIpv6CidrPrefixLenPerSgRule")
                || (public && !rule.egress))
    }

    /// Whether a rule breaks what is asked for.
    pub fn answer(&self, rule: &Rule, lists: &Lists<'_>, broken: Option<Mutation>) -> Answer {
        let fine = Answer::default();
        if self.missing && broken != Some(Mutation::MissingReferenceSkipped) {
            // Nothing can be held against anything.
            return fine;
        }
        if !self.managed {
            return Answer::of(match self.action.as_str() {
                "ALLOW" => self.allows(rule, lists, broken).opposite(),
                _ => self.denies(rule, lists, broken),
            });
        }
        if !self.looks_at(rule.egress, broken) {
            return fine;
        }
        let options = breaks_options(rule, self, lists, broken);
        match self.action.as_str() {
            "ALLOW" if broken == Some(Mutation::OverrideAllowIgnored) => options,
            // Nothing is there to be allowed.
            "ALLOW" if !options.violates && !options.unknown => fine,
            "ALLOW" => {
                let allowed = match broken {
                    Some(Mutation::OverrideAllowNeedsOverlapOnly) => self.denies(rule, lists, None),
                    _ => self.allows(rule, lists, broken),
                };
                match allowed {
                    Said::Yes => fine,
                    Said::No => options,
                    Said::Untold => {
                        Answer { violates: false, unknown: options.violates || options.unknown }
                    }
                }
            }
            "DENY" if broken == Some(Mutation::OverrideDenyIgnored) => options,
            "DENY" => match self.denies(rule, lists, broken) {
                Said::Yes => Answer { violates: true, unknown: false },
                Said::No => options,
                Said::Untold => Answer { violates: options.violates, unknown: true },
            },
            _ => options,
        }
    }

    /// Whether the rule lies inside one audit rule of its direction (semantics §10 row 9); of a
    /// prefix list, whether each entry lies inside one (§11 row 35).
    fn allows(&self, rule: &Rule, lists: &Lists<'_>, broken: Option<Mutation>) -> Said {
        if matches!(rule.peer, Peer::Group) {
            return Said::of(broken == Some(Mutation::ReferencesPassUnderAllow));
        }
        let mixed = broken == Some(Mutation::DirectionsOfAuditRulesMixed);
        let same_direction: Vec<&Rule> =
            self.audit.iter().filter(|audit| audit.egress == rule.egress || mixed).collect();
        if same_direction.is_empty() && !self.directions[usize::from(rule.egress)] {
            return Said::of(broken == Some(Mutation::NoAuditRuleAllowsAll));
        }
        if broken == Some(Mutation::AdjacentAuditRulesJoin)
            && ports_join(rule, &same_direction, lists, broken)
        {
            return Said::Yes;
        }
        let around: Vec<&Rule> = same_direction
            .into_iter()
            .filter(|audit| protocol_inside(rule, audit) && ports_inside(rule, audit, broken))
            .collect();
        let any_around = |peer: &Peer| {
            let inside = around.iter().map(|audit| peer_inside(peer, &audit.peer, lists, broken));
            inside.fold(Said::No, Said::or)
        };
        let whole = any_around(&rule.peer);
        let Peer::PrefixList(id) = &rule.peer else { return whole };
        if whole == Said::Yes {
            return whole;
        }
        match lists.entries(id) {
            None if around.is_empty() => Said::No,
            Some(_) if broken == Some(Mutation::EntriesUnderAllowIgnored) => Said::No,
            Some(entries) => {
                let inside = entries.iter().map(|entry| any_around(&Peer::Cidr(*entry)));
                inside.fold(Said::Yes, Said::and)
            }
            None if broken == Some(Mutation::UnknownListsUnderAllowViolate) => Said::No,
            None => Said::Untold,
        }
    }

    /// Whether the rule overlaps an audit rule of its direction (semantics §10 row 10).
    fn denies(&self, rule: &Rule, lists: &Lists<'_>, broken: Option<Mutation>) -> Said {
        if broken == Some(Mutation::DenyNeedsContainment) {
            return self.allows(rule, lists, None);
        }
        let mixed = broken == Some(Mutation::DirectionsOfAuditRulesMixed);
        let meeting = self.audit.iter().filter(|audit| {
            (audit.egress == rule.egress || mixed)
                && protocols_meet(rule, audit)
                && ports_meet(rule, audit, broken)
        });
        meeting.map(|audit| peers_meet(rule, audit, lists, broken)).fold(Said::No, Said::or)
    }
}

/// The broken reading: a range of ports covered by several audit rules together.
fn ports_join(rule: &Rule, audits: &[&Rule], lists: &Lists<'_>, broken: Option<Mutation>) -> bool {
    if rule.protocol != 6 && rule.protocol != 17 {
        return false;
    }
    (rule.from..=rule.to).all(|port| {
        let one = Rule { from: port, to: port, ..rule.clone() };
        audits.iter().any(|audit| {
            protocol_inside(&one, audit)
                && ports_inside(&one, audit, broken)
                && peer_inside(&one.peer, &audit.peer, lists, broken) == Said::Yes
        })
    })
}

/// Whether a group is Firewall Manager's own replica (semantics §11 row 57).
pub fn is_replica(world: &World<'_>, group: &Value, broken: Option<Mutation>) -> bool {
    let name = name_of(group);
    let Some(rest) = name.strip_prefix("FMManagedSecurityGroup") else { return false };
    if broken == Some(Mutation::AnyNameMakesAReplica) {
        return true;
    }
    let carries = |key: &str| {
        list(&world.case[key])
            .iter()
            .any(|id| rest.strip_prefix(text(id)).is_some_and(|rest| rest.starts_with('-')))
    };
    (carries("commonPolicies") && broken != Some(Mutation::KnownCommonPoliciesForgotten))
        || (carries("fmsPolicies") && broken != Some(Mutation::NamedCommonPoliciesForgotten))
}

/// A group's name, by its body or its item.
pub fn name_of(group: &Value) -> &str {
    let body = held::body(group);
    body["groupName"].as_str().or(group["resourceName"].as_str()).unwrap_or("")
}
