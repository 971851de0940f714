//! Scenario files: an organization lives through some steps, and after each of them every reader
//! says the same: ListComplianceStatus, GetComplianceDetail, GetViolationDetails, the violators'
//! endpoint and `palisade check`; and it is what the file expects.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod containers;
#[path = "support/house.rs"]
mod house;
#[path = "scenarios/items.rs"]
mod items;
#[path = "scenarios/readers.rs"]
mod readers;
#[path = "scenarios/script.rs"]
mod script;
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use house::House;
use palisade_testkit::Rng;
use script::{Deed, Scenario, Step};
use serde_json::{Value, json};
use support::organization;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

macro_rules! scenarios {
    ($($name:ident)*) => {
        const PLAYED: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            play(stringify!($name));
        })*
    };
}

scenarios! {
    a_dns_rule_group_is_put_on_vpcs
    a_classic_web_acl_is_put_on_load_balancers
    a_web_acl_is_retrofitted
    an_account_moves_between_units
    an_account_is_suspended_and_reactivated
    a_delay_runs_out
    a_list_is_changed_and_deleted
    a_notification_fixes_a_violation
    a_protection_recorded_globally_serves_another_region
    a_recorder_stops_recording_a_type
    what_makes_a_type_known
    a_snapshot_shows_a_group_gone
    a_third_party_firewall_is_put_into_vpcs
    a_violation_outlives_states_without_a_body
    a_web_acl_is_replaced
    a_web_acl_outlives_the_name_of_its_policy
    an_audit_group_changes_goes_and_comes_back
    an_oversized_notification_is_fetched_later
    firewalls_of_vpcs
    firewalls_that_resource_sets_name
    inventory_goes_stale
    global_resources_are_recorded_in_two_regions
    more_than_a_hundred_violators
    old_answers_of_the_api_fill_what_was_not_delivered
    policies_come_change_and_go
    protections_come_and_go
    tags_are_added
    two_regions_are_judged_apart
    unused_and_redundant_groups
}

#[test]
fn every_scenario_file_is_played() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut played: Vec<&str> = PLAYED.to_vec();
    found.sort();
    played.sort_unstable();
    assert_eq!(found, played);
}

/// The world of a scenario as it is played.
pub struct Play {
    /// The server.
    pub house: House,
    /// Policies by name: Region and id.
    pub policies: BTreeMap<String, (String, String)>,
    /// Earlier names of policies by id: no file tells them.
    pub earlier_names: BTreeMap<String, Vec<String>>,
    /// Lists by name, those that were removed too: Region, kind and id.
    pub lists: BTreeMap<String, (String, &'static str, String)>,
    /// Resource sets by name: Region, id, and ARNs of their resources.
    pub resource_sets: BTreeMap<String, (String, String, Vec<String>)>,
    /// What `check` reads: the organization's file and the deliveries.
    pub files: tempfile::TempDir,
    delivered: usize,
}

fn play(name: &str) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let scenario = Scenario::parse(&text);
    let mut play = Play::new();
    for step in &scenario.steps {
        play.step(step);
        let place = format!("{name}.txt, step `{}`", step.name);
        readers::agree(&play, step, &place);
    }
}

/// Any part of a world of every kind of container, in any order, is judged alike by the server and
/// by `check`.
#[test]
fn the_readers_agree_on_any_part_of_a_world_of_every_container() {
    let setting = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (seed, rounds) = (setting("PALISADE_SEED", 20_261_103), setting("PALISADE_SHUFFLES", 12));
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        println!("seed {seed}");
        let mut dice = Rng::with_seed(seed);
        let mut play = Play::new();
        play.act(&Deed::Organization(organization(containers::ACCOUNTS)));
        for document in containers::policies() {
            let name = document["PolicyName"].as_str().unwrap();
            play.put_policy(name, "us-east-1", &document);
        }
        let mut deliveries = containers::all();
        dice.shuffle(&mut deliveries);
        for (name, text) in deliveries {
            if dice.u64(..4) > 0 {
                let name = if name.is_empty() { "message.json".to_owned() } else { name };
                play.act(&Deed::Deliver { name, text });
            }
        }
        play.house.settle();
        let place = format!("PALISADE_SEED={seed} PALISADE_SHUFFLES=1 repeats it");
        assert!(readers::say_the_same(&play, &place) > 40, "{place}");
    }
}

impl Play {
    fn new() -> Play {
        let files = tempfile::tempdir().unwrap();
        std::fs::create_dir(files.path().join("inventory")).unwrap();
        Play {
            house: House::open(),
            policies: BTreeMap::new(),
            earlier_names: BTreeMap::new(),
            lists: BTreeMap::new(),
            resource_sets: BTreeMap::new(),
            files,
            delivered: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        for deed in &step.deeds {
            self.act(deed);
        }
        self.house.settle();
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::AdvanceHours(hours) => self.house.advance_ms(hours * 3_600_000),
            Deed::Organization(organization) => {
                let text = organization.to_string();
                std::fs::write(self.files.path().join("organization.json"), &text).unwrap();
                self.house.own("PUT", "/palisade/v1/organization?confirm=true", text).ok();
            }
            Deed::Policy { name, region, document } => self.put_policy(name, region, document),
            Deed::RemovePolicy(name) => {
                let (region, id) = self.policies.remove(name).unwrap();
                let input = json!({"PolicyId": id, "DeleteAllPolicyResources": false});
                self.house.call(&region, "DeletePolicy", &input).ok();
            }
            Deed::List { name, region, operation, list } => {
                self.put_list(name, region, operation, list);
            }
            Deed::ResourceSet { name, region, arns } => self.put_resource_set(name, region, arns),
            Deed::RemoveList(name) => {
                let (region, kind, id) = self.lists[name].clone();
                let answer =
                    self.house.call(&region, &format!("Delete{kind}"), &json!({"ListId": id}));
                assert_eq!(answer.status, 200, "{answer:?}");
            }
            Deed::Deliver { name, text } => {
                let mut text = text.clone();
                for (policy, (_, id)) in &self.policies {
                    text = text.replace(&format!("${{policy:{policy}}}"), id);
                }
                let answer = self.house.ingest(name, text.as_bytes()).ok();
                assert_eq!(answer["quarantined"], json!([]), "{name}");
                let file = self.files.path().join(format!("inventory/{:03}", self.delivered));
                self.delivered += 1;
                std::fs::create_dir(&file).unwrap();
                std::fs::write(file.join(name), text).unwrap();
            }
        }
    }

    /// Creates the policy, or updates the one of this name.
    fn put_policy(&mut self, name: &str, region: &str, document: &Value) {
        let mut document = document.clone();
        let data = &mut document["SecurityServicePolicyData"]["ManagedServiceData"];
        let mut text = data.as_str().unwrap().to_owned();
        for (list, (_, _, id)) in &self.lists {
            text = text.replace(&format!("$list:{list}"), id);
        }
        *data = json!(text);
        if let Some(sets) = document["ResourceSetIds"].as_array_mut() {
            for set in sets {
                *set = json!(self.resource_sets[set.as_str().unwrap()].1);
            }
        }
        if let Some((_, id)) = self.policies.get(name) {
            let held = self.house.call(region, "GetPolicy", &json!({"PolicyId": id})).ok();
            document["PolicyId"] = json!(id);
            if held["Policy"]["PolicyName"] != document["PolicyName"] {
                let earlier = held["Policy"]["PolicyName"].as_str().unwrap().to_owned();
                self.earlier_names.entry(id.clone()).or_default().push(earlier);
            }
            document["PolicyUpdateToken"] = held["Policy"]["PolicyUpdateToken"].clone();
        }
        let put = self.house.call(region, "PutPolicy", &json!({"Policy": document})).ok();
        let id = put["Policy"]["PolicyId"].as_str().unwrap().to_owned();
        self.policies.insert(name.to_owned(), (region.to_owned(), id));
    }

    /// Creates the set, or has the one of this name name these resources.
    fn put_resource_set(&mut self, name: &str, region: &str, arns: &[String]) {
        let (_, id, before) = self.resource_sets.remove(name).unwrap_or_else(|| {
            let set = json!({"Name": name, "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"]});
            let put = self.house.call(region, "PutResourceSet", &json!({"ResourceSet": set})).ok();
            (region.to_owned(), put["ResourceSet"]["Id"].as_str().unwrap().to_owned(), vec![])
        });
        let added: Vec<_> = arns.iter().filter(|arn| !before.contains(arn)).collect();
        let gone: Vec<_> = before.iter().filter(|arn| !arns.contains(arn)).collect();
        for (operation, items) in
            [("BatchAssociateResource", added), ("BatchDisassociateResource", gone)]
        {
            if !items.is_empty() {
                let input = json!({"ResourceSetIdentifier": id, "Items": items});
                let answer = self.house.call(region, operation, &input).ok();
                assert_eq!(answer["FailedItems"], json!([]), "{operation}");
            }
        }
        self.resource_sets.insert(name.to_owned(), (region.to_owned(), id, arns.to_vec()));
    }

    fn put_list(&mut self, name: &str, region: &str, kind: &'static str, list: &Value) {
        let mut list = list.clone();
        if let Some((_, _, id)) = self.lists.get(name) {
            let input = json!({"ListId": id, "DefaultList": false});
            let held = self.house.call(region, &format!("Get{kind}"), &input).ok();
            list["ListId"] = json!(id);
            list["ListUpdateToken"] = held[kind]["ListUpdateToken"].clone();
        }
        let put = self.house.call(region, &format!("Put{kind}"), &json!({kind: list})).ok();
        let id = put[kind]["ListId"].as_str().unwrap().to_owned();
        self.lists.insert(name.to_owned(), (region.to_owned(), kind, id));
    }
}
