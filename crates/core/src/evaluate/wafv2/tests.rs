use crate::evaluate::world::{body, gaps, judged, outdated, policy, tagged, violators, world};
use crate::evaluate::{Finding, Judgement, References, ViolationReason};
use crate::inventory::{
    ACTION_NONE, LoadBalancer, Recorder, RecordingGroup, RuleGroupId, WafAssociation, WafTarget,
    WebAclRuleGroup,
};
use crate::policy::Rule;
use crate::policy::wafv2::RuleGroup;

use super::*;

mod rule_groups;

const ALBS: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const STAGES: &str = "AWS::ApiGateway::Stage";
const DISTRIBUTIONS: &str = "AWS::CloudFront::Distribution";

fn acl_arn(name: &str) -> String {
    format!("arn:aws:wafv2:us-east-1:111111111111:regional/webacl/{name}/0a1b")
}

const OWN: &str = "FMManagedWebACLV2-web-1600000000000";

/// A web ACL as Firewall Manager makes it for the policy, without rule groups.
fn own(name: &str) -> WebAcl {
    WebAcl {
        arn: acl_arn(name).into(),
        name: name.into(),
        managed_by_fms: Some(true),
        retrofitted: Some(false),
        pre_process: Some(vec![]),
        post_process: Some(vec![]),
        associated: Some(vec![]),
        ..WebAcl::default()
    }
}

/// A web ACL of the account itself.
fn customers(name: &str) -> WebAcl {
    WebAcl { managed_by_fms: Some(false), pre_process: None, post_process: None, ..own(name) }
}

fn acl(acl: WebAcl) -> Item {
    let arn = acl.arn.to_string();
    body(ResourceType::WAFV2_WEB_ACL, &arn, Body::WebAcl(acl))
}

fn association(text: &str) -> WafAssociation {
    match text {
        "unsaid" => WafAssociation::Unsaid,
        "bare" => WafAssociation::Bare,
        "classic" => WafAssociation::Acl("0c1d2e3f-0000-0000-0000-000000000000".into()),
        name => WafAssociation::Acl(acl_arn(name).into()),
    }
}

fn balancer(id: &str, kind: &str, web_acl: &str) -> Item {
    let balancer = LoadBalancer {
        kind: Some(kind.into()),
        groups: Some(vec![]),
        web_acl: association(web_acl),
        vpc: None,
    };
    body(ResourceType::LOAD_BALANCER, id, Body::LoadBalancer(balancer))
}

fn alb(id: &str, web_acl: &str) -> Item {
    balancer(id, "application", web_acl)
}

fn judge_of(rule: Wafv2, items: Vec<Item>) -> Judgement {
    judged(&policy(ALBS, Rule::Wafv2(rule)), &world(items), &References::new())
}

/// What is found of the one load balancer with this association beside these web ACLs: a
/// violation, undecided or comply.
fn outcome(rule: &Wafv2, acls: &[WebAcl], web_acl: &str) -> String {
    let mut items: Vec<_> = acls.iter().cloned().map(acl).collect();
    items.push(alb("alb-1", web_acl));
    let judgement = judge_of(rule.clone(), items);
    match (violators(&judgement).as_slice(), judgement.gaps.len()) {
        ([], 0) => "comply".to_owned(),
        ([], 1) => "undecided".to_owned(),
        ([one], 0) => one.strip_prefix("alb-1 ").unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// Rows of `association | outcome`.
fn check(rule: &Wafv2, acls: &[WebAcl], table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (web_acl, want) = row.split_once('|').unwrap();
        assert_eq!(outcome(rule, acls, web_acl.trim()), want.trim(), "{row}");
    }
}

#[test]
fn a_resource_needs_the_web_acl_of_the_policy() {
    let foreign = WebAcl { managed_by_fms: Some(false), ..own("FMManagedWebACLV2-web-5000000000") };
    check(
        &Wafv2::default(),
        &[
            own(OWN),
            own("FMManagedWebACLV2-web-old-1500000000000"),
            own("FMManagedWebACLV2-other-1600000000000"),
            customers("mine"),
            foreign,
        ],
        "bare                                    | RESOURCE_MISSING_WEB_ACL
         unsaid                                  | RESOURCE_MISSING_WEB_ACL
         FMManagedWebACLV2-web-1600000000000     | comply
         FMManagedWebACLV2-web-old-1500000000000 | RESOURCE_INCORRECT_WEB_ACL
         FMManagedWebACLV2-other-1600000000000   | RESOURCE_INCORRECT_WEB_ACL
         FMManagedWebACLV2-web-5000000000                 | RESOURCE_INCORRECT_WEB_ACL
         mine                                    | RESOURCE_INCORRECT_WEB_ACL
         classic                                 | RESOURCE_INCORRECT_WEB_ACL
         strange                                 | RESOURCE_INCORRECT_WEB_ACL
         FMManagedWebACLV2-web-7000000000                 | undecided",
    );
}

#[test]
fn another_web_acl_is_incorrect_whatever_the_override_says() {
    let rule = Wafv2 { override_customer_web_acl: true, ..Wafv2::default() };
    check(&rule, &[customers("mine")], "mine | RESOURCE_INCORRECT_WEB_ACL");
}

#[test]
fn a_web_acl_made_under_a_former_name_is_still_own() {
    let mut policy = policy(ALBS, Rule::Wafv2(Wafv2::default()));
    policy.former_names = vec!["before".into()];
    let name = "FMManagedWebACLV2-before-1500000000000";
    let shard = world([acl(own(name)), alb("alb-1", name)]);
    assert_eq!(violators(&judged(&policy, &shard, &References::new())), [""; 0]);
}

#[test]
fn relationships_decide_only_where_the_attribute_is_absent() {
    let related = |name: &str, ids: &[&str]| {
        let associated = ids.iter().map(|id| (ResourceType::LOAD_BALANCER, (*id).into()));
        acl(WebAcl { associated: Some(associated.collect()), ..own(name) })
    };
    let items = vec![
        related(OWN, &["alb-own", "alb-bare", "alb-other"]),
        related("FMManagedWebACLV2-x-1000000000", &["alb-foreign"]),
        alb("alb-own", "unsaid"),
        alb("alb-foreign", "unsaid"),
        alb("alb-none", "unsaid"),
        alb("alb-bare", "bare"),
        alb("alb-other", "FMManagedWebACLV2-x-1000000000"),
    ];
    assert_eq!(
        violators(&judge_of(Wafv2::default(), items)),
        [
            "alb-bare RESOURCE_MISSING_WEB_ACL",
            "alb-foreign RESOURCE_INCORRECT_WEB_ACL",
            "alb-none RESOURCE_MISSING_WEB_ACL",
            "alb-other RESOURCE_INCORRECT_WEB_ACL",
        ]
    );
}

/// Semantics §10 row 16: it is neither protected nor bare.
#[test]
fn which_of_several_web_acls_a_resource_has_is_not_known() {
    let on = |name: &str| {
        let associated = vec![(ResourceType::LOAD_BALANCER, "alb-1".into())];
        acl(WebAcl { associated: Some(associated), ..own(name) })
    };
    let foreign = "FMManagedWebACLV2-x-1000000000";
    let contested = "AWSCONFIG Which web ACL is on alb-1 is not certain: more than one lists it.";
    let judged = |says: &str, names: &[&str]| {
        let items = names.iter().map(|name| on(name)).chain([alb("alb-1", says)]).collect();
        let found = judge_of(Wafv2::default(), items);
        [violators(&found), gaps(&found)].concat()
    };
    assert_eq!(judged("unsaid", &[OWN]), [""; 0]);
    assert_eq!(judged("unsaid", &[OWN, foreign]), [contested]);
    assert_eq!(judged("bare", &[OWN, foreign]), ["alb-1 RESOURCE_MISSING_WEB_ACL"]);
    assert_eq!(judged(OWN, &[OWN, foreign]), [""; 0], "what the resource tells decides");
}

#[test]
fn without_web_acls_an_unsaid_association_is_undecided() {
    let recorder = Recorder {
        recording: true,
        group: RecordingGroup::Only(vec![ResourceType::LOAD_BALANCER]),
        internal: false,
    };
    let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder));
    let not = "AWSCONFIG AWS Config is not recording resource type AWS::WAFv2::WebACL.";
    let judgement = judge_of(
        Wafv2::default(),
        vec![recorder, alb("alb-1", "unsaid"), alb("alb-2", "bare"), alb("alb-3", OWN)],
    );
    assert_eq!(
        gaps(&judgement),
        [
            not.to_owned(),
            "AWSCONFIG The web ACL of alb-1 was not recorded.".to_owned(),
            format!("AWSCONFIG Web ACL {} of alb-3 was not recorded.", acl_arn(OWN)),
        ]
    );
    assert_eq!(violators(&judgement), ["alb-2 RESOURCE_MISSING_WEB_ACL"]);
    let unseen = body(ResourceType::WAFV2_WEB_ACL, &acl_arn("hidden"), Body::Unseen);
    let judgement = judge_of(Wafv2::default(), vec![unseen, alb("alb-1", "unsaid")]);
    assert_eq!(gaps(&judgement), ["AWSCONFIG The web ACL of alb-1 was not recorded."]);
}

#[test]
fn what_was_seen_later_without_its_configuration_is_judged_by_the_one_before_with_a_gap_beside() {
    let later = |kind: &ResourceType, id: &str| {
        format!("AWSCONFIG The latest configuration of {kind} {id} was not recorded.")
    };
    let lagging = |id: &str| later(&ResourceType::LOAD_BALANCER, id);
    let judge = |acls: &[Item], balancer: Item| {
        let judgement = judge_of(Wafv2::default(), [acls, &[balancer]].concat());
        (violators(&judgement).join(" "), gaps(&judgement))
    };
    let missing = "alb-1 RESOURCE_MISSING_WEB_ACL";
    let none: [String; 0] = [];
    let held = [acl(own(OWN))];
    assert_eq!(
        judge(&held, outdated(alb("alb-1", "bare"))),
        (missing.into(), vec![lagging("alb-1")])
    );
    assert_eq!(judge(&held, outdated(alb("alb-1", OWN))), ("".into(), vec![lagging("alb-1")]));

    let claiming = WebAcl {
        associated: Some(vec![(ResourceType::LOAD_BALANCER, "alb-1".into())]),
        ..own(OWN)
    };
    let lagging = vec![later(&ResourceType::WAFV2_WEB_ACL, &acl_arn(OWN))];
    let held = [outdated(acl(claiming))];
    assert_eq!(judge(&held, alb("alb-1", OWN)), ("".into(), lagging.clone()));
    assert_eq!(judge(&held, alb("alb-1", "unsaid")), ("".into(), lagging.clone()));
    assert_eq!(judge(&held, alb("alb-1", "bare")), (missing.into(), none.to_vec()));
    // Whether another is on it by now, only the web ACL could tell.
    let unclaimed = [outdated(acl(own(OWN)))];
    assert_eq!(judge(&unclaimed, alb("alb-1", "unsaid")), (missing.into(), lagging));
    let other = [outdated(acl(customers("mine"))), acl(own(OWN))];
    assert_eq!(judge(&other, alb("alb-1", OWN)), ("".into(), none.to_vec()));
}

#[test]
fn network_and_gateway_balancers_are_out_of_scope() {
    let of_arn = |kind: &str| {
        let arn = format!("arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/{kind}/b/0a1b");
        let mut item = alb(&arn, "bare");
        if let Body::LoadBalancer(balancer) = &mut item.body {
            balancer.kind = None;
        }
        item
    };
    let judgement = judge_of(
        Wafv2::default(),
        vec![
            balancer("lb-1", "network", "bare"),
            balancer("lb-2", "gateway", "bare"),
            balancer("lb-3", "application", "bare"),
            of_arn("app"),
            of_arn("net"),
        ],
    );
    assert_eq!(judgement.in_scope, 2);
    let ids: Vec<_> = judgement.violators.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(ids, ["arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/b/0a1b", "lb-3"]);
}

#[test]
fn stages_and_distributions_are_judged_like_load_balancers() {
    let target = |web_acl: &str| WafTarget { web_acl: association(web_acl) };
    let stage = |id: &str, web_acl: &str| {
        body(ResourceType::API_GATEWAY_STAGE, id, Body::ApiStage(target(web_acl)))
    };
    let distribution = |id: &str, web_acl: &str| {
        body(ResourceType::CLOUDFRONT_DISTRIBUTION, id, Body::Distribution(target(web_acl)))
    };
    let shard = world([
        acl(own(OWN)),
        acl(customers("mine")),
        stage("stage-1", OWN),
        stage("stage-2", "bare"),
        stage("stage-3", "mine"),
        distribution("E1", OWN),
        distribution("E2", "bare"),
        distribution("E3", "classic"),
        alb("alb-1", "bare"),
    ]);
    let judge = |types: &str| {
        let policy = policy(types, Rule::Wafv2(Wafv2::default()));
        violators(&judged(&policy, &shard, &References::new()))
    };
    let stages = ["stage-2 RESOURCE_MISSING_WEB_ACL", "stage-3 RESOURCE_INCORRECT_WEB_ACL"];
    assert_eq!(judge(STAGES), stages);
    assert_eq!(
        judge(DISTRIBUTIONS),
        ["E2 RESOURCE_MISSING_WEB_ACL", "E3 RESOURCE_INCORRECT_WEB_ACL"]
    );
    let mut both = stages.to_vec();
    both.push("alb-1 RESOURCE_MISSING_WEB_ACL");
    assert_eq!(judge(&format!("{ALBS} {STAGES}")), both);
}

#[test]
fn tags_narrow_the_scope_and_an_unseen_body_is_undecided() {
    let mut policy = policy(ALBS, Rule::Wafv2(Wafv2::default()));
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let app = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/b/0a1b";
    let shard = world([
        alb("alb-1", "bare"),
        tagged(alb("alb-2", "bare"), "env=prod"),
        tagged(body(ResourceType::LOAD_BALANCER, app, Body::Unseen), "env=prod"),
    ]);
    let judgement = judged(&policy, &shard, &References::new());
    assert_eq!(violators(&judgement), ["alb-2 RESOURCE_MISSING_WEB_ACL"]);
    assert_eq!(
        gaps(&judgement),
        [format!("AWSCONFIG The configuration of {ALBS} {app} was not recorded.")]
    );
    assert_eq!(judgement.in_scope, 2);
}

fn group(arn: &str) -> RuleGroup {
    RuleGroup {
        id: RuleGroupId::Own { arn: arn.into() },
        version: None,
        count: false,
        rule_actions: vec![],
        configs: vec![],
        scope_down: Box::default(),
    }
}

fn held(arn: &str) -> WebAclRuleGroup {
    WebAclRuleGroup {
        priority: Some(0),
        id: Some(RuleGroupId::Own { arn: arn.into() }),
        version: Some(Box::default()),
        override_action: Some(ACTION_NONE.into()),
        rule_actions: Some(vec![]),
        configs: Some(vec![]),
        scope_down: Some(Box::default()),
    }
}

#[test]
fn retrofitting_accepts_a_customers_web_acl_that_carries_the_groups() {
    let rule = Wafv2 { first: vec![group("a")], retrofit: true, ..Wafv2::default() };
    let carrying = |name: &str, retrofitted| WebAcl {
        retrofitted: Some(retrofitted),
        pre_process: Some(vec![held("a")]),
        post_process: Some(vec![]),
        ..customers(name)
    };
    let lacking =
        WebAcl { retrofitted: Some(true), pre_process: Some(vec![]), ..customers("lacking") };
    let untold = WebAcl { retrofitted: Some(true), ..customers("untold") };
    let own = WebAcl { pre_process: Some(vec![held("a")]), ..own(OWN) };
    check(
        &rule,
        &[
            carrying("done", true),
            carrying("early", false),
            lacking,
            untold,
            customers("mine"),
            own,
        ],
        "bare                                | RESOURCE_MISSING_WEB_ACL
         done                                | comply
         early                               | comply
         lacking                             | WEB_ACL_MISSING_RULE_GROUP
         mine                                | WEB_ACL_MISSING_RULE_GROUP
         untold                              | undecided
         unheld                              | undecided
         classic                             | RESOURCE_INCORRECT_WEB_ACL
         FMManagedWebACLV2-web-1600000000000 | comply",
    );
    let plain = Wafv2 { retrofit: false, ..rule };
    check(&plain, &[carrying("done", true)], "done | RESOURCE_INCORRECT_WEB_ACL");
}

#[test]
fn retrofitting_reports_web_acls_that_cannot_be_taken_over() {
    let rule = Wafv2 { retrofit: true, ..Wafv2::default() };
    let on = |acl: WebAcl, resources: &[(ResourceType, &str)]| {
        let associated = resources.iter().map(|(kind, id)| (kind.clone(), (*id).into()));
        WebAcl { associated: Some(associated.collect()), ..acl }
    };
    let balancer = ResourceType::LOAD_BALANCER;
    let api = ResourceType::try_from("AWS::AppSync::GraphQLApi").unwrap();
    let alone = on(customers("alone"), &[(balancer.clone(), "alb-1")]);
    let gone =
        on(customers("gone"), &[(balancer.clone(), "alb-2"), (balancer.clone(), "alb-gone")]);
    let shared = on(customers("shared"), &[(api, "api-1"), (balancer, "alb-3")]);
    let judgement = judge_of(
        rule,
        vec![
            acl(alone),
            acl(gone),
            acl(shared),
            acl(own("FMManagedWebACLV2-other-1000000000")),
            alb("alb-1", "alone"),
            alb("alb-2", "gone"),
            alb("alb-3", "shared"),
            alb("alb-4", "FMManagedWebACLV2-other-1000000000"),
        ],
    );
    assert_eq!(
        violators(&judgement),
        [
            "alb-4 RESOURCE_INCORRECT_WEB_ACL".to_owned(),
            format!(
                "{} WEB_ACL_CONFIGURATION_OR_SCOPE_OF_USE",
                acl_arn("FMManagedWebACLV2-other-1000000000")
            ),
            format!("{} WEB_ACL_CONFIGURATION_OR_SCOPE_OF_USE", acl_arn("shared")),
        ]
    );
    let findings: Vec<_> =
        judgement.violators.iter().map(|found| &found.violations[0].finding).collect();
    assert!(matches!(findings[1], Finding::Waf(WafFinding::WebAcl { .. })), "{:?}", findings[1]);
    let use_of = |resources: &[&str], more| {
        Finding::Waf(WafFinding::WebAclOutOfScopeUse {
            web_acl: acl_arn("shared").into(),
            resources: resources.iter().map(|id| (*id).into()).collect(),
            more,
        })
    };
    assert_eq!(*findings[2], use_of(&["api-1"], 0));
}

#[test]
fn what_is_out_of_scope_and_was_seen_later_without_its_configuration_may_be_on_it() {
    let rule = Wafv2 { retrofit: true, ..Wafv2::default() };
    let tags = |mut policy: Policy| {
        policy.scope.tags.tags = vec![("a".into(), "b".into())];
        policy
    };
    let policy = tags(policy(ALBS, Rule::Wafv2(rule)));
    let alone = WebAcl {
        associated: Some(vec![(ResourceType::LOAD_BALANCER, "alb-1".into())]),
        ..customers("alone")
    };
    let other = || alb("alb-2", "");
    let gap = "AWSCONFIG The latest configuration of AWS::ElasticLoadBalancingV2::LoadBalancer \
               alb-2 was not recorded.";
    for (other, want) in [(other(), vec![]), (outdated(other()), vec![gap.to_owned()])] {
        let other = tagged(other, "a=c");
        let items = vec![acl(alone.clone()), tagged(alb("alb-1", "alone"), "a=b"), other];
        let judgement = judged(&policy, &world(items), &References::new());
        assert_eq!(violators(&judgement), [""; 0]);
        assert_eq!(gaps(&judgement), want);
    }
}

/// Semantics §11 row 38: a resource whose tags are not told is not counted either way, nor are those that
/// it would make strangers.
#[test]
fn a_web_acl_is_on_strangers_where_those_are_known_to_be_out_of_scope() {
    let rule = Wafv2 { retrofit: true, ..Wafv2::default() };
    let mut policy = policy(ALBS, Rule::Wafv2(rule));
    policy.scope.tags.tags = vec![("a".into(), "b".into())];
    let told = WebAcl {
        associated: Some(vec![(ResourceType::LOAD_BALANCER, "alb-1".into())]),
        ..customers("shared")
    };
    let violator = format!("{} WEB_ACL_CONFIGURATION_OR_SCOPE_OF_USE", acl_arn("shared"));
    let is_in = || tagged(alb("alb-1", "shared"), "a=b");
    let out = || tagged(alb("alb-2", "shared"), "a=c");
    let name = "AWS::ElasticLoadBalancingV2::LoadBalancer alb-2";
    let untold = || {
        let mut other = alb("alb-2", "shared");
        other.tags = None;
        other
    };
    let late = || {
        let mut other = outdated(out());
        let tags = other.tags.clone();
        other.unseen_since.as_mut().unwrap().tags = tags;
        other
    };
    let gateway = || outdated(tagged(balancer("alb-2", "gateway", "unsaid"), "a=c"));
    for (what, other, violates, gap) in [
        ("known to be out", out(), true, None),
        ("of a kind that no web ACL is on, later", gateway(), false, None),
        ("its tags untold", untold(), false, Some(format!("AWSCONFIG The tags of {name}"))),
        (
            "perhaps off it by now",
            late(),
            true,
            Some(format!("AWSCONFIG The latest configuration of {name}")),
        ),
    ] {
        let judgement =
            judged(&policy, &world([acl(told.clone()), is_in(), other]), &References::new());
        let want: Vec<&str> = violates.then_some(violator.as_str()).into_iter().collect();
        assert_eq!(violators(&judgement), want, "{what}");
        let found = gaps(&judgement);
        let fits = |gap: &String| found.iter().all(|text| text.starts_with(gap.as_str()));
        assert_eq!(found.len(), gap.iter().len(), "{what}: {found:?}");
        assert!(gap.iter().all(fits), "{what}: {found:?}");
    }
    // Where another is on it for certain nothing is in doubt.
    let certain = tagged(alb("alb-3", "shared"), "a=c");
    let items = [acl(told), is_in(), late(), certain];
    let judgement = judged(&policy, &world(items), &References::new());
    assert_eq!(violators(&judgement), [violator.as_str()]);
    assert_eq!(gaps(&judgement), [""; 0]);
}
