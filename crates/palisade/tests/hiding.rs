//! Whatever is hidden from Palisade, no reader says that an account complies by it (semantics §11 rows
//! 36 to 40): `check`, and the server through intake, store, worker and ledger, in other orders of
//! delivery and across a restart, by both protocols, its own endpoints and the commands.
//!
//! Each hiding is of an account of its own: something is taken out of its files that is not itself a
//! claim of absence. Then
//!
//! 1. an account that does not comply with what was hidden does not comply without it, and
//! 2. an account does not comply without it where, with another truth in its place, it does not;
//!
//! unless something else still tells of it (`Place::stands_otherwise`). Of every account all readers say
//! the same status, issues and violators.
//!
//! A failure says what repeats it: `PALISADE_SEED=… PALISADE_HIDINGS=…`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

#[path = "hiding/hide.rs"]
mod hide;
#[path = "support/house.rs"]
mod house;
#[path = "hiding/readers.rs"]
mod readers;
mod support;
#[path = "hiding/world.rs"]
mod world;

use std::collections::BTreeMap;

use hide::{Fault, Place};
use palisade_testkit::Rng;
use readers::{Delivered, Said};
use serde_json::{Value, json};
use support::account;
use world::{Change, File, TELLINGS, Telling};

/// Hidings of the dice in an ordinary run, beside those of which another truth is known.
const HIDINGS: u64 = 150;
/// The first account that is not the organization's or the administrator's own.
const FIRST: u64 = 2;

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// One account of the world.
struct Told {
    telling: Telling,
    /// Which change its estate has, by number.
    change: Option<usize>,
    /// Its files as they would be, and what is hidden of them.
    files: Vec<File>,
    hidden: Option<Place>,
}

struct World {
    changes: Vec<Change>,
    /// The account `FIRST` is the first of these.
    told: Vec<Told>,
}

impl World {
    /// Every telling and change with nothing hidden, then everything hidden of which another truth is
    /// known, then so many hidings of the dice.
    fn new(tellings: &[Telling], seed: u64, hidings: u64) -> World {
        let mut dice = Rng::with_seed(seed);
        let mut world = World { changes: world::changes(), told: Vec::new() };
        for telling in tellings {
            for change in std::iter::once(None).chain((0..world.changes.len()).map(Some)) {
                world.tell(*telling, change, &mut |_| None);
            }
        }
        for telling in tellings {
            let files = world::files(&account(0), *telling);
            let is_covering = |place: &Place| {
                world.changes.iter().any(|change| place.covers(change, &files))
                    && !place.stands_otherwise(&files)
            };
            let covering: Vec<Place> =
                hide::places(&files).into_iter().filter(is_covering).collect();
            for place in covering {
                world.tell(*telling, None, &mut |_| Some(place.clone()));
            }
        }
        for _ in 0..hidings {
            let telling = tellings[dice.u64(..tellings.len() as u64) as usize];
            let change = match dice.u64(..3) {
                0 => None,
                _ => Some(dice.u64(..world.changes.len() as u64) as usize),
            };
            world.tell(telling, change, &mut |files| Some(hide::pick(files, &mut dice)));
        }
        world
    }

    fn tell(
        &mut self,
        telling: Telling,
        change: Option<usize>,
        hide: &mut dyn FnMut(&[File]) -> Option<Place>,
    ) {
        let account = account(FIRST + self.told.len() as u64);
        let files = self.files(&account, telling, change);
        let hidden = hide(&files);
        self.told.push(Told { telling, change, files, hidden });
    }

    fn files(&self, account: &str, telling: Telling, change: Option<usize>) -> Vec<File> {
        let mut files = world::files(account, telling);
        // A snapshot without the recorder's item has none to change.
        if let Some(change) = change {
            files = world::changed(files, &self.changes[change]);
        }
        files
    }

    /// What is delivered of all accounts.
    fn delivered(&self, fault: Fault) -> Delivered {
        let admin = account(1);
        let mut files = world::files(&admin, Telling::Snapshot);
        files[0].items.push(world::audit_group(&admin));
        let mut written = vec![hide::written(&admin, &files[0], Telling::Snapshot, hide::sound)];
        for (number, told) in self.told.iter().enumerate() {
            let account = account(FIRST + number as u64);
            let left = match &told.hidden {
                Some(place) => place.hidden(&told.files),
                None => told.files.clone(),
            };
            written
                .extend(left.iter().map(|file| hide::written(&account, file, told.telling, fault)));
        }
        let accounts = FIRST + self.told.len() as u64;
        Delivered { accounts, policies: world::policies(), files: written }
    }

    /// The account in which nothing is hidden, told like this one, with this change.
    fn open(&self, telling: Telling, change: Option<usize>) -> String {
        let is_it =
            |told: &Told| told.hidden.is_none() && told.telling == telling && told.change == change;
        account(FIRST + self.told.iter().position(is_it).unwrap() as u64)
    }

    /// Every promise that is broken, in words.
    fn broken(&self, said: &BTreeMap<(usize, String), Said>, tally: &mut Tally) -> Vec<String> {
        let mut broken = Vec::new();
        for (number, told) in self.told.iter().enumerate() {
            let Some(place) = &told.hidden else { continue };
            let account = account(FIRST + number as u64);
            for (policy, document) in world::policies().iter().enumerate() {
                let complies = |account: &str| said[&(policy, account.to_owned())].complies();
                let now = complies(&account);
                let count = tally.0.entry(place.kind()).or_default();
                *count = [count[0] + 1, count[1] + u64::from(now)];
                if !now || place.stands_otherwise(&told.files) {
                    continue;
                }
                let with = |what: &str, change: Option<usize>| {
                    let place = match place {
                        Place::Member(file, item, pointer) => {
                            format!("{pointer} of {}", told.files[*file].items[*item])
                        }
                        other => format!("{other:?}"),
                    };
                    format!(
                        "{} complies with `{}` without {place} (told by {:?}), {what}: change {change:?}",
                        account, document["PolicyName"], told.telling
                    )
                };
                if !complies(&self.open(told.telling, told.change)) {
                    broken.push(with("and with it does not", told.change));
                }
                for (other, change) in self.changes.iter().enumerate() {
                    // Another truth in place of what is hidden, all else as it is.
                    let is_other = told.change.is_none() && place.covers(change, &told.files);
                    if is_other && !complies(&self.open(told.telling, Some(other))) {
                        broken.push(with(
                            "and with another truth in its place does not",
                            Some(other),
                        ));
                    }
                }
            }
        }
        broken
    }
}

/// Of each kind of hiding how many verdicts there are, and how many COMPLIANT among them.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, [u64; 2]>);

#[test]
fn nothing_complies_by_what_was_hidden_from_any_reader() {
    let seed = setting("PALISADE_SEED", 20_261_104);
    let hidings = setting("PALISADE_HIDINGS", HIDINGS);
    println!("PALISADE_SEED={seed} PALISADE_HIDINGS={hidings}");
    let world = World::new(&TELLINGS, seed, hidings);
    println!("{} accounts", world.told.len());
    let said = readers::all_agree(&world.delivered(hide::sound), seed);
    // The worlds show what they are meant to: each policy is met where nothing is changed, and each
    // change of what is judged counts.
    for (policy, document) in world::policies().iter().enumerate() {
        for telling in TELLINGS {
            let good = &said[&(policy, world.open(telling, None))];
            assert!(good.complies(), "{telling:?} {}: {good:?}", document["PolicyName"]);
        }
    }
    for (number, _) in world.changes.iter().enumerate() {
        let counts = (0..world::policies().len())
            .any(|policy| !said[&(policy, world.open(Telling::Query, Some(number)))].complies());
        assert!(counts, "change {number} counts nowhere");
    }
    let mut tally = Tally::default();
    let broken = world.broken(&said, &mut tally);
    for (kind, [verdicts, compliant]) in &tally.0 {
        println!("{kind} hidden: {verdicts} verdicts, {compliant} COMPLIANT");
    }
    assert!(broken.is_empty(), "{} broken promises\n{}", broken.len(), broken.join("\n"));
    if hidings >= HIDINGS {
        assert_eq!(tally.0.len(), 7, "every kind is hidden");
        let [verdicts, compliant] =
            tally.0.values().fold([0, 0], |sum, more| [sum[0] + more[0], sum[1] + more[1]]);
        assert!(compliant * 10 > verdicts, "{compliant} of {verdicts} comply: too few to tell");
    }
}

/// Fills in what is absent of the items of a type.
fn fill(item: &mut Value, kind: &str, pointer: &str, value: Value) {
    if item["resourceType"] != kind {
        return;
    }
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    if let Some(Value::Object(parent)) = item.pointer_mut(parent) {
        parent.entry(name).or_insert(value);
    }
}

/// A path of data on which what is absent is filled in as empty is noticed: the same hidings, the same
/// readers.
#[test]
fn a_path_that_takes_absent_for_none_is_noticed() {
    const FAULTS: [(&str, Fault); 5] = [
        ("tags", |item| {
            item.as_object_mut().unwrap().entry("tags").or_insert(json!({}));
        }),
        ("rules", |item| {
            fill(item, "AWS::EC2::SecurityGroup", "/configuration/ipPermissions", json!([]));
        }),
        ("users", |item| {
            fill(item, "AWS::EC2::Instance", "/configuration/state", json!({"name": "running"}));
        }),
        ("rule groups", |item| {
            let override_none = json!({"None": {}});
            fill(
                item,
                "AWS::WAFv2::WebACL",
                "/configuration/PreProcessFirewallManagerRuleGroups/0/OverrideAction",
                override_none,
            );
        }),
        ("recorders", |item| {
            let all = json!({"AllSupported": true});
            fill(item, "AWS::Config::ConfigurationRecorder", "/configuration/RecordingGroup", all);
        }),
    ];
    let world = World::new(&[Telling::Snapshot, Telling::Query], 1, 0);
    let unnoticed: Vec<&str> = FAULTS
        .iter()
        .filter(|(_, fault)| {
            let said = readers::by_worker(&world.delivered(*fault));
            world.broken(&said, &mut Tally::default()).is_empty()
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}
