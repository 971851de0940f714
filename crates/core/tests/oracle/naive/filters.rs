//! Which filter leaves a resource, or a whole account, out of a policy's scope: by name (semantics §4, §10 rows
//! 6, 18 and 28).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{World, find, held, scope, text, told, waf};

/// What leaves the account of a case out, if something does.
pub fn of_account(case: &Value) -> Option<&'static str> {
    if scope::account_in_scope(case, None) {
        return None;
    }
    let row = find(&case["organization"]["Accounts"], "Id", text(&case["account"]));
    let Some(row) = row else { return Some("account") };
    if !["ACTIVE", "PENDING_CLOSURE"].contains(&text(&row["Status"])) {
        return Some("account");
    }
    let includes = |map: &Value| map.as_object().is_some_and(|map| !map.is_empty());
    Some(if includes(&case["policy"]["IncludeMap"]) { "include-map" } else { "exclude-map" })
}

/// What leaves each resource of the case's account and Region out; those in scope by all filters are not
/// among them.
pub fn of_resources(case: &Value) -> BTreeMap<(String, String), &'static str> {
    let world = &World { case, told: told::read(case, None) };
    let here = held::of_account(world, text(&case["region"]), None);
    let policy = &case["policy"];
    let listed = scope::listed_types(policy);
    let mut out = BTreeMap::new();
    for item in &here.live {
        let (kind, body) = (text(&item["resourceType"]), held::body(item));
        let owner = text(&body["ownerId"]);
        let is_network = [
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::NetworkInterface",
            "AWS::EC2::VPC",
            "AWS::EC2::Subnet",
        ]
        .contains(&kind);
        let filter = if !listed.contains(&kind) {
            "resource-type"
        } else if scope::tags_leave_out(policy, &here, item) {
            "tags"
        } else if is_network && !owner.is_empty() && owner != here.account {
            "owner"
        } else if text(&body["state"]["name"]).eq_ignore_ascii_case("terminated")
            || kind == waf::BALANCER && waf::balancer_kind(item) != "application"
        {
            "special-rule"
        } else {
            continue;
        };
        out.insert((kind.to_owned(), text(&item["resourceId"]).to_owned()), filter);
    }
    out
}
