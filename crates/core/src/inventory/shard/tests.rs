use proptest::prelude::*;

use super::*;
use crate::ident::{AccountId, Region};
use crate::inventory::{ItemKey, Observation, ShardBuilder, Version};

fn id() -> ShardId {
    ShardId {
        account: AccountId::try_from("111122223333").unwrap(),
        region: Region::try_from("eu-west-1").unwrap(),
    }
}

fn observed(resource_type: ResourceType, name: &str, body: Body) -> Observation {
    let ShardId { account, region } = id();
    let item = Item {
        key: ItemKey { account, region, resource_type, id: name.try_into().unwrap() },
        version: Version { state: None, captured_ms: 1 },
        name: None,
        arn: None,
        tags: None,
        body,
        unseen_since: None,
        told_beside: None,
    };
    Observation { item, global: false, is_ahead: false }
}

/// What happens to a shard, in a few words.
fn happen(builder: &mut ShardBuilder, what: &str) {
    let group = ResourceType::SECURITY_GROUP;
    let recorder = |name: &str, recording, group, internal| {
        let body = Body::Recorder(Recorder { recording, group, internal });
        observed(ResourceType::CONFIGURATION_RECORDER, name, body)
    };
    let gone = |name| observed(ResourceType::CONFIGURATION_RECORDER, name, Body::Deleted);
    let unread = |name| observed(ResourceType::CONFIGURATION_RECORDER, name, Body::OlderLayout);
    const LINKED: &str = "AWSConfigurationRecorderForX_1";
    let seen = match what {
        "item" => observed(group, "sg-1", Body::Unwanted),
        "deletion" => observed(group, "sg-2", Body::Deleted),
        "snapshot with" => {
            builder.accept_snapshot();
            return builder.contain(group);
        }
        "snapshot without" => {
            builder.accept_snapshot();
            return builder.contain(ResourceType::EIP);
        }
        "listing" => return builder.list(group, 0),
        "listing of another" => return builder.list(ResourceType::EIP, 0),
        "recorder of all" => recorder("all", true, RecordingGroup::All, false),
        "recorder of it" => recorder("it", true, RecordingGroup::Only(vec![group]), false),
        "recorder of others" => {
            recorder("others", true, RecordingGroup::AllBut(vec![group]), false)
        }
        "stopped" => recorder("stopped", false, RecordingGroup::All, false),
        "linked" => recorder(LINKED, true, RecordingGroup::All, true),
        "linked gone" => gone(LINKED),
        "linked unread" => unread(LINKED),
        "recorder gone" => gone("gone"),
        "recorder unread" => unread("unread"),
        other => panic!("{other}"),
    };
    builder.observe(seen, None);
}

fn knows<'a>(story: impl IntoIterator<Item = &'a str>) -> bool {
    let mut builder = ShardBuilder::new(id());
    story.into_iter().for_each(|what| happen(&mut builder, what));
    builder.seal().knows(&ResourceType::SECURITY_GROUP)
}

/// Semantics §11 row 36.
#[test]
fn a_type_is_known_by_what_tells_that_all_of_it_was_seen() {
    for row in [
        // A single item, a change and a deletion make a type judged, not known.
        "item                                    | unknown",
        "deletion                                | unknown",
        "item, deletion                          | unknown",
        // A whole snapshot, of the types that it holds something of.
        "snapshot with                           | known",
        "snapshot without                        | unknown",
        "snapshot without, item                  | unknown",
        "snapshot without, snapshot with         | known",
        // Recorders decide where one is held.
        "recorder of all                         | known",
        "recorder of it, item                    | known",
        "recorder of others                      | unknown",
        "recorder of others, snapshot with       | unknown",
        "recorder of others, recorder of it      | known",
        "stopped                                 | unknown",
        "stopped, snapshot with                  | unknown",
        "stopped, recorder of it                 | known",
        "recorder gone                           | unknown",
        "recorder gone, snapshot with            | unknown",
        "recorder gone, recorder of all          | known",
        "recorder unread, snapshot with          | unknown",
        // Service-linked ones deliver nothing: they are as if they were not there.
        "linked                                  | unknown",
        "linked, item                            | unknown",
        "linked, snapshot with                   | known",
        "linked, snapshot without                | unknown",
        "linked, recorder of others              | unknown",
        "linked, recorder gone, snapshot with    | unknown",
        "linked gone, snapshot with              | known",
        "linked unread, snapshot with            | known",
        // A complete listing of the type itself.
        "listing                                 | known",
        "listing, recorder of others             | known",
        "listing of another, item                | unknown",
    ] {
        let (story, want) = row.split_once('|').unwrap();
        let found = knows(story.split(',').map(str::trim));
        assert_eq!(found, want.trim() == "known", "{row}");
    }
}

#[test]
fn the_operators_word_makes_types_known_and_no_shard_heard_of() {
    let eip = BTreeSet::from([ResourceType::EIP]);
    for (assumed, eips, groups) in [
        (Assumed::Nothing, false, false),
        (Assumed::All, true, true),
        (Assumed::Types(Arc::new(eip)), true, false),
    ] {
        let mut shard = Shard::empty(id());
        shard.assumed = assumed;
        let known = (shard.knows(&ResourceType::EIP), shard.knows(&ResourceType::SECURITY_GROUP));
        assert_eq!(known, (eips, groups));
        assert!(shard.is_unheard_of());
    }
}

#[test]
fn the_setting_is_read_and_written_alike() {
    for (words, want) in [
        ("", Ok("")),
        ("all", Ok("all")),
        ("AWS::EC2::EIP,ALL", Ok("all")),
        ("AWS::EC2::SecurityGroup,AWS::EC2::EIP", Ok("AWS::EC2::EIP,AWS::EC2::SecurityGroup")),
        ("AWS::EC2::Volume", Err("no policy reads resources of type `AWS::EC2::Volume`")),
    ] {
        let parsed = Assumed::parse(words.split(',').filter(|word| !word.is_empty()));
        let shown = parsed.map(|assumed| assumed.to_string());
        assert_eq!(shown, want.map(str::to_owned).map_err(str::to_owned), "{words}");
    }
}

#[test]
fn a_listing_is_the_whole_truth_as_of_its_moment() {
    let group = ResourceType::SECURITY_GROUP;
    for (moment_ms, live) in [(0, 1), (1, 1), (2, 0)] {
        let mut builder = ShardBuilder::new(id());
        builder.observe(observed(group.clone(), "sg-1", Body::Unwanted), None);
        builder.list(group.clone(), moment_ms);
        assert_eq!(builder.seal().of_type(&group).count(), live, "{moment_ms}");
    }
}

const WORDS: [&str; 15] = [
    "item",
    "deletion",
    "snapshot with",
    "snapshot without",
    "listing",
    "listing of another",
    "recorder of all",
    "recorder of it",
    "recorder of others",
    "stopped",
    "linked",
    "linked gone",
    "linked unread",
    "recorder gone",
    "recorder unread",
];

proptest! {
    #[test]
    fn the_order_in_which_it_was_told_does_not_matter(
        story in proptest::collection::vec(0..WORDS.len(), 1..6).prop_shuffle()
    ) {
        let words = || story.iter().map(|at| WORDS[*at]);
        let sealed = |words: Vec<&str>| {
            let mut builder = ShardBuilder::new(id());
            words.into_iter().for_each(|what| happen(&mut builder, what));
            builder.seal()
        };
        let forth = sealed(words().collect());
        prop_assert_eq!(&sealed(words().rev().collect()), &forth);
        let mut sorted: Vec<&str> = words().collect();
        sorted.sort_unstable();
        prop_assert_eq!(&sealed(sorted), &forth);
    }
}
