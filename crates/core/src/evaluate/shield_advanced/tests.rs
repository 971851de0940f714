use crate::evaluate::AccountFacts;
use crate::evaluate::world::{
    body, gaps, judged_at, outdated, policy, shard_id, tagged, violators, world,
};
use crate::inventory::{
    AutomaticResponse, ClassicLoadBalancer, LoadBalancer, Recorder, RecordingGroup, Shard,
    WafAssociation, WafTarget, WebAcl,
};
use crate::policy::Rule;

use super::*;

const ALL: &str = "AWS::CloudFront::Distribution AWS::EC2::EIP \
                   AWS::ElasticLoadBalancing::LoadBalancer \
                   AWS::ElasticLoadBalancingV2::LoadBalancer";

const ALB: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/alb/0a";
const EIP: &str = "arn:aws:ec2:us-east-1:111111111111:eip-allocation/eipalloc-1";
const CLB: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/clb";
const CDN: &str = "arn:aws:cloudfront::111111111111:distribution/E1";
const ACL: &str = "arn:aws:wafv2:us-east-1:111111111111:regional/webacl/any/0a1b";

fn association(text: &str) -> WafAssociation {
    match text {
        "bare" => WafAssociation::Bare,
        "unsaid" => WafAssociation::Unsaid,
        "classic" => WafAssociation::Acl("0c1d2e3f-0000-0000-0000-000000000000".into()),
        "acl" => WafAssociation::Acl(ACL.into()),
        other => panic!("{other}"),
    }
}

fn balancer(kind: Option<&str>, web_acl: &str) -> Body {
    let kind = kind.map(Into::into);
    Body::LoadBalancer(LoadBalancer {
        kind,
        groups: Some(vec![]),
        web_acl: association(web_acl),
        vpc: None,
    })
}

fn alb(web_acl: &str) -> Item {
    body(ResourceType::LOAD_BALANCER, ALB, balancer(Some("application"), web_acl))
}

fn distribution(web_acl: &str) -> Item {
    let target = WafTarget { web_acl: association(web_acl) };
    body(ResourceType::CLOUDFRONT_DISTRIBUTION, "E1", Body::Distribution(target))
}

fn classic() -> Item {
    let balancer = ClassicLoadBalancer { groups: Some(vec![]), vpc: None };
    body(ResourceType::CLASSIC_LOAD_BALANCER, "clb", Body::ClassicLoadBalancer(balancer))
}

fn eip() -> Item {
    body(ResourceType::EIP, "eipalloc-1", Body::Unwanted)
}

/// `off`, `untold`, `BLOCK`, `COUNT`, `on` (which action is not told).
fn response(text: &str) -> Option<AutomaticResponse> {
    let (enabled, block) = match text {
        "untold" => return None,
        "off" => (false, Some(true)),
        "BLOCK" => (true, Some(true)),
        "COUNT" => (true, Some(false)),
        "on" => (true, None),
        other => panic!("{other}"),
    };
    Some(AutomaticResponse { enabled: Some(enabled), block })
}

fn protection(id: &str, resource_arn: &str, automatic: &str) -> Item {
    let protection =
        Protection { resource_arn: resource_arn.into(), automatic_response: response(automatic) };
    body(ResourceType::SHIELD_REGIONAL_PROTECTION, id, Body::Protection(protection))
}

fn rule(automatic_response: WantedResponse) -> ShieldAdvanced {
    ShieldAdvanced { automatic_response, ..ShieldAdvanced::default() }
}

fn judge_of(rule: ShieldAdvanced, shard: &Shard) -> Judgement {
    let policy = policy(ALL, Rule::ShieldAdvanced(rule));
    judged_at(&policy, shard, &AccountFacts::default(), 0)
}

/// What is found of the one resource in a shard: a reason, undecided or comply.
fn outcome(judgement: &Judgement) -> String {
    assert_eq!(judgement.in_scope, 1);
    match (violators(judgement).as_slice(), judgement.gaps.len()) {
        ([], 0) => "comply".to_owned(),
        ([], _) => "undecided".to_owned(),
        ([one], _) => one.split_once(' ').unwrap().1.to_owned(),
        other => panic!("{other:?}"),
    }
}

fn rows(table: &str) -> impl Iterator<Item = (Vec<&str>, &str)> {
    table.lines().map(str::trim).filter(|row| !row.is_empty()).map(|row| {
        let (left, want) = row.rsplit_once(char::is_whitespace).unwrap();
        (left.split_whitespace().collect(), want)
    })
}

#[test]
fn web_resources_need_a_protection_and_a_web_acl() {
    for make in [alb as fn(&str) -> Item, distribution] {
        for (row, want) in rows(
            "bare    no   RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION
             unsaid  no   RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION
             bare    yes  RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION
             unsaid  yes  RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION
             acl     no   RESOURCE_MISSING_SHIELD_PROTECTION
             classic no   RESOURCE_MISSING_SHIELD_PROTECTION
             acl     yes  comply
             classic yes  comply",
        ) {
            let mut items = vec![make(row[0])];
            if row[1] == "yes" {
                items.extend([protection("p-1", ALB, "untold"), protection("p-2", CDN, "untold")]);
            }
            let judgement = judge_of(ShieldAdvanced::default(), &world(items));
            assert_eq!(outcome(&judgement), want, "{row:?}");
        }
    }
}

#[test]
fn other_resources_need_a_protection_alone() {
    for (make, arn) in [(eip as fn() -> Item, EIP), (classic, CLB)] {
        let bare = judge_of(ShieldAdvanced::default(), &world([make()]));
        assert_eq!(outcome(&bare), "RESOURCE_MISSING_SHIELD_PROTECTION");
        for wanted in [
            WantedResponse::Ignored,
            WantedResponse::Disabled,
            WantedResponse::Enabled { block: true },
        ] {
            for automatic in ["untold", "off", "COUNT"] {
                let shard = world([make(), protection("p-1", arn, automatic)]);
                assert_eq!(outcome(&judge_of(rule(wanted), &shard)), "comply", "{automatic}");
            }
        }
    }
}

#[test]
fn the_automatic_response_is_as_configured() {
    const OTHER: &str = "RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION";
    for (row, want) in rows(
        "IGNORED  untold comply
         IGNORED  off    comply
         IGNORED  on     comply
         IGNORED  BLOCK  comply
         DISABLED untold comply
         DISABLED off    comply
         DISABLED on     other
         DISABLED BLOCK  other
         DISABLED COUNT  other
         BLOCK    untold other
         BLOCK    off    other
         BLOCK    on     undecided
         BLOCK    COUNT  other
         BLOCK    BLOCK  comply
         COUNT    untold other
         COUNT    BLOCK  other
         COUNT    on     undecided
         COUNT    COUNT  comply",
    ) {
        let wanted = match row[0] {
            "IGNORED" => WantedResponse::Ignored,
            "DISABLED" => WantedResponse::Disabled,
            action => WantedResponse::Enabled { block: action == "BLOCK" },
        };
        let shard = world([alb("acl"), protection("p-1", ALB, row[1])]);
        let judgement = judge_of(rule(wanted), &shard);
        let want = if want == "other" { OTHER } else { want };
        assert_eq!(outcome(&judgement), want, "{row:?}");
    }
    let untold = judge_of(
        rule(WantedResponse::Enabled { block: true }),
        &world([alb("acl"), protection("p-1", ALB, "on")]),
    );
    assert_eq!(
        gaps(&untold),
        [format!(
            "AWSCONFIG The automatic response action of the Shield protection of {ALB} was not \
             recorded."
        )]
    );
}

#[test]
fn evidence_names_what_is_there_and_what_is_amiss() {
    let summary = |items: Vec<Item>, wanted| {
        let judgement = judge_of(rule(wanted), &world(items));
        judgement.violators[0].violations[0].finding.summary()
    };
    let block = WantedResponse::Enabled { block: true };
    assert_eq!(summary(vec![alb("bare")], block), "no Shield protection and no web ACL");
    assert_eq!(summary(vec![eip()], block), "no Shield protection");
    assert_eq!(
        summary(vec![alb("acl")], block),
        format!("no Shield protection; seen: web ACL {ACL}")
    );
    assert_eq!(
        summary(vec![alb("bare"), protection("p-1", ALB, "off")], block),
        "no web ACL; seen: Shield protection p-1"
    );
    for (automatic, wanted, amiss) in [
        ("off", block, "automatic response is off, wanted: BLOCK"),
        ("COUNT", block, "automatic response is COUNT, wanted: BLOCK"),
        ("BLOCK", WantedResponse::Disabled, "automatic response is on, wanted: off"),
    ] {
        assert_eq!(
            summary(vec![alb("acl"), protection("p-1", ALB, automatic)], wanted),
            format!("{amiss}; seen: Shield protection p-1, web ACL {ACL}")
        );
    }
}

#[test]
fn network_and_gateway_balancers_are_out_of_scope() {
    let of = |id: &str, kind| body(ResourceType::LOAD_BALANCER, id, balancer(kind, "bare"));
    let judgement = judge_of(
        ShieldAdvanced::default(),
        &world([
            of("nlb", Some("network")),
            of("gwlb", Some("gateway")),
            of("arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/n/0", None),
            of("arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/a/0", None),
        ]),
    );
    assert_eq!(judgement.in_scope, 1);
    assert_eq!(judgement.violators.len(), 1);
}

#[test]
fn tags_and_types_choose_what_is_judged() {
    let mut policy = policy("AWS::EC2::EIP", Rule::ShieldAdvanced(ShieldAdvanced::default()));
    let untagged = body(ResourceType::EIP, "eipalloc-2", Body::Unwanted);
    let shard = world([tagged(eip(), "team=web"), untagged, classic()]);
    let judged = |policy: &Policy| judged_at(policy, &shard, &AccountFacts::default(), 0);
    let reason = "RESOURCE_MISSING_SHIELD_PROTECTION";
    let both = ["eipalloc-1", "eipalloc-2"].map(|id| format!("{id} {reason}"));
    assert_eq!(violators(&judged(&policy)), both);
    policy.scope.tags.tags.push(("team".into(), "web".into()));
    assert_eq!(violators(&judged(&policy)), [format!("eipalloc-1 {reason}")]);
}

#[test]
fn a_protection_serves_the_resource_whose_arn_it_names() {
    for (arn, want) in [
        (EIP.to_owned(), "comply"),
        (EIP.replace("arn:aws:", "arn:aws-us-gov:"), "comply"),
        (EIP.replace("us-east-1", "us-east-2"), "RESOURCE_MISSING_SHIELD_PROTECTION"),
        (EIP.replace("111111111111", "222222222222"), "RESOURCE_MISSING_SHIELD_PROTECTION"),
        (format!("{EIP}2"), "RESOURCE_MISSING_SHIELD_PROTECTION"),
        (EIP.to_uppercase(), "RESOURCE_MISSING_SHIELD_PROTECTION"),
        ("eipalloc-1".to_owned(), "RESOURCE_MISSING_SHIELD_PROTECTION"),
    ] {
        let shard = world([eip(), protection("p-1", &arn, "untold")]);
        assert_eq!(outcome(&judge_of(ShieldAdvanced::default(), &shard)), want, "{arn}");
    }
}

/// The protection as another Region's shard holds it.
fn elsewhere(mut item: Item, region: &str) -> Item {
    item.key.region = Region::try_from(region).unwrap();
    item
}

#[test]
fn protections_of_other_shards_count_and_those_of_ones_own_are_read_there() {
    let shard = world([eip()]);
    let policy = policy(ALL, Rule::ShieldAdvanced(ShieldAdvanced::default()));
    let facts = |item| AccountFacts { protections: vec![item], ..AccountFacts::default() };
    let serving = protection("p-1", EIP, "untold");
    let away = facts(elsewhere(serving.clone(), "eu-west-1"));
    assert_eq!(outcome(&judged_at(&policy, &shard, &away, 0)), "comply");
    let gone_since = facts(serving);
    assert_eq!(
        outcome(&judged_at(&policy, &shard, &gone_since, 0)),
        "RESOURCE_MISSING_SHIELD_PROTECTION"
    );
}

#[test]
fn of_two_records_of_a_protection_the_later_counts() {
    let global = |automatic: &str, captured_ms| {
        let mut item = protection("p-1", ALB, automatic);
        item.key.resource_type = ResourceType::SHIELD_PROTECTION;
        item.version.captured_ms = captured_ms;
        item
    };
    let regional = |automatic| {
        let mut item = protection("p-1", ALB, automatic);
        item.version.captured_ms = 5;
        item
    };
    let wrong = "RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION";
    for (at, want) in [(4, wrong), (5, "comply"), (6, "comply")] {
        let shard = world([alb("acl"), regional("off"), global("BLOCK", at)]);
        let judgement = judge_of(rule(WantedResponse::Enabled { block: true }), &shard);
        assert_eq!(outcome(&judgement), want, "global at {at}, regional at 5");
    }
}

/// A shard whose recorder lists these types.
fn recorded(types: &[ResourceType], mut items: Vec<Item>) -> Shard {
    let recorder =
        Recorder { recording: true, group: RecordingGroup::Only(types.to_vec()), internal: false };
    items.push(body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder)));
    world(items)
}

const NEEDED: [ResourceType; 7] = [
    ResourceType::CLOUDFRONT_DISTRIBUTION,
    ResourceType::EIP,
    ResourceType::CLASSIC_LOAD_BALANCER,
    ResourceType::LOAD_BALANCER,
    ResourceType::SHIELD_PROTECTION,
    ResourceType::SHIELD_REGIONAL_PROTECTION,
    ResourceType::WAFV2_WEB_ACL,
];

fn without(types: &[ResourceType]) -> Vec<ResourceType> {
    NEEDED.into_iter().filter(|one| !types.contains(one)).collect()
}

#[test]
fn every_needed_type_that_is_not_recorded_is_an_issue() {
    for missing in NEEDED {
        let shard = recorded(&without(std::slice::from_ref(&missing)), vec![]);
        let judgement = judge_of(ShieldAdvanced::default(), &shard);
        let text = format!("AWSCONFIG AWS Config is not recording resource type {missing}.");
        assert_eq!(gaps(&judgement), [text]);
        assert_eq!(judgement.status(), None);
    }
    assert_eq!(gaps(&judge_of(ShieldAdvanced::default(), &recorded(&NEEDED, vec![]))), [""; 0]);
}

#[test]
fn web_acls_are_needed_where_there_can_be_one() {
    let eips = policy("AWS::EC2::EIP", Rule::ShieldAdvanced(ShieldAdvanced::default()));
    let shard = recorded(&without(&[ResourceType::WAFV2_WEB_ACL]), vec![]);
    assert_eq!(gaps(&judged_at(&eips, &shard, &AccountFacts::default(), 0)), [""; 0]);
}

#[test]
fn what_was_not_seen_is_not_claimed() {
    let regional = without(&[ResourceType::SHIELD_REGIONAL_PROTECTION]);
    let acls = without(&[ResourceType::WAFV2_WEB_ACL]);
    let both = without(&[ResourceType::SHIELD_REGIONAL_PROTECTION, ResourceType::WAFV2_WEB_ACL]);
    let global = without(&[ResourceType::SHIELD_PROTECTION]);
    let protected = || protection("p-1", ALB, "off");
    let block = WantedResponse::Enabled { block: true };
    let ignored = WantedResponse::Ignored;
    let wrong = "RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION";
    for (types, items, wanted, want) in [
        (&regional, vec![eip()], ignored, "undecided"),
        (&regional, vec![alb("acl")], ignored, "undecided"),
        (&regional, vec![alb("bare")], ignored, wrong),
        (&regional, vec![alb("acl"), protected()], block, wrong),
        (&acls, vec![alb("unsaid")], ignored, "RESOURCE_MISSING_SHIELD_PROTECTION"),
        (&acls, vec![alb("unsaid"), protected()], ignored, "undecided"),
        (&acls, vec![alb("unsaid"), protected()], block, wrong),
        (&acls, vec![alb("bare"), protected()], ignored, wrong),
        (&both, vec![alb("unsaid")], ignored, "undecided"),
        (&global, vec![distribution("acl")], ignored, "undecided"),
        (&global, vec![eip()], ignored, "RESOURCE_MISSING_SHIELD_PROTECTION"),
        (&regional, vec![distribution("acl")], ignored, "RESOURCE_MISSING_SHIELD_PROTECTION"),
    ] {
        let shown = format!("{types:?} {items:?} {wanted:?}");
        let judgement = judge_of(rule(wanted), &recorded(types, items));
        assert_eq!(outcome(&judgement), want, "{shown}");
    }
}

#[test]
fn a_protection_whose_body_was_not_recorded_may_serve_anything() {
    let unseen = || body(ResourceType::SHIELD_PROTECTION, "p-9", Body::Unseen);
    let undecided = judge_of(ShieldAdvanced::default(), &world([eip(), unseen()]));
    let text = "AWSCONFIG The configuration of AWS::Shield::Protection p-9 was not recorded.";
    assert_eq!(gaps(&undecided), [text]);
    assert_eq!(undecided.status(), None);
    let other = world([eip(), unseen(), protection("p-1", EIP, "untold")]);
    assert_eq!(outcome(&judge_of(ShieldAdvanced::default(), &other)), "comply");
}

#[test]
fn what_was_seen_later_without_its_configuration_is_judged_by_the_one_before_with_a_gap_beside() {
    let ours = || protection("p-1", EIP, "untold");
    let elsewhere = || protection("p-2", CLB, "untold");
    let missing = "RESOURCE_MISSING_SHIELD_PROTECTION";
    let (p1, p2) = (
        "AWS::ShieldRegional::Protection p-1".to_owned(),
        "AWS::ShieldRegional::Protection p-2".to_owned(),
    );
    let address = "AWS::EC2::EIP eipalloc-1".to_owned();
    for (items, want, gap) in [
        (vec![eip(), outdated(ours())], "undecided", Some(p1)),
        (vec![eip(), outdated(elsewhere())], missing, Some(p2)),
        (vec![eip(), ours(), outdated(elsewhere())], "comply", None),
        (vec![outdated(eip()), ours()], "undecided", Some(address.clone())),
        (vec![outdated(eip())], missing, Some(address)),
    ] {
        let shown = format!("{items:?}");
        let judgement = judge_of(ShieldAdvanced::default(), &world(items));
        assert_eq!(outcome(&judgement), want, "{shown}");
        let text = |what| format!("AWSCONFIG The latest configuration of {what} was not recorded.");
        assert_eq!(gaps(&judgement), gap.map(text).into_iter().collect::<Vec<_>>(), "{shown}");
    }
    let acl = WebAcl { arn: ACL.into(), associated: Some(vec![]), ..WebAcl::default() };
    let acl = outdated(body(ResourceType::WAFV2_WEB_ACL, ACL, Body::WebAcl(acl)));
    let protected = || protection("p-1", ALB, "untold");
    let judge = |items| judge_of(ShieldAdvanced::default(), &world(items));
    let claimed_by_none = judge(vec![alb("unsaid"), protected(), acl.clone()]);
    assert_eq!(outcome(&claimed_by_none), "RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION");
    assert_eq!(claimed_by_none.gaps.len(), 1, "a web ACL may be on it by now");
    assert_eq!(
        outcome(&judge(vec![alb("acl"), protected(), acl])),
        "comply",
        "its own word counts"
    );
}

#[test]
fn a_resource_whose_body_was_not_recorded_is_undecided() {
    for (resource_type, id) in [
        (ResourceType::EIP, "eipalloc-1"),
        (ResourceType::LOAD_BALANCER, ALB),
        (ResourceType::CLASSIC_LOAD_BALANCER, "clb"),
        (ResourceType::CLOUDFRONT_DISTRIBUTION, "E1"),
    ] {
        let judgement = judge_of(
            ShieldAdvanced::default(),
            &world([body(resource_type.clone(), id, Body::Unseen)]),
        );
        let text = format!("AWSCONFIG The configuration of {resource_type} {id} was not recorded.");
        assert_eq!(gaps(&judgement), [text]);
        assert_eq!((judgement.violators.len(), judgement.in_scope), (0, 1));
    }
}

#[test]
fn an_acl_that_names_an_unsaid_resource_is_on_it() {
    let acl = WebAcl {
        arn: ACL.into(),
        associated: Some(vec![(ResourceType::LOAD_BALANCER, ALB.into())]),
        ..WebAcl::default()
    };
    let shard = world([
        alb("unsaid"),
        body(ResourceType::WAFV2_WEB_ACL, ACL, Body::WebAcl(acl)),
        protection("p-1", ALB, "untold"),
    ]);
    assert_eq!(outcome(&judge_of(ShieldAdvanced::default(), &shard)), "comply");
}

/// Semantics §10 row 16.
#[test]
fn a_resource_that_several_web_acls_name_is_neither_protected_nor_bare() {
    let acl = |arn: &str| {
        let associated = Some(vec![(ResourceType::LOAD_BALANCER, ALB.into())]);
        let acl = WebAcl { arn: arn.into(), associated, ..WebAcl::default() };
        body(ResourceType::WAFV2_WEB_ACL, arn, Body::WebAcl(acl))
    };
    let protected = [acl(ACL), acl("arn:2"), alb("unsaid"), protection("p-1", ALB, "untold")];
    assert_eq!(outcome(&judge_of(ShieldAdvanced::default(), &world(protected))), "undecided");
    let unprotected = world([acl(ACL), acl("arn:2"), alb("unsaid")]);
    let found = outcome(&judge_of(ShieldAdvanced::default(), &unprotected));
    assert_eq!(found, "RESOURCE_MISSING_SHIELD_PROTECTION");
}

/// The world of eu-west-1.
fn away(shard: Shard) -> Shard {
    let region = Region::try_from("eu-west-1").unwrap();
    let mut away = Shard::empty(shard_id());
    away.id.region = region.clone();
    away.snapshot_accepted = shard.snapshot_accepted;
    away.held_types = shard.held_types;
    for (resource_type, items) in shard.items {
        let moved = items.into_iter().map(|(id, item)| (id, elsewhere(item, region.as_str())));
        away.items.insert(resource_type, moved.collect());
    }
    away
}

/// Semantics §11 row 44.
#[test]
fn a_regional_resource_needs_the_regional_kind_of_any_region_and_a_distribution_the_global_one() {
    const MISSING: &str = "RESOURCE_MISSING_SHIELD_PROTECTION";
    let arn = EIP.replace("us-east-1", "eu-west-1");
    let regional = protection("p-1", &arn, "untold");
    let mut global = protection("p-2", &arn, "untold");
    global.key.resource_type = ResourceType::SHIELD_PROTECTION;
    let nothing: &[Item] = &[];
    // What the account's shards know, and hold elsewhere.
    for (knows_regional, knows_global, held, want) in [
        (true, false, nothing, MISSING),
        (true, true, nothing, MISSING),
        (false, true, nothing, "undecided"),
        (false, false, nothing, "undecided"),
        (true, false, std::slice::from_ref(&regional), "comply"),
        (true, false, std::slice::from_ref(&global), "comply"),
        (true, true, std::slice::from_ref(&global), "comply"),
        (false, true, std::slice::from_ref(&regional), "undecided"),
    ] {
        let mut policy = policy("AWS::EC2::EIP", Rule::ShieldAdvanced(ShieldAdvanced::default()));
        policy.region = Region::try_from("eu-west-1").unwrap();
        let facts = AccountFacts {
            protections: held.to_vec(),
            knows_global_protections: knows_global,
            knows_regional_protections: knows_regional,
            ..AccountFacts::default()
        };
        // The Region judged records addresses alone.
        let shard = away(recorded(&[ResourceType::EIP], vec![eip()]));
        let judgement = judged_at(&policy, &shard, &facts, 0);
        let case = format!("{knows_regional} {knows_global} {held:?}");
        assert_eq!(outcome(&judgement), want, "{case}");
        let kind = ResourceType::SHIELD_REGIONAL_PROTECTION;
        let unknown = format!("AWSCONFIG AWS Config is not recording resource type {kind}.");
        let issues = if knows_regional { vec![] } else { vec![unknown] };
        assert_eq!(gaps(&judgement), issues, "{case}");
    }
    let cdns =
        policy("AWS::CloudFront::Distribution", Rule::ShieldAdvanced(ShieldAdvanced::default()));
    let known = |kind: ResourceType| {
        let types = [ResourceType::CLOUDFRONT_DISTRIBUTION, ResourceType::WAFV2_WEB_ACL, kind];
        let shard = recorded(&types, vec![distribution("acl")]);
        outcome(&judged_at(&cdns, &shard, &AccountFacts::default(), 0))
    };
    assert_eq!(known(ResourceType::SHIELD_PROTECTION), MISSING);
    assert_eq!(known(ResourceType::SHIELD_REGIONAL_PROTECTION), "undecided");

    let unheard = Shard::empty(away(world([])).id);
    let judgement = judged_at(&cdns, &unheard, &AccountFacts::default(), 0);
    let text = "AWSCONFIG AWS Config is not enabled in the account and Region.";
    assert_eq!(gaps(&judgement), [text]);
}
