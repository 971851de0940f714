//! Who may call what on whose object: every operation, by every kind of caller, on an object of
//! its own, of another administrator, out of its AdminScope, and on one that does not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_api::operations::{Effect, OPERATIONS, Row};
use palisade_core::ident::{ListId, PolicyId, ResourceSetId, ResourceType};
use palisade_core::organization::Organization;
use palisade_core::policy::PolicyType;
use palisade_core::scope::{AdminScope, Grant};
use palisade_store::{
    Administrator, Channel, Control, ControlChange, ListContent, ListRecord, PolicyRecord,
    ResourceSetRecord,
};
use serde_json::{Value, json};

use crate::world::*;

/// An additional administrator: content audits and Shield in the usual Region, over [`MEMBER`].
const SECOND: &str = OTHER;
/// Where the additional administrator may not act.
const OUTSIDE: &str = "eu-north-1";

const CALLERS: [(&str, &str); 6] = [
    ("management", MANAGEMENT),
    ("default", ADMIN),
    ("additional", SECOND),
    ("member", MEMBER),
    ("stranger", STRANGER),
    ("operator", "AKIAOPERATOR"),
];

const OBJECTS: [&str; 4] = ["own", "anothers", "outside", "absent"];

/// What each cell answers. A cell is one word when the object makes no difference, else four, for
/// the objects in the order above. A management account, member or stranger owns nothing: `own` and
/// `outside` are then an administrator's. The words:
///
/// ok: it succeeds; only: `Operation … is only available to AWS Firewall Manager Administrators.`;
/// deleg: `Account: … is not currently delegated by AWS FM.`; mgmt: only the management account may;
/// member: only members may; not-mgmt: AWS's own text for AssociateAdminAccount; rnf, ii, io:
/// ResourceNotFound-, InvalidInput- and InvalidOperationException.
const ROWS: &str = "
operation                               | management       | default      | additional   | member   | stranger | operator
AssociateAdminAccount                   | io               | not-mgmt     | not-mgmt     | not-mgmt | not-mgmt | not-mgmt
AssociateThirdPartyFirewall             | deleg            | ok           | deleg        | deleg    | deleg    | ok
BatchAssociateResource                  | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
BatchDisassociateResource               | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
DeleteAppsList                          | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
DeleteNotificationChannel               | deleg            | ok           | ok ok io ok  | deleg    | deleg    | ok
DeletePolicy                            | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
DeleteProtocolsList                     | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
DeleteResourceSet                       | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
DisassociateAdminAccount                | deleg            | io           | ok           | deleg    | deleg    | io
DisassociateThirdPartyFirewall          | deleg            | rnf          | deleg        | deleg    | deleg    | rnf
GetAdminAccount                         | ok               | ok           | ok           | deleg    | deleg    | ok
GetAdminScope                           | ok ok ok rnf     | ok only only only | ok only only only | only | only | ok only only only
GetAppsList                             | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
GetComplianceDetail                     | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
GetNotificationChannel                  | only             | ok           | ok           | only     | only     | ok
GetPolicy                               | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
GetProtectionStatus                     | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
GetProtocolsList                        | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
GetResourceSet                          | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
GetThirdPartyFirewallAssociationStatus  | only             | ok           | only         | only     | only     | ok
GetViolationDetails                     | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
ListAdminAccountsForOrganization        | ok               | mgmt         | mgmt         | mgmt     | mgmt     | mgmt
ListAdminsManagingAccount               | ok               | ok           | ok           | ok       | member   | ok
ListAppsLists                           | only             | ok           | ok           | only     | only     | ok
ListComplianceStatus                    | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
ListDiscoveredResources                 | only             | ok ok ok ii  | ok ii ii ii  | only     | only     | ok ok ok ii
ListMemberAccounts                      | ok               | ok           | ok           | only     | only     | ok
ListPolicies                            | only             | ok           | ok           | only     | only     | ok
ListProtocolsLists                      | only             | ok           | ok           | only     | only     | ok
ListResourceSetResources                | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
ListResourceSets                        | only             | ok           | ok           | only     | only     | ok
ListTagsForResource                     | only             | ok rnf rnf rnf | ok rnf ok rnf | only   | only     | ok rnf rnf rnf
ListThirdPartyFirewallFirewallPolicies  | only             | ok           | only         | only     | only     | ok
PutAdminAccount                         | ok ok ok ii      | mgmt         | mgmt         | mgmt     | mgmt     | mgmt
PutAppsList                             | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
PutNotificationChannel                  | deleg            | ok           | ok ok io ok  | deleg    | deleg    | ok
PutPolicy                               | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
PutProtocolsList                        | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
PutResourceSet                          | deleg            | ok ii ii ii  | ok ii io ii  | deleg    | deleg    | ok ii ii ii
TagResource                             | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
UntagResource                           | deleg            | ok rnf rnf rnf | ok rnf io rnf | deleg  | deleg    | ok rnf rnf rnf
";

/// Cells by operation: for each caller a word for each object.
fn rows() -> BTreeMap<&'static str, Vec<[&'static str; 4]>> {
    let lines = ROWS.trim().lines().skip(1);
    lines
        .map(|line| {
            let mut columns = line.split('|').map(str::trim);
            let operation = columns.next().unwrap();
            let cells: Vec<[&str; 4]> = columns
                .map(|cell| {
                    let words: Vec<&str> = cell.split_whitespace().collect();
                    if let [word] = words[..] { [word; 4] } else { words.try_into().unwrap() }
                })
                .collect();
            assert_eq!(cells.len(), CALLERS.len(), "{operation}");
            (operation, cells)
        })
        .collect()
}

/// Ids of one administrator's objects, told apart by a letter.
struct Objects {
    policy: String,
    list: [String; 2],
    set: String,
    region: &'static str,
    owner: &'static str,
}

fn objects(letter: char, owner: &'static str, region: &'static str) -> Objects {
    let id = |kind: u32| format!("{kind}0000000-0000-4000-8000-00000000000{letter}");
    Objects {
        policy: id(1),
        list: [id(2), id(3)],
        set: format!("{:0<21}{letter}", "set"),
        region,
        owner,
    }
}

/// The administrator whose objects these are, in the words of [`OBJECTS`], as the caller sees them.
fn object(caller: &str, which: &str) -> Objects {
    let own = if caller == "additional" { 'b' } else { 'a' };
    match (which, own) {
        ("own", 'a') | ("anothers", 'b') => objects('a', ADMIN, REGION),
        ("own", _) | ("anothers", _) => objects('b', SECOND, REGION),
        // The default administrator has nothing out of its scope: this is another's for it.
        ("outside", _) => objects('c', SECOND, if own == 'b' { OUTSIDE } else { REGION }),
        _ => objects('f', STRANGER, REGION),
    }
}

fn world() -> World {
    let world = World::empty();
    let organization = Organization::parse(organization().to_string().as_bytes()).unwrap();
    let scope = AdminScope {
        accounts: Some(Grant::Only(vec![account(MEMBER), account(SECOND)])),
        units: None,
        regions: Some(Grant::Only(vec![region(REGION)])),
        policy_types: Some(Grant::Only(vec![
            PolicyType::SecurityGroupsContentAudit,
            PolicyType::ShieldAdvanced,
        ])),
    };
    let mut changes = vec![
        ControlChange::PutOrganization(Arc::new(organization)),
        ControlChange::PutAdministrator(account(ADMIN), Administrator::default_one(NOW_MS)),
        ControlChange::PutAdministrator(account(SECOND), Administrator::additional(NOW_MS, scope)),
    ];
    for (letter, owner, place) in
        [('a', ADMIN, REGION), ('b', SECOND, REGION), ('c', SECOND, OUTSIDE)]
    {
        changes.extend(stored(&objects(letter, owner, place)));
    }
    world.store.commit(0, &changes, NOW_MS).unwrap();
    for letter in ['a', 'b', 'c'] {
        world.judge(&objects(letter, ADMIN, REGION).policy, MEMBER, Found::violators(1));
    }
    world
}

fn stored(objects: &Objects) -> Vec<ControlChange> {
    let (owner, region) = (account(objects.owner), region(objects.region));
    let document = |policy: Value| serde_json::from_value(policy).unwrap();
    let policy = |id: &str, document| PolicyRecord {
        id: PolicyId::try_from(id).unwrap(),
        owner: owner.clone(),
        region: region.clone(),
        revision: 1,
        token: "1:token".into(),
        former_names: Vec::new(),
        former_entry_sets: None,
        document,
        tags: BTreeMap::new(),
        created_ms: NOW_MS,
        updated_ms: NOW_MS,
    };
    let list = |id: &str, content| ListRecord {
        id: ListId::try_from(id).unwrap(),
        owner: owner.clone(),
        region: region.clone(),
        token: "1:token".into(),
        name: "list".into(),
        content,
        tags: BTreeMap::new(),
        created_ms: NOW_MS,
        updated_ms: NOW_MS,
    };
    let app = palisade_core::lists::App { name: "a".into(), protocol: "tcp".into(), port: 80 };
    let set = ResourceSetRecord {
        id: ResourceSetId::try_from(objects.set.as_str()).unwrap(),
        owner: owner.clone(),
        region: region.clone(),
        token: "1:token".into(),
        name: "set".into(),
        description: None,
        resource_types: vec![ResourceType::NETWORK_FIREWALL],
        resources: BTreeMap::new(),
        tags: BTreeMap::new(),
        created_ms: NOW_MS,
        updated_ms: NOW_MS,
    };
    let channel = Channel { topic: "arn:aws:sns:r:a:t".into(), role: "arn:aws:iam::a:r".into() };
    vec![
        ControlChange::PutPolicy(Arc::new(policy(&objects.policy, document(audit("one"))))),
        ControlChange::PutPolicy(Arc::new(policy(&shield_id(objects), document(shield())))),
        ControlChange::PutList(Arc::new(list(&objects.list[0], ListContent::Apps(vec![app])))),
        ControlChange::PutList(Arc::new(list(
            &objects.list[1],
            ListContent::Protocols(vec!["tcp".into()]),
        ))),
        ControlChange::PutResourceSet(Arc::new(set)),
        ControlChange::PutChannel(owner.clone(), region.clone(), Some(channel)),
    ]
}

fn shield_id(objects: &Objects) -> String {
    objects.policy.replacen('1', "4", 1)
}

fn shield() -> Value {
    json!({
        "PolicyName": "shield",
        "SecurityServicePolicyData": {
            "Type": "SHIELD_ADVANCED",
            "ManagedServiceData": "{\"type\":\"SHIELD_ADVANCED\"}",
        },
        "ResourceType": "AWS::EC2::EIP",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    })
}

/// The request that is about these objects.
fn input(operation: &str, caller: &str, which: &str, objects: &Objects) -> Value {
    let Objects { policy, list, set, region, owner } = objects;
    let arn = format!("arn:aws:fms:{region}:{owner}:policy/{policy}");
    let firewall = json!({ "ThirdPartyFirewall": "PALO_ALTO_NETWORKS_CLOUD_NGFW" });
    match operation {
        "AssociateAdminAccount" => json!({ "AdminAccount": MEMBER }),
        "GetAdminScope" => {
            let own = if caller == "additional" { SECOND } else { ADMIN };
            let another = if caller == "additional" { ADMIN } else { SECOND };
            let whom = match which {
                "own" => own,
                "absent" => LONER,
                _ => another,
            };
            json!({ "AdminAccount": whom })
        }
        "PutAdminAccount" => {
            let whom = match which {
                "own" => MEMBER,
                "absent" => STRANGER,
                _ => SECOND,
            };
            json!({ "AdminAccount": whom, "AdminScope": {} })
        }
        "AssociateThirdPartyFirewall"
        | "DisassociateThirdPartyFirewall"
        | "GetThirdPartyFirewallAssociationStatus" => firewall,
        "ListThirdPartyFirewallFirewallPolicies" => {
            json!({ "ThirdPartyFirewall": "PALO_ALTO_NETWORKS_CLOUD_NGFW", "MaxResults": 5 })
        }
        "BatchAssociateResource" | "BatchDisassociateResource" => {
            json!({ "ResourceSetIdentifier": set, "Items": [] })
        }
        "DeleteResourceSet" | "GetResourceSet" | "ListResourceSetResources" => {
            json!({ "Identifier": set })
        }
        "PutResourceSet" => json!({ "ResourceSet": {
            "Id": set, "Name": "set", "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] } }),
        "DeletePolicy" | "GetPolicy" | "ListComplianceStatus" => json!({ "PolicyId": policy }),
        "GetProtectionStatus" => json!({ "PolicyId": shield_id(objects) }),
        "GetComplianceDetail" => json!({ "PolicyId": policy, "MemberAccount": MEMBER }),
        "GetViolationDetails" => json!({ "PolicyId": policy, "MemberAccount": MEMBER,
            "ResourceId": "sg-00000", "ResourceType": "AWS::EC2::SecurityGroup" }),
        "PutPolicy" => {
            let mut update = audit("two");
            update["PolicyId"] = json!(policy);
            update["PolicyUpdateToken"] = json!("1:token");
            json!({ "Policy": update })
        }
        "DeleteAppsList" | "GetAppsList" => json!({ "ListId": list[0] }),
        "DeleteProtocolsList" | "GetProtocolsList" => json!({ "ListId": list[1] }),
        "PutAppsList" => {
            json!({ "AppsList": { "ListId": list[0], "ListUpdateToken": "1:token", "ListName": "web",
            "AppsList": [{ "AppName": "a", "Protocol": "tcp", "Port": 80 }] } })
        }
        "PutProtocolsList" => json!({ "ProtocolsList": {
            "ListId": list[1], "ListUpdateToken": "1:token", "ListName": "p", "ProtocolsList": ["tcp"] } }),
        "ListAppsLists" | "ListProtocolsLists" => json!({ "MaxResults": 10 }),
        "ListDiscoveredResources" => {
            // Accounts are what is owned here: managed, not managed, or not in the organization.
            let whom = match which {
                "own" => MEMBER,
                "absent" => STRANGER,
                _ => LONER,
            };
            json!({ "MemberAccountIds": [whom], "ResourceType": "AWS::NetworkFirewall::Firewall" })
        }
        "PutNotificationChannel" => {
            json!({ "SnsTopicArn": "arn:aws:sns:r:a:t", "SnsRoleName": "arn:aws:iam::a:r" })
        }
        "TagResource" => json!({ "ResourceArn": arn, "TagList": [{ "Key": "k", "Value": "v" }] }),
        "UntagResource" => json!({ "ResourceArn": arn, "TagKeys": ["k"] }),
        "ListTagsForResource" => json!({ "ResourceArn": arn }),
        _ => json!({}),
    }
}

/// An answer in the words of the table; texts that AWS gives word for word are told apart by them.
fn word(row: &Row, account: &str, answer: &Answer) -> String {
    if answer.status == 200 {
        return "ok".to_owned();
    }
    let (kind, text) = answer.fault();
    let name = row.operation.name();
    let texts = [
        (
            "only",
            format!("Operation {name} is only available to AWS Firewall Manager Administrators."),
        ),
        ("deleg", format!("Account: {account} is not currently delegated by AWS FM.")),
        (
            "mgmt",
            format!(
                "Operation {name} is only available to the management account of the Organization."
            ),
        ),
        ("member", format!("Account: {account} is not a member of the Organization.")),
        (
            "not-mgmt",
            format!(
                "{account} is not the management account of the Organization but trying to AssociateAdmin, Organization management account is {MANAGEMENT}"
            ),
        ),
    ];
    if let Some((word, _)) = texts.iter().find(|(_, known)| *known == text) {
        let kind_is =
            if *word == "not-mgmt" { "InvalidOperationException" } else { "AccessDeniedException" };
        assert_eq!(kind, kind_is, "{name}");
        return (*word).to_owned();
    }
    match kind.as_str() {
        "ResourceNotFoundException" => "rnf".to_owned(),
        "InvalidInputException" => "ii".to_owned(),
        "InvalidOperationException" => "io".to_owned(),
        other => format!("{other}: {text}"),
    }
}

/// The text of a refusal with what was named in the request taken out of it.
fn anonymous(answer: &Answer, objects: &Objects) -> (String, String) {
    let (kind, mut text) = answer.fault();
    for (name, known) in [
        (&objects.policy, "POLICY"),
        (&shield_id(objects), "POLICY"),
        (&objects.list[0], "LIST"),
        (&objects.list[1], "LIST"),
        (&objects.set, "SET"),
    ] {
        text = text.replace(name.as_str(), known);
    }
    for account in [MEMBER, LONER, STRANGER] {
        text = text.replace(&format!("account `{account}`"), "account `ACCOUNT`");
    }
    (kind, text.replace(&format!(":{}:", objects.owner), ":OWNER:"))
}

#[test]
fn every_operation_has_its_row() {
    let rows = rows();
    for row in OPERATIONS {
        assert!(rows.contains_key(row.operation.name()), "{} has no row", row.operation.name());
    }
    assert_eq!(rows.len(), OPERATIONS.len());
}

#[tokio::test]
async fn every_cell_answers_what_its_row_says() {
    let rows = rows();
    let mut wrong = Vec::new();
    let mut cells = 0;
    for row in OPERATIONS {
        let name = row.operation.name();
        let mut shared = None;
        for ((caller, key), expected) in CALLERS.into_iter().zip(&rows[name]) {
            let mut absent: Option<(String, String)> = None;
            let mut anothers: Option<(String, String)> = None;
            for (which, expected) in OBJECTS.into_iter().zip(expected) {
                // What only reads may share a world.
                let fresh;
                let world = match row.effect {
                    Effect::Reads => &*shared.get_or_insert_with(world),
                    Effect::Writes => {
                        fresh = world();
                        &fresh
                    }
                };
                let objects = object(caller, which);
                let place = if row.home_region_only { HOME } else { objects.region };
                let answer =
                    world.call(key, place, name, input(name, caller, which, &objects)).await;
                let account = if caller == "operator" { ADMIN } else { key };
                let found = word(row, account, &answer);
                cells += 1;
                if found != *expected {
                    wrong.push(format!(
                        "{name} {caller} {which}: {found}, not {expected}: {}",
                        answer.text
                    ));
                }
                if answer.status != 200 {
                    match which {
                        "anothers" => anothers = Some(anonymous(&answer, &objects)),
                        "absent" => absent = Some(anonymous(&answer, &objects)),
                        _ => {}
                    }
                }
            }
            if let (Some(anothers), Some(absent)) = (anothers, absent) {
                assert_eq!(anothers, absent, "{name} tells {caller} of another's object");
            }
        }
    }
    assert_eq!(cells, 42 * 6 * 4);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tags are on objects of four kinds, of which the table names one.
#[tokio::test]
async fn tags_of_anothers_object_of_any_kind_are_those_of_an_absent_one() {
    let arns = |objects: &Objects| {
        let Objects { policy, list: [apps, protocols], set, region, owner } = objects;
        [
            format!("policy/{policy}"),
            format!("applications-list/{apps}"),
            format!("protocols-list/{protocols}"),
            format!("resource-set/{set}"),
        ]
        .map(|resource| format!("arn:aws:fms:{region}:{owner}:{resource}"))
    };
    for kind in 0..4 {
        for operation in ["ListTagsForResource", "TagResource", "UntagResource"] {
            for (caller, key) in [("default", ADMIN), ("additional", SECOND)] {
                let world = world();
                let mut answers = Vec::new();
                for which in OBJECTS {
                    let objects = object(caller, which);
                    let mut asked = input(operation, caller, which, &objects);
                    asked["ResourceArn"] = json!(arns(&objects)[kind]);
                    let answer = world.call(key, objects.region, operation, asked).await;
                    answers.push((answer.status != 200).then(|| anonymous(&answer, &objects)));
                }
                let [own, anothers, outside, absent] = <[_; 4]>::try_from(answers).unwrap();
                assert_eq!(own, None, "{operation} {caller} {kind}");
                assert_eq!(anothers, absent, "{operation} tells {caller} of another's object");
                assert_eq!(anothers.unwrap().0, "ResourceNotFoundException");
                let refused = operation != "ListTagsForResource" || caller == "default";
                assert_eq!(outside.is_some(), refused, "{operation} {caller} {kind}");
            }
        }
    }
}

#[test]
fn the_page_of_operations_shows_their_table() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md"));
    let page = page.unwrap();
    let (_, rest) = page.split_once("<!-- matrix -->\n").unwrap();
    let (shown, _) = rest.split_once("<!-- /matrix -->").unwrap();
    assert_eq!(
        shown,
        palisade_api::operations::matrix(),
        "run `cargo xtask matrix` and put what it prints into docs/operations.md"
    );
}
