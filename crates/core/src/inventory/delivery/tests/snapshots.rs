//! Whole snapshots: which file is one, and about what it is the truth.

use super::*;

fn facts(name: &str, text: &str) -> Option<String> {
    let facts = read_as(name, text).unwrap().snapshot?;
    let shard = |id: &ShardId| format!("{}/{}", id.account, id.region);
    let covers: Vec<String> = facts
        .covers
        .iter()
        .map(|(id, types)| {
            let types: Vec<&str> =
                types.iter().map(|one| one.as_str().rsplit("::").next().unwrap()).collect();
            format!("{} {}", id.region, types.join(","))
        })
        .collect();
    let of = facts.shard.as_ref().map_or("-".to_owned(), shard);
    Some(format!("{of} {} [{}]", facts.moment_ms, covers.join("; ")))
}

#[test]
fn whole_snapshots_are_told_by_name_or_content() {
    let items = format!("[{}]", item("a"));
    let of = |keys: &str| format!(r#"{{{keys}"configurationItems":{items}}}"#);
    let snapshot = of(r#""configSnapshotId":"s","#);
    let recorder = item_of(
        "AWS::Config::ConfigurationRecorder",
        "default",
        "eu-west-1",
        r#""configuration":{"RecordingGroup":{"AllSupported":false,"ResourceTypes":[]}}"#,
    );
    let request = of(r#""requestId":"r","#);
    let old = request.replace('[', &format!("[{recorder},"));
    let recorded = Some(
        "111122223333/eu-west-1 1770091506000 [eu-west-1 ConfigurationRecorder,VPC]".to_owned(),
    );
    let named = Some("111122223333/eu-west-1 1770091506000 [eu-west-1 VPC]".to_owned());
    for (what, name, text, wanted) in [
        ("content", "", snapshot.clone(), &named),
        ("name", NAME, of(""), &named),
        ("path", "AWSLogs/1/Config/x/2026/2/3/ConfigSnapshot/mine.json", of(""), &named),
        ("request id, with a recorder", "", old.clone(), &recorded),
        ("request id, of items alone", "", request.clone(), &None),
        ("nothing", "", of(""), &None),
        (
            "a history's name",
            "1_Config_x_ConfigHistory_AWS::EC2::VPC_a.json",
            snapshot.clone(),
            &None,
        ),
        (
            "a history's name in a folder",
            "ConfigSnapshot/1_Config_x_ConfigHistory_t.json",
            snapshot.clone(),
            &None,
        ),
        (
            "a change's name",
            "1_Config_x_ChangeNotification_t_i_m_1.json.gz",
            snapshot.clone(),
            &None,
        ),
        ("a page of an answer", "", of(r#""configSnapshotId":"s","nextToken":"t","#), &None),
        ("two snapshots in a file", "", format!("{snapshot}\n{snapshot}"), &None),
        ("an item alone", NAME, item("a"), &None),
        (
            "old, repeats a resource",
            "",
            old.replace(&item("a"), &format!("{0},{0}", item("a"))),
            &None,
        ),
        (
            "old, tells a deletion",
            "",
            old.replace(&item("a"), &item("a").replace(r#""OK""#, r#""ResourceDeleted""#)),
            &None,
        ),
        (
            "names what it leaves out",
            NAME,
            of(r#""unprocessedResourceKeys":[{"resourceType":"AWS::EC2::VPC"}],"#),
            &None,
        ),
        (
            "names what it leaves out, by content",
            "",
            of(r#""UnprocessedResourceIdentifiers":[{}],"configSnapshotId":"s","#),
            &None,
        ),
    ] {
        assert_eq!(&facts(name, &text), wanted, "{what}");
    }
}

#[test]
fn a_snapshots_moment_is_its_names_else_its_newest_capture() {
    let newer = item("b").replace("2026-02-03T04:05:06.000Z", "2026-02-03T05:00:00.000Z");
    let text = snapshot(&[newer, item("a")]);
    let moment = |name: &str| read_as(name, &text).unwrap().snapshot.unwrap().moment_ms;
    assert_eq!(moment(""), 1_770_094_800_000);
    assert_eq!(moment(NAME), 1_770_091_506_000);
    assert_eq!(moment("ConfigSnapshot_20260203T0405Z_x.json"), 1_770_094_800_000);
    assert_eq!(facts("", &snapshot(&[])), None, "no moment at all");
    assert_eq!(facts(NAME, &snapshot(&[])).unwrap(), "111122223333/eu-west-1 1770091506000 []");
}

#[test]
fn a_snapshot_covers_what_it_contains_and_what_its_recorder_lists() {
    let recorder = |group: &str| {
        item_of(
            "AWS::Config::ConfigurationRecorder",
            "default",
            "eu-west-1",
            &format!(r#""configuration":{{"RecordingGroup":{group}}}"#),
        )
    };
    let covered = |items: &[String]| {
        let facts = read_as(NAME, snapshot(items)).unwrap().snapshot.unwrap();
        facts.covers.into_values().next().unwrap()
    };
    let types =
        |texts: &[&str]| texts.iter().map(|text| ResourceType::try_from(*text).unwrap()).collect();
    assert_eq!(
        covered(&[
            item("a"),
            recorder(r#"{"AllSupported":false,"ResourceTypes":["AWS::EC2::EIP","AWS::X::Y"]}"#)
        ]),
        types(&[
            "AWS::EC2::VPC",
            "AWS::EC2::EIP",
            "AWS::X::Y",
            "AWS::Config::ConfigurationRecorder"
        ])
    );
    let all = covered(&[
        recorder(r#"{"AllSupported":true}"#),
        item_of("AWS::X::Y", "a", "eu-west-1", r#""a":1"#),
    ]);
    assert_eq!(all.len(), ResourceType::NAMED.len() + 1);
    let but = covered(&[recorder(
        r#"{"allSupported":false,"exclusionByResourceTypes":{"resourceTypes":["AWS::EC2::EIP"]}}"#,
    )]);
    assert_eq!(but.len(), ResourceType::NAMED.len() - 1);
    assert!(!but.contains(&ResourceType::EIP));
}

#[test]
fn a_service_linked_recorder_delivers_nothing_and_covers_nothing() {
    let configuration = r#"{"RecordingGroup":{"AllSupported":true},"RecordingScope":"INTERNAL"}"#;
    let recorder = item_of(
        "AWS::Config::ConfigurationRecorder",
        "linked",
        "eu-west-1",
        &format!(r#""configuration":{configuration}"#),
    );
    assert_eq!(
        facts(NAME, &snapshot(&[item("v"), recorder])).unwrap(),
        "111122223333/eu-west-1 1770091506000 [eu-west-1 ConfigurationRecorder,VPC]"
    );
}

#[test]
fn a_snapshot_holds_the_types_of_which_something_exists_in_it() {
    let of = |resource_type: &str, region: &str| item_of(resource_type, "a", region, r#""a":1"#);
    let gone = |text: String| text.replace(r#""OK""#, r#""ResourceDeleted""#);
    let eip = || of("AWS::EC2::EIP", "eu-west-1");
    for (items, want) in [
        (vec![], ""),
        (vec![item("v")], "eu-west-1 VPC"),
        (vec![item("v"), gone(eip())], "eu-west-1 VPC"),
        (vec![item("v"), gone(eip()), eip()], "eu-west-1 EIP,VPC"),
        (vec![item("v"), gone(item("w"))], "eu-west-1 VPC"),
        (
            vec![item("v"), of("AWS::IAM::Role", "global"), of("AWS::WAFv2::WebACL", "global")],
            "eu-west-1 VPC; us-east-1 Role",
        ),
        (vec![item("v"), of("AWS::EC2::EIP", "us-west-1")], "eu-west-1 VPC"),
    ] {
        let facts = read_as(NAME, snapshot(&items)).unwrap().snapshot.unwrap();
        let shown = facts.holds.iter().map(|(id, types)| {
            let names = types.iter().map(|one| one.as_str().rsplit("::").next().unwrap());
            format!("{} {}", id.region, names.collect::<Vec<_>>().join(","))
        });
        assert_eq!(shown.collect::<Vec<_>>().join("; "), want, "{items:?}");
    }
}

#[test]
fn global_items_are_covered_in_their_home_and_make_nothing_else_known() {
    let of = |resource_type: &str, region: &str| item_of(resource_type, "a", region, r#""a":1"#);
    let role = of("AWS::IAM::Role", "global");
    let acl = of("AWS::WAFv2::WebACL", "global");
    assert_eq!(
        facts(NAME, &snapshot(&[item("v"), role.clone(), acl.clone()])).unwrap(),
        "111122223333/eu-west-1 1770091506000 [eu-west-1 VPC; us-east-1 Role]",
        "another Region's snapshot is not the whole truth about regional web ACLs"
    );
    assert_eq!(
        facts("", &snapshot(&[of("AWS::EC2::VPC", "us-east-1"), role.clone(), acl])).unwrap(),
        "111122223333/us-east-1 1770091506000 [us-east-1 VPC,Role,WebACL]"
    );
    assert_eq!(facts("", &snapshot(&[role])).unwrap(), "- 1770091506000 []");
}

#[test]
fn a_snapshot_is_not_the_whole_truth_about_what_it_lost() {
    let mixed = [item("v"), item_of("AWS::EC2::VPC", "w", "us-west-2", r#""a":1"#)];
    assert_eq!(facts("", &snapshot(&mixed)).unwrap(), "- 1770091506000 []", "of two Regions");
    assert_eq!(
        facts(NAME, &snapshot(&mixed)).unwrap(),
        "111122223333/eu-west-1 1770091506000 [eu-west-1 VPC]",
        "the name tells which"
    );
    let eip = item_of("AWS::EC2::EIP", "e", "eu-west-1", r#""a":1"#);
    let lost = eip.replace("111122223333", "");
    assert_eq!(
        facts(NAME, &snapshot(&[item("v"), eip.clone(), lost])).unwrap(),
        "111122223333/eu-west-1 1770091506000 [eu-west-1 VPC]",
        "an address of unknown owner"
    );
    assert_eq!(
        facts(NAME, &snapshot(&[item("v"), eip, "null".to_owned()])).unwrap(),
        "- 1770091506000 []",
        "an item of unknown type"
    );
}
