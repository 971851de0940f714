//! What other shards say of a shard's resources: those of its account of Shield protections, recorded
//! wherever (semantics §10 row 4), those of other accounts of shared networks (`network.rs`).

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{Region, ResourceType};
use crate::inventory::{Assumed, Body, Item, OpenGap, Shard};

use super::network::NetworkFacts;

/// Facts outside the shard judged that its own items ask for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccountFacts {
    /// Live items of [`AccountFacts::PROTECTIONS`] that the account's shards hold, ascending by key.
    /// Those of the shard judged may be among them or not: they are read from the shard.
    pub protections: Vec<Item>,
    /// Whether the account's us-east-1 shard knows `AWS::Shield::Protection`, which is recorded as
    /// `global`: one that is not held there then does not exist (semantics §10 row 1).
    pub knows_global_protections: bool,
    /// Whether any shard of the account knows `AWS::ShieldRegional::Protection`, whichever Region it
    /// is of (semantics §11 row 44). The shard judged may be among them or not.
    pub knows_regional_protections: bool,
    /// What was missed in the account's shards that may be a protection, by type and Region; none is
    /// empty. One that is not held may exist then, and one that is held may be another by now.
    pub missed_protections: BTreeMap<ResourceType, BTreeMap<Region, BTreeSet<OpenGap>>>,
    /// How old what is known of protections is: by Region of the account that holds some, the newest
    /// moment that is told of it ([`Shard::newest_ms`]).
    pub protection_ages: BTreeMap<Region, Option<i64>>,
    /// What other accounts' shards of the Region of the shard judged say of it, besides.
    pub network: NetworkFacts,
}

/// Whose judgements the state of a protection is read by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServedRegion {
    /// The account's shard of the Region in the ARN of the protected resource.
    One(Region),
    /// All of the account's shards: what it protects was not recorded.
    Any,
    /// None.
    Nothing,
}

impl AccountFacts {
    /// The types of protections.
    pub const PROTECTIONS: [ResourceType; 2] =
        [ResourceType::SHIELD_PROTECTION, ResourceType::SHIELD_REGIONAL_PROTECTION];

    /// The facts in all shards of one account; of other accounts nothing.
    pub fn of<'a>(shards: impl IntoIterator<Item = &'a Shard>) -> AccountFacts {
        let mut facts = AccountFacts::default();
        for shard in shards {
            facts.protections.extend(protections(shard).cloned());
            if protections(shard).next().is_some() {
                facts.protection_ages.insert(shard.id.region.clone(), shard.newest_ms);
            }
            let regional = &ResourceType::SHIELD_REGIONAL_PROTECTION;
            facts.knows_regional_protections |= shard.sees_all(regional);
            facts.miss(regional, shard);
            facts.miss(&ResourceType::SHIELD_PROTECTION, shard);
            if shard.id.region.as_str() == Region::HOME_OF_GLOBAL {
                facts.knows_global_protections = shard.sees_all(&ResourceType::SHIELD_PROTECTION);
            }
        }
        facts.protections.sort_by(|a, b| a.key.cmp(&b.key));
        facts
    }

    fn miss(&mut self, resource_type: &ResourceType, shard: &Shard) {
        let Some(open) = shard.open_gaps.get(resource_type).filter(|open| !open.is_empty()) else {
            return;
        };
        let by_region = self.missed_protections.entry(resource_type.clone()).or_default();
        by_region.insert(shard.id.region.clone(), open.clone());
    }

    /// What was missed of a type of protections where those that nobody holds may be: of regional ones
    /// in all Regions, of global ones where they live.
    pub fn missed_of(&self, resource_type: &ResourceType) -> impl Iterator<Item = &OpenGap> {
        let is_global = *resource_type == ResourceType::SHIELD_PROTECTION;
        let by_region = self.missed_protections.get(resource_type).into_iter().flatten();
        by_region
            .filter(move |(region, _)| !is_global || region.as_str() == Region::HOME_OF_GLOBAL)
            .flat_map(|(_, open)| open)
    }

    /// Takes types for recorded by the operator's word.
    pub fn assume(&mut self, assumed: &Assumed) {
        let [global, regional] = &Self::PROTECTIONS;
        self.knows_global_protections |= assumed.has(global);
        self.knows_regional_protections |= assumed.has(regional);
        if assumed.has(&ResourceType::NETWORK_INTERFACE) {
            self.network.unrecorded.clear();
        }
    }

    /// Which shards read what is known of a protection. Resources without a Region in their ARN, such
    /// as distributions, belong to us-east-1; one that was seen later without its configuration may
    /// be any resource's by now.
    pub fn served(item: &Item) -> ServedRegion {
        match &item.body {
            _ if item.unseen_since.is_some() => ServedRegion::Any,
            Body::Protection(protection) => {
                let region = match protection.resource_arn.split(':').collect::<Vec<_>>()[..] {
                    ["arn", _, _, region, _, _, ..] => region,
                    _ => return ServedRegion::Nothing,
                };
                if region.is_empty() {
                    return ServedRegion::One(Region::home_of_global());
                }
                Region::try_from(region).map_or(ServedRegion::Nothing, ServedRegion::One)
            }
            Body::Unseen | Body::OlderLayout => ServedRegion::Any,
            _ => ServedRegion::Nothing,
        }
    }
}

/// The protections that a shard holds.
pub(super) fn protections(shard: &Shard) -> impl Iterator<Item = &Item> {
    AccountFacts::PROTECTIONS.into_iter().flat_map(|resource_type| {
        shard.items.get(&resource_type).into_iter().flatten().map(|(_, item)| item)
    })
}

#[cfg(test)]
mod tests {
    use crate::evaluate::world::{body, outdated, world};
    use crate::inventory::{Cause, Protection};

    use super::*;

    fn protecting(resource_arn: &str) -> Body {
        Body::Protection(Protection { resource_arn: resource_arn.into(), automatic_response: None })
    }

    fn item(state: Body) -> Item {
        body(ResourceType::SHIELD_PROTECTION, "p-1", state)
    }

    fn served_by(state: Body) -> ServedRegion {
        AccountFacts::served(&item(state))
    }

    #[test]
    fn a_protection_serves_the_region_in_its_resources_arn() {
        for (arn, region) in [
            ("arn:aws:ec2:eu-west-1:111111111111:eip-allocation/eipalloc-1", Some("eu-west-1")),
            (
                "arn:aws-cn:ec2:cn-north-1:111111111111:eip-allocation/eipalloc-1",
                Some("cn-north-1"),
            ),
            ("arn:aws:cloudfront::111111111111:distribution/E1", Some("us-east-1")),
            ("arn:aws:route53:::hostedzone/Z1", Some("us-east-1")),
            ("arn:aws:ec2:EU:111111111111:eip-allocation/eipalloc-1", None),
            ("eipalloc-1", None),
            ("", None),
        ] {
            let served = match region {
                Some(region) => ServedRegion::One(Region::try_from(region).unwrap()),
                None => ServedRegion::Nothing,
            };
            assert_eq!(served_by(protecting(arn)), served, "{arn}");
        }
        assert_eq!(served_by(Body::Unseen), ServedRegion::Any);
        assert_eq!(served_by(Body::Deleted), ServedRegion::Nothing);
        let outdated = outdated(item(protecting("arn:aws:ec2:eu-west-1:1:eip-allocation/e")));
        assert_eq!(AccountFacts::served(&outdated), ServedRegion::Any);
    }

    /// A global protection that another Region recorded is doubted by what was missed there; that one is
    /// missing, by what was missed where they live alone.
    #[test]
    fn what_is_missed_counts_where_a_protection_is_held_and_where_others_may_be() {
        let open = OpenGap { cause: Cause::File, of_type: false, what: Some("f".into()) };
        let global = &ResourceType::SHIELD_PROTECTION;
        for (region, may_be_missing) in [("eu-west-1", false), ("us-east-1", true)] {
            let mut shard = world([body(global.clone(), "p-1", protecting("a"))]);
            shard.id.region = Region::try_from(region).unwrap();
            shard.open_gaps.insert(global.clone(), [open.clone()].into());
            let facts = AccountFacts::of([&shard]);
            assert!(facts.missed_protections[global].contains_key(&shard.id.region), "{region}");
            assert_eq!(facts.missed_of(global).next().is_some(), may_be_missing, "{region}");
        }
    }

    #[test]
    fn facts_are_those_of_every_shard_in_one_order() {
        let home = world([
            body(ResourceType::SHIELD_PROTECTION, "p-2", protecting("b")),
            body(ResourceType::SHIELD_REGIONAL_PROTECTION, "p-1", protecting("a")),
            body(ResourceType::EIP, "eipalloc-1", Body::Unwanted),
        ]);
        let mut away = Shard::empty(home.id.clone());
        away.id.region = Region::try_from("eu-west-1").unwrap();
        let facts = AccountFacts::of([&home, &away]);
        assert_eq!(AccountFacts::of([&away, &home]), facts);
        let ids: Vec<_> = facts.protections.iter().map(|item| item.key.id.as_str()).collect();
        assert_eq!(ids, ["p-2", "p-1"], "ascending by key: type before id");
        assert!(facts.knows_global_protections && facts.knows_regional_protections);
        assert!(!AccountFacts::of([&away]).knows_global_protections);
        away.snapshot_types.extend(AccountFacts::PROTECTIONS);
        let facts = AccountFacts::of([&away]);
        assert!(!facts.knows_global_protections, "another Region's snapshot");
        assert!(facts.knows_regional_protections, "of any Region");
    }
}
