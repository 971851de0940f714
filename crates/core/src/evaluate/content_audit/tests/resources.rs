//! Which resources are judged, of what is held of them.

use super::*;

const RULES: &str = "sg-bad in tcp 22 0.0.0.0/0";
const REASON: &str = "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP";

/// A policy that denies tcp 22, and what it finds.
fn denying(resource_types: &str, items: Vec<Item>) -> Judgement {
    let policy = about(resource_types, custom(AuditAction::Deny));
    in_shard(&policy, &audit_group_of(&policy, "in tcp 22 0.0.0.0/0"), items)
}

fn bad(id: &str) -> Item {
    group(id, RULES.split_once(' ').unwrap().1)
}

fn good(id: &str) -> Item {
    group(id, "in tcp 443 0.0.0.0/0")
}

#[test]
fn violators_are_of_listed_types_alone() {
    let items = || {
        vec![
            bad("sg-bad"),
            good("sg-good"),
            interface("eni-1", &["sg-bad"]),
            interface("eni-2", &["sg-good"]),
            instance("i-1", &["sg-bad"], &[]),
        ]
    };
    for (types, want, in_scope) in [
        (GROUP, vec!["sg-bad"], 2),
        (INTERFACE, vec!["eni-1"], 2),
        (INSTANCE, vec!["i-1"], 1),
        (ALL, vec!["i-1", "eni-1", "sg-bad"], 5),
    ] {
        let judgement = denying(types, items());
        let want: Vec<_> = want.iter().map(|id| format!("{id} {REASON}")).collect();
        assert_eq!(violators(&judgement), want, "{types}");
        assert_eq!(judgement.in_scope, in_scope, "{types}");
    }
}

#[test]
fn an_interface_names_its_violating_groups() {
    let items =
        vec![bad("sg-a"), bad("sg-b"), good("sg-c"), interface("eni-1", &["sg-c", "sg-b", "sg-a"])];
    let judgement = denying(INTERFACE, items);
    let interfaces = vec![("eni-1".into(), vec!["sg-a".into(), "sg-b".into()])];
    let told = |id: &str| AttachedGroup {
        group: id.into(),
        owner: None,
        lookalike: false,
        rules: vec![BrokenRule {
            direction: Direction::Ingress,
            rule: "tcp 22 from 0.0.0.0/0".into(),
            against: "denied by `tcp 22 from 0.0.0.0/0` of audit group sg-audit".into(),
        }],
        more: false,
    };
    let groups = vec![told("sg-a"), told("sg-b")];
    let finding = &judgement.violators[0].violations[0].finding;
    assert_eq!(
        finding,
        &Finding::SecurityGroups(SecurityGroupFinding::AttachedGroups { interfaces, groups })
    );
}

#[test]
fn an_instance_answers_for_its_own_groups_and_those_of_its_interfaces() {
    let judgement = denying(
        INSTANCE,
        vec![
            bad("sg-bad"),
            good("sg-good"),
            instance("i-1", &["sg-good"], &[("eni-1", &["sg-good"]), ("eni-2", &["sg-bad"])]),
            instance("i-2", &["sg-bad"], &[("eni-3", &["sg-bad", "sg-good"])]),
            instance("i-3", &["sg-bad"], &[("eni-4", &["sg-good"])]),
            instance("i-4", &["sg-good"], &[("eni-5", &["sg-good"])]),
            instance("i-5", &[], &[]),
        ],
    );
    let found: Vec<_> = judgement
        .violators
        .iter()
        .map(|violator| violator.violations[0].finding.summary())
        .collect();
    assert_eq!(
        found,
        ["eni-2", "eni-3", "i-3"].map(|on| {
            format!(
                "violating security groups sg-bad on {on}; ingress rule `tcp 22 from 0.0.0.0/0` of \
                 sg-bad: denied by `tcp 22 from 0.0.0.0/0` of audit group sg-audit"
            )
        })
    );
    assert_eq!(judgement.in_scope, 5);
}

#[test]
fn terminated_instances_are_out_of_scope_and_bring_no_group_in() {
    let mut gone = tagged(instance("i-1", &["sg-bad"], &[]), "env=prod");
    if let Body::Instance(instance) = &mut gone.body {
        instance.state = Some("terminated".into());
    }
    let mut policy = about(ALL, custom(AuditAction::Deny));
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    let judgement = in_shard(&policy, &references, vec![bad("sg-bad"), gone]);
    assert_eq!((violators(&judgement).len(), judgement.in_scope), (0, 0));
}

#[test]
fn a_group_is_in_scope_by_its_own_tags_or_by_what_it_is_attached_to() {
    let items = || {
        vec![
            bad("sg-attached"),
            bad("sg-elsewhere"),
            bad("sg-loose"),
            tagged(bad("sg-tagged"), "env=prod"),
            tagged(bad("sg-other"), "env=test"),
            tagged(interface("eni-1", &["sg-attached"]), "env=prod"),
            interface("eni-2", &["sg-elsewhere"]),
        ]
    };
    let judge = |types: &str| {
        let mut policy = about(types, custom(AuditAction::Deny));
        policy.scope.tags.tags = vec![("env".into(), "prod".into())];
        let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
        let judgement = in_shard(&policy, &references, items());
        let ids: Vec<_> = judgement.violators.iter().map(|v| v.id.as_str().to_owned()).collect();
        (ids.join(" "), judgement.in_scope)
    };
    assert_eq!(judge(ALL), ("eni-1 sg-attached sg-tagged".into(), 3));
    assert_eq!(judge(GROUP), ("sg-tagged".into(), 1));
    assert_eq!(judge(INTERFACE), ("eni-1".into(), 1));
}

#[test]
fn a_group_that_is_not_held_leaves_its_interface_undecided() {
    let unseen = body(ResourceType::SECURITY_GROUP, "sg-unseen", Body::Unseen);
    let judgement = denying(
        "AWS::EC2::NetworkInterface AWS::EC2::Instance",
        vec![
            bad("sg-bad"),
            good("sg-good"),
            unseen,
            interface("eni-1", &["sg-gone", "sg-good"]),
            interface("eni-2", &["sg-unseen"]),
            interface("eni-3", &["sg-bad", "sg-gone"]),
            instance("i-1", &["sg-gone"], &[]),
        ],
    );
    assert_eq!(
        gaps(&judgement),
        [
            "AWSCONFIG Security group sg-gone of eni-1 was not recorded.",
            "AWSCONFIG Security group sg-gone of i-1 was not recorded.",
            "AWSCONFIG Security group sg-unseen of eni-2 was not recorded.",
        ]
    );
    assert_eq!(violators(&judgement), [format!("eni-3 {REASON}")]);
}

#[test]
fn a_resource_without_a_recorded_configuration_is_undecided() {
    let judgement = denying(
        ALL,
        vec![
            body(ResourceType::SECURITY_GROUP, "sg-1", Body::Unseen),
            body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen),
            body(ResourceType::INSTANCE, "i-1", Body::Unseen),
        ],
    );
    assert_eq!(
        gaps(&judgement),
        [
            "AWSCONFIG The configuration of AWS::EC2::Instance i-1 was not recorded.",
            "AWSCONFIG The configuration of AWS::EC2::NetworkInterface eni-1 was not recorded.",
            "AWSCONFIG The configuration of AWS::EC2::SecurityGroup sg-1 was not recorded.",
        ]
    );
    assert_eq!((judgement.status(), judgement.in_scope), (None, 3));
}

fn later(resource_type: &str, id: &str) -> String {
    format!("AWSCONFIG The latest configuration of {resource_type} {id} was not recorded.")
}

#[test]
fn what_was_seen_later_without_its_configuration_is_judged_by_the_one_before_with_a_gap_beside() {
    let judgement = denying(
        ALL,
        vec![
            outdated(bad("sg-bad")),
            outdated(good("sg-good")),
            outdated(interface("eni-1", &["sg-bad"])),
            interface("eni-2", &["sg-good"]),
            outdated(instance("i-1", &["sg-good"], &[])),
        ],
    );
    assert_eq!(violators(&judgement), [format!("eni-1 {REASON}"), format!("sg-bad {REASON}")]);
    let want = [
        later(INSTANCE, "i-1"),
        later(INTERFACE, "eni-1"),
        later(GROUP, "sg-bad"),
        later(GROUP, "sg-good"),
    ];
    assert_eq!(gaps(&judgement), want);

    let good_alone = denying(GROUP, vec![outdated(good("sg-good"))]);
    assert_eq!(gaps(&good_alone), [later(GROUP, "sg-good")]);
    assert_eq!(good_alone.status(), None, "not seen is not compliant");
}

#[test]
fn a_carrier_answers_for_the_state_of_its_groups_before() {
    let judge = |carried: &str| {
        let items = vec![outdated(bad("sg-bad")), outdated(good("sg-good")), good("sg-fresh")];
        let carrier = interface("eni-1", &[carried]);
        denying(INTERFACE, [items, vec![carrier]].concat())
    };
    for (carried, violating, gap) in [
        ("sg-bad", true, Some("sg-bad")),
        ("sg-good", false, Some("sg-good")),
        ("sg-fresh", false, None),
    ] {
        let judgement = judge(carried);
        assert_eq!(judgement.violators.len(), usize::from(violating), "{carried}");
        let gap: Vec<_> = gap.into_iter().map(|id| later(GROUP, id)).collect();
        assert_eq!(gaps(&judgement), gap, "{carried}");
    }
}

#[test]
fn an_outdated_audit_group_is_held_against_with_a_gap_beside() {
    let policy = about(GROUP, custom(AuditAction::Deny));
    let id = "sg-audit".try_into().unwrap();
    let fact = held(outdated(group("sg-audit", "in tcp 22 0.0.0.0/0")));
    let references = [(administrators_group(&policy, &id), fact)].into();
    let judgement = in_shard(&policy, &references, vec![bad("sg-bad"), good("sg-good")]);
    assert_eq!(violators(&judgement), [format!("sg-bad {REASON}")]);
    let want = format!(
        "AWSCONFIG The latest configuration of audit security group sg-audit of account {ADMIN} \
         in Region us-east-1 was not recorded."
    );
    assert_eq!(gaps(&judgement), [want]);
}

#[test]
fn an_outdated_prefix_list_is_a_gap_where_it_is_read() {
    let list = PrefixList {
        id: "pl-1".into(),
        ipv4: Some(vec!["10.0.0.0/8".parse().unwrap()]),
        ipv6: Some(vec![]),
    };
    let list = outdated(body(ResourceType::PREFIX_LIST, "pl-1", Body::PrefixList(list)));
    let judge = |options: ManagedOptions, rule: &str| {
        let policy = about(GROUP, managed(options));
        let references = lists(vec![app("tcp", 22)], &[]);
        let judgement = in_shard(&policy, &references, vec![group("sg-1", rule), list.clone()]);
        assert_eq!(violators(&judgement), [""; 0], "{rule}");
        gaps(&judgement)
    };
    let public =
        || ManagedOptions { denied_public_apps: custom_list(APPS), ..ManagedOptions::default() };
    let kept = || ManagedOptions { deny_protocol_all: true, ..ManagedOptions::default() };
    let gap = [later("AWS::EC2::PrefixList", "pl-1")];
    assert_eq!(judge(public(), "in tcp 22 pl-1"), gap);
    assert_eq!(judge(public(), "out tcp 22 pl-1"), [""; 0]);
    assert_eq!(judge(public(), "in tcp 22 10.0.0.0/8"), [""; 0]);
    assert_eq!(judge(kept(), "in tcp 22 pl-1"), [""; 0]);
    let egress = ManagedOptions { direction: AuditDirection::Egress, ..public() };
    assert_eq!(judge(egress, "in tcp 22 pl-1"), [""; 0], "not looked at");
}

/// A later state of a resource decides by its tags, where it tells some.
#[test]
fn the_tags_told_last_put_a_resource_in_scope() {
    let retagged = |tags: &str, later: &str| {
        let mut item = tagged(bad("sg-1"), tags);
        let tags = (later != "untold").then(|| tagged(bad("sg-1"), later).tags).flatten();
        item.tags = item.tags.filter(|tags| !tags.is_empty());
        item = outdated(item);
        item.unseen_since.as_mut().unwrap().tags = tags;
        item
    };
    let mut policy = about(GROUP, custom(AuditAction::Deny));
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    for (tags, later_tags, violators, gap) in [
        ("env=prod", "untold", 1, true),
        ("env=prod", "", 0, false),
        ("env=prod", "env=prod", 1, true),
        ("env=prod", "env=dev", 0, false),
        ("env=dev", "env=prod", 1, true),
        ("env=dev", "env=dev", 0, false),
        // What its tags are by now is not known, nor then is its old configuration held against it.
        ("env=dev", "untold", 0, true),
        ("", "untold", 0, true),
        ("", "env=prod", 1, true),
        ("", "env=dev", 0, false),
    ] {
        let row = format!("{tags} then {later_tags}");
        let judgement = in_shard(&policy, &references, vec![retagged(tags, later_tags)]);
        assert_eq!(judgement.violators.len(), violators, "{row}");
        let want: Vec<_> = gap.then(|| later(GROUP, "sg-1")).into_iter().collect();
        assert_eq!(gaps(&judgement), want, "{row}");
    }
}

fn named(mut item: Item, name: &str, owner: Option<&str>) -> Item {
    if let Body::SecurityGroup(group) = &mut item.body {
        group.group_name = name.into();
        group.owner = owner.map(account);
    }
    item
}

/// Policies of common groups that are or were known.
fn known_policies(ids: &[&str]) -> (Reference, Fact) {
    let ids = ids.iter().map(|id| (*id).try_into().unwrap()).collect();
    (Reference::CommonPolicies, Fact::Policies(ids))
}

#[test]
fn default_groups_are_audited_and_groups_of_others_are_judged_where_they_are_carried() {
    let judgement = denying(
        ALL,
        vec![
            named(bad("sg-default"), "default", None),
            named(bad("sg-own"), "mine", Some(ACCOUNT)),
            named(bad("sg-foreign"), "mine", Some("222222222222")),
            interface("eni-default", &["sg-default"]),
            interface("eni-foreign", &["sg-foreign"]),
            instance("i-foreign", &[], &[("eni-9", &["sg-foreign"])]),
        ],
    );
    let want = ["i-foreign", "eni-default", "eni-foreign", "sg-default", "sg-own"];
    assert_eq!(violators(&judgement), want.map(|id| format!("{id} {REASON}")));
    assert_eq!(gaps(&judgement), [""; 0]);
    // The foreign group alone is out of scope.
    assert_eq!(judgement.in_scope, 5);
    let evidence = judgement.violators[2].violations[0].finding.summary();
    let want = "violating security groups sg-foreign on eni-foreign; ingress rule `tcp 22 from \
                0.0.0.0/0` of sg-foreign of account 222222222222: denied by";
    assert!(evidence.starts_with(want), "{evidence}");
}

/// Semantics §11 row 57.
#[test]
fn a_group_is_firewall_managers_own_by_the_id_of_a_policy_that_is_or_was_known() {
    const KNOWN: &str = "0a1b2c3d-0000-4000-8000-000000000001";
    let policy = about(ALL, custom(AuditAction::Deny));
    for (name, is_audited) in [
        (format!("FMManagedSecurityGroup{KNOWN}-sg-9"), false),
        (format!("FMManagedSecurityGroup{KNOWN}-sg-9-vpc-1"), false),
        (format!("FMManagedSecurityGroup{KNOWN}"), true),
        (format!("FMManagedSecurityGroup{KNOWN}0-sg-9"), true),
        (format!("FMManagedSecurityGroup-{KNOWN}-sg-9"), true),
        (format!("fmmanagedsecuritygroup{KNOWN}-sg-9"), true),
        ("FMManagedSecurityGroup0a1b2c3d-0000-4000-8000-000000000002-sg-9".to_owned(), true),
        ("FMManagedSecurityGroup".to_owned(), true),
        ("FMManagedSecurityGroup-open-to-all".to_owned(), true),
        (format!("My{KNOWN}"), true),
    ] {
        let items = || vec![named(bad("sg-1"), &name, None), interface("eni-1", &["sg-1"])];
        let mut references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
        let unknown = in_shard(&policy, &references, items());
        assert_eq!(violators(&unknown).len(), 2, "{name}: no policy is known");
        references.extend([known_policies(&[KNOWN, "other"])]);
        let judgement = in_shard(&policy, &references, items());
        assert_eq!(violators(&judgement).len(), if is_audited { 2 } else { 0 }, "{name}");
        assert_eq!((gaps(&judgement).len(), judgement.in_scope), (0, 2), "{name}");
        let says_so = name.starts_with("FMManagedSecurityGroup");
        for violator in &judgement.violators {
            let evidence = violator.violations[0].finding.summary();
            assert_eq!(evidence.contains("only bears a name like"), says_so, "{name}: {evidence}");
        }
    }
}

#[test]
fn an_interface_tells_so_many_rules_of_a_group_and_that_there_are_more() {
    for count in [ATTACHED_RULES_MAX - 1, ATTACHED_RULES_MAX, ATTACHED_RULES_MAX + 1] {
        let rules: Vec<_> = (0..count).map(|n| format!("in tcp 22 10.0.{n}.0/24")).collect();
        let items = vec![group("sg-1", &rules.join("; ")), interface("eni-1", &["sg-1"])];
        let judgement = denying(INTERFACE, items);
        let Finding::SecurityGroups(SecurityGroupFinding::AttachedGroups { groups, .. }) =
            &judgement.violators[0].violations[0].finding
        else {
            panic!("groups")
        };
        let more = count > ATTACHED_RULES_MAX;
        assert_eq!((groups[0].rules.len(), groups[0].more), (count.min(ATTACHED_RULES_MAX), more));
        let evidence = judgement.violators[0].violations[0].finding.summary();
        assert_eq!(evidence.ends_with("; and more rules of sg-1"), more, "{evidence}");
    }
}

#[test]
fn an_interface_of_another_account_is_not_judged_here() {
    let owned = |owner: &str| {
        let mut item = interface("eni-1", &["sg-bad"]);
        if let Body::NetworkInterface(interface) = &mut item.body {
            interface.owner = Some(account(owner));
        }
        item
    };
    let judge = |owner| denying(INTERFACE, vec![bad("sg-bad"), owned(owner)]);
    assert_eq!((violators(&judge(ACCOUNT)).len(), judge(ACCOUNT).in_scope), (1, 1));
    let other = judge("222222222222");
    assert_eq!((violators(&other).len(), other.in_scope, gaps(&other).len()), (0, 0, 0));
    // Nor does it bring a group into scope.
    let mut policy = about(ALL, custom(AuditAction::Deny));
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    let items = vec![bad("sg-bad"), tagged(owned("222222222222"), "env=prod")];
    assert_eq!(in_shard(&policy, &references, items).in_scope, 0);
}

#[test]
fn the_audit_group_is_not_held_against_itself() {
    let mut policy = about(ALL, custom(AuditAction::Deny));
    let rules = "in tcp 22 0.0.0.0/0";
    let items = || vec![group("sg-audit", rules), interface("eni-1", &["sg-audit"])];
    let elsewhere = in_shard(&policy, &audit_group_of(&policy, rules), items());
    assert_eq!(violators(&elsewhere).len(), 2, "the same id in another account is another group");
    policy.owner = account(ACCOUNT);
    let own = in_shard(&policy, &audit_group_of(&policy, rules), items());
    assert_eq!((violators(&own).len(), own.status().is_some()), (0, true));
}

#[test]
fn what_is_not_recorded_is_told_and_what_is_held_is_judged() {
    let recorder = Recorder {
        recording: true,
        group: RecordingGroup::Only(vec![ResourceType::SECURITY_GROUP]),
        internal: false,
    };
    let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder));
    let not = "AWSCONFIG AWS Config is not recording resource type AWS::EC2::NetworkInterface.";
    let types = "AWS::EC2::SecurityGroup AWS::EC2::NetworkInterface";
    let clean = denying(types, vec![recorder.clone(), good("sg-1")]);
    assert_eq!((gaps(&clean), clean.status()), (vec![not.to_owned()], None));
    let bad = denying(types, vec![recorder.clone(), bad("sg-1")]);
    assert_eq!((gaps(&bad), violators(&bad).len()), (vec![not.to_owned()], 1));
    let enough = denying(GROUP, vec![recorder, good("sg-1")]);
    assert_eq!(gaps(&enough), [""; 0]);
    assert!(enough.status().is_some());
}

#[test]
fn what_is_missed_of_what_is_read_is_a_gap_listed_or_not() {
    let (lists, carriers) = (ResourceType::PREFIX_LIST, ResourceType::NETWORK_INTERFACE);
    for (types, missed, is_gap) in [
        (GROUP, &lists, true),
        (GROUP, &carriers, false),
        ("AWS::EC2::Instance", &carriers, true),
        (GROUP, &ResourceType::VPC, false),
    ] {
        let policy = about(types, custom(AuditAction::Deny));
        let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
        let mut shard = world(vec![good("sg-1")]);
        let open = OpenGap { cause: Cause::LeftOut, of_type: true, what: None };
        shard.open_gaps.insert(missed.clone(), [open].into());
        let judgement = judged(&policy, &shard, &references);
        let want = format!("AWSCONFIG An answer of AWS Config left out some {missed}.");
        assert_eq!(gaps(&judgement).contains(&want), is_gap, "{types} {missed}");
    }
}

#[test]
fn groups_are_needed_even_when_they_are_not_listed() {
    let policy = about(INSTANCE, custom(AuditAction::Deny));
    let needed: BTreeSet<_> = [ResourceType::INSTANCE, ResourceType::SECURITY_GROUP].into();
    assert_eq!(crate::evaluate::evaluator(&policy.rule).needed(&policy), needed);
}

#[test]
fn an_account_without_inventory_has_no_result() {
    let policy = about(ALL, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "");
    let judgement = judged(&policy, &Shard::empty(shard_id()), &references);
    assert_eq!(
        gaps(&judgement),
        ["AWSCONFIG AWS Config is not enabled in the account and Region."]
    );
    assert_eq!(judgement.status(), None);
}

#[test]
fn violators_ascend_by_type_and_id() {
    let ids = ["sg-b", "sg-a", "sg-c"];
    let mut items: Vec<_> = ids.iter().map(|id| bad(id)).collect();
    items.extend(["eni-2", "eni-10"].map(|id| interface(id, &["sg-a"])));
    let judgement = denying(ALL, items);
    let want = ["eni-10", "eni-2", "sg-a", "sg-b", "sg-c"];
    assert_eq!(violators(&judgement), want.map(|id| format!("{id} {REASON}")));
}

#[test]
fn every_violation_says_which_way_its_rule_points() {
    let judgement = denying(GROUP, vec![bad("sg-1")]);
    let Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule { direction, .. }) =
        judgement.violators[0].violations[0].finding
    else {
        panic!("a rule")
    };
    assert_eq!(direction, Direction::Ingress);
}
