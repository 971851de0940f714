//! Generated cases: a small organization, one account's delivery, the administrator's delivery
//! with the audit group, lists and a policy, all as the JSON that users have.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::boundary;
use crate::naive;
use crate::random::Random;

mod audit;
mod classic;
mod common_groups;
mod containers;
mod dns;
mod doubts;
mod files;
mod firewall;
mod import;
mod items;
mod nacl;
mod quirks;
mod rule_groups;
mod shared;
mod shield;
mod twists;
mod unreadable;
mod usage;
mod web;

pub use common_groups::POLICY as COMMON_POLICY;
pub use files::deliver;
pub use items::not_recorded;

pub const ADMIN: &str = "111111111111";
pub const MEMBER: &str = "222222222222";
pub const OTHER: &str = "033333333333";
const CUSTOM_APPS: &str = "aaaaaaaa-0000-4000-8000-00000000000a";
const CUSTOM_PROTOCOLS: &str = "bbbbbbbb-0000-4000-8000-00000000000b";
const ABSENT_LIST: &str = "cccccccc-0000-4000-8000-00000000000c";
const WEB_ACL: &str = "AWS::WAFv2::WebACL";

const TAG_VALUES: &[&str] = &["prod", "test", "", "*"];

/// How many single changes are tried for one that turns the outcome.
const TWIN_TRIES_MAX: usize = 7;

/// Ids of the AWS-managed lists.
pub struct DefaultLists {
    pub allowed_apps: String,
    pub denied_apps: String,
    pub protocols: String,
}

/// A case, and a twin of it that is one field off. Twins are looked for where the outcome turns,
/// for that is the boundary of a rule, but those that turn nothing are kept too.
pub fn pair(seed: u64, number: u64, defaults: &DefaultLists) -> [Value; 2] {
    let random = &mut Random::of_case(seed, number);
    let mut case = fresh(random, defaults);
    finish(&mut case, random);
    let before = naive::judge(&case, None);
    let places = boundary::Places::of(&case);
    let mut twin = Value::Null;
    for _ in 0..1 + random.below(TWIN_TRIES_MAX) {
        twin = case.clone();
        boundary::change_at_one(&mut twin, &places, random);
        if naive::judge(&twin, None) != before {
            break;
        }
    }
    [case, twin]
}

/// A case by itself, with what goes on from there.
pub fn one(seed: u64, number: u64, defaults: &DefaultLists) -> (Value, Random) {
    let mut random = Random::of_case(seed, number);
    let mut case = fresh(&mut random, defaults);
    finish(&mut case, &mut random);
    (case, random)
}

fn fresh(random: &mut Random, defaults: &DefaultLists) -> Value {
    let organization = organization(random);
    let account = match random.below(100) {
        0..84 => MEMBER,
        84..96 => ADMIN,
        96..99 => OTHER,
        _ => "999999999999",
    };
    let mut case = json!({
        "organization": organization,
        "administrator": ADMIN,
        "account": account,
        "lists": lists(random, defaults),
    });
    match type_of_case(random) {
        "SECURITY_GROUPS_CONTENT_AUDIT" => audit::audit_case(&mut case, random, defaults),
        "WAFV2" => web::waf_case(&mut case, random),
        "SHIELD_ADVANCED" => shield::shield_case(&mut case, random),
        "SECURITY_GROUPS_COMMON" => common_groups::common_case(&mut case, random),
        "NETWORK_ACL_COMMON" => nacl::nacl_case(&mut case, random),
        "NETWORK_FIREWALL" => firewall::firewall_case(&mut case, random),
        "IMPORT_NETWORK_FIREWALL" => import::import_case(&mut case, random),
        "DNS_FIREWALL" => dns::dns_case(&mut case, random),
        "WAF" => classic::classic_case(&mut case, random),
        _ => usage::usage_case(&mut case, random),
    }
    scope(&mut case["policy"], random);
    if case["region"] == "eu-west-1" && random.chance(20) {
        case["earlier"] = items::earlier(random, &case["delivery"]);
    }
    if random.chance(4) {
        items::delete_recorder(&mut case, random);
    }
    if random.chance(18) {
        items::show_no_body(&mut case, random);
    }
    for _ in 0..[0, 0, 0, 0, 0, 0, 1, 1, 1, 2][random.below(10)] {
        twists::twist(&mut case, random);
    }
    if random.chance(8) {
        twists::unrecorded_elsewhere(&mut case, random);
    }
    if *DOUBTS && random.chance(9) {
        doubts::doubt(&mut case, random);
    }
    if *DOUBTS && random.chance(7) {
        doubts::elsewhere(&mut case, random);
    }
    case
}

/// Puts all that was made into files; in some cases something is told badly.
fn finish(case: &mut Value, random: &mut Random) {
    if random.chance(9) {
        quirks::quirk(case, random);
    }
    deliver(case);
    files::mix_up(case, random);
}

/// Types of policies, and of how many in a hundred cases each is. Those of none are judged where
/// `PALISADE_TYPE` names them.
pub const TYPES: [(&str, usize); 10] = [
    ("SECURITY_GROUPS_CONTENT_AUDIT", 35),
    ("WAFV2", 16),
    ("SHIELD_ADVANCED", 18),
    ("SECURITY_GROUPS_USAGE_AUDIT", 19),
    ("DNS_FIREWALL", 6),
    ("WAF", 6),
    ("SECURITY_GROUPS_COMMON", 0),
    ("NETWORK_ACL_COMMON", 0),
    ("NETWORK_FIREWALL", 0),
    ("IMPORT_NETWORK_FIREWALL", 0),
];

/// The one type of policies that the cases are to be of.
#[expect(clippy::disallowed_methods, reason = "the test's own settings; core is not asked")]
static NAMED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("PALISADE_TYPE").ok());

/// Whether cases are made, and judged, by what palisade-core is to learn yet: `PALISADE_DOUBTS=1`. What two
/// tell of one moment, what is dated ahead of its receipt and what stands twice (semantics §11 rows 67 to 69).
pub static DOUBTS: LazyLock<bool> = LazyLock::new(|| crate::setting("PALISADE_DOUBTS", 0) == 1);

/// Whether the setting `PALISADE_TYPE` names one type.
pub fn is_one_type() -> bool {
    NAMED.is_some()
}

/// One type, or that which the setting `PALISADE_TYPE` names.
fn type_of_case(random: &mut Random) -> &'static str {
    let mut at = random.below(TYPES.iter().map(|(_, share)| share).sum());
    if let Some(named) = &*NAMED {
        let found = TYPES.iter().find(|(kind, _)| kind == named);
        return found.unwrap_or_else(|| panic!("worlds have no policies of type `{named}`")).0;
    }
    for (kind, share) in TYPES {
        if at < share {
            return kind;
        }
        at -= share;
    }
    TYPES[0].0
}

fn organization(random: &mut Random) -> Value {
    let status = |random: &mut Random| match random.below(40) {
        0 => "SUSPENDED",
        1 | 2 => "PENDING_CLOSURE",
        3 if random.chance(30) => "CLOSED",
        _ => "ACTIVE",
    };
    let parents =
        ["r-root", "ou-root-aaaaaaaa", "ou-root-bbbbbbbb", "ou-root-cccccccc", "ou-root-dddddddd"];
    json!({
        "Organization": {"Id": "o-exampleorg", "ManagementAccountId": "000000000001"},
        "Roots": [{"Id": "r-root"}],
        "OrganizationalUnits": [
            {"Id": "ou-root-cccccccc", "Name": "deepest", "ParentId": "ou-root-bbbbbbbb"},
            {"Id": "ou-root-aaaaaaaa", "Name": "top", "ParentId": "r-root"},
            {"Id": "ou-root-bbbbbbbb", "Name": "inner", "ParentId": "ou-root-aaaaaaaa"},
            {"Id": "ou-root-dddddddd", "Name": "beside", "ParentId": "r-root"},
        ],
        "Accounts": [
            {"Id": "000000000001", "Name": "management", "Status": "ACTIVE", "ParentId": "r-root"},
            {"Id": ADMIN, "Name": "security", "Status": "ACTIVE", "ParentId": random.pick(&parents)},
            {"Id": MEMBER, "Name": "member", "Status": status(random), "ParentId": random.pick(&parents)},
            {"Id": OTHER, "Name": "other", "Status": status(random), "ParentId": random.pick(&parents)},
        ],
    })
}

/// Account maps and tags.
fn scope(policy: &mut Value, random: &mut Random) {
    for key in ["IncludeMap", "ExcludeMap"] {
        if !random.chance(8) {
            if random.chance(10) {
                policy[key] = json!({});
            }
            continue;
        }
        let mut map = Map::new();
        if random.chance(60) {
            let accounts = [ADMIN, MEMBER, OTHER];
            map.insert("ACCOUNT".to_owned(), json!([random.pick(&accounts)]));
        }
        if map.is_empty() || random.chance(40) {
            let units =
                ["ou-root-aaaaaaaa", "ou-root-bbbbbbbb", "ou-root-cccccccc", "ou-root-dddddddd"];
            map.insert("ORG_UNIT".to_owned(), json!([random.pick(&units)]));
        }
        policy[key] = Value::Object(map);
    }
    policy["ExcludeResourceTags"] = json!(random.chance(35));
    if !random.chance(30) {
        return;
    }
    let mut tags = vec![];
    // Two values of one key are accepted (semantics §11 row 49).
    let keys = if random.chance(6) { ["env", "env"] } else { ["env", "team"] };
    for key in keys.iter().take(1 + random.below(2)) {
        tags.push(match random.chance(20) {
            true => json!({"Key": key}),
            false => json!({"Key": key, "Value": random.pick(TAG_VALUES)}),
        });
    }
    policy["ResourceTags"] = Value::Array(tags);
    match random.below(3) {
        0 => {}
        1 => policy["ResourceTagLogicalOperator"] = json!("AND"),
        _ => policy["ResourceTagLogicalOperator"] = json!("OR"),
    }
}

/// Ports at and beside those that rules and lists are about.
const PORTS: &[i64] =
    &[0, 1, 21, 22, 22, 23, 79, 80, 80, 81, 442, 443, 443, 444, 1433, 3389, 8080, 65534, 65535];

fn lists(random: &mut Random, defaults: &DefaultLists) -> Value {
    let mut apps = vec![
        json!({"ListId": defaults.allowed_apps, "AppsList": [
            {"AppName": "http", "Protocol": "TCP", "Port": 80}, {"AppName": "https", "Protocol": "TCP", "Port": 443}]}),
        json!({"ListId": defaults.denied_apps, "AppsList": [
            {"AppName": "ssh", "Protocol": "tcp", "Port": 22}, {"AppName": "telnet", "Protocol": "tcp", "Port": 23},
            {"AppName": "rdp", "Protocol": "tcp", "Port": 3389}, {"AppName": "smb", "Protocol": "tcp", "Port": 445},
            {"AppName": "mysql", "Protocol": "tcp", "Port": 3306}, {"AppName": "mssql", "Protocol": "tcp", "Port": 1433},
            {"AppName": "postgres", "Protocol": "tcp", "Port": 5432}, {"AppName": "oracle", "Protocol": "tcp", "Port": 1521},
            {"AppName": "mongodb", "Protocol": "tcp", "Port": 27017}, {"AppName": "redis", "Protocol": "tcp", "Port": 6379}]}),
    ];
    let mut protocols =
        vec![json!({"ListId": defaults.protocols, "ProtocolsList": ["TCP", "UDP"]})];
    let mut own = vec![];
    let from = random.below(PORTS.len());
    for at in 0..1 + random.below(4) {
        let protocol = random.pick(&["tcp", "tcp", "UDP", "6", "17"]);
        let port = PORTS[(from + at) % PORTS.len()];
        own.push(json!({"AppName": format!("app{at}"), "Protocol": protocol, "Port": port}));
    }
    apps.push(json!({"ListId": CUSTOM_APPS, "ListName": "own", "AppsList": own}));
    let mut own = vec![];
    for protocol in ["tcp", "17", "ICMP", "58", "icmpv6", "50"] {
        if random.chance(45) {
            own.push(protocol);
        }
    }
    if own.is_empty() {
        own.push("tcp");
    }
    own.truncate(5);
    protocols.push(json!({"ListId": CUSTOM_PROTOCOLS, "ListName": "own", "ProtocolsList": own}));
    json!({"apps": apps, "protocols": protocols})
}

fn list_reference(random: &mut Random, custom: &str, default: &str) -> Value {
    let custom = if random.chance(7) { ABSENT_LIST } else { custom };
    match random.below(4) {
        0 => json!({"customListIds": [custom], "defaultListId": default}),
        1 => json!({"customListIds": [], "defaultListId": default, "defaultListVersion": null}),
        2 => json!({"defaultListId": default, "defaultListVersion": "1"}),
        _ => json!({"customListIds": [custom], "defaultListId": null, "defaultListVersion": null}),
    }
}

fn policy(name: &str, kind: &str, data: &Value, types: &[&str]) -> Value {
    let mut policy = json!({
        "PolicyName": name,
        "SecurityServicePolicyData": {"Type": kind, "ManagedServiceData": data.to_string()},
        "RemediationEnabled": false,
        "ExcludeResourceTags": false,
    });
    if let [one] = types {
        policy["ResourceType"] = json!(one);
    } else {
        policy["ResourceType"] = json!("ResourceTypeList");
        policy["ResourceTypeList"] = json!(types);
    }
    policy
}
