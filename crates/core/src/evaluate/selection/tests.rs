use super::*;
use crate::evaluate::References;
use crate::evaluate::world::{
    body, gaps, group, interface, judged, outdated, policy, tagged, world,
};
use crate::inventory::Body;
use crate::policy::Rule;
use crate::policy::usage_audit::UsageAudit;

/// A policy that finds every group in scope unused.
fn unused(wanted: &str, exclude: bool) -> Policy {
    let rule = Rule::UsageAudit(UsageAudit { unused_after_ms: Some(0), unique: false });
    let mut policy = policy("AWS::EC2::SecurityGroup", rule);
    let pairs = wanted.split_whitespace().filter_map(|tag| tag.split_once('='));
    policy.scope.tags.tags = pairs.map(|(key, value)| (key.into(), value.into())).collect();
    policy.scope.tags.exclude = exclude;
    policy
}

/// A group with tags in words, or `untold`.
fn with(tags: &str) -> Item {
    let mut item = group("sg-1", "");
    match tags {
        "untold" => item.tags = None,
        tags => item = tagged(item, tags),
    }
    item
}

#[test]
fn tags_that_no_member_told_decide_nothing_under_a_filter() {
    // the filter | tags | violators and in scope when it includes | when it excludes | whether a gap
    for row in [
        "a=1 | a=1    | 1 | 0 | no",
        "a=1 | b=1    | 0 | 1 | no",
        "a=1 |        | 0 | 1 | no",
        "a=1 | untold | 0 | 0 | gap",
        "    | untold | 1 | 1 | no",
    ] {
        let [wanted, tags, inside, outside, gap] =
            row.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("{row}");
        };
        for (exclude, count) in [(false, inside), (true, outside)] {
            let shard = world([with(tags), interface("eni-1", &[])]);
            let judgement = judged(&unused(wanted, exclude), &shard, &References::new());
            let found = (judgement.violators.len().to_string(), judgement.in_scope.to_string());
            assert_eq!(found, (count.to_owned(), count.to_owned()), "{row}");
            let text = "AWSCONFIG The tags of AWS::EC2::SecurityGroup sg-1 were not recorded.";
            let want = if gap == "gap" { vec![text] } else { Vec::new() };
            assert_eq!(gaps(&judgement), want, "{row}");
        }
    }
}

#[test]
fn of_two_states_the_tags_told_last_decide() {
    let policy = unused("a=1", false);
    // tags of the state with a configuration | of a later one without | membership
    for (tags, later, want) in [
        ("a=1", "untold", Membership::In),
        ("a=2", "untold", Membership::Undecided),
        ("untold", "untold", Membership::Undecided),
        ("untold", "a=1", Membership::In),
        ("a=1", "a=2", Membership::Out),
        ("a=1", "", Membership::Out),
    ] {
        let mut item = outdated(with(tags));
        item.unseen_since.as_mut().unwrap().tags = with(later).tags;
        assert_eq!(membership(&policy, &item), want, "{tags} then {later}");
    }
}

#[test]
fn what_an_earlier_version_stored_is_to_be_delivered_again() {
    let shard = world([body(ResourceType::SECURITY_GROUP, "sg-1", Body::OlderLayout)]);
    let judgement = judged(&unused("", false), &shard, &References::new());
    assert_eq!(
        gaps(&judgement),
        ["AWSCONFIG The configuration of AWS::EC2::SecurityGroup sg-1 was stored by an earlier \
          version of Palisade: deliver its inventory again."]
    );
    assert_eq!((judgement.status(), judgement.in_scope), (None, 1));
}
