//! A waiver: violators of a policy that somebody accepts for a time. It changes no judgement; readers of
//! Palisade's own show what it covers apart, and AWS's operations do not know of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, OuId, PolicyId, Region, ResourceId, ResourceType, WaiverId};
use crate::organization::Organization;

/// How long a waiver may last, milliseconds: 365 days.
pub const WAIVER_LASTS_MS_MAX: i64 = 365 * 24 * 60 * 60 * 1_000;

/// What is accepted, of whom, why and how long.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Waiver {
    /// Its id.
    pub id: WaiverId,
    /// The policy whose violators it covers.
    pub policy: PolicyId,
    /// Accounts; with no units either, every account.
    pub accounts: BTreeSet<AccountId>,
    /// Organizational units, with all below them.
    pub units: BTreeSet<OuId>,
    /// Resources of this type; `None` is any.
    pub resource_type: Option<ResourceType>,
    /// Resources whose id fits: `*` stands for any characters, also for none.
    pub resource: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// Who answers for it.
    pub owner: Box<str>,
    /// Where it was agreed.
    pub ticket: Option<Box<str>>,
    /// The first moment, milliseconds since the epoch.
    pub from_ms: i64,
    /// Until then, itself excluded; at most [`WAIVER_LASTS_MS_MAX`] after `from_ms`.
    pub until_ms: i64,
    /// When somebody ended it before.
    pub ended_ms: Option<i64>,
    /// When it was made, milliseconds since the epoch.
    pub created_ms: i64,
}

/// Whether a waiver covers anything at a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WaiverState {
    /// Its time has not come.
    Planned,
    /// It does, if something fits it.
    InForce,
    /// Its time is over, or somebody ended it.
    Ended,
}

impl Waiver {
    /// How it stands at a moment.
    pub fn state(&self, at_ms: i64) -> WaiverState {
        if self.ended_ms.is_some_and(|ended_ms| ended_ms <= at_ms) || self.until_ms <= at_ms {
            WaiverState::Ended
        } else if at_ms < self.from_ms {
            WaiverState::Planned
        } else {
            WaiverState::InForce
        }
    }

    /// Whether it is about an account of the organization.
    pub fn has_account(&self, organization: &Organization, account: &AccountId) -> bool {
        let Some(held) = organization.accounts.get(account) else { return false };
        let everyone = self.accounts.is_empty() && self.units.is_empty();
        everyone
            || self.accounts.contains(account)
            || organization.units_above(&held.parent).any(|unit| self.units.contains(unit))
    }

    /// Whether a resource fits it.
    pub fn has_resource(&self, resource_type: &ResourceType, id: &ResourceId) -> bool {
        self.resource_type.as_ref().is_none_or(|wanted| wanted == resource_type)
            && fits(&self.resource, id.as_str())
    }

    /// What it fits all of in its accounts, in words: every resource, or every one of a type, as `sg-*` does.
    /// `None`: it says more of a resource than what all of its type have in common.
    pub fn fits_every(&self, region: &Region) -> Option<String> {
        if self.resource.bytes().all(|byte| byte == b'*') {
            let kind = self.resource_type.as_ref().map_or("resource", ResourceType::as_str);
            return Some(format!("every {kind}"));
        }
        let is_asked =
            |kind: &ResourceType| self.resource_type.as_ref().is_none_or(|it| it == kind);
        let all = FORMS.iter().filter(|(kind, _)| is_asked(kind));
        let mut fit = all.filter(|(_, form)| self.fits_form(form, region));
        fit.next().map(|(kind, _)| format!("every {kind}"))
    }

    /// Whether two ids that have nothing but their form in common both fit.
    fn fits_form(&self, form: &str, region: &Region) -> bool {
        let only =
            self.accounts.first().filter(|_| self.accounts.len() == 1 && self.units.is_empty());
        PARTITIONS.iter().any(|partition| {
            [("111111111111", "1"), ("222222222222", "f")].iter().all(|(account, rest)| {
                let id = form
                    .replace("{partition}", partition)
                    .replace("{region}", region.as_str())
                    .replace("{account}", only.map_or(account, AccountId::as_str))
                    .replace('~', &rest.repeat(SAMPLE_LEN));
                fits(&self.resource, &id)
            })
        })
    }
}

const PARTITIONS: [&str; 4] = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"];
/// Characters of what tells the resources of a type apart, in a sample of its ids.
const SAMPLE_LEN: usize = 16;

/// What the ids of a type have in common; `~` is what they have not. EC2's of today begin with a zero.
const FORMS: [(ResourceType, &str); 19] = [
    (ResourceType::SECURITY_GROUP, "sg-0~"),
    (ResourceType::NETWORK_INTERFACE, "eni-0~"),
    (ResourceType::INSTANCE, "i-0~"),
    (ResourceType::VPC, "vpc-0~"),
    (ResourceType::SUBNET, "subnet-0~"),
    (ResourceType::NETWORK_ACL, "acl-0~"),
    (ResourceType::ROUTE_TABLE, "rtb-0~"),
    (ResourceType::INTERNET_GATEWAY, "igw-0~"),
    (ResourceType::EIP, "eipalloc-0~"),
    (ResourceType::PREFIX_LIST, "pl-0~"),
    (ResourceType::VPC_ENDPOINT, "vpce-0~"),
    (ResourceType::VPC_PEERING_CONNECTION, "pcx-0~"),
    (ResourceType::DNS_FIREWALL_ASSOCIATION, "rslvr-frgassoc-~"),
    (ResourceType::CLOUDFRONT_DISTRIBUTION, "E~"),
    (
        ResourceType::LOAD_BALANCER,
        "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/~/~",
    ),
    (ResourceType::API_GATEWAY_STAGE, "arn:{partition}:apigateway:{region}::/restapis/~/stages/~"),
    (
        ResourceType::NETWORK_FIREWALL,
        "arn:{partition}:network-firewall:{region}:{account}:firewall/~",
    ),
    (ResourceType::WAFV2_WEB_ACL, "arn:{partition}:wafv2:{region}:{account}:regional/webacl/~/~"),
    (ResourceType::SHIELD_PROTECTION, "arn:{partition}:shield::{account}:protection/~"),
];

/// Whether a text fits a pattern in which `*` stands for any characters. Takes time by the length of both
/// multiplied, at most.
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place leaves the most for what follows.
        let Some(at) = left.find(part) else { return false };
        left = left.get(at.saturating_add(part.len())..).unwrap_or_default();
    }
    left.len() >= end.len() && left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let table = "
            sg-1       sg-1        yes
            sg-1       sg-12       no
            sg-*       sg-1        yes
            sg-*       sg-         yes
            sg-*       eni-1       no
            *-legacy   a-legacy    yes
            *-legacy   a-legacy-2  no
            *          anything    yes
            **         anything    yes
            a*b*c      a-b-b-c     yes
            a*b*c      a-c-b       no
            a*a        a           no
            a*a        aa          yes
            arn:*:w-*  arn:x:w-1   yes";
        for row in table.lines().filter(|row| !row.trim().is_empty()) {
            let words: Vec<&str> = row.split_whitespace().collect();
            let [pattern, text, wanted] = words[..] else { panic!("{row}") };
            assert_eq!(fits(pattern, text), wanted == "yes", "{row}");
        }
    }

    fn waiver() -> Waiver {
        Waiver {
            id: "w".try_into().unwrap(),
            policy: "p".try_into().unwrap(),
            accounts: BTreeSet::new(),
            units: BTreeSet::new(),
            resource_type: None,
            resource: "*".into(),
            reason: "r".into(),
            owner: "o".into(),
            ticket: None,
            from_ms: 10,
            until_ms: 20,
            ended_ms: None,
            created_ms: 0,
        }
    }

    #[test]
    fn a_waiver_is_in_force_from_its_first_moment_to_the_one_before_its_end() {
        let mut waiver = waiver();
        for (at, state) in [
            (9, WaiverState::Planned),
            (10, WaiverState::InForce),
            (19, WaiverState::InForce),
            (20, WaiverState::Ended),
        ] {
            assert_eq!(waiver.state(at), state, "{at}");
        }
        waiver.ended_ms = Some(15);
        assert_eq!(waiver.state(14), WaiverState::InForce);
        assert_eq!(waiver.state(15), WaiverState::Ended);
    }

    #[test]
    fn a_pattern_that_says_no_more_than_a_type_fits_every_one_of_it() {
        let home = Region::try_from("eu-west-1").unwrap();
        let table = "
            *                                   -                       every resource
            **                                  AWS::EC2::Instance      every AWS::EC2::Instance
            sg-*                                -                       every AWS::EC2::SecurityGroup
            s*                                  -                       every AWS::EC2::SecurityGroup
            sg-0*                               -                       every AWS::EC2::SecurityGroup
            *g-*                                -                       every AWS::EC2::SecurityGroup
            sg-*                                AWS::EC2::Instance      -
            sg-0a*                              -                       -
            sg-*1                               -                       -
            sg-1                                -                       -
            i-*                                 -                       every AWS::EC2::Instance
            arn:*                               AWS::ElasticLoadBalancingV2::LoadBalancer every AWS::ElasticLoadBalancingV2::LoadBalancer
            arn:aws:*:loadbalancer/app/*        -                       every AWS::ElasticLoadBalancingV2::LoadBalancer
            arn:aws-cn:network-firewall:eu-west-1:*  -                  every AWS::NetworkFirewall::Firewall
            arn:aws:network-firewall:us-west-2:*     -                  -
            arn:*:111122223333:firewall/*       -                       -
            *legacy*                            -                       -";
        for row in table.lines().filter(|row| !row.trim().is_empty()) {
            let words: Vec<&str> = row.split_whitespace().collect();
            let [pattern, kind, wanted @ ..] = &words[..] else { panic!("{row}") };
            let waiver = Waiver {
                resource: (*pattern).into(),
                resource_type: (*kind != "-").then(|| (*kind).try_into().unwrap()),
                ..waiver()
            };
            let found = waiver.fits_every(&home);
            assert_eq!(found.as_deref().unwrap_or("-"), wanted.join(" "), "{row}");
        }
        // Of one account its id says nothing more.
        let mut of_one = waiver();
        of_one.resource = "arn:*:111122223333:firewall/*".into();
        of_one.accounts.insert("111122223333".try_into().unwrap());
        assert_eq!(
            of_one.fits_every(&home).as_deref(),
            Some("every AWS::NetworkFirewall::Firewall")
        );
    }
}
