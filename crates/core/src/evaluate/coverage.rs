//! What was not seen of a shard: types that are not recorded, deliveries that stopped.

use std::collections::BTreeSet;

use crate::ident::ResourceType;
use crate::inventory::{Body, Cause, OpenGap, Shard};

use super::unrecorded::outdated_gap;
use super::{DependentService, Evidence, Gap, Judgement, outdated, unseen_gap};

/// Adds the gaps of a shard to a judgement that these types had to be known for, and that reads those
/// of which nothing may be missed (semantics §11 rows 36, 37, 39 and 40); says when it will be stale.
pub(super) fn note(
    judgement: &mut Judgement,
    needed: &BTreeSet<ResourceType>,
    read: &BTreeSet<ResourceType>,
    evidence: &Evidence<'_>,
) {
    judgement.gaps.extend(unrecorded(needed, read, evidence));
    let Some(after_ms) = evidence.stale_after_ms else { return };
    if evidence.shard.is_unheard_of() {
        return;
    }
    let newest_ms = evidence.shard.newest_ms;
    match current_until(newest_ms, evidence.evaluated_ms, after_ms) {
        Some(until_ms) => judgement.wake_at(until_ms),
        None => {
            let text = stale_text(newest_ms, "", after_ms);
            judgement.gaps.insert(Gap::new(DependentService::Config, &text));
        }
    }
}

/// The text of the gap of a shard of which nothing was ever delivered.
pub(super) const NOT_ENABLED: &str = "AWS Config is not enabled in the account and Region.";

/// Begins the text of the gap that time alone opens and a delivery closes.
pub(crate) const STALE: &str = "No AWS Config delivery tells of the last";

/// That a shard is stale of which the newest is of this moment; `whose` goes behind the first sentence.
pub(super) fn stale_text(newest_ms: Option<i64>, whose: &str, after_ms: i64) -> String {
    let stale = format!("{STALE} {}{whose}.", duration(after_ms));
    let newest = newest_ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    match newest {
        Some(newest) => format!("{stale} The newest tells of {newest:.0}."),
        None => stale,
    }
}

/// The texts of semantics §3.4. A shard of which nothing was ever delivered has one gap, whatever
/// is needed of it.
fn unrecorded(
    needed: &BTreeSet<ResourceType>,
    read: &BTreeSet<ResourceType>,
    evidence: &Evidence<'_>,
) -> Vec<Gap> {
    let open = read.iter().flat_map(|resource_type| open_gaps(evidence.shard, resource_type));
    let is_called = evidence.shard.open_gaps.values().flatten().any(is_call);
    if evidence.shard.is_unheard_of() && !is_called {
        return vec![Gap::new(DependentService::Config, NOT_ENABLED)];
    }
    let unknown = needed.iter().filter(|resource_type| !evidence.shard.knows(resource_type));
    let unknown = unknown.flat_map(|resource_type| unknown_gaps(evidence.shard, resource_type));
    let contradicted =
        read.iter().flat_map(|resource_type| contradicted(evidence.shard, resource_type));
    let recorders = untold_recorders(evidence.shard);
    open.chain(unknown).chain(recorders).chain(contradicted).collect()
}

/// That states of a resource contradict each other (semantics §11 row 67). Not even what would leave the
/// resource out holds for certain: whose it is, its kind, whether it still is there.
fn contradicted(shard: &Shard, resource_type: &ResourceType) -> impl Iterator<Item = Gap> {
    shard.of_type(resource_type).filter(|item| item.is_contradicted()).map(outdated_gap)
}

fn is_call(open: &OpenGap) -> bool {
    open.cause == Cause::Call
}

/// Why a type is not known: the calls that failed, where a collector asked.
fn unknown_gaps(shard: &Shard, resource_type: &ResourceType) -> Vec<Gap> {
    let open = shard.open_gaps.get(resource_type).into_iter().flatten();
    let calls: Vec<Gap> =
        open.filter(|open| is_call(open)).map(|open| missed(resource_type, open)).collect();
    if calls.is_empty() { vec![not_recording(resource_type)] } else { calls }
}

/// What was missed of a type (semantics §11 rows 37 and 39).
pub(super) fn open_gaps(shard: &Shard, resource_type: &ResourceType) -> impl Iterator<Item = Gap> {
    let open = shard.open_gaps.get(resource_type).into_iter().flatten();
    open.map(|open| missed(resource_type, open))
}

/// That something was missed. Of what may be of any type the type is not told, so that there is one
/// text for all.
pub(super) fn missed(resource_type: &ResourceType, open: &OpenGap) -> Gap {
    Gap::new(DependentService::Config, &missed_text(resource_type, open))
}

/// The text of [`missed`], a sentence.
pub(super) fn missed_text(resource_type: &ResourceType, open: &OpenGap) -> String {
    let what = open.what.as_deref().map(|what| format!(" {what}")).unwrap_or_default();
    match (open.cause, open.of_type) {
        (Cause::GoesOn, true) => format!("A listing of {resource_type} was not seen to its end."),
        (Cause::GoesOn, false) => "A listing of resources was not seen to its end.".to_owned(),
        (Cause::LeftOut, true) => format!("An answer of AWS Config left out some {resource_type}."),
        (Cause::LeftOut, false) => "An answer of AWS Config left out some resources.".to_owned(),
        (Cause::Item, true) => format!("An item of {resource_type}{what} could not be read."),
        (Cause::Item, false) => format!("An item of an unknown type{what} could not be read."),
        (Cause::File, _) => format!("Delivery file{what} could not be read."),
        (Cause::Call, _) => failed_call(resource_type, open.what.as_deref().unwrap_or_default()),
    }
}

/// That a collector could not list a type, with the call and AWS's code.
fn failed_call(resource_type: &ResourceType, what: &str) -> String {
    let (call, code) = what.split_once(' ').unwrap_or((what, "an error"));
    format!("Call {call} failed with {code}: {resource_type} was not listed.")
}

/// Why not all of a type was seen: `None` where all was.
pub(super) fn not_seen(shard: &Shard, resource_type: &ResourceType) -> Option<Gap> {
    let unknown = (!shard.knows(resource_type)).then(|| unknown_gaps(shard, resource_type));
    let unknown = unknown.and_then(|gaps| gaps.into_iter().next());
    unknown.or_else(|| open_gaps(shard, resource_type).next())
}

/// Of recorders, which tell what is known, those that do not tell it, or no longer.
fn untold_recorders(shard: &Shard) -> impl Iterator<Item = Gap> {
    shard.recorders().filter_map(|item| match &item.body {
        Body::Recorder(_) => outdated(item),
        _ => Some(unseen_gap(item)),
    })
}

/// That a type is not known in the shard.
pub(super) fn not_recording(resource_type: &ResourceType) -> Gap {
    let text = format!("AWS Config is not recording resource type {resource_type}.");
    Gap::new(DependentService::Config, &text)
}

/// The moment at which a shard that is not stale yet will be (semantics §11 row 40), milliseconds since
/// the epoch; `None` when it is, as one is of which no moment is known: that was not told, which is not
/// the same as new. A moment ahead of this one counts as this one.
pub fn current_until_ms(shard: &Shard, evaluated_ms: i64, stale_after_ms: i64) -> Option<i64> {
    current_until(shard.newest_ms, evaluated_ms, stale_after_ms)
}

/// As [`current_until_ms`], of a shard of which the newest is of this moment.
pub(super) fn current_until(
    newest_ms: Option<i64>,
    evaluated_ms: i64,
    stale_after_ms: i64,
) -> Option<i64> {
    let until_ms = newest_ms?.min(evaluated_ms).saturating_add(stale_after_ms);
    (evaluated_ms < until_ms).then_some(until_ms)
}

/// A setting's length in the largest unit that it is a whole number of.
fn duration(ms: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
    let whole = UNITS.into_iter().find(|(size, _)| ms >= *size && ms % size == 0);
    let (count, unit) = whole.map_or((ms, "millisecond"), |(size, unit)| (ms / size, unit));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use crate::evaluate::world::{body, outdated, shard_id, world};
    use crate::evaluate::{AccountFacts, References};
    use crate::inventory::{Body, Instance, Recorder, RecordingGroup, Shard};

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn noted(shard: &Shard, evaluated_ms: i64, stale_after_ms: Option<i64>) -> Judgement {
        let references = References::new();
        let account = AccountFacts::default();
        let references = &references;
        let evidence =
            Evidence { shard, references, account: &account, evaluated_ms, stale_after_ms };
        let needed = [ResourceType::SECURITY_GROUP, ResourceType::NETWORK_INTERFACE].into();
        let mut judgement = Judgement::default();
        note(&mut judgement, &needed, &needed, &evidence);
        judgement
    }

    fn texts(shard: &Shard) -> Vec<String> {
        noted(shard, 0, None).gaps.into_iter().map(|gap| gap.text.into()).collect()
    }

    #[test]
    fn a_shard_never_heard_of_has_one_gap() {
        let gaps = texts(&Shard::empty(shard_id()));
        assert_eq!(gaps, ["AWS Config is not enabled in the account and Region."]);
    }

    #[test]
    fn each_needed_type_that_is_not_known_is_a_gap() {
        let group = |types: &[ResourceType]| RecordingGroup::Only(types.to_vec());
        let shard = |recording, group| {
            let recorder = Body::Recorder(Recorder { recording, group, internal: false });
            world([body(ResourceType::CONFIGURATION_RECORDER, "default", recorder)])
        };
        let not =
            |name: &str| format!("AWS Config is not recording resource type AWS::EC2::{name}.");
        let (sg, eni) = (ResourceType::SECURITY_GROUP, ResourceType::NETWORK_INTERFACE);
        assert_eq!(texts(&shard(true, RecordingGroup::All)), [""; 0]);
        assert_eq!(
            texts(&shard(true, group(std::slice::from_ref(&sg)))),
            [not("NetworkInterface")]
        );
        assert_eq!(texts(&shard(true, RecordingGroup::AllBut(vec![sg]))), [not("SecurityGroup")]);
        assert_eq!(
            texts(&shard(false, RecordingGroup::All)),
            [not("NetworkInterface"), not("SecurityGroup")]
        );
        assert_eq!(texts(&shard(true, group(&[eni]))), [not("SecurityGroup")]);
    }

    /// Semantics §11 row 67: also of a resource that one of its states would leave out of scope.
    #[test]
    fn states_that_contradict_each_other_are_a_gap_whatever_they_tell() {
        let terminated = Instance { state: Some("terminated".into()), ..Instance::default() };
        let mut items = [
            body(ResourceType::INSTANCE, "i-1", Body::Instance(terminated.clone())),
            body(ResourceType::SECURITY_GROUP, "sg-1", Body::SecurityGroup(Default::default())),
        ];
        for item in &mut items {
            *item = outdated(item.clone());
            item.unseen_since.as_mut().unwrap().version = item.version.clone();
        }
        let gaps = texts(&world(items.clone()));
        let said = "States of AWS::EC2::SecurityGroup sg-1 of one version contradict each other.";
        assert_eq!(gaps, [said], "of types that are read");
        items[1].unseen_since.as_mut().unwrap().version.captured_ms += 1;
        assert_eq!(texts(&world(items)), [""; 0], "what is later does not contradict");
    }

    #[test]
    fn what_was_missed_of_a_needed_type_is_a_gap() {
        let (sg, eni) = (ResourceType::SECURITY_GROUP, ResourceType::NETWORK_INTERFACE);
        let told = |types: &[&ResourceType], cause, of_type, what: Option<&str>| {
            let all = Recorder { recording: true, group: RecordingGroup::All, internal: false };
            let recorder =
                body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(all));
            let shard = Shard {
                open_gaps: types
                    .iter()
                    .map(|one| {
                        let open = OpenGap { cause, of_type, what: what.map(Into::into) };
                        ((*one).clone(), [open].into())
                    })
                    .collect(),
                ..world([recorder])
            };
            texts(&shard)
        };
        for (told, wanted) in [
            (
                told(&[&sg], Cause::GoesOn, true, None),
                "A listing of AWS::EC2::SecurityGroup was not seen to its end.",
            ),
            (
                told(&[&sg, &eni], Cause::GoesOn, false, None),
                "A listing of resources was not seen to its end.",
            ),
            (
                told(&[&sg], Cause::LeftOut, true, None),
                "An answer of AWS Config left out some AWS::EC2::SecurityGroup.",
            ),
            (
                told(&[&sg, &eni], Cause::LeftOut, false, None),
                "An answer of AWS Config left out some resources.",
            ),
            (
                told(&[&sg], Cause::Item, true, Some("sg-1")),
                "An item of AWS::EC2::SecurityGroup sg-1 could not be read.",
            ),
            (
                told(&[&sg, &eni], Cause::Item, false, None),
                "An item of an unknown type could not be read.",
            ),
            (
                told(&[&sg, &eni], Cause::File, false, Some("x.json")),
                "Delivery file x.json could not be read.",
            ),
            (
                told(&[&sg], Cause::Call, true, Some("ec2:DescribeSecurityGroups AuthFailure")),
                "Call ec2:DescribeSecurityGroups failed with AuthFailure: AWS::EC2::SecurityGroup \
                 was not listed.",
            ),
        ] {
            assert_eq!(told, [wanted]);
        }
        assert_eq!(told(&[&ResourceType::VPC], Cause::Item, true, None), [""; 0], "not needed");
    }

    #[test]
    fn a_shard_of_which_every_call_failed_tells_the_calls() {
        let open =
            |what: &str| OpenGap { cause: Cause::Call, of_type: true, what: Some(what.into()) };
        let mut shard = Shard::empty(shard_id());
        let (sg, eni) = (ResourceType::SECURITY_GROUP, ResourceType::NETWORK_INTERFACE);
        shard.open_gaps.insert(sg, [open("sts:AssumeRole AccessDenied")].into());
        let denied = "Call sts:AssumeRole failed with AccessDenied: AWS::EC2::SecurityGroup was not \
                      listed.";
        let not = "AWS Config is not recording resource type AWS::EC2::NetworkInterface.";
        assert_eq!(texts(&shard), [not, denied], "of the other type nobody asked");
        shard.open_gaps.insert(eni, [open("ec2:DescribeNetworkInterfaces AuthFailure")].into());
        let failed = "Call ec2:DescribeNetworkInterfaces failed with AuthFailure: \
                      AWS::EC2::NetworkInterface was not listed.";
        assert_eq!(texts(&shard), [failed, denied]);
        let known = shard.listed_types.insert(ResourceType::NETWORK_INTERFACE);
        assert!(known);
        assert_eq!(texts(&shard), [failed, denied], "known once, and not listed since");
    }

    #[test]
    fn a_recorder_that_does_not_tell_what_it_lists_or_no_longer_is_a_gap() {
        let recorder =
            |state| world([body(ResourceType::CONFIGURATION_RECORDER, "default", state)]);
        let untold = "AWS::Config::ConfigurationRecorder default was not recorded.";
        let all = Recorder { recording: true, group: RecordingGroup::All, internal: false };
        let mut lagging = recorder(Body::Recorder(all));
        for items in lagging.items.values_mut() {
            items.values_mut().for_each(|item| *item = outdated(item.clone()));
        }
        assert_eq!(texts(&lagging), [format!("The latest configuration of {untold}")]);
        let not = |name| format!("AWS Config is not recording resource type AWS::EC2::{name}.");
        assert_eq!(
            texts(&recorder(Body::Unseen)),
            [
                not("NetworkInterface"),
                not("SecurityGroup"),
                format!("The configuration of {untold}")
            ]
        );
    }

    #[test]
    fn a_delivery_is_stale_at_the_moment_its_age_is_reached() {
        let mut shard = world([]);
        shard.newest_ms = Some(1_000);
        let fresh = noted(&shard, 1_000 + 24 * HOUR_MS - 1, Some(24 * HOUR_MS));
        assert_eq!((fresh.gaps.len(), fresh.not_before_ms), (0, Some(1_000 + 24 * HOUR_MS)));
        let stale = noted(&shard, 1_000 + 24 * HOUR_MS, Some(24 * HOUR_MS));
        assert_eq!(stale.not_before_ms, None);
        let gap = stale.gaps.first().unwrap();
        let text = "No AWS Config delivery tells of the last 24 hours. The newest tells of \
                    1970-01-01T00:00:01Z.";
        assert_eq!(&*gap.text, text);
        assert_eq!(gap.service, DependentService::Config);
    }

    #[test]
    fn a_shard_of_which_no_moment_is_known_is_stale() {
        let shard = world([]);
        let unknown = noted(&shard, i64::MAX, Some(HOUR_MS));
        let gap = unknown.gaps.first().unwrap();
        assert_eq!(&*gap.text, "No AWS Config delivery tells of the last 1 hour.");
        assert_eq!(unknown.not_before_ms, None);
        // Of one that was never heard of there is nothing more to say.
        assert_eq!(noted(&Shard::empty(shard_id()), 0, Some(HOUR_MS)).gaps.len(), 1);
    }

    #[test]
    fn a_moment_in_the_future_counts_as_now() {
        let mut shard = world([]);
        shard.newest_ms = Some(i64::MAX);
        let judgement = noted(&shard, 1_000, Some(HOUR_MS));
        assert_eq!((judgement.gaps.len(), judgement.not_before_ms), (0, Some(1_000 + HOUR_MS)));
    }

    #[test]
    fn staleness_does_not_apply_without_a_setting() {
        let mut shard = world([]);
        assert_eq!(noted(&shard, i64::MAX, None), Judgement::default());
        shard.newest_ms = Some(0);
        assert_eq!(noted(&shard, i64::MAX, None), Judgement::default());
        let endless = noted(&shard, 0, Some(i64::MAX));
        assert_eq!(endless.not_before_ms, Some(i64::MAX));
    }

    #[test]
    fn an_age_is_told_in_its_largest_whole_unit() {
        let cases = [
            (24 * HOUR_MS, "24 hours"),
            (HOUR_MS, "1 hour"),
            (90 * 60_000, "90 minutes"),
            (60_000, "1 minute"),
            (61_000, "61 seconds"),
            (1_001, "1001 milliseconds"),
        ];
        for (ms, want) in cases {
            assert_eq!(duration(ms), want);
        }
    }
}
