use std::collections::BTreeMap;

use crate::evaluate::security_groups::administrators_group;
use crate::evaluate::world::{
    ADMIN, account, body, gaps, group, held, instance, policy, shard_id, violators, world,
};
use crate::evaluate::{NetworkFacts, References, judge};
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
        let fact = Fact::Item(audit, Standing { newest_ms, missed });
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
    let fact = Fact::Item(audit.clone(), Standing::default());
    let references = References::from([(reference, fact)]);
    assert_eq!(found(&policy, &shard([audit]), &references, &AccountFacts::default()), "36 h");
}

#[test]
fn what_is_missed_is_anothers_where_it_names_another() {
    let mut home = shard([]);
    let open = &missed(Cause::Item, Some("sg-2")) | &missed(Cause::File, Some("sg-2"));
    home.open_gaps.insert(ResourceType::SECURITY_GROUP, open);
    let standing = |id: &str| {
        Standing::of(&home, &ResourceType::SECURITY_GROUP, &id.try_into().unwrap()).missed.len()
    };
    assert_eq!((standing("sg-1"), standing("sg-2")), (1, 2), "a file may be about any");
}

#[test]
fn a_protection_is_worth_what_the_shard_is_that_holds_it() {
    const EIP: &str = "arn:aws:ec2:us-east-1:111111111111:eip-allocation/eipalloc-1";
    let mut eip = body(ResourceType::EIP, "eipalloc-1", Body::Unwanted);
    eip.arn = Some(EIP.into());
    let serving = Protection { resource_arn: EIP.into(), automatic_response: None };
    let away = |item: &mut Item| item.key.region = Region::try_from("eu-west-1").unwrap();
    let mut protection =
        body(ResourceType::SHIELD_REGIONAL_PROTECTION, "p-1", Body::Protection(serving));
    away(&mut protection);
    let policy = policy("AWS::EC2::EIP", Rule::ShieldAdvanced(ShieldAdvanced::default()));
    let stale = stale("111111111111, Region eu-west-1");
    for (items, region, newest_ms, want) in [
        (vec![eip.clone()], "eu-west-1", hours_ago(6), "30 h".to_owned()),
        (vec![eip.clone()], "eu-west-1", None, format!("{stale}; 36 h")),
        (vec![eip], "us-east-1", None, "36 h".to_owned()),
        // Nothing is in scope.
        (vec![], "eu-west-1", None, "36 h".to_owned()),
    ] {
        let facts = AccountFacts {
            protections: vec![protection.clone()],
            protection_ages: BTreeMap::from([(Region::try_from(region).unwrap(), newest_ms)]),
            ..AccountFacts::default()
        };
        let case = format!("{} {region} {newest_ms:?}", items.len());
        assert_eq!(found(&policy, &shard(items), &References::new(), &facts), want, "{case}");
    }
}

#[test]
fn shared_networks_are_worth_what_the_other_accounts_shards_are() {
    let mine = |id: &str| {
        let mut mine = group(id, "");
        if let Body::SecurityGroup(group) = &mut mine.body {
            group.vpc = Some("vpc-1".into());
        }
        mine
    };
    let theirs = {
        let mut theirs = group("sg-9", "in tcp 443 10.0.0.0/8");
        theirs.key.account = account(ADMIN);
        theirs
    };
    let items = [mine("sg-1"), instance("i-1", &["sg-1", "sg-9"], &[])];
    let stale = stale("999999999999, Region us-east-1");
    let usage = Rule::UsageAudit(UsageAudit { unused_after_ms: Some(0), unique: false });
    let usage = policy(GROUP, usage);
    for (newest_ms, want) in [(hours_ago(30), "6 h".to_owned()), (None, format!("{stale}; 36 h"))] {
        let network = NetworkFacts {
            sharer_ages: BTreeMap::from([(account(ADMIN), newest_ms)]),
            // What is not asked for by the policy does not stand in its way.
            group_standings: BTreeMap::from([(theirs.key.id.clone(), Standing::default())]),
            ..NetworkFacts::default()
        };
        let facts = AccountFacts { network, ..AccountFacts::default() };
        let found = found(&usage, &shard(items.clone()), &References::new(), &facts);
        assert_eq!(found, want, "{newest_ms:?}");
    }
    let named = AuditGroups { ids: vec!["sg-1".try_into().unwrap()], action: AuditAction::Deny };
    let audit = Rule::ContentAudit(ContentAudit { audit: Some(named), managed: None });
    let mut audit = policy("AWS::EC2::Instance", audit);
    audit.owner = shard_id().account;
    let own = (
        administrators_group(&audit, &"sg-1".try_into().unwrap()),
        held(group("sg-1", "in tcp 22 10.0.0.0/8")),
    );
    for (newest_ms, want) in [(hours_ago(30), "6 h".to_owned()), (None, format!("{stale}; 36 h"))] {
        let network = NetworkFacts {
            groups: BTreeMap::from([(theirs.key.id.clone(), theirs.clone())]),
            group_standings: BTreeMap::from([(
                theirs.key.id.clone(),
                Standing { newest_ms, ..Standing::default() },
            )]),
            sharer_ages: BTreeMap::from([(account(ADMIN), None)]),
            ..NetworkFacts::default()
        };
        let facts = AccountFacts { network, ..AccountFacts::default() };
        let references = References::from([own.clone()]);
        let found = found(&audit, &shard(items.clone()), &references, &facts);
        assert_eq!(found, want, "{newest_ms:?}");
    }
}
