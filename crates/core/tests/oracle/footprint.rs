//! What is claimed of a change's footprint holds: changes of generated shards are judged from what
//! is claimed and from the whole, and both must come out the same. Broken claims must not.

mod edits;

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::{
    Changed, Footprint, Judgement, footprint, judge_changed, reads, support,
};
use palisade_core::ident::ResourceType;
use palisade_core::inventory::{Item, Shard};
use palisade_core::ledger::{Change, Doubt, Record, ViolatorRow, advance, advance_by, stands};

use crate::core_side::World;
use crate::{SEED, default_lists, kind, setting, world};

/// Cases of an ordinary run. Fewer than the oracle's others: each is judged five times.
const CASES: u64 = 40_000;
/// Within how many cases every broken claim has to be noticed.
const BROKEN_CASES_MAX: u64 = 60_000;
/// When the shard was judged, and when again.
const THEN_MS: i64 = 5;
const NOW_MS: i64 = 9;

/// What became of a case.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Came {
    /// Nothing was claimed and found to change.
    Nothing,
    /// The record of the difference was that of the whole, and other than before.
    Moved,
    /// It was that of the whole, as before.
    Stayed,
    /// The gaps changed, or the record told of the moment: the whole has to be judged.
    Doubted,
    /// The whole was claimed to be concerned.
    Shard,
}

#[test]
fn a_change_judged_by_its_footprint_is_recorded_as_by_judging_the_whole() {
    let (seed, cases) = (setting("PALISADE_SEED", SEED), setting("PALISADE_CASES", CASES));
    let first = setting("PALISADE_FIRST_CASE", 0);
    println!("seed {seed}, {cases} cases from case {first}");
    let defaults = default_lists();
    let mut mix: BTreeMap<&str, BTreeMap<Came, u64>> = BTreeMap::new();
    for number in first..first + cases {
        let (case, random) = &mut world::one(seed, number, &defaults);
        let Some(world) = World::of(case).unwrap() else { continue };
        let (after, changed) = edits::change(&world.shard, random);
        match came(&world, &after, &changed, None) {
            Ok(came) => *mix.entry(kind(case)).or_default().entry(came).or_default() += 1,
            Err(wrong) => panic!("PALISADE_SEED={seed}, case {number}: {wrong}\n{changed:#?}"),
        }
    }
    for (kind, mix) in &mix {
        println!("{kind}: {mix:?}");
        if cases >= CASES {
            let share =
                |came| 100 * mix.get(&came).copied().unwrap_or(0) / mix.values().sum::<u64>();
            assert!(share(Came::Nothing) >= 5, "{kind}");
            // What changes in other types concerns the whole shard.
            let narrow = ["SECURITY_GROUPS_CONTENT_AUDIT", "SHIELD_ADVANCED", "WAFV2"];
            assert!(!narrow.contains(kind) || share(Came::Moved) >= 3, "{kind}");
            assert!(share(Came::Shard) >= 5, "{kind}");
        }
    }
    assert!(
        cases < CASES || mix.len() == world::TYPES.iter().filter(|(_, share)| *share > 0).count(),
        "types of policies"
    );
}

#[test]
fn every_broken_claim_is_noticed() {
    let seed = setting("PALISADE_SEED", SEED);
    let defaults = default_lists();
    let mut unnoticed = Broken::ALL.to_vec();
    let mut slowest = (0, None);
    for number in 0..BROKEN_CASES_MAX {
        if unnoticed.is_empty() {
            break;
        }
        let (case, random) = &mut world::one(seed, number, &defaults);
        let Some(world) = World::of(case).unwrap() else { continue };
        let (after, changed) = edits::change(&world.shard, random);
        unnoticed.retain(|broken| {
            let noticed = came(&world, &after, &changed, Some(*broken)).is_err();
            if noticed {
                slowest = (number, Some(*broken));
            }
            !noticed
        });
    }
    let (number, last) = slowest;
    println!("{} broken claims noticed, the last, {last:?}, at case {number}", Broken::ALL.len());
    assert!(unnoticed.is_empty(), "not noticed within {BROKEN_CASES_MAX} cases: {unnoticed:?}");
}

/// Judges a change by what is claimed of it, and holds that against the whole. An error says what is
/// wrong with the claim.
fn came(
    world: &World,
    after: &Shard,
    changed: &[Changed],
    broken: Option<Broken>,
) -> Result<Came, String> {
    let World { policy, .. } = world;
    let before = world.judge();
    let evidence = palisade_core::evaluate::Evidence { shard: after, ..world.evidence() };
    let whole = palisade_core::evaluate::judge(policy, &evidence);
    let claimed = broken.map_or_else(|| footprint(policy, changed), |it| it.claims(world, changed));
    if claimed == Footprint::Nothing {
        // Also in when time alone will change it.
        return (whole == before).then_some(Came::Nothing).ok_or_else(|| "it changed".to_owned());
    }
    let recorded = recorded(&before);
    if claimed == Footprint::Shard {
        return Ok(Came::Shard);
    }
    if !stands(recorded.entry.as_ref(), 1) {
        return Ok(Came::Doubted);
    }
    let held = Loaded::of(world, after, changed, broken);
    let evidence = palisade_core::evaluate::Evidence { shard: &held.0, ..evidence };
    let difference = judge_changed(policy, &evidence, changed);
    let whole = advance(&recorded, &whole, 1, NOW_MS);
    match advance_by(&rows_of(&recorded, changed), &difference, NOW_MS) {
        Ok(change) if change == whole => {
            Ok(if change.is_some() { Came::Moved } else { Came::Stayed })
        }
        Ok(change) => Err(differ(&change, &whole)),
        Err(Doubt::Gaps) => Ok(Came::Doubted),
        Err(Doubt::Record) => Err("the record is not that of the resources before".to_owned()),
    }
}

fn differ(change: &Option<Change>, whole: &Option<Change>) -> String {
    format!("by the difference {change:#?}\nby the whole {whole:#?}")
}

/// The record of a judgement.
fn recorded(judgement: &Judgement) -> Record {
    let change = advance(&Record::default(), judgement, 1, THEN_MS).expect("it is the first");
    Record { entry: Some(change.entry), violators: change.put }
}

/// The part of a record that is loaded for changed resources.
fn rows_of(record: &Record, changed: &[Changed]) -> Record {
    let keys: BTreeSet<_> =
        changed.iter().map(|changed| (&changed.key.resource_type, &changed.key.id)).collect();
    let of_them = |row: &&ViolatorRow| keys.contains(&(&row.resource_type, &row.id));
    Record {
        entry: record.entry.clone(),
        violators: record.violators.iter().filter(of_them).cloned().collect(),
    }
}

/// A shard of which nothing but the support is held.
struct Loaded(Shard);

impl Loaded {
    fn of(world: &World, after: &Shard, changed: &[Changed], broken: Option<Broken>) -> Loaded {
        let support = support(&world.policy, changed);
        let missing = broken.and_then(Broken::not_supported);
        let is_support = |item: &Item| {
            let key = &item.key;
            missing.as_ref() != Some(&key.resource_type)
                && (support.types.contains(&key.resource_type)
                    || support.items.contains(&(key.resource_type.clone(), key.id.clone())))
        };
        let mut shard = after.clone();
        shard.items.values_mut().for_each(|items| items.retain(|_, item| is_support(item)));
        shard.items.retain(|_, items| !items.is_empty());
        Loaded(shard)
    }
}

macro_rules! broken {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// One way to claim too little.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        enum Broken { $($(#[$doc])* $name),+ }

        impl Broken {
            const ALL: &'static [Broken] = &[$(Broken::$name),+];
        }
    };
}

broken! {
    // What resources show
    TagsChangeNothing,
    LaterStatesChangeNothing,
    NewerCapturesChangeNothing,
    BodiesChangeNothing,
    // Whom they concern
    TypesThatAreNotListedConcernNobody,
    GroupsConcernThemselvesAlone,
    CarriersConcernThemselvesAlone,
    RecordersConcernNobody,
    PrefixListsConcernNobody,
    WebAclsConcernNobody,
    ProtectionsConcernNobody,
    RetrofitLooksNoFurther,
    UseConcernsNobody,
    // What they are judged with. Groups are no such support: what carries them is claimed of the whole.
    PrefixListsAreNotSupport,
    WebAclsAreNotSupport,
    ProtectionsAreNotSupport,
}

impl Broken {
    fn claims(self, world: &World, changed: &[Changed]) -> Footprint {
        let World { policy, .. } = world;
        let claimed = footprint(policy, changed);
        let blind = |blind: fn(&mut Item, &Item)| {
            let mut seen = changed.to_vec();
            for changed in &mut seen {
                if let (Some(before), Some(after)) = (&changed.before, &mut changed.after) {
                    blind(after, before);
                }
            }
            footprint(policy, &seen)
        };
        let all = |types: &[ResourceType]| {
            changed.iter().all(|changed| types.contains(&changed.key.resource_type))
        };
        let is_own = claimed == Footprint::Shard;
        match self {
            Broken::TagsChangeNothing => blind(|after, before| after.tags = before.tags.clone()),
            Broken::LaterStatesChangeNothing => {
                blind(|after, before| after.unseen_since = before.unseen_since.clone())
            }
            Broken::NewerCapturesChangeNothing => {
                blind(|after, before| after.version = before.version.clone())
            }
            Broken::BodiesChangeNothing => blind(|after, before| after.body = before.body.clone()),
            Broken::TypesThatAreNotListedConcernNobody
                if !changed.iter().any(|it| policy.scope.lists(&it.key.resource_type)) =>
            {
                Footprint::Nothing
            }
            Broken::GroupsConcernThemselvesAlone
                if is_own && all(&[ResourceType::SECURITY_GROUP]) =>
            {
                Footprint::Resource
            }
            Broken::CarriersConcernThemselvesAlone
                if is_own
                    && reads(policy).contains(&ResourceType::PREFIX_LIST)
                    && all(&[ResourceType::NETWORK_INTERFACE, ResourceType::INSTANCE]) =>
            {
                Footprint::Resource
            }
            Broken::RecordersConcernNobody if all(&[ResourceType::CONFIGURATION_RECORDER]) => {
                Footprint::Nothing
            }
            Broken::PrefixListsConcernNobody if all(&[ResourceType::PREFIX_LIST]) => {
                Footprint::Nothing
            }
            Broken::WebAclsConcernNobody if all(&[ResourceType::WAFV2_WEB_ACL]) => {
                Footprint::Nothing
            }
            Broken::ProtectionsConcernNobody
                if all(&[
                    ResourceType::SHIELD_PROTECTION,
                    ResourceType::SHIELD_REGIONAL_PROTECTION,
                ]) =>
            {
                Footprint::Nothing
            }
            Broken::RetrofitLooksNoFurther
                if is_own
                    && all(&[
                        ResourceType::LOAD_BALANCER,
                        ResourceType::API_GATEWAY_STAGE,
                        ResourceType::CLOUDFRONT_DISTRIBUTION,
                    ]) =>
            {
                Footprint::Resource
            }
            Broken::UseConcernsNobody
                if all(&[ResourceType::NETWORK_INTERFACE, ResourceType::INSTANCE]) =>
            {
                Footprint::Nothing
            }
            _ => claimed,
        }
    }

    /// The type of which nothing is loaded.
    fn not_supported(self) -> Option<ResourceType> {
        match self {
            Broken::PrefixListsAreNotSupport => Some(ResourceType::PREFIX_LIST),
            Broken::WebAclsAreNotSupport => Some(ResourceType::WAFV2_WEB_ACL),
            Broken::ProtectionsAreNotSupport => Some(ResourceType::SHIELD_REGIONAL_PROTECTION),
            _ => None,
        }
    }
}
