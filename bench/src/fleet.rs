//! Fleets of any size in the form AWS Config delivers them, with the answer to the two questions
//! known from the making: one snapshot for each account and Region, 500 items in each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::items::{Maker, Place};
use crate::prng::Prng;

/// The two Regions of every fleet.
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// Items of one snapshot.
pub const SHARD_ITEMS: u64 = 500;
/// The audit group in the administrator's account: no rule may overlap one of its.
pub const AUDIT_GROUP: &str = "sg-00000000000audit0";
/// The policy whose web ACL every load balancer is to have.
pub const WEB_ACL_POLICY: &str = "web-acl";

/// Violators of (account, Region) under the first question (a group opens remote administration)
/// and the second (a load balancer without the policy's web ACL).
pub type Truth = BTreeMap<(String, String), [u64; 2]>;

/// A fleet on disk.
pub struct Fleet {
    /// `organization.json`
    pub organization: PathBuf,
    /// The policies of the two questions.
    pub questions: Vec<PathBuf>,
    /// Two more, for what a store has to keep judged.
    pub further: Vec<PathBuf>,
    /// The folder of snapshots.
    pub snapshots: PathBuf,
    /// Every snapshot, ascending.
    pub files: Vec<PathBuf>,
    /// How many items.
    pub items: u64,
    /// Bytes of the snapshots, inflated.
    pub bytes: u64,
    /// What is to be found.
    pub truth: Truth,
}

/// The twelve digits of the n-th account, ascending and spread out.
pub fn account_id(n: u64) -> String {
    format!("{:012}", 100_000_000_007_u64.saturating_add(n.saturating_mul(611_953)))
}

/// Writes a fleet of about `items` items below `folder`, plain or compressed. The same numbers give
/// the same bytes.
///
/// # Errors
/// What the file system answers.
pub fn write(folder: &Path, items: u64, compressed: bool) -> std::io::Result<Fleet> {
    let accounts = items.div_ceil(SHARD_ITEMS * REGIONS.len() as u64).max(1);
    fs::create_dir_all(folder)?;
    let snapshots = folder.join("AWSLogs");
    let mut fleet = Fleet {
        organization: folder.join("organization.json"),
        questions: vec![folder.join("question-1.json"), folder.join("question-2.json")],
        further: vec![folder.join("further-1.json"), folder.join("further-2.json")],
        snapshots,
        files: Vec::new(),
        items: 0,
        bytes: 0,
        truth: Truth::new(),
    };
    put(&fleet.organization, &organization(accounts))?;
    for (path, policy) in fleet.questions.iter().chain(&fleet.further).zip(policies()) {
        put(path, &policy)?;
    }
    for n in 0..accounts {
        for region in REGIONS {
            fleet.snapshot(n, region, compressed)?;
        }
    }
    Ok(fleet)
}

impl Fleet {
    fn snapshot(&mut self, n: u64, region: &str, compressed: bool) -> std::io::Result<()> {
        let place = Place { account: account_id(n), region: region.to_owned() };
        let mut prng = Prng::labelled(&format!("{}/{region}", place.account));
        let id = prng.uuid();
        let mut text = String::with_capacity(1_200_000);
        let _ = write!(
            text,
            r#"{{"fileVersion":"1.0","configSnapshotId":"{id}","configurationItems":["#
        );
        let mut maker = Maker::new(&place, prng, &mut text);
        maker.shard(n == 0, SHARD_ITEMS);
        let found = maker.found;
        text.push_str("]}");
        let (account, suffix) = (&place.account, if compressed { ".gz" } else { "" });
        let folder =
            self.snapshots.join(format!("{account}/Config/{region}/2026/2/3/ConfigSnapshot"));
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!(
            "{account}_Config_{region}_ConfigSnapshot_20260203T040506Z_{id}.json{suffix}"
        ));
        if compressed {
            let file = fs::File::create(&path)?;
            let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
            gzip.write_all(text.as_bytes())?;
            gzip.finish()?;
        } else {
            fs::write(&path, &text)?;
        }
        self.items += SHARD_ITEMS;
        self.bytes += text.len() as u64;
        self.truth.insert((place.account, place.region), found);
        self.files.push(path);
        Ok(())
    }
}

fn put(path: &Path, value: &Value) -> std::io::Result<()> {
    fs::write(path, value.to_string())
}

/// An organization of that many accounts in ten organizational units.
pub fn organization(accounts: u64) -> Value {
    let units: Vec<Value> = (0..10)
        .map(|n| json!({"Id": format!("ou-flee-{n:08}"), "Name": format!("unit-{n}"), "ParentId": "r-flee"}))
        .collect();
    let accounts: Vec<Value> = (0..accounts)
        .map(|n| {
            json!({
                "Id": account_id(n),
                "Name": format!("member-{n}"),
                "Status": "ACTIVE",
                "ParentId": format!("ou-flee-{:08}", n % 10),
            })
        })
        .collect();
    json!({
        "Organization": {"Id": "o-fleet00001", "ManagementAccountId": account_id(0)},
        "Roots": [{"Id": "r-flee"}],
        "OrganizationalUnits": units,
        "Accounts": accounts,
        "DefaultAdministrator": account_id(0),
    })
}

/// The two questions, then the further ones.
fn policies() -> [Value; 4] {
    let group = "AWS::EC2::SecurityGroup";
    [
        policy(
            "no-remote-administration",
            group,
            "SECURITY_GROUPS_CONTENT_AUDIT",
            &json!({
                "type": "SECURITY_GROUPS_CONTENT_AUDIT",
                "securityGroups": [{"id": AUDIT_GROUP}],
                "securityGroupAction": {"type": "DENY"},
            }),
        ),
        policy(
            WEB_ACL_POLICY,
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "WAFV2",
            &json!({
                "type": "WAFV2",
                "preProcessRuleGroups": [],
                "postProcessRuleGroups": [],
                "defaultAction": {"type": "ALLOW"},
                "overrideCustomerWebACLAssociation": false,
            }),
        ),
        policy(
            "no-protocol-all",
            group,
            "SECURITY_GROUPS_CONTENT_AUDIT",
            &json!({
                "type": "SECURITY_GROUPS_CONTENT_AUDIT",
                "preManagedOptions": [
                    {"auditSgDirection": {"type": "INGRESS"}},
                    {"denyProtocolAllValue": true},
                ],
            }),
        ),
        policy(
            "one-port-a-rule",
            group,
            "SECURITY_GROUPS_CONTENT_AUDIT",
            &json!({
                "type": "SECURITY_GROUPS_CONTENT_AUDIT",
                "preManagedOptions": [
                    {"auditSgDirection": {"type": "INGRESS"}},
                    {"allowedPortCountPerSgRule": 1},
                ],
            }),
        ),
    ]
}

fn policy(name: &str, resource_type: &str, kind: &str, data: &Value) -> Value {
    json!({"Policy": {
        "PolicyName": name,
        "ResourceType": resource_type,
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
        "SecurityServicePolicyData": {"Type": kind, "ManagedServiceData": data.to_string()},
    }})
}
