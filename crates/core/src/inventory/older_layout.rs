//! Items as earlier editions stored them, so that a store outlives an upgrade. What those layouts
//! cannot tell is unknown, never none (semantics §11 row 38): of a typed body only that it was
//! there, and of an empty map of tags nothing. The delivery of an item replaces what is read here,
//! even where it tells the very same version.

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use super::layout::{ItemDecodeError, end, take};
use super::{Body, Item, ItemKey, Tags, UnseenState, Version};

/// The layouts that are read here.
pub(super) const READ: std::ops::RangeInclusive<u8> = OF_ONE_STATE..=OF_TWO_STATES;

/// The state alone.
const OF_ONE_STATE: u8 = 1;

/// The state, and a later one that tells no configuration.
const OF_TWO_STATES: u8 = 2;

/// The item that stands behind a layout byte of [`READ`].
pub(super) fn item(key: ItemKey, layout: u8, rest: &[u8]) -> Result<Item, ItemDecodeError> {
    let (state, rest): (State, _) = take(rest)?;
    let (body, rest): (OlderBody, _) = take(rest)?;
    let (later, rest) = match layout {
        OF_ONE_STATE => (None, rest),
        _ => take::<Option<State>>(rest)?,
    };
    end(rest)?;
    let body = match body {
        OlderBody::Deleted => Body::Deleted,
        OlderBody::Unseen => Body::Unseen,
        OlderBody::Unwanted => Body::Unwanted,
        _ => Body::OlderLayout,
    };
    let later = later.map(State::unseen);
    let state = state.unseen();
    // Two states of which nothing is known are as good as the later one.
    let (state, unseen_since) = match (body.is_unseen(), later) {
        (true, Some(later)) => (later, None),
        (_, later) => (state, later.map(Box::new)),
    };
    let UnseenState { version, name, arn, tags } = state;
    Ok(Item { key, version, name, arn, tags, body, unseen_since, told_beside: None })
}

#[derive(Deserialize)]
struct State {
    version: Version,
    name: Option<Text>,
    arn: Option<Text>,
    tags: Tags,
}

impl State {
    fn unseen(self) -> UnseenState {
        let State { version, name, arn, tags } = self;
        UnseenState { version, name, arn, tags: Some(tags).filter(|tags| !tags.is_empty()) }
    }
}

type Text = Box<str>;
type Permission = (
    Option<u8>,
    Option<i32>,
    Option<i32>,
    Vec<Ipv4Net>,
    Vec<Ipv6Net>,
    Vec<Text>,
    Vec<(Option<Text>, Text)>,
);
type RuleGroup = (Option<Text>, Option<Text>, Option<Text>, Option<Text>, bool);

/// Typed bodies of both layouts, only to find where they end. Frozen: today's are in `body.rs`.
#[derive(Deserialize)]
#[expect(dead_code, reason = "they are passed over")]
enum OlderBody {
    Deleted,
    Unseen,
    Unwanted,
    SecurityGroup(Text, Option<Text>, Option<Text>, Vec<Permission>, Vec<Permission>),
    NetworkInterface(
        Vec<Text>,
        Option<Text>,
        Option<Text>,
        Option<Text>,
        bool,
        Option<Text>,
        Option<i32>,
    ),
    Instance(Option<Text>, Option<Text>, Vec<Text>, Vec<(Text, Vec<Text>, Option<i32>)>),
    PrefixList(Text, Option<Vec<Ipv4Net>>, Option<Vec<Ipv6Net>>),
    LoadBalancer(Option<Text>, Vec<Text>, Association),
    ClassicLoadBalancer(Vec<Text>),
    ApiStage(Association),
    Distribution(Association),
    WebAcl(
        Text,
        Text,
        bool,
        bool,
        Option<Vec<RuleGroup>>,
        Option<Vec<RuleGroup>>,
        Option<bool>,
        Vec<(Text, Text)>,
    ),
    Protection(Text, Option<(bool, Option<bool>)>),
    Recorder(bool, RecordingGroup),
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "they are passed over")]
enum Association {
    Unsaid,
    Bare,
    Acl(Text),
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "they are passed over")]
enum RecordingGroup {
    All,
    Only(Vec<Text>),
    AllBut(Vec<Text>),
}

#[cfg(test)]
mod tests;
