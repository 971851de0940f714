//! Interfaces and instances that tell of each other (semantics §11 row 42).

use crate::inventory::{InstanceInterface, Version};

use super::*;

const REASON: &str = "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP";

fn at(mut item: Item, moment: i64) -> Item {
    item.version = Version { state: None, captured_ms: moment };
    item
}

/// An interface's own item.
fn own(moment: i64, groups: &[&str], instance: Option<&str>) -> Item {
    let mut item = at(interface("eni-1", groups), moment);
    if let Body::NetworkInterface(interface) = &mut item.body {
        interface.instance = instance.map(Into::into);
    }
    item
}

/// An instance's body that lists the interface.
fn listing(moment: i64, groups: &[&str]) -> Item {
    at(instance("i-1", groups, &[("eni-1", groups)]), moment)
}

fn later(mut item: Item, moment: i64) -> Item {
    item = outdated(item);
    item.unseen_since.as_mut().unwrap().version = Version { state: None, captured_ms: moment };
    item
}

/// A state with a counter, which orders the states of its own resource alone.
fn counted(state: u64, mut item: Item) -> Item {
    item.version.state = Some(state);
    item
}

#[test]
fn the_newer_of_an_interface_and_its_instances_body_counts_for_both() {
    let unseen = |moment| at(body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen), moment);
    let gap = |what: &str| {
        format!(
            "AWSCONFIG The {what}configuration of AWS::EC2::NetworkInterface eni-1 was not recorded."
        )
    };
    let (latest, none) = (gap("latest "), gap(""));
    let latest_of_instance = latest.replace("NetworkInterface eni-1", "Instance i-1");
    let state = "AWSCONFIG The state of AWS::EC2::Instance i-1 was not recorded.".to_owned();
    let stateless = |mut item: Item| {
        if let Body::Instance(instance) = &mut item.body {
            instance.state = None;
        }
        item
    };
    let i = Some("i-1");
    let both = ["i-1", "eni-1"];
    for (row, items, want, want_gaps) in [
        (
            "own is newer and bad",
            vec![own(2, &["sg-bad"], i), listing(1, &["sg-ok"])],
            &both[..],
            vec![],
        ),
        (
            "own is newer and good",
            vec![own(2, &["sg-ok"], i), listing(1, &["sg-bad"])],
            &[],
            vec![],
        ),
        (
            "listed is newer and bad",
            vec![own(1, &["sg-ok"], i), listing(2, &["sg-bad"])],
            &both,
            vec![],
        ),
        (
            "listed is newer and good",
            vec![own(1, &["sg-bad"], i), listing(2, &["sg-ok"])],
            &[],
            vec![],
        ),
        (
            "listed is newer, by an instance that may be terminated",
            vec![own(1, &["sg-bad"], i), stateless(listing(2, &["sg-ok"]))],
            &[],
            vec![&state],
        ),
        (
            "of one moment its own",
            vec![own(2, &["sg-bad"], i), listing(2, &["sg-ok"])],
            &both,
            vec![],
        ),
        (
            "moved to another, so that it is not the primary one",
            vec![own(2, &["sg-bad"], Some("i-9")), listing(1, &["sg-bad"])],
            &both,
            vec![],
        ),
        (
            "moved before",
            vec![own(1, &["sg-bad"], Some("i-9")), listing(2, &["sg-bad"])],
            &both,
            vec![],
        ),
        (
            "no instance told",
            vec![own(2, &["sg-bad"], None), listing(1, &["sg-ok"])],
            &both,
            vec![],
        ),
        (
            "attached since",
            vec![own(2, &["sg-bad"], i), at(instance("i-1", &[], &[]), 1)],
            &both,
            vec![],
        ),
        (
            "detached since",
            vec![own(1, &["sg-bad"], i), at(instance("i-1", &[], &[("eni-2", &["sg-ok"])]), 2)],
            &["eni-1"],
            vec![],
        ),
        (
            "interfaces not told",
            vec![own(1, &["sg-bad"], i), at(instance("i-1", &[], &[]), 2)],
            &both,
            vec![],
        ),
        ("not recorded, told later", vec![unseen(1), listing(2, &["sg-bad"])], &both, vec![]),
        ("not recorded since", vec![unseen(2), listing(1, &["sg-bad"])], &["i-1"], vec![&none]),
        (
            "outdated, told later",
            vec![later(own(1, &["sg-ok"], i), 2), listing(3, &["sg-bad"])],
            &both,
            vec![],
        ),
        (
            "outdated since",
            vec![later(own(1, &["sg-ok"], i), 3), listing(2, &["sg-bad"])],
            &both,
            vec![&latest],
        ),
        (
            "outdated",
            vec![later(own(2, &["sg-bad"], i), 3), listing(1, &["sg-ok"])],
            &both,
            vec![&latest],
        ),
        (
            "listed is newer, whatever their counters",
            vec![counted(9, own(1, &["sg-bad"], i)), counted(5, listing(2, &["sg-ok"]))],
            &[],
            vec![],
        ),
        (
            "own is newer, whatever their counters",
            vec![counted(5, own(2, &["sg-bad"], i)), counted(9, listing(1, &["sg-ok"]))],
            &both,
            vec![],
        ),
        (
            "listed is newer, and not recorded since",
            vec![own(1, &["sg-ok"], i), later(listing(2, &["sg-ok"]), 3)],
            &[],
            vec![&latest_of_instance],
        ),
        ("the one alone", vec![listing(1, &["sg-bad"])], &["i-1"], vec![]),
        ("the other alone", vec![own(1, &["sg-bad"], i)], &["eni-1"], vec![]),
    ] {
        let types = "AWS::EC2::NetworkInterface AWS::EC2::Instance";
        let policy = about(types, custom(AuditAction::Deny));
        let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
        let mut all = items;
        all.push(group("sg-bad", "in tcp 22 0.0.0.0/0"));
        all.push(group("sg-ok", "in tcp 443 0.0.0.0/0"));
        let judgement = in_shard(&policy, &references, all);
        let want: Vec<_> = want.iter().map(|id| format!("{id} {REASON}")).collect();
        assert_eq!(violators(&judgement), want, "{row}");
        assert_eq!(gaps(&judgement).iter().collect::<Vec<_>>(), want_gaps, "{row}");
    }
}

/// Semantics §11 row 38: groups that a body does not tell are not none.
#[test]
fn an_interface_that_a_body_lists_without_its_groups_is_told_by_its_own_item() {
    let listed = |groups: &[&str], more: &[(&str, Option<i32>)]| {
        let mut item = at(instance("i-1", groups, &[]), 9);
        if let Body::Instance(instance) = &mut item.body {
            let listed = more
                .iter()
                .map(|(id, device_index)| InstanceInterface {
                    id: (*id).into(),
                    groups: None,
                    device_index: *device_index,
                })
                .collect();
            instance.interfaces = Some(listed);
        }
        item
    };
    let gap = |id: &str| {
        format!("AWSCONFIG The security groups of network interface {id} of i-1 were not recorded.")
    };
    let (first, second) = (("eni-1", Some(0)), ("eni-2", Some(1)));
    let (one, two) = (("eni-1", None), ("eni-3", None));
    for (row, items, bad, want) in [
        ("own", vec![listed(&["sg-ok"], &[first]), own(1, &["sg-bad"], None)], true, None),
        ("alone", vec![listed(&["sg-ok"], &[one])], false, Some(gap("eni-1"))),
        ("second alone", vec![listed(&["sg-ok"], &[second])], false, Some(gap("eni-2"))),
        ("primary", vec![listed(&["sg-bad"], &[first])], true, None),
        ("other", vec![listed(&["sg-ok"], &[first, second])], false, Some(gap("eni-2"))),
        ("untold", vec![listed(&["sg-ok"], &[one, two])], false, Some(gap("eni-1"))),
    ] {
        let policy = about(INSTANCE, custom(AuditAction::Deny));
        let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
        let mut all = items;
        all.push(group("sg-bad", "in tcp 22 0.0.0.0/0"));
        all.push(group("sg-ok", ""));
        let judgement = in_shard(&policy, &references, all);
        assert_eq!(!judgement.violators.is_empty(), bad, "{row}");
        assert_eq!(gaps(&judgement).first(), want.as_ref(), "{row}");
    }
}

#[test]
fn the_newest_of_several_instances_that_list_an_interface_counts() {
    let policy = about(INTERFACE, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    for (first, second, is_bad) in [(2, 3, true), (3, 2, false)] {
        let judgement = in_shard(
            &policy,
            &references,
            vec![
                own(1, &["sg-ok"], None),
                at(instance("i-1", &[], &[("eni-1", &["sg-ok"])]), first),
                at(instance("i-2", &[], &[("eni-1", &["sg-bad"])]), second),
                group("sg-bad", "in tcp 22 0.0.0.0/0"),
                group("sg-ok", ""),
            ],
        );
        assert_eq!(violators(&judgement).len(), usize::from(is_bad), "{first} {second}");
    }
}

/// An interface is on one instance: the newest of those that list it has it, and of one moment which has it is
/// not known, unless its own item tells.
#[test]
fn an_interface_that_several_instances_list_is_on_one_of_them() {
    let contested = "AWSCONFIG Which instance network interface eni-1 is on is not certain: more than \
                     one lists it.";
    let listing = |id: &str, moment, groups: &[&str]| {
        at(instance(id, &[], &[("eni-1", groups), ("eni-2", &[])]), moment)
    };
    let policy = about(INSTANCE, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    for (row, items, want, want_gaps) in [
        ("later", vec![listing("i-1", 1, &["sg-bad"]), listing("i-2", 2, &[])], vec![], vec![]),
        (
            "at once",
            vec![listing("i-1", 1, &["sg-ok"]), listing("i-2", 1, &[])],
            vec![],
            vec![contested],
        ),
        (
            "at once and alike",
            vec![listing("i-1", 1, &["sg-ok"]), listing("i-2", 1, &["sg-ok"])],
            vec![],
            vec![],
        ),
        (
            "its own item is no older",
            vec![
                listing("i-1", 1, &["sg-ok"]),
                listing("i-2", 1, &["sg-bad"]),
                own(1, &["sg-bad"], Some("i-1")),
            ],
            vec!["i-1"],
            vec![],
        ),
        (
            "its own item is older",
            vec![
                listing("i-1", 2, &["sg-bad"]),
                listing("i-2", 3, &["sg-ok"]),
                own(1, &["sg-bad"], Some("i-1")),
            ],
            vec![],
            vec![],
        ),
    ] {
        let mut all = items;
        all.push(group("sg-bad", "in tcp 22 0.0.0.0/0"));
        all.push(group("sg-ok", ""));
        let judgement = in_shard(&policy, &references, all);
        let want: Vec<_> = want.iter().map(|id| format!("{id} {REASON}")).collect();
        assert_eq!(violators(&judgement), want, "{row}");
        assert_eq!(gaps(&judgement), want_gaps, "{row}");
    }
}

/// What an instance lists for itself is on its primary interface, whatever became of another.
#[test]
fn an_instance_keeps_its_own_groups_when_another_interface_of_it_moved() {
    let policy = about(INSTANCE, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    for (index, is_bad) in [(Some(1), true), (None, true), (Some(0), false)] {
        let mut listing = at(instance("i-1", &["sg-bad"], &[("eni-1", &["sg-bad"])]), 1);
        if let Body::Instance(instance) = &mut listing.body {
            let all = instance.interfaces.iter_mut().flatten();
            all.for_each(|entry| entry.device_index = index);
        }
        let bad = group("sg-bad", "in tcp 22 0.0.0.0/0");
        let items = vec![listing, own(2, &[], Some("i-9")), bad];
        let judgement = in_shard(&policy, &references, items);
        assert_eq!(violators(&judgement).len(), usize::from(is_bad), "{index:?}");
    }
}

#[test]
fn what_a_terminated_instance_lists_is_no_news() {
    let policy = about(INTERFACE, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    let mut gone = listing(2, &["sg-ok"]);
    if let Body::Instance(instance) = &mut gone.body {
        instance.state = Some("terminated".into());
    }
    let items = vec![
        own(1, &["sg-bad"], Some("i-1")),
        gone,
        group("sg-bad", "in tcp 22 0.0.0.0/0"),
        group("sg-ok", ""),
    ];
    assert_eq!(violators(&in_shard(&policy, &references, items)), [format!("eni-1 {REASON}")]);
}
