use crate::evaluate::world::{
    ACCOUNT, ADMIN, account, body, gaps, judged, outdated, policy, tagged, violators, world,
};
use crate::evaluate::{References, Status};
use crate::inventory::{FirewallPolicy, FirewallRuleGroup, FirewallRules, NetworkFirewall};
use crate::policy::{Elder, Rule};
use crate::scope::TagScope;

use super::*;

const OWN: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const ELDERS: &str = "BBBBBBBBBBBBBBBBBBBBBB";

fn arn(name: &str) -> String {
    format!("arn:aws:network-firewall:us-east-1:{ACCOUNT}:firewall/{name}")
}

fn set(id: &str) -> ResourceSetId {
    id.try_into().unwrap()
}

fn rules(group: &str) -> FirewallRules {
    let group = FirewallRuleGroup { arn: group.into(), ..FirewallRuleGroup::default() };
    FirewallRules { stateful_groups: Some(vec![group]), ..FirewallRules::default() }
}

fn import(resource_types: &str) -> Policy {
    let rule = ImportNetworkFirewall { rules: rules("arn:rg"), resource_sets: vec![set(OWN)] };
    policy(resource_types, Rule::ImportNetworkFirewall(rule))
}

/// A firewall of this name whose firewall policy is `arn:fp-NAME`; `?` tells no ARN, `!` has no body.
fn firewall(word: &str) -> Item {
    let name = word.trim_end_matches(['?', '!']);
    let told = NetworkFirewall {
        name: Some(name.into()),
        arn: (!word.ends_with('?')).then(|| arn(name).into()),
        policy: Some(format!("arn:fp-{name}").into()),
        ..NetworkFirewall::default()
    };
    let told = match word.ends_with('!') {
        true => Body::Unseen,
        false => Body::NetworkFirewall(told),
    };
    body(ResourceType::NETWORK_FIREWALL, name, told)
}

/// `NAME=GROUP`: the firewall policy of a firewall.
fn firewall_policy(word: &str) -> Item {
    let (name, group) = word.split_once('=').unwrap();
    let arn = format!("arn:fp-{name}");
    let told = FirewallPolicy { arn: Some(arn.as_str().into()), rules: rules(group) };
    body(ResourceType::NETWORK_FIREWALL_POLICY, &arn, Body::FirewallPolicy(told))
}

fn items(words: &str) -> Vec<Item> {
    let item = |word| if str::contains(word, '=') { firewall_policy(word) } else { firewall(word) };
    words.split_whitespace().map(item).collect()
}

/// A set with these names; `elsewhere` stands for a firewall of another account.
fn named(id: &str, names: &str) -> (Reference, Fact) {
    let other = "arn:aws:network-firewall:us-east-1:222222222222:firewall/x";
    let arns = names.split_whitespace().map(|name| match name {
        "elsewhere" => other.into(),
        name => arn(name).into(),
    });
    let reference = Reference::ResourceSet {
        owner: account(ADMIN),
        region: crate::ident::Region::home_of_global(),
        id: set(id),
    };
    (reference, Fact::Resources(arns.collect()))
}

fn elder(accounts: &[&str]) -> Elder {
    Elder {
        id: "11111111-89ab-cdef-0123-456789abcdef".try_into().unwrap(),
        name: "elder".into(),
        accounts: accounts.iter().map(|id| account(id)).collect(),
        tags: TagScope::default(),
        owner: account(ADMIN),
        resource_sets: [set(ELDERS)].into(),
    }
}

/// The words of [`outcome`].
fn told(judgement: &Judgement) -> String {
    let status = match judgement.status() {
        Some(Status::Compliant) => "complies",
        Some(Status::NonCompliant) => "violates",
        None => "unknown",
    };
    format!("{} {status}", judgement.in_scope)
}

#[test]
fn firewalls_that_a_set_names_filter_by_what_is_wanted() {
    // What is held | what the set names | in scope and status
    const TABLE: &str = "
        one one=arn:rg            | one           | 1 complies
        one one=arn:other         | one           | 1 violates
        one one=arn:other         | two           | 0 complies
        one one=arn:other         | elsewhere     | 0 complies
        one one=arn:other         |               | 0 complies
        one                       | one           | 1 unknown
        one? one=arn:rg           | one           | 0 unknown
        one? one=arn:rg           | elsewhere     | 0 complies
        one!                      | one           | 0 unknown
        one!                      | elsewhere     | 0 complies
        one two one=arn:rg two=x  | one           | 1 complies
        one two one=arn:rg two=x  | one two       | 2 violates
                                  | one           | 0 complies
    ";
    for row in TABLE.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let [held, names, outcome] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        for types in ["AWS::NetworkFirewall::Firewall", "AWS::EC2::VPC"] {
            let references = References::from([named(OWN, names)]);
            let judgement = judged(&import(types), &world(items(held)), &references);
            assert_eq!(told(&judgement), outcome, "{row}\n{judgement:?}");
        }
    }
}

#[test]
fn the_firewall_policy_is_what_breaks_the_policy() {
    let references = References::from([named(OWN, "one")]);
    let shard = world(items("one one=arn:other"));
    let judgement = judged(&import("AWS::NetworkFirewall::Firewall"), &shard, &references);
    assert_eq!(violators(&judgement), ["arn:fp-one NETWORK_FIREWALL_POLICY_MODIFIED"]);
    assert_eq!(judgement.violators[0].resource_type, ResourceType::NETWORK_FIREWALL_POLICY);
}

#[test]
fn a_set_that_cannot_be_found_is_a_gap() {
    let shard = world(items("one one=arn:rg"));
    let judgement = judged(&import("AWS::EC2::VPC"), &shard, &References::new());
    let want = format!(
        "AWSVPC Resource set {OWN} of account {ADMIN} in Region us-east-1 could not be found."
    );
    assert_eq!(gaps(&judgement), std::slice::from_ref(&want));
    assert_eq!(told(&judgement), "0 unknown");
    // Beside one that is found it leaves no result all the same.
    let mut both = import("AWS::EC2::VPC");
    both.rule = Rule::ImportNetworkFirewall(ImportNetworkFirewall {
        rules: rules("arn:rg"),
        resource_sets: vec![set(OWN), set(ELDERS)],
    });
    let references = References::from([named(ELDERS, "one")]);
    let judgement = judged(&both, &world(items("one one=arn:other")), &references);
    assert_eq!((gaps(&judgement), told(&judgement).as_str()), (vec![want], "1 unknown"));
}

/// Types have to be known where a set names something of the account and Region, and nowhere else.
#[test]
fn what_no_set_names_need_not_be_recorded() {
    let mut shard = world([]);
    shard.items.clear();
    shard.snapshot_accepted = false;
    shard.held_types = [ResourceType::VPC].into();
    for (names, outcome) in [("one", "0 unknown"), ("elsewhere", "0 complies"), ("", "0 complies")]
    {
        let references = References::from([named(OWN, names)]);
        let judgement = judged(&import("AWS::EC2::VPC"), &shard, &references);
        assert_eq!(told(&judgement), outcome, "{names} {judgement:?}");
    }
}

#[test]
fn a_firewall_is_managed_by_the_policy_that_was_first() {
    // Accounts of the elder | what its set names, `-` cannot be found | in scope and status
    for (accounts, names, outcome) in [
        (&[ACCOUNT][..], "one", "0 complies"),
        (&[ACCOUNT], "two", "1 violates"),
        (&[ACCOUNT], "", "1 violates"),
        (&[ACCOUNT], "-", "0 unknown"),
        (&["222222222222"], "one", "1 violates"),
        (&["222222222222"], "-", "1 violates"),
    ] {
        let mut policy = import("AWS::EC2::VPC");
        policy.elders = vec![elder(accounts)];
        let mut references = References::from([named(OWN, "one")]);
        if names != "-" {
            references.extend([named(ELDERS, names)]);
        }
        let judgement = judged(&policy, &world(items("one one=arn:other")), &references);
        assert_eq!(told(&judgement), outcome, "{accounts:?} {names} {judgement:?}");
    }
    let mut policy = import("AWS::EC2::VPC");
    policy.elders = vec![elder(&[ACCOUNT])];
    let asked = crate::evaluate::references(&policy);
    assert_eq!(asked, [named(OWN, "").0, named(ELDERS, "").0].into());
}

/// An older policy that leaves a firewall out by its tags does not manage it.
#[test]
fn an_older_policy_holds_what_its_tags_let_in() {
    for (tags, outcome) in
        [(Some("env=prod"), "0 complies"), (Some("env=dev"), "1 violates"), (None, "0 unknown")]
    {
        let mut policy = import("AWS::EC2::VPC");
        let mut elder = elder(&[ACCOUNT]);
        elder.tags.tags = vec![("env".into(), "prod".into())];
        policy.elders = vec![elder];
        let mut all = items("one one=arn:other");
        all[0] = match tags {
            Some(tags) => tagged(all[0].clone(), tags),
            None => Item { tags: None, ..all[0].clone() },
        };
        let references = References::from([named(OWN, "one"), named(ELDERS, "one")]);
        let judgement = judged(&policy, &world(all), &references);
        assert_eq!(told(&judgement), outcome, "{tags:?} {judgement:?}");
    }
}

/// Semantics §11 row 38: what let it in may not any more.
#[test]
fn old_tags_do_not_prove_that_a_firewall_is_an_older_policys() {
    let mut policy = import("AWS::EC2::VPC");
    policy.elders = vec![elder(&[ACCOUNT])];
    let references = References::from([named(OWN, "one"), named(ELDERS, "one")]);
    for (filter, outcome) in
        [(vec![("env".into(), "prod".into())], "0 unknown"), (vec![], "0 complies")]
    {
        policy.elders[0].tags.tags = filter;
        let mut all = items("one one=arn:other");
        all[0] = outdated(tagged(all[0].clone(), "env=prod"));
        let judgement = judged(&policy, &world(all), &references);
        assert_eq!(told(&judgement), outcome, "{judgement:?}");
    }
}

#[test]
fn what_may_have_changed_since_is_a_gap() {
    let references = References::from([named(OWN, "one")]);
    for late in 0..2 {
        let mut all = items("one one=arn:rg");
        all[late] = outdated(all[late].clone());
        let judgement = judged(&import("AWS::EC2::VPC"), &world(all), &references);
        assert_eq!(told(&judgement), "1 unknown", "{late} {judgement:?}");
    }
}

#[test]
fn tags_filter_firewalls() {
    let mut wanted = import("AWS::NetworkFirewall::Firewall");
    wanted.scope.tags =
        TagScope { tags: vec![("env".into(), "prod".into())], ..TagScope::default() };
    for (tags, outcome) in [("env=prod", "1 violates"), ("env=test", "0 complies")] {
        let mut all = items("one one=arn:other");
        all[0] = tagged(all[0].clone(), tags);
        let references = References::from([named(OWN, "one")]);
        let judgement = judged(&wanted, &world(all), &references);
        assert_eq!(told(&judgement), outcome, "{tags} {judgement:?}");
    }
    // One whose tags alone are told is out of scope by them.
    for (tags, outcome) in [("env=prod", "0 unknown"), ("env=test", "0 complies")] {
        let unseen = tagged(items("one!").remove(0), tags);
        let references = References::from([named(OWN, "one")]);
        let judgement = judged(&wanted, &world([unseen]), &references);
        assert_eq!(told(&judgement), outcome, "{tags} {judgement:?}");
    }
}
