//! The sample organization: who there is, in which organizational unit, and what each is there to show.

use serde_json::{Value, json};

/// Name of the sample company.
pub const COMPANY: &str = "Larkfield";
/// The two Regions it works in; inventory of every account is recorded in both.
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// An organizational unit: its id, name, and the id of what is above it.
type Unit = (&'static str, &'static str, &'static str);

const ROOT: &str = "r-lark";
const SECURITY: &str = "ou-lark-security0";
/// The unit whose VPCs the sample policy of DNS Firewall is about.
pub const INFRASTRUCTURE: &str = "ou-lark-infrastructure";
const WORKLOADS: &str = "ou-lark-workloads";
const PRODUCTION: &str = "ou-lark-production";
const RETAIL: &str = "ou-lark-retailprod";
/// The unit that the OU-scoped sample policy names: four levels below the root.
pub const PAYMENTS: &str = "ou-lark-paymentsprod";
const LOGISTICS: &str = "ou-lark-logisticsprod";
/// The unit whose VPCs the sample policy of Network Firewall is about.
pub const DATA: &str = "ou-lark-dataprod";
const STAGING: &str = "ou-lark-staging0";
const DEVELOPMENT: &str = "ou-lark-development";
/// The unit whose API stages the sample policy of WAF Classic is about.
pub const ACQUISITIONS: &str = "ou-lark-acquisitions";
/// The unit that the sample policies exclude.
pub const SANDBOXES: &str = "ou-lark-sandboxes";
const CLOSED: &str = "ou-lark-suspended";

const UNITS: [Unit; 13] = [
    (SECURITY, "Security", ROOT),
    (INFRASTRUCTURE, "Infrastructure", ROOT),
    (WORKLOADS, "Workloads", ROOT),
    (PRODUCTION, "Production", WORKLOADS),
    (RETAIL, "Retail", PRODUCTION),
    (PAYMENTS, "Payments", RETAIL),
    (LOGISTICS, "Logistics", PRODUCTION),
    (DATA, "Data", PRODUCTION),
    (STAGING, "Staging", WORKLOADS),
    (DEVELOPMENT, "Development", WORKLOADS),
    (ACQUISITIONS, "Acquisitions", WORKLOADS),
    (SANDBOXES, "Sandboxes", ROOT),
    (CLOSED, "Suspended", ROOT),
];

/// How much an account holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Size {
    /// A handful of things.
    Small,
    /// A few workloads.
    Medium,
    /// Many workloads in two VPCs.
    Large,
}

/// What an account is there to show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// Nothing breaks any sample policy.
    Spotless,
    /// This many of a hundred workloads have something wrong with them.
    Untidy(u64),
    /// The Firewall Manager administrator: spotless, and holds the audit group.
    Administrator,
    /// Exactly this many groups open remote administration in us-east-1, and in eu-west-1.
    OpenDoors(u64, u64),
    /// Nothing was ever delivered: AWS Config is not set up.
    Unheard,
    /// The recorder leaves network interfaces out.
    HalfRecorded,
}

/// One account of the sample.
#[derive(Clone, Copy, Debug)]
pub struct Member<'n> {
    /// `Name`
    pub name: &'n str,
    /// The unit it is in.
    pub unit: &'static str,
    /// How much it holds.
    pub size: Size,
    /// What it shows.
    pub part: Part,
}

impl Member<'_> {
    /// Whether no sample policy is about this account.
    pub fn is_out(&self) -> bool {
        self.unit == SANDBOXES || self.unit == CLOSED
    }
}

const fn member(name: &'static str, unit: &'static str, size: Size, part: Part) -> Member<'static> {
    Member { name, unit, size, part }
}

use Part::{Administrator, HalfRecorded, OpenDoors, Spotless, Unheard, Untidy};
use Size::{Large, Medium, Small};

/// Every account, in the order of its ids.
pub const MEMBERS: [Member<'static>; 48] = [
    member("larkfield-management", ROOT, Small, Spotless),
    member("security-tooling", SECURITY, Small, Administrator),
    member("log-archive", SECURITY, Small, Spotless),
    member("identity", SECURITY, Small, Spotless),
    member("network-hub", INFRASTRUCTURE, Medium, Spotless),
    member("shared-services", INFRASTRUCTURE, Medium, Untidy(20)),
    member("build-and-release", INFRASTRUCTURE, Medium, Untidy(20)),
    member("dns-and-certificates", INFRASTRUCTURE, Small, Spotless),
    member("storefront-prod", RETAIL, Large, Spotless),
    member("catalog-prod", RETAIL, Large, Untidy(10)),
    member("search-prod", RETAIL, Large, Untidy(10)),
    member("pricing-prod", RETAIL, Medium, Spotless),
    member("loyalty-prod", RETAIL, Medium, Untidy(10)),
    member("stores-pos-prod", RETAIL, Large, Untidy(10)),
    member("kiosk-prod", RETAIL, Small, Unheard),
    member("checkout-prod", PAYMENTS, Large, Untidy(30)),
    member("payments-prod", PAYMENTS, Medium, Spotless),
    member("card-vault-prod", PAYMENTS, Small, Spotless),
    member("fraud-scoring-prod", PAYMENTS, Medium, Untidy(30)),
    member("warehouse-prod", LOGISTICS, Large, Untidy(10)),
    member("fleet-prod", LOGISTICS, Large, Spotless),
    member("routing-prod", LOGISTICS, Medium, Untidy(10)),
    member("returns-prod", LOGISTICS, Medium, Spotless),
    member("supplier-portal-prod", LOGISTICS, Medium, Untidy(20)),
    member("data-lake-prod", DATA, Large, Spotless),
    member("analytics-prod", DATA, Large, Untidy(20)),
    member("ml-platform-prod", DATA, Medium, HalfRecorded),
    member("reporting-prod", DATA, Medium, Spotless),
    member("storefront-staging", STAGING, Large, Untidy(30)),
    member("checkout-staging", STAGING, Medium, Untidy(30)),
    member("payments-staging", STAGING, Medium, Spotless),
    member("warehouse-staging", STAGING, Medium, Untidy(30)),
    member("data-lake-staging", STAGING, Medium, Untidy(30)),
    member("storefront-dev", DEVELOPMENT, Large, Untidy(40)),
    member("checkout-dev", DEVELOPMENT, Medium, Untidy(40)),
    member("payments-dev", DEVELOPMENT, Medium, Untidy(40)),
    member("warehouse-dev", DEVELOPMENT, Medium, Untidy(40)),
    member("analytics-dev", DEVELOPMENT, Medium, Untidy(40)),
    member("mobile-dev", DEVELOPMENT, Medium, Untidy(40)),
    member("performance-lab", DEVELOPMENT, Large, Untidy(50)),
    member("legacy-erp", ACQUISITIONS, Medium, OpenDoors(137, 12)),
    member("northbay-outdoor", ACQUISITIONS, Small, OpenDoors(100, 7)),
    member("harborline-wms", ACQUISITIONS, Small, OpenDoors(101, 0)),
    member("tannery-direct", ACQUISITIONS, Medium, OpenDoors(3, 1)),
    member("sandbox-platform", SANDBOXES, Small, Untidy(80)),
    member("sandbox-data", SANDBOXES, Small, Untidy(80)),
    member("hackday-2025", SANDBOXES, Small, Untidy(100)),
    member("old-marketing-site", CLOSED, Small, Untidy(100)),
];

/// The twelve digits of the account with this name; ascending in the order of [`MEMBERS`].
pub fn account_id(name: &str) -> Option<String> {
    MEMBERS.iter().position(|member| member.name == name).map(nth_account_id)
}

/// The twelve digits of the n-th member. Spread out, so that they do not look like a counter.
pub fn nth_account_id(n: usize) -> String {
    const FIRST: u64 = 104_285_713_006;
    const STEP: u64 = 17_330_571_923;
    // Behind the last of those, and so close that the most accounts have twelve digits too.
    const MORE: u64 = 950_000_000_000;
    const MORE_STEP: u64 = 49_993;
    let id = match n.checked_sub(MEMBERS.len()) {
        None => FIRST.saturating_add(STEP.saturating_mul(n as u64)),
        Some(more) => MORE.saturating_add(MORE_STEP.saturating_mul(more as u64)),
    };
    format!("{id:012}")
}

/// Most accounts of a sample.
pub const ACCOUNTS_MAX: usize = 100_000;
/// Members that a smaller sample has too, and a larger one has once: management, administrator and whom its
/// policies name.
const FIRST_OF_ALL: usize = 4;

/// Names of so many accounts: those of the company, then the same again with a number.
pub fn names(accounts: usize) -> Vec<String> {
    let more = MEMBERS.len().saturating_sub(FIRST_OF_ALL);
    let name = |n: usize| match n.checked_sub(MEMBERS.len()) {
        None => MEMBERS.get(n).map(|member| member.name.to_owned()),
        Some(past) => MEMBERS
            .get(FIRST_OF_ALL.saturating_add(past % more))
            .map(|member| format!("{}-{}", member.name, (past / more).saturating_add(2))),
    };
    (0..accounts).filter_map(name).collect()
}

/// The members of these names, in order: each past the company's own is like the one it repeats.
pub fn members(names: &[String]) -> Vec<Member<'_>> {
    let more = MEMBERS.len().saturating_sub(FIRST_OF_ALL);
    let like = |n: usize| match n.checked_sub(MEMBERS.len()) {
        None => MEMBERS.get(n),
        Some(past) => MEMBERS.get(FIRST_OF_ALL.saturating_add(past % more)),
    };
    let member = |(n, name)| like(n).map(|like| Member { name, ..*like });
    names.iter().map(String::as_str).enumerate().filter_map(member).collect()
}

/// `organization.json`, as AWS Organizations' describe and list calls answer it.
pub fn organization(members: &[Member<'_>]) -> Value {
    let units = UNITS.map(|(id, name, parent)| json!({"Id": id, "Name": name, "ParentId": parent}));
    let accounts: Vec<Value> = members.iter().enumerate().map(account).collect();
    json!({
        "Organization": {
            "Id": "o-larkfield01",
            "ManagementAccountId": nth_account_id(0),
            "FeatureSet": "ALL",
        },
        "Roots": [{"Id": ROOT, "Name": "Root"}],
        "OrganizationalUnits": units,
        "Accounts": accounts,
        "DefaultAdministrator": account_id("security-tooling"),
    })
}

fn account((n, member): (usize, &Member<'_>)) -> Value {
    json!({
        "Id": nth_account_id(n),
        "Name": member.name,
        "Email": format!("aws+{}@larkfield.example", member.name),
        "Status": if member.unit == CLOSED { "SUSPENDED" } else { "ACTIVE" },
        "ParentId": member.unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_twelve_digits_and_ascend() {
        let ids: Vec<String> = (0..ACCOUNTS_MAX).map(nth_account_id).collect();
        assert!(ids.iter().all(|id| id.len() == 12), "{ids:?}");
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_larger_company_has_the_same_again_under_other_names() {
        let names = names(300);
        let members = members(&names);
        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!((members.len(), different.len()), (300, 300));
        assert_eq!((members[48].name, members[48].unit), ("network-hub-2", MEMBERS[4].unit));
        let administrators = members.iter().filter(|member| member.part == Part::Administrator);
        assert_eq!(administrators.count(), 1);
        assert_eq!(members[299].part, MEMBERS[4 + (299 - 48) % 44].part);
    }

    #[test]
    fn names_of_accounts_and_ids_of_units_are_unique() {
        for (n, member) in MEMBERS.iter().enumerate() {
            assert_eq!(account_id(member.name), Some(nth_account_id(n)), "{}", member.name);
            let known = member.unit == ROOT || UNITS.iter().any(|unit| unit.0 == member.unit);
            assert!(known, "{} is in a unit that exists", member.name);
        }
    }
}
