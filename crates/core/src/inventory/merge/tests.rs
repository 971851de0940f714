//! Whatever the order and however often: one outcome, and the one that plain loops find.

use proptest::prelude::*;

use crate::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use crate::inventory::{
    Body, Held, Item, ItemKey, Members, Merged, NetworkInterface, Observation, Recorder,
    RecordingGroup, SecurityGroup, Shard, ShardBuilder, Tags, UnseenState, Version, decode_item,
    encode_item, is_live, merge,
};

fn shard_id() -> ShardId {
    ShardId {
        account: AccountId::try_from("111122223333").unwrap(),
        region: Region::try_from("eu-west-1").unwrap(),
    }
}

/// One delivered state, in small numbers so that they collide.
#[derive(Clone, Debug)]
struct State {
    resource_type: usize,
    id: u8,
    state: Option<u64>,
    captured_ms: i64,
    /// 0 deleted, 1 unseen, else a body that differs.
    body: u8,
}

const TYPES: [ResourceType; 3] = [
    ResourceType::SECURITY_GROUP,
    ResourceType::NETWORK_INTERFACE,
    ResourceType::CONFIGURATION_RECORDER,
];

impl State {
    fn observation(&self) -> Observation {
        let resource_type = TYPES[self.resource_type].clone();
        let body = match self.body {
            0 => Body::Deleted,
            1 => Body::Unseen,
            n if resource_type == ResourceType::CONFIGURATION_RECORDER => {
                Body::Recorder(Recorder {
                    recording: n % 2 == 0,
                    group: RecordingGroup::All,
                    internal: false,
                })
            }
            // Two members, each told or not.
            n if resource_type == ResourceType::NETWORK_INTERFACE => {
                let told = |n: u8| (!n.is_multiple_of(3)).then(|| format!("m-{}", n % 3).into());
                Body::NetworkInterface(NetworkInterface {
                    vpc: told(n),
                    subnet: told(n / 3),
                    ..NetworkInterface::default()
                })
            }
            n => Body::SecurityGroup(SecurityGroup {
                group_name: format!("g{n}").into(),
                ..SecurityGroup::default()
            }),
        };
        let id = shard_id();
        Observation {
            item: Item {
                key: ItemKey {
                    account: id.account,
                    region: id.region,
                    resource_type,
                    id: ResourceId::try_from(format!("r-{}", self.id).as_str()).unwrap(),
                },
                version: Version { state: self.state, captured_ms: self.captured_ms },
                name: None,
                arn: None,
                tags: Some(Tags::new()),
                body,
                unseen_since: None,
                told_beside: None,
            },
            global: false,
            is_ahead: false,
        }
    }
}

#[derive(Clone, Debug)]
struct Delivered {
    /// `Some` for a snapshot.
    moment_ms: Option<i64>,
    states: Vec<State>,
}

fn state() -> impl Strategy<Value = State> {
    (0..TYPES.len(), 0..3_u8, prop::option::of(1..4_u64), 0..4_i64, 0..11_u8).prop_map(
        |(resource_type, id, state, captured_ms, body)| State {
            resource_type,
            id,
            state,
            captured_ms,
            body,
        },
    )
}

fn delivered() -> impl Strategy<Value = Delivered> {
    (prop::option::of(0..10_i64), prop::collection::vec(state(), 1..6))
        .prop_map(|(moment_ms, states)| Delivered { moment_ms, states })
}

fn build(deliveries: &[Delivered]) -> Shard {
    let mut builder = ShardBuilder::new(shard_id());
    for delivery in deliveries {
        for state in &delivery.states {
            builder.observe(state.observation(), delivery.moment_ms);
            if let Some(moment) = delivery.moment_ms {
                builder.mark(TYPES[state.resource_type].clone(), moment);
                if state.body != 0 {
                    builder.contain(TYPES[state.resource_type].clone());
                }
            }
        }
        if let Some(moment) = delivery.moment_ms {
            builder.hear(false, moment);
            builder.accept_snapshot();
        }
    }
    builder.seal()
}

/// Row 3 and the newer-wins rule once more, over the whole heap at once.
fn naive(deliveries: &[Delivered]) -> Shard {
    let mut shard = Shard::empty(shard_id());
    let mut tombstone = false;
    for (at, resource_type) in TYPES.iter().enumerate() {
        let moments: Vec<i64> = deliveries
            .iter()
            .filter(|one| one.states.iter().any(|state| state.resource_type == at))
            .filter_map(|one| one.moment_ms)
            .collect();
        let shows = |one: &Delivered| {
            one.moment_ms.is_some()
                && one.states.iter().any(|state| state.resource_type == at && state.body != 0)
        };
        if deliveries.iter().any(shows) {
            shard.snapshot_types.insert(resource_type.clone());
        }
        for id in 0..3 {
            let (mut told, mut unseen): (Option<&State>, Option<&State>) = (None, None);
            let mut all = Vec::new();
            let mut seen = i64::MIN;
            for delivery in deliveries {
                for state in &delivery.states {
                    if state.resource_type != at || state.id != id {
                        continue;
                    }
                    seen = seen.max(state.captured_ms).max(delivery.moment_ms.unwrap_or(i64::MIN));
                    all.push(state);
                    let best = if state.body == 1 { &mut unseen } else { &mut told };
                    if best.is_none_or(|best| place(state) > place(best)) {
                        *best = Some(state);
                    }
                }
            }
            if told.is_none() && unseen.is_none() {
                continue;
            }
            shard.held_types.insert(resource_type.clone());
            // A state without a body hides a deletion before it, and stands beside a body.
            let same: Vec<&State> = told.map(|told| of_age(told, &all)).unwrap_or_default();
            let last = same.iter().map(|state| state.observation().item.version).max();
            let later = unseen.filter(|unseen| match &last {
                Some(last) => unseen.observation().item.version.supersedes(last),
                None => true,
            });
            let is_outdated =
                later.is_some_and(|later| told.is_none_or(|told| age(later) > age(told)));
            // As does a contradiction among the states of its age.
            let doubt = last.clone().filter(|_| is_contradicted(&same) && !is_outdated);
            let doubt =
                doubt.map(|version| UnseenState { version, name: None, arn: None, tags: None });
            let is_open = doubt.is_some() || is_outdated;
            let later = doubt.or_else(|| later.map(without_body));
            let held =
                |told: &State| Item { version: last.clone().unwrap(), ..told.observation().item };
            let item = match (told, later) {
                (None, _) => unseen.unwrap().observation().item,
                (Some(told), Some(later)) if told.body == 0 => Item {
                    version: later.version,
                    tags: later.tags,
                    body: Body::Unseen,
                    ..told.observation().item
                },
                (Some(told), later) if told.body != 0 => Item {
                    told_beside: if is_open { None } else { beside(told, &same) },
                    unseen_since: later.map(Box::new),
                    ..held(told)
                },
                _ => {
                    tombstone |= *resource_type == ResourceType::CONFIGURATION_RECORDER;
                    continue;
                }
            };
            if moments.iter().all(|moment| *moment <= seen) {
                let of_type = shard.items.entry(resource_type.clone()).or_default();
                of_type.insert(item.key.id.clone(), item);
            }
        }
    }
    let captured = deliveries.iter().flat_map(|one| one.states.iter().map(|one| one.captured_ms));
    let of_snapshots = deliveries.iter().filter_map(|one| one.moment_ms);
    shard.newest_ms = captured.chain(of_snapshots).max();
    shard.snapshot_accepted = deliveries.iter().any(|one| one.moment_ms.is_some());
    shard.recorder_deleted =
        tombstone && !shard.items.contains_key(&ResourceType::CONFIGURATION_RECORDER);
    shard
}

/// State id, else capture time.
fn age(state: &State) -> i64 {
    state.state.map_or(state.captured_ms, |state| i64::try_from(state).unwrap())
}

type Rank = (i64, bool, usize, Vec<u8>);

/// Age, then deleted over body, then how much is told, then an order of no meaning.
fn rank(state: &State) -> Rank {
    let version = Version { state: None, captured_ms: 0 };
    let item = Item { version, ..state.observation().item };
    (age(state), state.body == 0, told(state).len(), encode_item(&item))
}

/// Where a state stands among those with a body, or among those without one: of one age the captured last.
fn place(state: &State) -> (Option<Rank>, (i64, i64, Option<u64>)) {
    let told = (state.body != 1).then(|| rank(state));
    (told, (age(state), state.captured_ms, state.state))
}

/// The members that a state tells.
fn told(state: &State) -> Vec<(&'static str, String)> {
    let body = state.observation().item.body;
    let exists = ("exists", (body != Body::Deleted).to_string());
    let configuration = match body {
        Body::Deleted => vec![],
        Body::NetworkInterface(NetworkInterface { vpc, subnet, .. }) => {
            let members = [("vpc", vpc), ("subnet", subnet)].into_iter();
            members.filter_map(|(name, id)| Some((name, id?.into()))).collect()
        }
        body => vec![("body", format!("{body:?}"))],
    };
    [exists].into_iter().chain(configuration).collect()
}

fn of_age<'s>(told: &State, all: &[&'s State]) -> Vec<&'s State> {
    all.iter().copied().filter(|one| one.body != 1 && age(one) == age(told)).collect()
}

/// Whether some member is told in two ways.
fn is_contradicted(all: &[&State]) -> bool {
    let members: Vec<_> = all.iter().flat_map(|state| told(state)).collect();
    members.iter().any(|(name, value)| members.iter().any(|(n, v)| n == name && v != value))
}

/// What others tell and a state does not.
fn beside(told: &State, all: &[&State]) -> Option<Box<Members>> {
    let of = |state: &State| state.observation().item.members();
    all.iter().map(|one| of(one)).reduce(Members::and)?.beyond(&of(told)).map(Box::new)
}

fn without_body(state: &State) -> UnseenState {
    let Item { version, name, arn, tags, .. } = state.observation().item;
    UnseenState { version, name, arn, tags }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_repeats_of_deliveries_seal_one_shard(
        (deliveries, shuffled) in prop::collection::vec(delivered(), 1..8).prop_flat_map(|all| {
            let twice: Vec<Delivered> = all.iter().chain(&all).cloned().collect();
            (Just(all), Just(twice).prop_shuffle())
        }),
        kept in 0..8_usize,
    ) {
        let once = build(&deliveries);
        prop_assert_eq!(&once, &naive(&deliveries));
        prop_assert_eq!(&once, &build(&shuffled));
        // Repeats in part: the first deliveries again, after everything.
        let again: Vec<Delivered> =
            shuffled.iter().chain(deliveries.iter().take(kept)).cloned().collect();
        prop_assert_eq!(&once, &build(&again));
    }

    #[test]
    fn an_item_survives_its_encoding(state in state(), later in prop::option::of(state())) {
        let unseen_since = later.map(|later| Box::new(without_body(&later)));
        let item = Item { unseen_since, ..state.observation().item };
        prop_assert_eq!(decode_item(&item.key, &encode_item(&item)), Ok(item));
    }
}

fn held(state: Option<u64>, captured_ms: i64, body: u8, seen_ms: i64) -> Held {
    let state = State { resource_type: 0, id: 0, state, captured_ms, body };
    Held { item: state.observation().item, seen_ms }
}

#[test]
fn what_an_incoming_state_does_to_the_held_one() {
    const REPLACED: &str = "replaced";
    const SEEN: &str = "seen";
    const STALE: &str = "stale";
    let old = held(Some(5), 50, 2, 50);
    for (what, incoming, outcome, seen_ms) in [
        ("a newer state", held(Some(6), 60, 2, 60), REPLACED, 60),
        ("a newer number, captured earlier", held(Some(6), 40, 2, 40), REPLACED, 50),
        ("an older state", held(Some(4), 40, 2, 40), STALE, 50),
        ("an older state in a newer snapshot", held(Some(4), 40, 2, 90), SEEN, 90),
        ("the same", held(Some(5), 50, 2, 50), STALE, 50),
        ("the same in a snapshot", held(Some(5), 50, 2, 90), SEEN, 90),
        ("a deletion of the same version", held(Some(5), 50, 0, 50), REPLACED, 50),
        ("the summary of the same version", held(Some(5), 50, 1, 50), STALE, 50),
        ("a late older deletion", held(Some(4), 45, 0, 45), STALE, 50),
        ("no number, captured later", held(None, 60, 2, 60), REPLACED, 60),
        ("a newer state without a body", held(Some(6), 60, 1, 60), REPLACED, 60),
        ("an older state without a body", held(Some(4), 40, 1, 40), STALE, 50),
    ] {
        let (found, seen) = match merge(Some(&old), incoming) {
            Merged::Replaced(held) => (REPLACED, held.seen_ms),
            Merged::Seen(held) => (SEEN, held.seen_ms),
            Merged::Stale => (STALE, old.seen_ms),
        };
        assert_eq!((found, seen), (outcome, seen_ms), "{what}");
    }
    assert_eq!(merge(None, old.clone()), Merged::Replaced(old));
}

/// What is held after states such as `body 5`, `deleted 7`, `unseen 8`, each of that number, in
/// every order and each twice: one outcome.
fn check(table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (states, want) = row.split_once("->").unwrap();
        let states: Vec<Held> = states
            .split(',')
            .map(|state| {
                let [kind, number] = state.split_whitespace().collect::<Vec<_>>()[..] else {
                    panic!("{state}");
                };
                let body = ["deleted", "unseen", "body", "other"].iter().position(|k| *k == kind);
                let number: u32 = number.parse().unwrap();
                let at = i64::from(number) * 10;
                held(Some(number.into()), at, body.unwrap().try_into().unwrap(), at)
            })
            .collect();
        let mut encoded = None;
        for order in permutations(states.len()) {
            let mut held: Option<Held> = None;
            for at in order.iter().chain(order.iter().rev()) {
                if let Merged::Replaced(now) | Merged::Seen(now) =
                    merge(held.as_ref(), states[*at].clone())
                {
                    held = Some(now);
                }
            }
            let held = held.unwrap();
            assert_eq!(describe(&held), want.trim(), "{row} as {order:?}");
            let bytes = encode_item(&held.item);
            assert_eq!(encoded.get_or_insert_with(|| bytes.clone()), &bytes, "{row}");
        }
    }
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    let Some(last) = of.checked_sub(1) else { return vec![vec![]] };
    let shorter = permutations(last);
    (0..of)
        .flat_map(|at| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(at, last);
                order
            })
        })
        .collect()
}

/// As `KIND NUMBER[ unseen since NUMBER][, shown KIND NUMBER if it is shown otherwise]`.
fn describe(held: &Held) -> String {
    let of = |item: &Item| {
        let kind = match &item.body {
            Body::Deleted => "deleted",
            Body::Unseen => "unseen",
            Body::SecurityGroup(group) if &*group.group_name == "g2" => "body",
            _ => "other",
        };
        format!("{kind} {}", item.version.state.unwrap())
    };
    let mut text = of(&held.item);
    if let Some(unseen) = &held.item.unseen_since {
        text += &format!(" unseen since {}", unseen.version.state.unwrap());
    }
    let shown = held.item.clone().shown();
    if shown.body != held.item.body {
        text += &format!(", shown {}", of(&shown));
    }
    text + if is_live(held, None) { "" } else { ", gone" }
}

#[test]
fn a_state_without_a_body_hides_neither_a_body_nor_a_deletion() {
    check(
        "body 5, unseen 7                      -> body 5 unseen since 7
         body 5, unseen 5                      -> body 5
         body 5, unseen 4                      -> body 5
         body 5, unseen 7, unseen 8            -> body 5 unseen since 8
         body 5, unseen 7, other 6             -> other 6 unseen since 7
         body 5, unseen 7, other 7             -> other 7
         body 5, unseen 7, other 8             -> other 8
         body 5, unseen 7, deleted 8           -> deleted 8, gone
         body 5, unseen 7, deleted 7           -> deleted 7, gone
         unseen 7, unseen 8                    -> unseen 8
         unseen 7, body 3                      -> body 3 unseen since 7",
    );
}

#[test]
fn a_state_without_a_body_after_a_deletion_revives_the_resource_without_its_old_body() {
    check(
        "deleted 6, unseen 7                   -> deleted 6 unseen since 7, shown unseen 7
         body 5, deleted 6, unseen 7           -> deleted 6 unseen since 7, shown unseen 7
         body 5, unseen 6, deleted 7           -> deleted 7, gone
         deleted 5, body 6, unseen 7           -> body 6 unseen since 7
         deleted 5, unseen 6, body 7, unseen 8 -> body 7 unseen since 8
         unseen 6, deleted 6                   -> deleted 6, gone",
    );
}

/// Semantics §11 row 67.
#[test]
fn states_of_one_version_that_contradict_each_other_are_in_doubt_until_a_later_one() {
    check(
        "body 5, other 5                       -> other 5 unseen since 5
         body 5, other 5, unseen 4             -> other 5 unseen since 5
         body 5, other 5, unseen 5             -> other 5 unseen since 5
         body 5, other 5, unseen 6             -> other 5 unseen since 6
         body 5, other 5, body 6               -> body 6
         body 5, other 5, unseen 6, body 7     -> body 7
         body 5, other 5, deleted 6            -> deleted 6, gone
         body 4, body 5, other 5               -> other 5 unseen since 5
         body 5, deleted 5                     -> deleted 5 unseen since 5, shown unseen 5
         body 5, other 5, deleted 5            -> deleted 5 unseen since 5, shown unseen 5
         deleted 5, body 5, body 6             -> body 6
         deleted 5, unseen 5                   -> deleted 5, gone",
    );
}

/// Semantics §11 row 67: AWS Config orders states by their numbers, so that a capture time decides nothing
/// between equal ones.
#[test]
fn states_of_one_number_contradict_each_other_whenever_they_were_captured() {
    let (one, other) = (held(Some(5), 50, 2, 50), held(Some(5), 90, 3, 90));
    for (first, second) in [(&one, &other), (&other, &one)] {
        let Merged::Replaced(found) = merge(Some(first), second.clone()) else {
            panic!("something of the second is news");
        };
        assert!(found.item.is_contradicted());
        assert!(matches!(merge(Some(&found), held(Some(6), 40, 2, 40)), Merged::Replaced(later)
            if !later.item.is_contradicted() && later.item.unseen_since.is_none()));
    }
    let again = held(Some(5), 90, 2, 90);
    let same = match merge(Some(&one), again) {
        Merged::Replaced(held) | Merged::Seen(held) => held,
        Merged::Stale => one,
    };
    assert!(!same.item.is_contradicted(), "what is told alike is no contradiction");
}

/// Semantics §11 rows 39 and 67: a state that cannot be read is a gap by when it was captured, if its number
/// is that of one that could.
#[test]
fn a_state_without_a_body_of_the_same_number_that_was_captured_later_is_a_gap() {
    let told = held(Some(5), 50, 2, 50);
    for (captured_ms, is_gap) in [(49, false), (50, false), (51, true)] {
        let unseen = held(Some(5), captured_ms, 1, captured_ms);
        let outcomes = [(&told, &unseen), (&unseen, &told)].map(|(first, second)| {
            match merge(Some(first), second.clone()) {
                Merged::Replaced(now) | Merged::Seen(now) => now.item,
                Merged::Stale => first.item.clone(),
            }
        });
        assert_eq!(outcomes[0], outcomes[1]);
        assert_eq!(outcomes[0].unseen_since.is_some(), is_gap, "{captured_ms}");
        // Until what is captured after it is told.
        let Merged::Replaced(now) = merge(Some(&held_of(&outcomes[0])), held(Some(5), 60, 2, 60))
        else {
            panic!("a later moment is news");
        };
        assert_eq!(now.item.unseen_since, None);
    }
}

fn held_of(item: &Item) -> Held {
    Held { item: item.clone(), seen_ms: 50 }
}

/// What was told by a state that is not kept is not forgotten.
#[test]
fn a_contradiction_of_what_only_a_smaller_state_told_is_noticed() {
    let interface = |vpc: Option<&str>, subnet: Option<&str>, kind: Option<&str>| {
        let mut held = held(Some(5), 50, 2, 50);
        held.item.key.resource_type = ResourceType::NETWORK_INTERFACE;
        held.item.body = Body::NetworkInterface(NetworkInterface {
            vpc: vpc.map(Into::into),
            subnet: subnet.map(Into::into),
            interface_type: kind.map(Into::into),
            ..NetworkInterface::default()
        });
        held
    };
    let states = [
        interface(Some("vpc-a"), None, None),
        interface(Some("vpc-b"), None, None),
        interface(None, Some("subnet-1"), Some("interface")),
    ];
    let mut ends = std::collections::BTreeSet::new();
    for order in permutations(states.len()) {
        let mut held: Option<Held> = None;
        for at in order.iter().chain(&order) {
            if let Merged::Replaced(now) | Merged::Seen(now) =
                merge(held.as_ref(), states[*at].clone())
            {
                // As a store keeps it.
                let item = decode_item(&now.item.key, &encode_item(&now.item)).unwrap();
                held = Some(Held { item, ..now });
            }
        }
        let item = held.unwrap().item;
        assert!(item.is_contradicted(), "{order:?}");
        assert_eq!(item.body, states[2].item.body, "what tells most is judged");
        ends.insert(encode_item(&item));
    }
    assert_eq!(ends.len(), 1);
}

#[test]
fn a_late_older_message_does_not_resurrect_a_deleted_resource() {
    let tombstone = held(Some(9), 90, 0, 90);
    assert_eq!(merge(Some(&tombstone), held(Some(8), 80, 2, 80)), Merged::Stale);
    let Merged::Seen(held) = merge(Some(&tombstone), held(Some(8), 80, 2, 100)) else {
        panic!("seen in a later snapshot");
    };
    assert!(!is_live(&held, None));
}

#[test]
fn three_states_of_which_one_has_no_number_have_one_newest() {
    let versions = [
        Version { state: Some(10), captured_ms: 5 },
        Version { state: None, captured_ms: 6 },
        Version { state: Some(9), captured_ms: 7 },
    ];
    for one in &versions {
        assert!(!one.supersedes(one));
    }
    let beaten: Vec<_> =
        versions.iter().filter(|one| versions.iter().any(|other| other.supersedes(one))).collect();
    assert_eq!(beaten.len(), 2, "exactly one is beaten by none");
}

#[test]
fn a_resource_missing_from_a_newer_snapshot_is_gone() {
    let held = held(Some(5), 50, 2, 50);
    assert!(is_live(&held, None));
    assert!(is_live(&held, Some(50)), "seen at that very moment");
    assert!(!is_live(&held, Some(51)));
}

#[test]
fn a_deleted_recorder_makes_nothing_known_until_another_is_there() {
    let recorder = |id, body| State { resource_type: 2, id, state: Some(1), captured_ms: 1, body };
    let of = |states: &[State]| build(&[Delivered { moment_ms: None, states: states.to_vec() }]);
    let gone = of(&[recorder(0, 0)]);
    assert!(gone.recorder_deleted);
    assert!(!gone.knows(&ResourceType::SECURITY_GROUP));
    let other = of(&[recorder(0, 0), recorder(1, 2)]);
    assert!(!other.recorder_deleted);
    assert!(other.knows(&ResourceType::SECURITY_GROUP));
}

#[test]
fn observations_of_another_shard_are_left_out() {
    let other = ShardId { region: Region::home_of_global(), ..shard_id() };
    let mut builder = ShardBuilder::new(other.clone());
    let state = State { resource_type: 0, id: 0, state: None, captured_ms: 1, body: 2 };
    builder.observe(state.observation(), None);
    assert_eq!(builder.seal(), Shard::empty(other));
}

#[test]
fn damaged_and_foreign_encodings_are_refused() {
    let item = held(Some(5), 50, 2, 50).item;
    let bytes = encode_item(&item);
    let fails = |bytes: &[u8]| decode_item(&item.key, bytes).unwrap_err().to_string();
    assert!(fails(&[]).contains("layout 0"));
    assert!(fails(&[9, 1]).contains("layout 9"));
    assert!(fails(&bytes[..bytes.len() - 1]).contains("damaged"));
    assert!(fails(&[bytes.as_slice(), &[0]].concat()).contains("1 bytes too many"));
}
