//! What is wrong: one pure judgement of a policy over a shard. One file a policy type, with the
//! names of [`crate::policy`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, ListId, PolicyId, Region, ResourceId, ResourceType};
use crate::inventory::{Item, Shard};
use crate::policy::{Policy, PolicyType, Rule};

mod account;
mod addresses;
mod audit_lists;
mod content_audit;
mod coverage;
mod evaluator;
mod finding;
mod footprint;
#[cfg(test)]
mod hidden;
mod interfaces;
mod managed_options;
mod narrowing;
mod network;
mod opening;
mod prefix_lists;
mod remedy;
mod rule_groups;
mod security_groups;
mod selection;
mod shield_advanced;
mod usage_audit;
mod wafv2;
mod web_acl_name;
mod web_acls;
#[cfg(test)]
mod world;
mod yardstick;

pub use crate::policy::DependentService;
pub use account::{AccountFacts, ServedRegion};
pub use content_audit::VIOLATIONS_MAX;
pub(crate) use coverage::STALE;
pub use coverage::current_until_ms;
use evaluator::Evaluator;
pub use finding::{ATTACHED_RULES_MAX, AttachedGroup, BrokenRule};
pub use footprint::{Changed, Difference, Footprint, Support, footprint, judge_changed, support};
pub use network::{
    InterfacesKnown, NETWORK_TYPES, NetworkAsked, NetworkFacts, NetworkShown, NetworkUser,
    Presence, Sharers, reads_networks,
};
pub use remedy::{Mismatch, NarrowPeer, NarrowRule, NearMiss, RuleAction, RuleRemedy};
use selection::{outdated, outdated_gap, selected, unseen, unseen_gap};

/// Which rules these are. To be raised with every change of what an evaluator finds of the same
/// facts: a ledger that was judged by others is judged again when it is next served.
pub const RULES: u32 = 2;

/// The evaluator of a policy's type: the one place that knows them all.
fn evaluator(rule: &Rule) -> &dyn Evaluator {
    match rule {
        Rule::ContentAudit(audit) => audit,
        Rule::ShieldAdvanced(shield) => shield,
        Rule::UsageAudit(audit) => audit,
        Rule::Wafv2(wafv2) => wafv2,
        Rule::NotJudged(_) => &NotJudged,
    }
}

/// Facts outside the shard that judging a policy needs. What of them is found goes into
/// [`Evidence::references`].
pub fn references(policy: &Policy) -> BTreeSet<Reference> {
    evaluator(&policy.rule).references(policy)
}

/// What of other accounts' shards a policy's judgement of this shard reads: whoever changes that has it
/// judged again ([`Reference`]).
pub fn shard_references(policy: &Policy, shard: &Shard) -> BTreeSet<Reference> {
    evaluator(&policy.rule).shard_references(policy, shard)
}

/// Types whose items judging a policy reads, in the shard judged and in the account's others: of all
/// other types no item can change a judgement.
pub fn reads(policy: &Policy) -> BTreeSet<ResourceType> {
    let mut reads = evaluator(&policy.rule).reads(policy);
    reads.extend(policy.resource_types().iter().cloned());
    reads.insert(ResourceType::CONFIGURATION_RECORDER);
    reads
}

/// Judges one policy over one shard. The caller has checked that the shard's account is in the
/// policy's scope and that the shard is of the policy's Region.
pub fn judge(policy: &Policy, evidence: &Evidence<'_>) -> Judgement {
    if let Rule::NotJudged(policy_type) = &policy.rule {
        return not_judged(policy, *policy_type, evidence);
    }
    let evaluator = evaluator(&policy.rule);
    let mut judgement = Judgement::default();
    evaluator.judge(policy, evidence, &mut judgement);
    judgement.gaps.extend(selection::undecided(policy, evidence.shard));
    let needed = evaluator.needed(policy);
    coverage::note(&mut judgement, &needed, &evaluator.must_not_be_missed(policy), evidence);
    judgement.violators.sort_by(|a, b| (&a.resource_type, &a.id).cmp(&(&b.resource_type, &b.id)));
    judgement
}

/// Of a type that is not judged, nothing is read but who is in scope.
struct NotJudged;

impl Evaluator for NotJudged {
    fn needed(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        BTreeSet::new()
    }

    fn judge(&self, _policy: &Policy, _evidence: &Evidence<'_>, _judgement: &mut Judgement) {}

    fn footprint(&self, _policy: &Policy, _changed: &Changed) -> Footprint {
        Footprint::Resource
    }

    fn shows_same(&self, _before: &Item, _after: &Item) -> bool {
        true
    }
}

/// A type of policy that is kept but has no evaluator: an issue, never a result.
fn not_judged(policy: &Policy, policy_type: PolicyType, evidence: &Evidence<'_>) -> Judgement {
    let types: BTreeSet<_> = policy.resource_types().iter().collect();
    let in_scope = types.into_iter().map(|kind| selected(policy, evidence.shard, kind).len());
    let text = format!("Palisade does not judge policies of type {} yet.", policy_type.as_str());
    Judgement {
        in_scope: in_scope.map(|count| count as u64).sum(),
        gaps: [Gap::new(policy_type.facts().dependent_service, &text)].into(),
        ..Judgement::default()
    }
}

/// A fact outside the shard that a policy, one of its rules or an item of the shard names.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Reference {
    /// An inventory item, such as an audit group in the administrator's account.
    Item {
        /// Whose.
        account: AccountId,
        /// Where.
        region: Region,
        /// Of what type.
        resource_type: ResourceType,
        /// Which.
        id: ResourceId,
    },
    /// A custom applications list of an administrator.
    AppsList {
        /// The administrator.
        owner: AccountId,
        /// Its Region.
        region: Region,
        /// Which.
        id: ListId,
    },
    /// A custom protocols list of an administrator.
    ProtocolsList {
        /// The administrator.
        owner: AccountId,
        /// Its Region.
        region: Region,
        /// Which.
        id: ListId,
    },
    /// The policies by whose ids groups of Firewall Manager's own are told (semantics §11 row 57):
    /// those of type `SECURITY_GROUPS_COMMON` that are or were known, and those that a setting names.
    CommonPolicies,
    /// A security group, whoever's inventory holds it ([`shard_references`]).
    Group {
        /// Where.
        region: Region,
        /// Which.
        id: ResourceId,
    },
    /// Who is shown in a VPC, and whether their interfaces are known ([`shard_references`]).
    Vpc {
        /// Where.
        region: Region,
        /// Which.
        id: Box<str>,
    },
}

/// What a reference was found to be. Absent from the map: not seen.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a policy names a handful of facts")]
pub enum Fact {
    /// A live item.
    Item(Item),
    /// `AppsList`
    Apps(Vec<App>),
    /// `ProtocolsList`: names or numbers as text.
    Protocols(Vec<Box<str>>),
    /// `CommonPolicies`
    Policies(BTreeSet<PolicyId>),
}

/// One application of a list (model `App`).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct App {
    /// `AppName`
    #[serde(rename = "AppName")]
    pub name: Box<str>,
    /// `Protocol`: a name or an IANA number as text.
    #[serde(rename = "Protocol")]
    pub protocol: Box<str>,
    /// `Port`, 0–65535.
    #[serde(rename = "Port")]
    pub port: u16,
}

/// Facts by reference, as found when the shard was loaded.
pub type References = BTreeMap<Reference, Fact>;

/// All that a judgement may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The resources judged.
    pub shard: &'a Shard,
    /// The facts that [`references`] asked for.
    pub references: &'a References,
    /// What other shards of the account say of this one's resources.
    pub account: &'a AccountFacts,
    /// The moment of judging, milliseconds since the epoch.
    pub evaluated_ms: i64,
    /// Age of what the newest delivery says at which inventory counts as stale (semantics §11
    /// row 40), in
    /// milliseconds; `None` turns the rule off.
    pub stale_after_ms: Option<i64>,
}

/// What was found about one resource in scope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is as the policy wants it.
    Comply,
    /// It is not; the first is the one to report.
    Violate(Violation, Vec<Violation>),
    /// A needed fact was not seen: claim nothing, show why.
    Undecided(Gap),
}

/// One way in which a resource breaks a policy.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// `ViolationReason`
    pub reason: ViolationReason,
    /// What was found and what it was held against.
    pub finding: Finding,
}

/// `ViolationReason` of the model, as far as policies judged so far need it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum ViolationReason {
    WebAclMissingRuleGroup,
    ResourceMissingWebAcl,
    ResourceIncorrectWebAcl,
    ResourceMissingShieldProtection,
    ResourceMissingWebAclOrShieldProtection,
    ResourceMissingSecurityGroup,
    ResourceViolatesAuditSecurityGroup,
    SecurityGroupUnused,
    SecurityGroupRedundant,
    WebAclConfigurationOrScopeOfUse,
}

/// Something that stood in the way of knowing.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Gap {
    /// Which service could not tell: the key in `IssueInfoMap`.
    pub service: DependentService,
    /// What and where, within the characters of model `DetailedInfo` (semantics §3.4).
    pub text: Box<str>,
}

/// Evidence of one violation, as data: rendered for people by [`Finding::summary`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum Finding {
    /// A rule of a security group.
    SecurityGroupRule {
        /// The group.
        group: Box<str>,
        /// `ingress` or `egress`.
        direction: Direction,
        /// The offending rule: protocol, ports and one peer, as text.
        rule: Box<str>,
        /// What it was held against: the option, list or audit rule.
        against: Box<str>,
        /// Audit rules that it meets in part, the nearest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        near_misses: Vec<NearMiss>,
        /// What would end the violation, the default one first; none where no remedy is safe.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remedies: Vec<RuleRemedy>,
        /// The group only bears a name like Firewall Manager's own (semantics §11 row 57).
        #[serde(default, skip_serializing_if = "is_false")]
        lookalike: bool,
    },
    /// A network interface or instance carries violating groups.
    AttachedGroups {
        /// Interface by interface: its id and the violating groups on it. For an interface itself
        /// there is one.
        interfaces: Vec<(Box<str>, Vec<Box<str>>)>,
        /// Each of those groups with what of it breaks the policy, ascending by id (semantics §11 row
        /// 51).
        #[serde(default)]
        groups: Vec<AttachedGroup>,
    },
    /// A resource has no web ACL, another one, or one without the policy's rule groups.
    WebAcl {
        /// What is associated: its ARN or id.
        found: Option<Box<str>>,
        /// What was wanted.
        wanted: Box<str>,
        /// Of the policy's own web ACL, what of its rule groups is not as wanted, in words; at most
        /// [`RULE_GROUP_DIFFERENCES_MAX`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<Box<str>>,
    },
    /// A web ACL that is in use by resources in scope cannot be taken over, for it is also on others.
    WebAclOutOfScopeUse {
        /// The web ACL: its ARN.
        web_acl: Box<str>,
        /// ARNs or ids of those others, ascending; at most
        /// [`OUT_OF_SCOPE_RESOURCES_MAX`].
        resources: Vec<Box<str>>,
        /// How many more there are.
        more: u64,
    },
    /// A resource lacks a Shield Advanced protection or a web ACL, or the protection's automatic
    /// response is another.
    Shield {
        /// The protection that names the resource: its id.
        protection: Option<Box<str>>,
        /// The web ACL on the resource: its ARN or id.
        web_acl: Option<Box<str>>,
        /// What is amiss.
        amiss: Box<str>,
    },
    /// Nothing uses a security group.
    UnusedGroup {
        /// The group.
        group: Box<str>,
        /// Since when it is as it is, milliseconds since the epoch: its capture time.
        since_ms: i64,
        /// It only bears a name like Firewall Manager's own.
        #[serde(default, skip_serializing_if = "is_false")]
        lookalike: bool,
    },
    /// A security group has the same rules as another of its VPC.
    RedundantGroup {
        /// The group.
        group: Box<str>,
        /// The one that is to stay.
        keeper: Box<str>,
        /// It only bears a name like Firewall Manager's own.
        #[serde(default, skip_serializing_if = "is_false")]
        lookalike: bool,
    },
}

/// Differences of rule groups that are told of one web ACL; of more, the last says how many.
pub const RULE_GROUP_DIFFERENCES_MAX: usize = 20;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Resources out of scope that are told of one web ACL.
pub const OUT_OF_SCOPE_RESOURCES_MAX: usize = 100;

/// Which way a rule of a security group points.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the group's interfaces.
    Ingress,
    /// Out of them.
    Egress,
}

/// A judged resource that breaks the policy.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Violator {
    /// `ResourceType`
    pub resource_type: ResourceType,
    /// `ResourceId`
    pub id: ResourceId,
    /// Never empty; the first is the one that `GetComplianceDetail` reports.
    pub violations: Vec<Violation>,
}

/// What judging one policy over one shard found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Judgement {
    /// Ascending by type, then id. Uncapped.
    pub violators: Vec<Violator>,
    /// What stood in the way.
    pub gaps: BTreeSet<Gap>,
    /// Resources in scope, judged or not.
    pub in_scope: u64,
    /// When time alone will change this judgement (staleness, delays), milliseconds since the epoch.
    pub not_before_ms: Option<i64>,
}

impl Judgement {
    /// Counts a resource in scope and keeps what was found about it, with a gap beside it if that
    /// was found by a configuration that may have changed since.
    fn record(&mut self, item: &Item, verdict: Verdict) {
        self.gaps.extend(outdated(item));
        self.record_told(item, verdict);
    }

    /// As [`Judgement::record`], of a resource that was judged by what others tell of it as well.
    fn record_told(&mut self, item: &Item, verdict: Verdict) {
        self.in_scope = self.in_scope.saturating_add(1);
        match verdict {
            Verdict::Comply => {}
            Verdict::Violate(first, mut rest) => {
                rest.insert(0, first);
                self.violators.push(Violator {
                    resource_type: item.key.resource_type.clone(),
                    id: item.key.id.clone(),
                    violations: rest,
                });
            }
            Verdict::Undecided(gap) => {
                self.gaps.insert(gap);
            }
        }
    }

    /// This judgement does not hold beyond a moment.
    fn wake_at(&mut self, at_ms: i64) {
        self.not_before_ms = Some(self.not_before_ms.map_or(at_ms, |sooner| sooner.min(at_ms)));
    }

    /// NON_COMPLIANT with any violator; without one COMPLIANT only if nothing stood in the way;
    /// otherwise no result (semantics §10 rows 1, 27).
    pub fn status(&self) -> Option<Status> {
        if !self.violators.is_empty() {
            Some(Status::NonCompliant)
        } else if self.gaps.is_empty() {
            Some(Status::Compliant)
        } else {
            None
        }
    }
}

/// `PolicyComplianceStatusType` of the model.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Nothing breaks the policy, and nothing stood in the way of knowing.
    Compliant,
    /// Something does.
    NonCompliant,
}

#[cfg(test)]
mod tests {
    use crate::policy::Rule;

    use super::world::{body, gaps, judged, policy, world};
    use super::*;

    #[test]
    fn a_type_that_is_not_judged_is_an_issue_and_never_a_result() {
        for (policy_type, want) in [
            (PolicyType::Waf, "AWSWAF Palisade does not judge policies of type WAF yet."),
            (
                PolicyType::DnsFirewall,
                "AWSVPC Palisade does not judge policies of type DNS_FIREWALL yet.",
            ),
            (
                PolicyType::NetworkAclCommon,
                "AWSVPC Palisade does not judge policies of type NETWORK_ACL_COMMON yet.",
            ),
        ] {
            let policy = policy("AWS::EC2::Subnet", Rule::NotJudged(policy_type));
            let shard =
                world([body(ResourceType::SUBNET, "subnet-1", crate::inventory::Body::Unwanted)]);
            let judgement = judged(&policy, &shard, &References::new());
            assert_eq!(gaps(&judgement), [want]);
            assert_eq!((judgement.status(), judgement.in_scope), (None, 1));
            assert!(references(&policy).is_empty());
        }
    }

    #[test]
    fn the_sooner_moment_wakes() {
        let mut judgement = Judgement::default();
        judgement.wake_at(5);
        judgement.wake_at(7);
        assert_eq!(judgement.not_before_ms, Some(5));
        judgement.wake_at(3);
        assert_eq!(judgement.not_before_ms, Some(3));
    }
}
