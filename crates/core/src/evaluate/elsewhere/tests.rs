use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::security_groups::administrators_group;
use crate::evaluate::world::{
    ADMIN, account, body, gaps, group, held, instance, interface, policy, shard_id, violators,
    world,
};
use crate::evaluate::{AccountFacts, NetworkFacts, NetworkUser, References, judge};
use crate::ident::Region;
use crate::inventory::{Body, Cause, Item, OpenGap, Protection, Shard};
use crate::policy::Rule;
use crate::policy::content_audit::{AuditAction, AuditGroups, ContentAudit};
use crate::policy::shield_advanced::ShieldAdvanced;
use crate::policy::usage_audit::UsageAudit;

use super::*;

const HOUR_MS: i64 = 3_600_000;
/// The moment of judging, when nothing of the shard judged is stale.
const NOW_MS: i64 = 1_000 * HOUR_MS;
const LIMIT_MS: i64 = 36 * HOUR_MS;

const GROUP: &str = "AWS::EC2::SecurityGroup";

fn shard(items: impl IntoIterator<Item = Item>) -> Shard {
    let mut shard = world(items);
    shard.newest_ms = Some(NOW_MS);
    shard
}

/// Violators and gaps, and the hours from now until it does not hold any more.
fn found(
    policy: &Policy,
    shard: &Shard,
    references: &References,
    account: &AccountFacts,
) -> String {
    let stale_after_ms = Some(LIMIT_MS);
    let evidence = Evidence { shard, references, account, evaluated_ms: NOW_MS, stale_after_ms };
    let judgement = judge(policy, &evidence);
    let mut all = violators(&judgement);
    all.extend(gaps(&judgement));
    all.extend(judgement.not_before_ms.map(|at_ms| format!("{} h", (at_ms - NOW_MS) / HOUR_MS)));
    all.join("; ").replace("AWSCONFIG ", "")
}

fn hours_ago(hours: i64) -> Option<i64> {
    Some(NOW_MS - hours * HOUR_MS)
}

fn stale(whose: &str) -> String {
    format!("No AWS Config delivery tells of the last 36 hours of account {whose}.")
}

fn missed(cause: Cause, what: Option<&str>) -> BTreeSet<OpenGap> {
    [OpenGap { cause, of_type: true, what: what.map(Into::into) }].into()
}

#[test]
fn an_audit_group_is_worth_what_the_administrators_shard_is() {
    let named =
        AuditGroups { ids: vec!["sg-audit".try_into().unwrap()], action: AuditAction::Allow };
    let audit = ContentAudit { audit: Some(named), managed: None };
    let policy = policy(GROUP, Rule::ContentAudit(audit));
    let reference = administrators_group(&policy, &"sg-audit".try_into().unwrap());
    let mine = shard([group("sg-1", "in tcp 443 10.0.0.0/8")]);
    let nothing = BTreeSet::new;
    let stale = format!("{} The newest tells of", stale("999999999999, Region us-east-1"));
    for (newest_ms, missed, want) in [
        (hours_ago(0), nothing(), "36 h".to_owned()),
        (hours_ago(35), nothing(), "1 h".to_owned()),
        (hours_ago(36), nothing(), format!("{stale} 1970-02-10T04:00:00Z.; 36 h")),
        (None, nothing(), format!("{}; 36 h", stale.split(" The").next().unwrap())),
        (
            hours_ago(0),
            missed(Cause::Item, Some("sg-audit")),
            "An item of AWS::EC2::SecurityGroup sg-audit could not be read. It concerns account \
             999999999999, Region us-east-1.; 36 h"
                .to_owned(),
        ),
        (
            hours_ago(0),
            missed(Cause::GoesOn, None),
            "A listing of AWS::EC2::SecurityGroup was not seen to its end. It concerns account \
             999999999999, Region us-east-1.; 36 h"
                .to_owned(),
        ),
    ] {
        let case = format!("{newest_ms:?} {missed:?}");
        let audit = group("sg-audit", "in tcp 443 10.0.0.0/8");
        let fact = Fact::Item(audit, Freshness { newest_ms, missed });
        let references = References::from([(reference.clone(), fact)]);
        assert_eq!(found(&policy, &mine, &references, &AccountFacts::default()), want, "{case}");
    }
}

#[test]
fn a_shard_judged_tells_for_itself() {
    let named =
        AuditGroups { ids: vec!["sg-audit".try_into().unwrap()], action: AuditAction::Allow };
    let audit = ContentAudit { audit: Some(named), managed: None };
    let mut policy = policy(GROUP, Rule::ContentAudit(audit));
    policy.owner = shard_id().account;
    let audit = group("sg-audit", "in tcp 443 10.0.0.0/8");
    let reference = administrators_group(&policy, &audit.key.id);
    let fact = Fact::Item(audit.clone(), Freshness::default());
    let references = References::from([(reference, fact)]);
    assert_eq!(found(&policy, &shard([audit]), &references, &AccountFacts::default()), "36 h");
}

#[test]
fn what_is_missed_is_anothers_where_it_names_another() {
    let mut home = shard([]);
    let open = &missed(Cause::Item, Some("sg-2")) | &missed(Cause::File, Some("sg-2"));
    home.open_gaps.insert(ResourceType::SECURITY_GROUP, open);
    let freshness = |id: &str| {
        Freshness::of(&home, &ResourceType::SECURITY_GROUP, &id.try_into().unwrap()).missed.len()
    };
    assert_eq!((freshness("sg-1"), freshness("sg-2")), (1, 2), "a file may be about any");
}

#[test]
fn a_protection_is_worth_what_the_shard_is_that_holds_it() {
    const EIP: &str = "arn:aws:ec2:us-east-1:111111111111:eip-allocation/eipalloc-1";
    let eip = |id: &str| body(ResourceType::EIP, id, Body::Unwanted);
    let serving = Protection { resource_arn: EIP.into(), automatic_response: None };
    let protection = |region: &str, kind: &ResourceType| {
        let body_of = Body::Protection(serving.clone());
        let mut item = body(kind.clone(), "p-1", body_of);
        item.key.region = Region::try_from(region).unwrap();
        item
    };
    let policy = policy("AWS::EC2::EIP", Rule::ShieldAdvanced(ShieldAdvanced::default()));
    let stale = stale("111111111111, Region eu-west-1");
    let unprotected = "eipalloc-2 RESOURCE_MISSING_SHIELD_PROTECTION";
    let (regional, global) =
        (ResourceType::SHIELD_REGIONAL_PROTECTION, ResourceType::SHIELD_PROTECTION);
    let left_out = |kind| format!("An answer of AWS Config left out some {kind}.; 36 h");
    let none = BTreeSet::new;
    let left = || missed(Cause::LeftOut, None);
    let other = || missed(Cause::Item, Some("p-2"));
    for (id, kind, region, newest_ms, missed, want) in [
        ("eipalloc-1", &regional, "eu-west-1", hours_ago(6), none(), "30 h".to_owned()),
        ("eipalloc-1", &regional, "eu-west-1", None, none(), format!("{stale}; 36 h")),
        // The shard's own.
        ("eipalloc-1", &regional, "us-east-1", None, none(), "36 h".to_owned()),
        // It rests on none.
        ("eipalloc-2", &regional, "eu-west-1", None, none(), format!("{unprotected}; 36 h")),
        // Of the kind that the resource does not need, what was missed counts where it rests on one.
        ("eipalloc-1", &global, "us-east-1", None, none(), "36 h".to_owned()),
        ("eipalloc-1", &global, "us-east-1", None, left(), left_out(&global)),
        ("eipalloc-1", &global, "us-east-1", None, other(), "36 h".to_owned()),
        ("eipalloc-2", &global, "us-east-1", None, left(), format!("{unprotected}; 36 h")),
    ] {
        let held = protection(region, kind);
        let own = Some(held.clone()).filter(|_| region == "us-east-1");
        let facts = AccountFacts {
            protections: vec![held],
            protection_ages: BTreeMap::from([(Region::try_from(region).unwrap(), newest_ms)]),
            knows_regional_protections: true,
            ..AccountFacts::default()
        };
        let mut shard = shard([eip(id)].into_iter().chain(own));
        shard.open_gaps.insert(kind.clone(), missed);
        let found = found(&policy, &shard, &References::new(), &facts);
        assert_eq!(found, want, "{id} {kind} {region} {newest_ms:?}");
    }
}

/// A group in VPC vpc-1.
fn in_vpc(mut item: Item) -> Item {
    if let Body::SecurityGroup(group) = &mut item.body {
        group.vpc = Some("vpc-1".into());
    }
    item
}

fn theirs(mut item: Item) -> Item {
    item.key.account = account(ADMIN);
    item
}

#[test]
fn who_uses_a_group_is_worth_what_the_shards_of_the_vpcs_accounts_are() {
    let usage = Rule::UsageAudit(UsageAudit { unused_after_ms: Some(0), unique: false });
    let policy = policy(GROUP, usage);
    let mine =
        [in_vpc(group("sg-1", "")), interface("eni-1", &["sg-2"]), in_vpc(group("sg-2", ""))];
    let user = |listed: &str| NetworkUser {
        item: theirs(interface("eni-9", &[listed])),
        groups: [listed.into()].into(),
    };
    let stale = stale("999999999999, Region us-east-1");
    for (listed, newest_ms, want) in [
        // It uses nothing: sg-1 is unused, as far as that can be told.
        (None, hours_ago(30), "sg-1 SECURITY_GROUP_UNUSED; 6 h".to_owned()),
        (None, None, format!("{stale}; 36 h")),
        // sg-1 is in use, as far as that can be told.
        (Some("sg-1"), hours_ago(30), "6 h".to_owned()),
        (Some("sg-1"), None, format!("{stale}; 36 h")),
    ] {
        let network = NetworkFacts {
            users: listed.map(user).into_iter().collect(),
            user_ages: BTreeMap::from([(account(ADMIN), newest_ms)]),
            sharer_ages: [("vpc-1".into(), [(account(ADMIN), newest_ms)].into())].into(),
            ..NetworkFacts::default()
        };
        let facts = AccountFacts { network, ..AccountFacts::default() };
        let found = found(&policy, &shard(mine.clone()), &References::new(), &facts);
        assert_eq!(found, want, "{listed:?} {newest_ms:?}");
    }
    // What the account's own interfaces use is in use whoever shares the VPC.
    let network = NetworkFacts {
        sharer_ages: [("vpc-1".into(), [(account(ADMIN), None)].into())].into(),
        ..NetworkFacts::default()
    };
    let facts = AccountFacts { network, ..AccountFacts::default() };
    let used = shard(mine.into_iter().skip(1));
    assert_eq!(found(&policy, &used, &References::new(), &facts), "36 h");
}

#[test]
fn a_group_of_another_account_is_worth_what_that_accounts_shard_is() {
    let named = AuditGroups { ids: vec!["sg-1".try_into().unwrap()], action: AuditAction::Deny };
    let audit = Rule::ContentAudit(ContentAudit { audit: Some(named), managed: None });
    let mut policy = policy("AWS::EC2::Instance", audit);
    policy.owner = shard_id().account;
    let denied = group("sg-1", "in tcp 22 10.0.0.0/8");
    let denied = (administrators_group(&policy, &denied.key.id), held(denied));
    let references = References::from([denied]);
    let instances = [instance("i-1", &["sg-9"], &[])];
    let other = theirs(group("sg-9", "in tcp 443 10.0.0.0/8"));
    let stale = stale("999999999999, Region us-east-1");
    for (newest_ms, want) in [(hours_ago(30), "6 h".to_owned()), (None, format!("{stale}; 36 h"))] {
        let id = other.key.id.clone();
        let freshness = Freshness { newest_ms, ..Freshness::default() };
        let network = NetworkFacts {
            groups: [(id.clone(), other.clone())].into(),
            group_freshness: [(id, freshness)].into(),
            ..NetworkFacts::default()
        };
        let facts = AccountFacts { network, ..AccountFacts::default() };
        let found = found(&policy, &shard(instances.clone()), &references, &facts);
        assert_eq!(found, want, "{newest_ms:?}");
    }
}
