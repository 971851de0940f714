//! Explaining is judging with a listener: on generated worlds exactly what violates is explained as
//! violating, what is out of scope names the filter that the naive evaluator names, and where something is
//! not known the facts that are named make it known. Broken explanations must not pass.
//!
//! `PALISADE_EXPLAINED` sets how many cases are explained, `PALISADE_FIRST_EXPLAINED` from which on.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::{self, Explained, Explanation, Filter, Lacking};
use palisade_core::ident::{ResourceId, ResourceType};
use palisade_core::inventory::{Body, Item};
use palisade_core::organization::Organization;
use palisade_core::policy::Document;
use palisade_core::scope::AccountFilter;
use serde_json::Value;

use crate::core_side::World;
use crate::naive::{self, Outcome, filters};
use crate::{SEED, default_lists, kind, setting, world};

/// Cases of an ordinary run: each resource of a case costs a judgement.
const CASES: u64 = 8_000;
/// Within how many cases every broken explanation has to be noticed.
const BROKEN_CASES_MAX: u64 = 20_000;
/// How often facts are supplied until a verdict is known: one that is supplied may show that another is
/// missing.
const ROUNDS_MAX: usize = 8;

/// Under which groups on interfaces and instances in scope are judged, whatever filter leaves them out.
const CONTENT_AUDIT: &str = "SECURITY_GROUPS_CONTENT_AUDIT";

#[test]
fn what_is_explained_is_what_is_judged() {
    let (seed, cases) = (setting("PALISADE_SEED", SEED), setting("PALISADE_EXPLAINED", CASES));
    let first = setting("PALISADE_FIRST_EXPLAINED", 0);
    println!("seed {seed}, {cases} cases from case {first}");
    let defaults = default_lists();
    let mut mixes: BTreeMap<&str, Mix> = BTreeMap::new();
    let mut bodies = Bodies::new();
    for number in first..first + cases {
        let case = world::one(seed, number, &defaults).0;
        let mix = mixes.entry(kind(&case)).or_default();
        if let Err(wrong) = check(&case, &mut bodies, mix, None) {
            panic!("PALISADE_SEED={seed}, case {number}: {wrong}\n{case:#}");
        }
    }
    for (kind, mix) in &mixes {
        println!("{kind}: {mix:?}");
        if cases >= CASES {
            // Of the types that few cases are of, fewer.
            let few = world::TYPES.iter().any(|(one, share)| one == kind && *share < 10);
            let of_ten = if few { 1 } else { 10 };
            assert!(mix.violates >= 50 * of_ten && mix.complies >= 3 * of_ten, "{kind}");
            let out = mix.out.values().sum::<u64>();
            assert!(out >= 50 * of_ten && mix.unknown >= 20 * of_ten, "{kind}");
            // Facts of other shards, and members that an item leaves out, are named in words alone.
            assert!(mix.supplied * 10 >= mix.unknown * 3, "{kind}: few facts can be supplied");
        }
    }
    if cases >= CASES {
        let out: BTreeSet<&str> = mixes.values().flat_map(|mix| mix.out.keys().copied()).collect();
        for filter in [
            "account",
            "include-map",
            "exclude-map",
            "resource-type",
            "tags",
            "owner",
            "special-rule",
        ] {
            assert!(out.contains(filter), "no case is about `{filter}`");
        }
    }
}

#[test]
fn every_broken_explanation_is_noticed() {
    let (seed, defaults) = (setting("PALISADE_SEED", SEED), default_lists());
    let mut unnoticed = Broken::ALL.to_vec();
    let mut bodies = Bodies::new();
    for number in 0..BROKEN_CASES_MAX {
        if unnoticed.is_empty() {
            break;
        }
        let case = world::one(seed, number, &defaults).0;
        unnoticed
            .retain(|broken| check(&case, &mut bodies, &mut Mix::default(), Some(*broken)).is_ok());
    }
    assert!(unnoticed.is_empty(), "not noticed within {BROKEN_CASES_MAX} cases: {unnoticed:?}");
}

/// An explanation as it would be if it were broken in one way.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Broken {
    /// What violates is said to comply.
    ViolatorComplies,
    /// What complies is said to be unknown.
    NothingComplies,
    /// What is not known is said to comply.
    UnknownComplies,
    /// What the tags leave out is said to be of another type.
    TagsNamedType,
    /// What another account owns is left out by tags.
    OwnerNamedTags,
    /// An account that is excluded is said not to be included.
    ExcludedNotIncluded,
    /// Of what is missing one fact is not told.
    OneFactLess,
}

impl Broken {
    const ALL: [Broken; 7] = [
        Broken::ViolatorComplies,
        Broken::NothingComplies,
        Broken::UnknownComplies,
        Broken::TagsNamedType,
        Broken::OwnerNamedTags,
        Broken::ExcludedNotIncluded,
        Broken::OneFactLess,
    ];

    fn breaks(self, verdict: &mut Explained) {
        match (self, &mut *verdict) {
            (Broken::ViolatorComplies, Explained::Violates { .. })
            | (Broken::UnknownComplies, Explained::Unknown(_)) => *verdict = Explained::Complies,
            (Broken::NothingComplies, Explained::Complies) => {
                *verdict = Explained::Unknown(Vec::new());
            }
            (Broken::TagsNamedType, Explained::OutOfScope(filter @ Filter::Tags(_))) => {
                *filter = Filter::Type(Vec::new());
            }
            (Broken::OwnerNamedTags, Explained::OutOfScope(filter @ Filter::Owner(_))) => {
                *filter = Filter::Tags(palisade_core::scope::TagScope::default());
            }
            (Broken::OneFactLess, Explained::Unknown(missing)) => {
                missing.pop();
            }
            _ => {}
        }
    }
}

/// What was explained, of one type of policies.
#[derive(Debug, Default)]
struct Mix {
    violates: u64,
    complies: u64,
    unknown: u64,
    /// Of those, what became known by the facts that were named.
    supplied: u64,
    /// By the name of the filter.
    out: BTreeMap<&'static str, u64>,
}

/// Bodies that were told, by type: what is supplied where one is missing.
type Bodies = BTreeMap<ResourceType, Body>;

/// Explains every resource of a case, and says what is wrong with that.
fn check(
    case: &Value,
    bodies: &mut Bodies,
    mix: &mut Mix,
    broken: Option<Broken>,
) -> Result<(), String> {
    let outcome = naive::judge(case, None);
    let Some(world) = World::of(case)? else {
        return account(case, &outcome, mix, broken);
    };
    for (of_type, items) in &world.shard.items {
        let told = items.values().find(|item| !item.body.is_unseen());
        if let Some(told) = told.filter(|_| !bodies.contains_key(of_type)) {
            bodies.insert(of_type.clone(), told.body.clone());
        }
    }
    let filters = filters::of_resources(case);
    let judgement = world.judge();
    let mut violating = BTreeSet::new();
    for item in world.shard.items.values().flat_map(BTreeMap::values) {
        let mut explanation = explained(&world, item).ok_or("an item is not explained")?;
        if let Some(broken) = broken {
            broken.breaks(&mut explanation.verdict);
        }
        let key = (item.key.resource_type.to_string(), item.key.id.to_string());
        let wrong = |what: &str| format!("{key:?} {what}: {:?}", explanation.verdict);
        if explanation.items.first().map(|seen| &seen.version) != Some(&item.version) {
            return Err(wrong("is not told with its version"));
        }
        if let Some(gap) =
            explanation.missing().iter().find(|one| !judgement.gaps.contains(&one.gap))
        {
            return Err(wrong(&format!("lacks what the judgement does not: {gap:?}")));
        }
        let filter = filters.get(&key).copied();
        match &explanation.verdict {
            Explained::Violates { violations, .. } => {
                mix.violates += 1;
                let reason = violations.first().map(|one| one.reason);
                violating.insert((key.0.clone(), key.1.clone(), word(&reason)));
            }
            Explained::Complies => {
                mix.complies += 1;
                let is_read_for_others = kind(case) == CONTENT_AUDIT
                    && item.key.resource_type == ResourceType::SECURITY_GROUP;
                if filter.is_some() && !is_read_for_others {
                    return Err(wrong(&format!("complies, and {filter:?} leaves it out")));
                }
            }
            Explained::OutOfScope(named) => {
                *mix.out.entry(named.word()).or_default() += 1;
                if filter != Some(named.word()) {
                    return Err(wrong(&format!(
                        "is not out by what the naive evaluator says, {filter:?}"
                    )));
                }
            }
            Explained::Unknown(missing) => {
                mix.unknown += 1;
                if outcome.status == Some("COMPLIANT") {
                    return Err(wrong("is not known in an account that complies"));
                }
                if missing.is_empty() {
                    return Err(wrong("is not known, and nothing is missing"));
                }
                match supply(&world, item, &explanation, bodies) {
                    Supplied::Known => mix.supplied += 1,
                    Supplied::NotNamed => {}
                    Supplied::StillUnknown(still) => {
                        return Err(wrong(&format!("stays unknown with all supplied: {still:?}")));
                    }
                }
            }
        }
    }
    match outcome.violators == violating {
        true => Ok(()),
        false => {
            Err(format!("explained as violating {violating:?}, violating {:?}", outcome.violators))
        }
    }
}

fn word(variant: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(variant).unwrap();
    value.as_str().unwrap_or_default().to_owned()
}

fn explained(world: &World, item: &Item) -> Option<Explanation> {
    let (kind, id) = (&item.key.resource_type, &item.key.id);
    evaluate::explain(&world.policy, &world.evidence(), kind, id)
}

/// An account that is out of scope names the filter that leaves it out.
fn account(
    case: &Value,
    outcome: &Outcome,
    mix: &mut Mix,
    broken: Option<Broken>,
) -> Result<(), String> {
    let organization = Organization::parse(case["organization"].to_string().as_bytes()).unwrap();
    let document: Document = serde_json::from_value(case["policy"].clone()).unwrap();
    let identity = palisade_core::policy::Identity {
        id: "0dd0dd00-0000-4000-8000-000000000001".try_into().unwrap(),
        owner: case["administrator"].as_str().unwrap().try_into().unwrap(),
        region: case["region"].as_str().unwrap().try_into().unwrap(),
        revision: 1,
        former_names: Vec::new(),
    };
    let policy = palisade_core::policy::parse(&document, identity).unwrap();
    let id = case["account"].as_str().unwrap().try_into().unwrap();
    let filter = AccountFilter::of(&policy.scope, None, &organization, &id);
    let mut named = filter.map(|filter| Filter::Account(filter).word());
    if broken == Some(Broken::ExcludedNotIncluded) && named == Some("exclude-map") {
        named = Some("include-map");
    }
    let wanted = filters::of_account(case);
    if outcome.in_scope || named != wanted || named.is_none() {
        return Err(format!("the account is left out by {named:?}, and not by {wanted:?}"));
    }
    *mix.out.entry(named.unwrap_or_default()).or_default() += 1;
    Ok(())
}

/// What became of a verdict that was not known when the facts that are missing were supplied.
enum Supplied {
    Known,
    /// Some fact is named in words alone.
    NotNamed,
    StillUnknown(Explained),
}

/// Supplies the facts that are named, and those that turn out to be missing then.
fn supply(world: &World, item: &Item, first: &Explanation, bodies: &Bodies) -> Supplied {
    let mut world = World {
        policy: world.policy.clone(),
        shard: world.shard.clone(),
        references: world.references.clone(),
        account: world.account.clone(),
        ..*world
    };
    let mut lacking: Vec<Lacking> = first.lacking().cloned().collect();
    for round in 0..ROUNDS_MAX {
        for fact in &lacking {
            if !give(&mut world, fact, bodies) {
                return Supplied::NotNamed;
            }
        }
        let Some(now) = explained(&world, item) else { return Supplied::NotNamed };
        match now.verdict {
            Explained::Unknown(_) if round + 1 < ROUNDS_MAX => {
                let next: Vec<Lacking> = now.lacking().cloned().collect();
                if next == lacking {
                    return Supplied::StillUnknown(now.verdict);
                }
                lacking = next;
            }
            Explained::Unknown(_) => return Supplied::StillUnknown(now.verdict),
            Explained::Violates { .. } | Explained::Complies | Explained::OutOfScope(_) => break,
        }
    }
    Supplied::Known
}

/// Makes a fact known; `false` where it is named in words alone, or nothing of its kind was ever told.
fn give(world: &mut World, fact: &Lacking, bodies: &Bodies) -> bool {
    let shard = &mut world.shard;
    match fact {
        Lacking::Inventory => {
            shard.snapshot_accepted = true;
            shard.listed_types.extend(evaluate::reads(&world.policy));
        }
        Lacking::Recording(kind) => {
            shard.listed_types.insert(kind.clone());
        }
        Lacking::Listing { open, .. } => {
            shard.open_gaps.values_mut().for_each(|all| {
                all.remove(open);
            });
            shard.open_gaps.retain(|_, all| !all.is_empty());
        }
        Lacking::Newer => shard.newest_ms = Some(world.evaluated_ms),
        Lacking::Configuration(kind, id) => {
            let Some(body) = bodies.get(kind) else { return false };
            // A protection that several Regions hold is told in the same words of each.
            let elsewhere = world.account.protections.iter_mut();
            let elsewhere =
                elsewhere.filter(|item| item.key.resource_type == *kind && item.key.id == *id);
            elsewhere.for_each(|item| item.body = body.clone());
            let Some(item) = held(world, kind, id) else { return false };
            item.body = body.clone();
            item.tags.get_or_insert_default();
        }
        Lacking::LaterConfiguration(kind, id) => match held(world, kind, id) {
            Some(item) => item.unseen_since = None,
            None => return false,
        },
        Lacking::Tags(kind, id) => match held(world, kind, id) {
            Some(item) => {
                item.tags = Some(BTreeMap::new());
                item.unseen_since = None;
            }
            None => return false,
        },
        Lacking::Other => return false,
    }
    true
}

fn held<'w>(world: &'w mut World, kind: &ResourceType, id: &ResourceId) -> Option<&'w mut Item> {
    world.shard.items.get_mut(kind)?.get_mut(id.as_str())
}
