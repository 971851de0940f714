use crate::evaluate::world::{
    account, body, group, held, interface, outdated, policy, tagged, world,
};
use crate::evaluate::{AccountFacts, Evidence, References};
use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Body, Instance, Item, Shard};
use crate::policy::content_audit::{AuditAction, AuditGroups, ContentAudit};
use crate::policy::usage_audit::UsageAudit;
use crate::policy::{Policy, Rule};

use super::*;

fn explained(policy: &Policy, shard: &Shard, references: &References, id: &str) -> Explanation {
    let facts = AccountFacts::default();
    let evidence =
        Evidence { shard, references, account: &facts, evaluated_ms: 0, stale_after_ms: None };
    let of = |item: &&Item| item.key.id.as_str() == id;
    let item = shard.items.values().flat_map(|items| items.values()).find(of).unwrap();
    explain(policy, &evidence, &item.key.resource_type, &item.key.id).unwrap()
}

fn unused() -> Policy {
    let rule = Rule::UsageAudit(UsageAudit { unused_after_ms: Some(0), unique: false });
    policy("AWS::EC2::SecurityGroup", rule)
}

#[test]
fn a_verdict_is_one_sentence_with_what_would_end_it() {
    let mut filtered = unused();
    filtered.scope.tags.tags = vec![("env".into(), "prod".into())];
    let mut foreign = group("sg-4", "");
    if let Body::SecurityGroup(group) = &mut foreign.body {
        group.owner = Some(account("222222222222"));
    }
    let mut untagged = group("sg-6", "");
    untagged.tags = None;
    let prod = |item| tagged(item, "env=prod");
    let shard = world([
        prod(group("sg-1", "")),
        prod(group("sg-2", "")),
        group("sg-3", ""),
        prod(foreign),
        prod(body(ResourceType::SECURITY_GROUP, "sg-5", Body::Unseen)),
        untagged,
        interface("eni-1", &["sg-2"]),
    ]);
    // resource | verdict in a sentence | what would end it
    for row in [
        "sg-1  | sg-1 violates the policy: no network interface, instance or load balancer uses sg-1, unchanged since 1970-01-01T00:00:00.001Z. | delete sg-1; attach sg-1 to what is to use it",
        "sg-2  | sg-2 complies with the policy. | ",
        "sg-3  | sg-3 is out of the policy's scope: by its tags: the policy is about resources tagged `env=prod`. | ",
        "sg-4  | sg-4 is out of the policy's scope: account 222222222222 owns it: it is seen here because a VPC is shared. | ",
        "sg-5  | Whether sg-5 complies is not known: The configuration of AWS::EC2::SecurityGroup sg-5 was not recorded. | deliver an item of AWS::EC2::SecurityGroup sg-5 that tells its configuration, as the newest does not, or let a live source list it by ec2:DescribeSecurityGroups",
        "sg-6  | Whether sg-6 complies is not known: The tags of AWS::EC2::SecurityGroup sg-6 were not recorded. | deliver an item of AWS::EC2::SecurityGroup sg-6 that tells its tags, or let a live source list it by ec2:DescribeSecurityGroups",
        "eni-1 | eni-1 is out of the policy's scope: the policy is about resources of type AWS::EC2::SecurityGroup. | ",
    ] {
        let [id, sentence, ends] =
            row.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let explanation = explained(&filtered, &shard, &References::new(), id);
        assert_eq!(explanation.sentence(), sentence, "{row}");
        assert_eq!(explanation.ends_by().join("; "), ends, "{row}");
        assert_eq!(explanation.items[0].key.id.as_str(), id, "{row}");
    }
}

#[test]
fn what_stands_in_the_way_of_others_does_not_make_a_resource_unknown() {
    let other = body(ResourceType::SECURITY_GROUP, "sg-2", Body::Unseen);
    let shard = world([group("sg-1", ""), other, interface("eni-1", &["sg-1"])]);
    let explanation = explained(&unused(), &shard, &References::new(), "sg-1");
    assert_eq!(explanation.verdict, Explained::Complies);
    let lagging = world([outdated(group("sg-1", "")), interface("eni-1", &["sg-1"])]);
    let explanation = explained(&unused(), &lagging, &References::new(), "sg-1");
    let (group, id) = (ResourceType::SECURITY_GROUP, "sg-1".try_into().unwrap());
    let want = Lacking::LaterConfiguration(group, id);
    assert_eq!(explanation.lacking().collect::<Vec<_>>(), [&want]);
    assert_eq!(explanation.items[0].unseen_since.as_ref().unwrap().captured_ms, 2);
}

#[test]
fn what_would_tell_is_named_as_recorder_and_as_call() {
    use super::super::lacking::told_by;
    let shard = world([]);
    let place = "account 111111111111, Region us-east-1";
    let kind = ResourceType::SECURITY_GROUP;
    for (fact, ends) in [
        (
            Lacking::Recording(kind.clone()),
            format!(
                "let the AWS Config recorder of {place} record AWS::EC2::SecurityGroup, or let a live source \
                 list it by ec2:DescribeSecurityGroups"
            ),
        ),
        // What no live source lists.
        (
            Lacking::Recording(ResourceType::NETWORK_FIREWALL_RULE_GROUP),
            format!(
                "let the AWS Config recorder of {place} record AWS::NetworkFirewall::RuleGroup"
            ),
        ),
        (
            Lacking::Inventory,
            format!(
                "deliver inventory of {place}: snapshots of its AWS Config recorder, or a live source that \
                 reads it"
            ),
        ),
        (
            Lacking::Newer,
            format!(
                "deliver newer inventory of {place}: a snapshot of its AWS Config recorder, or a live source \
                 that reads it"
            ),
        ),
    ] {
        assert_eq!(told_by(&shard, &fact).as_deref(), Some(&*ends), "{fact:?}");
    }
}

#[test]
fn what_may_be_of_any_type_is_mended_without_naming_one() {
    use crate::inventory::{Cause, OpenGap};
    let place = "account 111111111111, Region us-east-1";
    for (cause, what, ends) in [
        (
            Cause::File,
            Some("a.json"),
            format!("deliver a whole snapshot of {place} that is newer than file a.json"),
        ),
        (Cause::File, None, format!("deliver a whole snapshot of {place}")),
        (
            Cause::Item,
            Some("sg-9"),
            format!("deliver item sg-9 of {place} again, in a form that can be read"),
        ),
        (Cause::GoesOn, None, format!("deliver a whole snapshot of {place}")),
    ] {
        let mut shard = world([group("sg-1", ""), interface("eni-1", &["sg-1"])]);
        let open = OpenGap { cause, of_type: false, what: what.map(Into::into) };
        for kind in ResourceType::NAMED {
            shard.open_gaps.entry(kind.clone()).or_default().insert(open.clone());
        }
        let explanation = explained(&unused(), &shard, &References::new(), "sg-1");
        assert_eq!(explanation.ends_by(), [ends], "{cause:?}");
    }
}

#[test]
fn each_rule_of_a_group_is_told_with_what_it_was_held_against() {
    let groups = AuditGroups { action: AuditAction::Allow, ids: vec!["sg-a".try_into().unwrap()] };
    let audit = ContentAudit { audit: Some(groups), ..ContentAudit::default() };
    let policy = policy("AWS::EC2::SecurityGroup", Rule::ContentAudit(audit));
    let shard = world([group("sg-1", "in tcp 443 10.0.0.0/8; in tcp 22 0.0.0.0/0")]);
    let mut allowed = group("sg-a", "in tcp 443 10.0.0.0/8");
    allowed.key.account = policy.owner.clone();
    let id: ResourceId = "sg-a".try_into().unwrap();
    let reference = crate::evaluate::security_groups::administrators_group(&policy, &id);
    let references = References::from([(reference, held(allowed))]);
    let explanation = explained(&policy, &shard, &references, "sg-1");
    let told: Vec<String> = explanation
        .held_against
        .iter()
        .map(|held| format!("{}: {} ({:?}) {}", held.what, held.found, held.fits, held.wanted))
        .collect();
    let want = [
        "ingress rule: tcp 22 from 0.0.0.0/0: no rule of audit group sg-a allows it (Some(false)) \
         within the rules of audit group sg-a",
        "ingress rule: tcp 443 from 10.0.0.0/8 (Some(true)) within the rules of audit group sg-a",
    ];
    assert_eq!(told, want);
    let ids: Vec<&str> = explanation.items.iter().map(|seen| seen.key.id.as_str()).collect();
    assert_eq!(ids, ["sg-1", "sg-a"]);
}

#[test]
fn a_terminated_instance_is_out_of_scope_by_a_special_rule() {
    let policy = policy("AWS::EC2::Instance", Rule::ContentAudit(ContentAudit::default()));
    let instance = Instance { state: Some("terminated".into()), ..Instance::default() };
    let shard = world([body(ResourceType::INSTANCE, "i-1", Body::Instance(instance))]);
    let explanation = explained(&policy, &shard, &References::new(), "i-1");
    assert_eq!(explanation.verdict, Explained::OutOfScope(Filter::Special(Special::Terminated)));
}
