use crate::evaluate::world::{body, gaps, judged, outdated, policy, violators, world};
use crate::evaluate::{Finding, References, Status};
use crate::inventory::{ClassicRule, LoadBalancer, Recorder, RecordingGroup, WafTarget, WebAcl};
use crate::policy::Rule;
use crate::policy::waf::ClassicRuleGroup;

use super::*;

const ALB: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const REGIONAL: ResourceType = ResourceType::WAF_REGIONAL_WEB_ACL;

/// `ID` or `ID!`, which counts, separated by blanks.
fn wanting(types: &str, groups: &str) -> Policy {
    let groups = groups.split_whitespace().map(|word| ClassicRuleGroup {
        id: word.trim_end_matches('!').into(),
        count: word.ends_with('!'),
    });
    policy(types, Rule::Waf(Waf { groups: groups.collect() }))
}

/// Words separated by blanks: `PRIORITY:ID` of a group, with `!` where it counts and `~RULE` where that
/// rule is excluded; a plain rule begins with `-`. `?` stands for what is not told.
fn rules(text: &str) -> Vec<ClassicRule> {
    let all = text.split_whitespace().map(|word| {
        let (priority, rest) = word.split_once(':').unwrap();
        let (rest, excluded) = rest.split_once('~').map_or((rest, None), |(a, b)| (a, Some(b)));
        let id = rest.trim_matches(['!', '-']);
        ClassicRule {
            id: (id != "?").then(|| id.into()),
            priority: priority.parse().ok(),
            is_group: Some(!rest.starts_with('-')),
            count: Some(rest.ends_with('!')),
            excluded: Some(excluded.into_iter().map(Into::into).collect()),
        }
    });
    all.collect()
}

fn acl(id: &str, name: &str, text: &str, resources: &[&str]) -> Item {
    let acl = ClassicAcl {
        name: (!name.is_empty()).then(|| name.into()),
        rules: Some(rules(text)),
        resources: Some(resources.iter().map(|id| (*id).into()).collect()),
    };
    body(REGIONAL, id, Body::ClassicAcl(acl))
}

fn edited(mut item: Item, edit: impl FnOnce(&mut ClassicAcl)) -> Item {
    let Body::ClassicAcl(acl) = &mut item.body else { panic!("{item:?}") };
    edit(acl);
    item
}

/// `none`, `unsaid`, or a web ACL.
fn said(text: &str) -> WafAssociation {
    match text {
        "none" => WafAssociation::Bare,
        "unsaid" => WafAssociation::Unsaid,
        named => WafAssociation::Acl(named.into()),
    }
}

fn alb(id: &str, web_acl: &str) -> Item {
    let kind = Some("application".into());
    let balancer = LoadBalancer { kind, groups: None, web_acl: said(web_acl), vpc: None };
    body(ResourceType::LOAD_BALANCER, id, Body::LoadBalancer(balancer))
}

/// A web ACL of the newer generation, on resources.
fn newer(name: &str, on: &[&str]) -> Item {
    let arn = format!("arn:aws:wafv2:us-east-1:1:regional/webacl/{name}/1");
    let associated = on.iter().map(|id| (ResourceType::LOAD_BALANCER, (*id).into())).collect();
    let acl = WebAcl {
        arn: arn.as_str().into(),
        name: name.into(),
        managed_by_fms: Some(true),
        associated: Some(associated),
        ..WebAcl::default()
    };
    body(ResourceType::WAFV2_WEB_ACL, &arn, Body::WebAcl(acl))
}

fn judge(policy: &Policy, items: Vec<Item>) -> Judgement {
    judged(policy, &world(items), &References::new())
}

/// Reason and sentence of each violator.
fn told(judgement: &Judgement) -> Vec<String> {
    let sentences =
        judgement.violators.iter().map(|violator| match &violator.violations[0].finding {
            Finding::Waf(finding) => finding.summary(),
            other => panic!("{other:?}"),
        });
    let both = violators(judgement).into_iter().zip(sentences);
    both.map(|(reason, sentence)| format!("{reason}: {sentence}")).collect()
}

const WANTED: &str =
    "wanted: a classic web ACL FMManagedWebACL... that begins with [g-1, g-2 counting]";

/// Semantics §5.2, §11 row 56.
#[test]
fn a_resource_complies_with_a_managed_web_acl_that_begins_with_the_groups() {
    let policy = wanting(ALB, "g-1 g-2!");
    let own = "FMManagedWebACL01234567";
    for (name, text, wanted) in [
        (own, "1:g-1 2:g-2!", None),
        (own, "10:g-1 20:g-2! 30:-mine 40:g-3", None),
        (own, "20:g-2! 10:g-1", None),
        ("FMManagedWebACL", "1:g-1 2:g-2!", None),
        (own, "1:g-1", Some("rule group g-2 is lacking")),
        (own, "", Some("rule group g-1 is lacking; rule group g-2 is lacking")),
        (own, "1:g-1 2:-g-2!", Some("rule group g-2 is lacking")),
        (
            own,
            "1:-mine 2:g-1 3:g-2!",
            Some("rule group g-1 is not in its place; rule group g-2 is not in its place"),
        ),
        (own, "1:g-1 2:-mine 3:g-2!", Some("rule group g-2 is not in its place")),
        (
            own,
            "2:g-1 1:g-2!",
            Some("rule group g-1 is not in its place; rule group g-2 is not in its place"),
        ),
        (own, "1:g-1! 2:g-2!", Some("rule group g-1: its override action is COUNT, wanted: NONE")),
        (own, "1:g-1 2:g-2", Some("rule group g-2: its override action is NONE, wanted: COUNT")),
        (own, "1:g-1~r-9 2:g-2!", Some("rule group g-1: its rule r-9 is excluded")),
    ] {
        let mut acl = acl("acl-1", name, text, &[]);
        acl = edited(acl, |acl| {
            let rules = acl.rules.as_mut().unwrap();
            rules.sort_by_key(|rule| rule.priority);
        });
        let found = judge(&policy, vec![alb("alb-1", "acl-1"), acl]);
        assert_eq!(found.gaps.len(), 0, "{text}");
        match wanted {
            None => assert_eq!(found.status(), Some(Status::Compliant), "{name} {text}"),
            Some(wanted) => assert_eq!(
                told(&found),
                [format!(
                    "alb-1 WEB_ACL_MISSING_RULE_GROUP: web ACL acl-1 ({name}); {wanted}; {WANTED}"
                )]
            ),
        }
    }
}

/// Semantics §11 rows 56 and 63: whatever `overrideCustomerWebACLAssociation` says (§10 row 16).
#[test]
fn any_other_web_acl_is_incorrect_and_none_is_missing() {
    let policy = wanting(ALB, "g-1 g-2!");
    let newer_arn = "arn:aws:wafv2:us-east-1:1:regional/webacl/FMManagedWebACLV2-p-1600000000000/1";
    for (web_acl, wanted) in [
        ("none", format!("RESOURCE_MISSING_WEB_ACL: no web ACL; {WANTED}")),
        ("acl-1", format!("RESOURCE_INCORRECT_WEB_ACL: web ACL acl-1 (mine); {WANTED}")),
        (newer_arn, format!("RESOURCE_INCORRECT_WEB_ACL: web ACL {newer_arn}; {WANTED}")),
        (
            "arn:aws:waf-regional:us-east-1:1:webacl/acl-1",
            format!("RESOURCE_INCORRECT_WEB_ACL: web ACL acl-1 (mine); {WANTED}"),
        ),
    ] {
        let items = vec![alb("alb-1", web_acl), acl("acl-1", "mine", "1:g-1 2:g-2!", &[])];
        assert_eq!(told(&judge(&policy, items)), [format!("alb-1 {wanted}")]);
    }
}

/// Semantics §10 rows 4 and 16.
#[test]
fn stages_and_distributions_name_their_web_acl() {
    let own = || "FMManagedWebACL1";
    let target = |web_acl: &str| WafTarget { web_acl: said(web_acl) };
    let stage = |web_acl: &str| {
        body(ResourceType::API_GATEWAY_STAGE, "stage-1", Body::ApiStage(target(web_acl)))
    };
    let distribution = |web_acl: &str| {
        let body_of = Body::Distribution(target(web_acl));
        body(ResourceType::CLOUDFRONT_DISTRIBUTION, "E1", body_of)
    };
    let mut global = acl("acl-2", own(), "1:g-1", &[]);
    global.key.resource_type = ResourceType::WAF_WEB_ACL;
    let global = edited(global, |acl| acl.resources = None);
    let stages = wanting("AWS::ApiGateway::Stage", "g-1");
    let regional = || acl("acl-1", own(), "1:g-1", &[]);
    let arn = "arn:aws:waf-regional:us-east-1:1:webacl/acl-1";
    assert_eq!(judge(&stages, vec![stage(arn), regional()]).status(), Some(Status::Compliant));
    let both = judge(&stages, vec![stage("none"), regional()]);
    assert_eq!(violators(&both), ["stage-1 RESOURCE_MISSING_WEB_ACL"]);
    let distributions = wanting("AWS::CloudFront::Distribution", "g-1");
    let found = judge(&distributions, vec![distribution("acl-2"), global.clone()]);
    assert_eq!(found.status(), Some(Status::Compliant));
    // No list tells of distributions.
    let found = judge(&distributions, vec![distribution("unsaid"), global]);
    assert_eq!(gaps(&found), ["AWSCONFIG The web ACL of E1 was not recorded."]);
    assert_eq!((found.in_scope, found.status()), (1, None));
}

/// Semantics §10 row 16: lists count only where the resource says nothing.
#[test]
fn a_resource_that_says_nothing_has_the_web_acl_that_lists_it() {
    let policy = wanting(ALB, "g-1");
    let own = |on: &[&str]| acl("acl-1", "FMManagedWebACL1", "1:g-1", on);
    let mine = |id: &str, on: &[&str]| acl(id, "mine", "", on);
    let contested = "AWSCONFIG Which web ACL is on alb-1 is not certain: more than one lists it.";
    for (says, acls, wanted) in [
        ("unsaid", vec![own(&["alb-1"])], "COMPLIANT"),
        ("unsaid", vec![mine("acl-2", &["alb-1"])], "alb-1 RESOURCE_INCORRECT_WEB_ACL"),
        ("unsaid", vec![newer("v2", &["alb-1"])], "alb-1 RESOURCE_INCORRECT_WEB_ACL"),
        ("unsaid", vec![own(&["alb-2"]), newer("v2", &[])], "alb-1 RESOURCE_MISSING_WEB_ACL"),
        ("none", vec![own(&["alb-1"])], "alb-1 RESOURCE_MISSING_WEB_ACL"),
        // Both generations, or two web ACLs of one: which it has is not known.
        ("unsaid", vec![own(&["alb-1"]), newer("v2", &["alb-1"])], contested),
        ("unsaid", vec![own(&["alb-1"]), mine("acl-2", &["alb-1"])], contested),
        ("unsaid", vec![mine("acl-2", &["alb-1"]), newer("v2", &["alb-1"])], contested),
        ("unsaid", vec![newer("v2", &["alb-1"]), newer("v3", &["alb-1"])], contested),
        ("acl-1", vec![own(&[]), newer("v2", &["alb-1"])], "COMPLIANT"),
    ] {
        let items = acls.into_iter().chain([alb("alb-1", says)]).collect();
        let found = judge(&policy, items);
        let mut all = [violators(&found), gaps(&found)].concat();
        if found.status() == Some(Status::Compliant) {
            all.push("COMPLIANT".to_owned());
        }
        assert_eq!(all, [wanted], "{says}");
    }
}

/// Semantics §11 row 38.
#[test]
fn what_is_not_told_of_a_web_acl_is_a_gap() {
    let policy = wanting(ALB, "g-1 g-2!");
    let own = |text: &str| acl("acl-1", "FMManagedWebACL1", text, &[]);
    let groups = "The rule groups of web ACL acl-1 were not recorded.";
    let rule = |edit: fn(&mut ClassicRule)| {
        edited(own("1:g-1 2:g-2!"), |acl| edit(&mut acl.rules.as_mut().unwrap()[1]))
    };
    for (acl, wanted) in [
        (edited(own(""), |acl| acl.name = None), "The name of web ACL acl-1 was not recorded."),
        (edited(own(""), |acl| acl.rules = None), groups),
        (rule(|rule| rule.id = None), groups),
        (rule(|rule| rule.is_group = None), groups),
        (rule(|rule| rule.count = None), groups),
        (rule(|rule| rule.excluded = None), groups),
        (rule(|rule| rule.priority = None), groups),
        (
            body(REGIONAL, "acl-1", Body::Unseen),
            "The configuration of AWS::WAFRegional::WebACL acl-1 was not recorded.",
        ),
        (
            outdated(own("1:g-1 2:g-2!")),
            "The latest configuration of AWS::WAFRegional::WebACL acl-1 was not recorded.",
        ),
        (acl("acl-9", "mine", "", &[]), "Web ACL acl-1 of alb-1 was not recorded."),
    ] {
        let found = judge(&policy, vec![alb("alb-1", "acl-1"), acl]);
        assert_eq!(gaps(&found), [format!("AWSCONFIG {wanted}")]);
        assert_eq!((found.in_scope, found.status()), (1, None), "{wanted}");
    }
    // What is told suffices for a violation.
    let lacking = judge(&policy, vec![alb("alb-1", "acl-1"), own("1:g-1 ?:g-3")]);
    assert_eq!(violators(&lacking), ["alb-1 WEB_ACL_MISSING_RULE_GROUP"]);
    let untold = edited(own("1:g-1 2:g-2!"), |acl| acl.resources = None);
    for acl in [untold, body(REGIONAL, "acl-1", Body::Unseen)] {
        let found = judge(&policy, vec![alb("alb-1", "unsaid"), acl]);
        assert_eq!(gaps(&found), ["AWSCONFIG The web ACL of alb-1 was not recorded."]);
        assert_eq!(found.status(), None);
    }
    let late = outdated(own("1:g-1 2:g-2!"));
    let found = judge(&policy, vec![alb("alb-1", "unsaid"), late]);
    assert_eq!((found.violators.len(), found.gaps.len()), (1, 1), "its list may have changed");
}

#[test]
fn what_is_not_told_of_a_resource_is_a_gap() {
    let policy = wanting(ALB, "g-1");
    for (item, wanted) in [
        (
            body(ResourceType::LOAD_BALANCER, "alb/loadbalancer/app/1", Body::Unseen),
            "The type of load balancer alb/loadbalancer/app/1 was not recorded.",
        ),
        (
            body(ResourceType::LOAD_BALANCER, "arn:x:loadbalancer/app/1", Body::Unseen),
            "The configuration of AWS::ElasticLoadBalancingV2::LoadBalancer \
             arn:x:loadbalancer/app/1 was not recorded.",
        ),
    ] {
        let found = judge(&policy, vec![item]);
        assert_eq!(gaps(&found), [format!("AWSCONFIG {wanted}")]);
        assert_eq!(found.status(), None);
    }
}

/// Semantics §10 row 18.
#[test]
fn network_and_gateway_balancers_are_out_of_scope() {
    let of = |kind: &str| {
        let mut item = alb(kind, "none");
        let Body::LoadBalancer(balancer) = &mut item.body else { panic!() };
        balancer.kind = Some(kind.into());
        item
    };
    let found = judge(&wanting(ALB, "g-1"), vec![of("network"), of("gateway"), of("application")]);
    assert_eq!((found.in_scope, violators(&found).len()), (1, 1));
}

/// Semantics §1.5, §10 row 1.
#[test]
fn what_is_listed_and_the_web_acls_that_it_can_have_must_be_recorded() {
    let only = |listed: &str, types: &[ResourceType]| {
        let group = RecordingGroup::Only(types.to_vec());
        let recorder = Body::Recorder(Recorder { recording: true, group, internal: false });
        let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", recorder);
        gaps(&judge(&wanting(listed, "g-1"), vec![recorder]))
    };
    let not = |name: &str| format!("AWSCONFIG AWS Config is not recording resource type {name}.");
    assert_eq!(only(ALB, &[ResourceType::LOAD_BALANCER]), [not("AWS::WAFRegional::WebACL")]);
    assert_eq!(only(ALB, &[REGIONAL]), [not(ALB)]);
    let distribution = "AWS::CloudFront::Distribution";
    assert_eq!(only(distribution, &[REGIONAL]), [not(distribution), not("AWS::WAF::WebACL")]);
    // One that tells its web ACL does not need the newer generation; one that does not may be on it.
    let group = RecordingGroup::Only(vec![ResourceType::LOAD_BALANCER, REGIONAL]);
    let recorder = Body::Recorder(Recorder { recording: true, group, internal: false });
    let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", recorder);
    let items = vec![recorder, alb("alb-1", "none"), alb("alb-2", "unsaid")];
    let found = judge(&wanting(ALB, "g-1"), items);
    assert_eq!(violators(&found), ["alb-1 RESOURCE_MISSING_WEB_ACL"]);
    assert_eq!(gaps(&found), ["AWSCONFIG The web ACL of alb-2 was not recorded."]);
}
