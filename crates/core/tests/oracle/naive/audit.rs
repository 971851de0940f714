//! SECURITY_GROUPS_CONTENT_AUDIT, naively (semantics §5.5, §6.1, §10 rows 7 to 10, 27, 28).

use serde_json::Value;

use super::held::{self, Held};
use super::options::breaks_options;
use super::rules::{
    Peer, Rule, peer_inside, peers_meet, ports_inside, ports_meet, protocol_inside, protocols_meet,
    rules,
};
use super::{Found, Mutation, find, list, listed_types, service_data, tags_in_scope, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const INSTANCE: &str = "AWS::EC2::Instance";
const REASON: &str = "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP";

/// The options of all elements together, with lists resolved.
pub(super) struct Demand {
    /// Something that the policy names is not in the inventory.
    pub missing: bool,
    /// An audit group may have changed since.
    pub outdated: bool,
    pub audit: Vec<Rule>,
    pub action: String,
    pub managed: bool,
    pub options: Value,
    pub protocols: Option<Vec<String>>,
    pub allowed_apps: Option<Vec<(String, i64)>>,
    pub denied_apps: Option<Vec<(String, i64)>>,
}

pub fn judge(case: &Value, broken: Option<Mutation>) -> Found {
    let policy = &case["policy"];
    let (account, owner) = (text(&case["account"]), text(&case["administrator"]));
    let here = held::of_account(case, text(&case["region"]), broken);
    let listed = listed_types(policy);
    let mut found = Found::default();

    for kind in [GROUP, INTERFACE, INSTANCE] {
        if (kind == GROUP || listed.contains(&kind)) && !here.knows(kind) {
            found.issues.insert("AWSCONFIG".to_owned());
            found.undecided = true;
        }
    }
    let data = service_data(policy);
    let demand = demand(case, &data, broken);
    if demand.outdated && broken != Some(Mutation::OutdatedAuditGroupsPass) {
        outdated(&mut found);
    }
    if demand.missing && broken != Some(Mutation::MissingReferenceSkipped) {
        found.issues.insert("AWSVPC".to_owned());
        found.no_result = true;
    }
    let audit_ids: Vec<&str> =
        list(&data["securityGroups"]).iter().map(|g| text(&g["id"])).collect();

    // Attached groups of every interface and instance that is in scope itself.
    let mut attached: Vec<String> = vec![];
    for kind in [INTERFACE, INSTANCE] {
        if !listed.contains(&kind) {
            continue;
        }
        for item in here.of_type(kind) {
            if !tags_in_scope(policy, &here, item, broken) {
                continue;
            }
            if held::is_unseen(item) {
                unseen(&mut found, broken);
                continue;
            }
            let state = held::body(item)["state"]["name"].clone();
            if state == "terminated" && broken != Some(Mutation::TerminatedInstancesJudged) {
                continue;
            }
            if here.is_outdated(item) && broken != Some(Mutation::OutdatedResourcesPass) {
                outdated(&mut found);
            }
            let groups = groups_of(item, broken);
            let mut guilty = false;
            let mut some_unseen = false;
            for id in &groups {
                let Some(group) = here.item(GROUP, id) else {
                    some_unseen |= broken != Some(Mutation::UnheldGroupCountedCompliant);
                    continue;
                };
                if held::is_unseen(group) {
                    some_unseen = true;
                } else if is_audited(group, account, owner, &audit_ids, broken) {
                    if here.is_outdated(group)
                        && broken != Some(Mutation::OutdatedAttachedGroupsPass)
                    {
                        outdated(&mut found);
                    }
                    reads_outdated_lists(group, &demand, &here, &mut found, broken);
                    guilty |=
                        rules(group, broken).iter().any(|r| breaks(r, &demand, &here, broken));
                }
            }
            attached.extend(groups);
            if guilty {
                violator(&mut found, item);
            } else if some_unseen {
                unseen(&mut found, broken);
            }
        }
    }

    for group in here.of_type(GROUP) {
        let id = text(&group["resourceId"]);
        let by_attachment = attached.iter().any(|a| a == id)
            && broken != Some(Mutation::AttachmentDoesNotBringIntoScope);
        let listed_here = listed.contains(&GROUP)
            || (broken == Some(Mutation::UnlistedGroupReported) && by_attachment);
        if !listed_here || !(by_attachment || tags_in_scope(policy, &here, group, broken)) {
            continue;
        }
        if here.is_outdated(group) {
            let owner = held::body(group)["ownerId"].as_str().unwrap_or("").to_owned();
            let foreign = !owner.is_empty() && owner != account;
            if !foreign && broken != Some(Mutation::OutdatedGroupsPass) {
                outdated(&mut found);
            }
        }
        if is_audited(group, account, owner, &audit_ids, broken) {
            reads_outdated_lists(group, &demand, &here, &mut found, broken);
        }
        if held::is_unseen(group) {
            unseen(&mut found, broken);
        } else if is_audited(group, account, owner, &audit_ids, broken)
            && rules(group, broken).iter().any(|r| breaks(r, &demand, &here, broken))
        {
            violator(&mut found, group);
        }
    }
    found
}

fn unseen(found: &mut Found, broken: Option<Mutation>) {
    if broken != Some(Mutation::NotRecordedCountedCompliant) {
        found.issues.insert("AWSCONFIG".to_owned());
        found.undecided = true;
    }
}

/// What is judged may have changed since.
fn outdated(found: &mut Found) {
    found.issues.insert("AWSCONFIG".to_owned());
    found.undecided = true;
}

/// An option about public access asks for the entries of prefix lists, which may have changed since.
fn reads_outdated_lists(
    group: &Value,
    demand: &Demand,
    here: &Held<'_>,
    found: &mut Found,
    broken: Option<Mutation>,
) {
    let asked = demand.managed
        && !demand.missing
        && (demand.allowed_apps.is_some() || demand.denied_apps.is_some())
        && demand.options["auditSgDirection"]["type"] != "EGRESS";
    if !asked || broken == Some(Mutation::OutdatedPrefixListsPass) {
        return;
    }
    for rule in rules(group, broken) {
        let Peer::PrefixList(id) = &rule.peer else { continue };
        let held = here.item("AWS::EC2::PrefixList", id);
        if !rule.egress && held.is_some_and(|list| here.is_outdated(list)) {
            outdated(found);
        }
    }
}

fn violator(found: &mut Found, item: &Value) {
    let (kind, id) = (text(&item["resourceType"]), text(&item["resourceId"]));
    found.violators.insert((kind.to_owned(), id.to_owned(), REASON.to_owned()));
}

fn groups_of(item: &Value, broken: Option<Mutation>) -> Vec<String> {
    let body = held::body(item);
    let mut ids = vec![];
    let mut add = |groups: &Value| {
        for group in list(groups) {
            ids.push(text(&group["groupId"]).to_owned());
        }
    };
    add(&body["groups"]);
    add(&body["securityGroups"]);
    if broken != Some(Mutation::InstanceReadsPrimaryGroupsOnly) {
        for interface in list(&body["networkInterfaces"]) {
            add(&interface["groups"]);
        }
    }
    ids
}

/// Semantics §10 rows 8 and 28.
fn is_audited(
    group: &Value,
    account: &str,
    owner: &str,
    audit_ids: &[&str],
    broken: Option<Mutation>,
) -> bool {
    let body = held::body(group);
    let name = text(&body["groupName"]);
    if name.starts_with("FMManagedSecurityGroup") && broken != Some(Mutation::ReplicasAudited) {
        return false;
    }
    if name == "default" && broken == Some(Mutation::DefaultGroupsSkipped) {
        return false;
    }
    let whose = text(&body["ownerId"]);
    if !whose.is_empty() && whose != account && broken != Some(Mutation::ForeignGroupsAudited) {
        return false;
    }
    let is_audit_group = account == owner && audit_ids.contains(&text(&group["resourceId"]));
    !is_audit_group || broken == Some(Mutation::AuditGroupHeldAgainstItself)
}

/// Resolves what the policy refers to.
fn demand(case: &Value, data: &Value, broken: Option<Mutation>) -> Demand {
    let (mut missing, mut outdated) = (false, false);
    let there = held::of_administrator(case, broken);
    let mut audit = vec![];
    for named in list(&data["securityGroups"]) {
        match there.item(GROUP, text(&named["id"])) {
            Some(group) if !held::is_unseen(group) => {
                outdated |= there.is_outdated(group);
                audit.extend(
                    rules(group, broken).into_iter().filter(|r| !matches!(r.peer, Peer::Group)),
                );
            }
            _ => missing = true,
        }
    }
    let elements = list(&data["preManagedOptions"]);
    let mut options = serde_json::Map::new();
    for element in elements {
        for (key, value) in element.as_object().expect("an option is an object") {
            if !value.is_null() {
                options.insert(key.clone(), value.clone());
            }
        }
    }
    let options = Value::Object(options);
    let mut protocols = None;
    let mut allowed_apps = None;
    let mut denied_apps = None;
    for (key, kind) in [
        ("allowedProtocolsLists", "protocols"),
        ("allowedPublicAccessAppLists", "apps"),
        ("deniedPublicAccessAppLists", "apps"),
    ] {
        let reference = &options[key];
        let mut ids: Vec<&str> = list(&reference["customListIds"]).iter().map(text).collect();
        ids.extend(reference["defaultListId"].as_str());
        if ids.is_empty() {
            continue;
        }
        let mut apps = vec![];
        let mut names = vec![];
        for id in ids {
            let Some(found) = find(&case["lists"][kind], "ListId", id) else {
                missing = true;
                continue;
            };
            for name in list(&found["ProtocolsList"]) {
                names.push(text(name).to_owned());
            }
            for app in list(&found["AppsList"]) {
                apps.push((
                    text(&app["Protocol"]).to_owned(),
                    app["Port"].as_i64().expect("a port"),
                ));
            }
        }
        match key {
            "allowedProtocolsLists" => protocols = Some(names),
            "allowedPublicAccessAppLists" => allowed_apps = Some(apps),
            _ => denied_apps = Some(apps),
        }
    }
    Demand {
        missing,
        outdated,
        audit,
        action: text(&data["securityGroupAction"]["type"]).to_owned(),
        managed: !elements.is_empty(),
        options,
        protocols,
        allowed_apps,
        denied_apps,
    }
}

fn breaks(rule: &Rule, demand: &Demand, here: &Held<'_>, broken: Option<Mutation>) -> bool {
    if demand.missing && broken != Some(Mutation::MissingReferenceSkipped) {
        // Nothing can be held against anything.
        return false;
    }
    if !demand.managed {
        return match demand.action.as_str() {
            "ALLOW" => !allowed(rule, demand, broken),
            _ => denied(rule, demand, broken),
        };
    }
    if broken != Some(Mutation::AuditDirectionIgnored) {
        match text(&demand.options["auditSgDirection"]["type"]) {
            "INGRESS" if rule.egress => return false,
            "EGRESS" if !rule.egress => return false,
            _ => {}
        }
    }
    match demand.action.as_str() {
        "ALLOW" if broken == Some(Mutation::OverrideAllowIgnored) => {}
        "ALLOW"
            if broken == Some(Mutation::OverrideAllowNeedsOverlapOnly)
                && denied(rule, demand, None) =>
        {
            return false;
        }
        "ALLOW" if allowed(rule, demand, broken) => return false,
        "DENY" if broken == Some(Mutation::OverrideDenyIgnored) => {}
        "DENY" if denied(rule, demand, broken) => return true,
        _ => {}
    }
    breaks_options(rule, demand, here, broken)
}

/// Whether the rule lies inside one audit rule of its direction (semantics §10 row 9).
fn allowed(rule: &Rule, demand: &Demand, broken: Option<Mutation>) -> bool {
    if matches!(rule.peer, Peer::Group) {
        return broken == Some(Mutation::ReferencesPassUnderAllow);
    }
    let mut same_direction = vec![];
    for audit in &demand.audit {
        if audit.egress == rule.egress || broken == Some(Mutation::DirectionsOfAuditRulesMixed) {
            same_direction.push(audit);
        }
    }
    if same_direction.is_empty() && broken == Some(Mutation::NoAuditRuleAllowsAll) {
        return true;
    }
    if broken == Some(Mutation::AdjacentAuditRulesJoin) && ports_join(rule, &same_direction, broken)
    {
        return true;
    }
    same_direction.iter().any(|audit| {
        protocol_inside(rule, audit)
            && ports_inside(rule, audit, broken)
            && peer_inside(rule, audit)
    })
}

/// The broken reading: a range of ports covered by several audit rules together.
fn ports_join(rule: &Rule, audits: &[&Rule], broken: Option<Mutation>) -> bool {
    if rule.protocol != 6 && rule.protocol != 17 {
        return false;
    }
    (rule.from..=rule.to).all(|port| {
        let one = Rule { from: port, to: port, ..rule.clone() };
        audits.iter().any(|audit| {
            protocol_inside(&one, audit)
                && ports_inside(&one, audit, broken)
                && peer_inside(&one, audit)
        })
    })
}

/// Whether the rule overlaps an audit rule of its direction (semantics §10 row 10).
fn denied(rule: &Rule, demand: &Demand, broken: Option<Mutation>) -> bool {
    if broken == Some(Mutation::DenyNeedsContainment) {
        return allowed(rule, demand, None);
    }
    demand.audit.iter().any(|audit| {
        (audit.egress == rule.egress || broken == Some(Mutation::DirectionsOfAuditRulesMixed))
            && protocols_meet(rule, audit)
            && ports_meet(rule, audit, broken)
            && peers_meet(rule, audit, broken)
    })
}
