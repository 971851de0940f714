use crate::evaluate::world::{body, group, instance, interface, outdated, policy, tagged, world};
use crate::evaluate::{AccountFacts, References};
use crate::inventory::{
    Body, LoadBalancer, PrefixList, Protection, Recorder, WafAssociation, WebAcl,
};
use crate::policy::Rule;
use crate::policy::content_audit::ContentAudit;
use crate::policy::shield_advanced::ShieldAdvanced;
use crate::policy::usage_audit::UsageAudit;
use crate::policy::wafv2::Wafv2;

use super::*;

const GROUPS: &str = "AWS::EC2::SecurityGroup";
const INTERFACES: &str = "AWS::EC2::NetworkInterface";
const BALANCERS: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";

fn changed(before: Option<Item>, after: Option<Item>) -> Changed {
    let key = before.iter().chain(&after).next().unwrap().key.clone();
    Changed { key, before, after }
}

fn edit(before: Item, change: impl FnOnce(&mut Item)) -> Changed {
    let mut after = before.clone();
    change(&mut after);
    changed(Some(before), Some(after))
}

fn alb(id: &str) -> Item {
    let kind = Some("application".into());
    let web_acl = WafAssociation::Bare;
    let balancer = LoadBalancer { kind, groups: Some(vec![]), web_acl, vpc: None };
    body(ResourceType::LOAD_BALANCER, id, Body::LoadBalancer(balancer))
}

fn content(types: &str) -> Policy {
    policy(types, Rule::ContentAudit(ContentAudit { audit: None, managed: None }))
}

fn wafv2(retrofit: bool) -> Policy {
    let rule = Wafv2 { first: vec![], last: vec![], retrofit, override_customer_web_acl: false };
    policy(BALANCERS, Rule::Wafv2(rule))
}

fn shield() -> Policy {
    policy(BALANCERS, Rule::ShieldAdvanced(ShieldAdvanced::default()))
}

fn usage(unused_after_ms: Option<i64>) -> Policy {
    policy(GROUPS, Rule::UsageAudit(UsageAudit { unused_after_ms, unique: true }))
}

fn filtered(mut policy: Policy) -> Policy {
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    policy
}

/// One item of each type that some evaluator reads.
fn one(kind: &str) -> Item {
    match kind {
        "group" => group("sg-1", "in tcp 22 10.0.0.0/8"),
        "interface" => interface("eni-1", &["sg-1"]),
        "instance" => instance("i-1", &[], &[("eni-1", &["sg-1"])]),
        "balancer" => alb("alb-1"),
        "acl" => body(ResourceType::WAFV2_WEB_ACL, "acl-1", Body::WebAcl(WebAcl::default())),
        "list" => body(ResourceType::PREFIX_LIST, "pl-1", Body::PrefixList(PrefixList::default())),
        "protection" => {
            let protection = Body::Protection(Protection::default());
            body(ResourceType::SHIELD_REGIONAL_PROTECTION, "p-1", protection)
        }
        "recorder" => {
            let recorder = Body::Recorder(Recorder::default());
            body(ResourceType::CONFIGURATION_RECORDER, "default", recorder)
        }
        "vpc" => body(ResourceType::try_from("AWS::EC2::VPC").unwrap(), "vpc-1", Body::Unwanted),
        other => panic!("`{other}` is no kind"),
    }
}

#[test]
fn a_new_resource_concerns_itself_or_all_that_read_it() {
    let both = format!("{GROUPS} {INTERFACES}");
    let policies = [
        ("groups", content(GROUPS)),
        ("interfaces", content(INTERFACES)),
        ("both", content(&both)),
        ("tagged", filtered(content(&both))),
        ("waf", wafv2(false)),
        ("retrofit", wafv2(true)),
        ("shield", shield()),
        ("usage", usage(None)),
    ];
    let table = "
        kind        groups   interfaces both     tagged waf      retrofit shield   usage
        group       resource shard      shard    shard  nothing  nothing  nothing  shard
        interface   nothing  shard      shard    shard  nothing  nothing  nothing  shard
        instance    nothing  shard      shard    shard  nothing  nothing  nothing  shard
        balancer    nothing  nothing    nothing  nothing resource shard   resource shard
        acl         nothing  nothing    nothing  nothing shard   shard    shard    nothing
        list        shard    shard      shard    shard  nothing  nothing  nothing  nothing
        protection  nothing  nothing    nothing  nothing nothing nothing  shard    nothing
        recorder    shard    shard      shard    shard  shard    shard    shard    shard
        vpc         nothing  nothing    nothing  nothing nothing nothing  nothing  nothing";
    let mut rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let head = rows.by_ref().find(|row| !row.is_empty()).unwrap();
    for row in rows {
        for ((name, policy), want) in policies.iter().zip(&row[1..]) {
            assert!(head.contains(name));
            let found = footprint(policy, &[changed(None, Some(one(row[0])))]);
            assert_eq!(format!("{found:?}").to_lowercase(), *want, "{} under {name}", row[0]);
        }
    }
}

#[test]
fn what_no_evaluator_sees_changes_nothing() {
    let newer = |item: &mut Item| item.version.captured_ms += 1;
    let tag = |item: &mut Item| {
        drop(item.tags.get_or_insert_default().insert("team".into(), "blue".into()))
    };
    for policy in [content(GROUPS), filtered(content(GROUPS)), wafv2(true), shield(), usage(None)] {
        for kind in ["group", "balancer", "acl", "list"] {
            assert_eq!(footprint(&policy, &[edit(one(kind), newer)]), Footprint::Nothing);
        }
        for kind in ["group", "interface", "instance", "balancer", "acl", "list"] {
            assert_eq!(footprint(&policy, &[edit(one(kind), tag)]), Footprint::Nothing);
        }
    }
    assert_eq!(footprint(&content(GROUPS), &[]), Footprint::Nothing);
}

#[test]
fn a_tag_of_the_filter_and_a_later_state_without_a_body_change_something() {
    let policy = filtered(content(GROUPS));
    let tag = |item: &mut Item| {
        drop(item.tags.get_or_insert_default().insert("env".into(), "prod".into()))
    };
    assert_eq!(footprint(&policy, &[edit(one("group"), tag)]), Footprint::Resource);
    let later = changed(Some(one("group")), Some(outdated(one("group"))));
    assert_eq!(footprint(&content(GROUPS), std::slice::from_ref(&later)), Footprint::Resource);
    // Out of scope, and a later state may have put it in.
    assert_eq!(footprint(&policy, &[later]), Footprint::Resource);
    let tagged_out = tagged(one("group"), "env=test");
    assert_eq!(footprint(&policy, &[edit(tagged_out, |_| {})]), Footprint::Nothing);
}

#[test]
fn a_delay_counts_from_the_capture_of_the_group() {
    let newer = |item: &mut Item| item.version.captured_ms += 1;
    assert_eq!(footprint(&usage(Some(0)), &[edit(one("group"), newer)]), Footprint::Shard);
}

/// Semantics §11 row 42: which of two states is the newer decides, though neither changed.
#[test]
fn when_an_interface_or_instance_was_told_concerns_what_is_judged_by_it() {
    let newer = |item: &mut Item| item.version.captured_ms += 1;
    for kind in ["interface", "instance"] {
        for (policy, want) in [
            (content(INTERFACES), Footprint::Shard),
            (content("AWS::EC2::Instance"), Footprint::Shard),
            (usage(None), Footprint::Shard),
            (content(GROUPS), Footprint::Nothing),
            (shield(), Footprint::Nothing),
        ] {
            assert_eq!(footprint(&policy, &[edit(one(kind), newer)]), want, "{kind}");
        }
    }
}

#[test]
fn the_farthest_of_several_changes_counts() {
    let new = |kind| changed(None, Some(one(kind)));
    let policy = wafv2(false);
    assert_eq!(footprint(&policy, &[new("vpc"), new("balancer")]), Footprint::Resource);
    assert_eq!(footprint(&policy, &[new("balancer"), new("acl"), new("vpc")]), Footprint::Shard);
}

#[test]
fn a_group_is_judged_with_prefix_lists_and_no_other_groups() {
    let shard = world([group("sg-1", ""), group("sg-2", ""), interface("eni-9", &[]), one("list")]);
    let changes = [changed(None, Some(group("sg-3", "in tcp 22 10.0.0.0/8")))];
    let policy = content(GROUPS);
    let narrow = narrowed(&shard, &support(&policy, &changes));
    let held: Vec<_> =
        narrow.items.values().flat_map(|items| items.keys()).map(ResourceId::as_str).collect();
    assert_eq!(held, ["default", "pl-1"], "the recorder, too");
    assert_eq!(narrow.held_types, shard.held_types);
    assert!(narrow.snapshot_accepted);

    let evidence = Evidence {
        shard: &shard,
        references: &References::new(),
        account: &AccountFacts::default(),
        evaluated_ms: 0,
        stale_after_ms: None,
    };
    let difference = judge_changed(&policy, &evidence, &changes);
    assert_eq!((difference.before.in_scope, difference.after.in_scope), (0, 1));
}
