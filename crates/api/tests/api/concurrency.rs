use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_api::operations::{Effect, OPERATIONS};
use palisade_api::{App, Auth, Settings, router};
use palisade_store::Store;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use serde_json::{Value, json};

use crate::unlocked::Unlocked;
use crate::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_updates_with_one_token_exactly_one_wins() {
    let world = World::new().await;
    let twin = world.twin();
    let mut policy = world.put(audit("one")).await;
    for round in 0..20 {
        let mut writers = Vec::new();
        for writer in 0..8 {
            let mut update = policy.clone();
            update["PolicyDescription"] = json!(format!("round {round} writer {writer}"));
            let server = if writer % 2 == 0 { &world } else { &twin };
            writers.push(server.admin("PutPolicy", json!({ "Policy": update })));
        }
        let answers = join_all(writers).await;
        let winners: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        for loser in answers.iter().filter(|answer| answer.status != 200) {
            loser.refuses("InvalidInputException", "`PolicyUpdateToken`");
        }
        policy = winners[0].ok()["Policy"].clone();
        let input = json!({ "PolicyId": policy["PolicyId"] });
        for server in [&world, &twin] {
            let read = server.admin("GetPolicy", input.clone()).await.ok();
            assert_eq!(read["Policy"], policy);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_quota_holds_against_many_creators() {
    let world = World::settled(|settings| settings.quotas.policies_max = 5).await;
    let creators = (0..12).map(|_| world.admin("PutPolicy", json!({ "Policy": audit("one") })));
    let answers = join_all(creators.collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 5);
    let listed = world.pages("ListPolicies", json!({}), "PolicyList", 100).await;
    let ids: BTreeSet<&str> = listed.iter().map(|p| p["PolicyId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 5);
}

/// Clients at the same time, and how many calls each makes.
const CLIENTS: usize = 64;
const CALLS: usize = 19;
/// Servers over the one store: only their commits' revisions stand between them.
const SERVERS: usize = 4;
const FIREWALLS: [&str; 2] = ["PALO_ALTO_NETWORKS_CLOUD_NGFW", "FORTIGATE_CLOUD_NATIVE_FIREWALL"];

/// What all clients work on.
struct Shared {
    policy: Value,
    policy_arn: String,
    apps: Value,
    protocols: Value,
    set: Value,
    /// A policy, two lists and a resource set of each client's own, to be deleted.
    own: Vec<[Value; 4]>,
    /// The audit log before the first client came.
    since: usize,
}

/// One call and what was answered.
struct Told {
    operation: &'static str,
    input: Value,
    answer: Answer,
}

fn firewall(n: usize) -> String {
    format!("arn:aws:network-firewall:{REGION}:{MEMBER}:firewall/{n}")
}

/// The call of a client at one step: every writing operation comes once.
fn asked(
    shared: &Shared,
    current: &BTreeMap<&str, Value>,
    n: usize,
    operation: &str,
) -> (&'static str, Value) {
    let vendor = json!({ "ThirdPartyFirewall": FIREWALLS[n % 2] });
    let arn = &shared.policy_arn;
    let set = &shared.set["Id"];
    let with = |name: &str, field: &str| {
        let mut object = current[name].clone();
        object[field] = json!(format!("client {n}"));
        object
    };
    let input = match operation {
        "PutPolicy" => json!({ "Policy": with("policy", "PolicyDescription") }),
        "PutAppsList" => json!({ "AppsList": with("apps", "ListName") }),
        "PutProtocolsList" => json!({ "ProtocolsList": with("protocols", "ListName") }),
        "PutResourceSet" => json!({ "ResourceSet": with("set", "Description") }),
        "TagResource" => {
            json!({ "ResourceArn": arn, "TagList": [{ "Key": format!("k{n}"), "Value": "v" }] })
        }
        "UntagResource" => json!({ "ResourceArn": arn, "TagKeys": [format!("old{n}")] }),
        "BatchAssociateResource" => json!({ "ResourceSetIdentifier": set, "Items": [firewall(n)] }),
        "BatchDisassociateResource" => {
            json!({ "ResourceSetIdentifier": set, "Items": [firewall(1_000 + n)] })
        }
        "PutNotificationChannel" => json!({ "SnsTopicArn": format!("arn:aws:sns:r:a:t{n}"),
            "SnsRoleName": "arn:aws:iam::a:role/r" }),
        "AssociateThirdPartyFirewall" | "DisassociateThirdPartyFirewall" => vendor,
        "AssociateAdminAccount" => json!({ "AdminAccount": ADMIN }),
        "PutAdminAccount" => {
            let whom = [MEMBER, LONER][n % 2];
            let scope = json!({ "AccountScope": { "Accounts": [whom] } });
            json!({ "AdminAccount": OTHER, "AdminScope": scope })
        }
        "DeletePolicy" => json!({ "PolicyId": shared.own[n][0] }),
        "DeleteAppsList" => json!({ "ListId": shared.own[n][1] }),
        "DeleteProtocolsList" => json!({ "ListId": shared.own[n][2] }),
        "DeleteResourceSet" => json!({ "Identifier": shared.own[n][3] }),
        _ => json!({}),
    };
    let row = OPERATIONS.iter().find(|row| row.operation.name() == operation).unwrap();
    (row.operation.name(), input)
}

/// An applications list, a protocols list and a resource set, just made.
async fn created(world: &World) -> (Value, Value, Value) {
    let app = json!({ "AppName": "a", "Protocol": "tcp", "Port": 1 });
    let apps = json!({ "AppsList": { "ListName": "l", "AppsList": [app] } });
    let protocols = json!({ "ProtocolsList": { "ListName": "l", "ProtocolsList": ["tcp"] } });
    let types = ["AWS::NetworkFirewall::Firewall"];
    let set = json!({ "ResourceSet": { "Name": "s", "ResourceTypeList": types } });
    (
        world.admin("PutAppsList", apps).await.ok()["AppsList"].clone(),
        world.admin("PutProtocolsList", protocols).await.ok()["ProtocolsList"].clone(),
        world.admin("PutResourceSet", set).await.ok()["ResourceSet"].clone(),
    )
}

/// 64 clients over four servers; answers what every client was told, and the world at the end.
async fn tumult(store: Arc<dyn Store>) -> (Shared, Vec<Told>, World) {
    let first = World::empty();
    let clock = first.clock.clone();
    let servers: Vec<axum::Router> = (0..SERVERS)
        .map(|n| {
            let mut settings = Settings::new(Auth::Open, first.spool.path().into());
            settings.quotas.object_tags_max = 1_000;
            settings.quotas.resources_per_set_max = 1_000;
            settings.quotas.resource_sets_max = 1_000;
            settings.quotas.policies_max = 1_000;
            settings.quotas.apps_lists_max = 1_000;
            settings.quotas.protocols_lists_max = 1_000;
            let entropy = Arc::new(Seeded::new(100 + n as u64));
            router(App::new(store.clone(), clock.clone(), entropy, settings))
        })
        .collect();
    let world = |n: usize| World { router: servers[n % SERVERS].clone(), ..first.copy() };
    world(0).apply(&organization()).await.ok();
    let input = json!({ "AdminAccount": ADMIN });
    world(0).call(MANAGEMENT, HOME, "AssociateAdminAccount", input).await.ok();
    let old: Vec<Value> =
        (0..CLIENTS).map(|n| json!({ "Key": format!("old{n}"), "Value": "v" })).collect();
    // While there is another administrator, the default one cannot go and take all with it.
    let input = json!({ "AdminAccount": OTHER, "AdminScope": {} });
    world(0).call(MANAGEMENT, HOME, "PutAdminAccount", input).await.ok();
    let put = json!({ "Policy": audit("one"), "TagList": old });
    let put = world(0).admin("PutPolicy", put).await.ok();
    let (apps, protocols, set) = created(&world(0)).await;
    let mut own = Vec::new();
    for _ in 0..CLIENTS {
        let policy = world(0).put(audit("own")).await;
        let (apps, protocols, set) = created(&world(0)).await;
        own.push([
            policy["PolicyId"].clone(),
            apps["ListId"].clone(),
            protocols["ListId"].clone(),
            set["Id"].clone(),
        ]);
    }
    let held: Vec<String> = (1_000..1_000 + CLIENTS).map(firewall).collect();
    for item in &held {
        let input = json!({ "ResourceSetIdentifier": set["Id"], "Items": [item] });
        world(0).admin("BatchAssociateResource", input).await.ok();
    }
    let set = world(0).admin("GetResourceSet", json!({ "Identifier": set["Id"] })).await.ok()["ResourceSet"].clone();
    let shared = Shared {
        policy: put["Policy"].clone(),
        policy_arn: put["PolicyArn"].as_str().unwrap().to_owned(),
        apps,
        protocols,
        set,
        own,
        since: log(&world(0)).await.len(),
    };
    let writing: Vec<&str> = OPERATIONS
        .iter()
        .filter(|row| row.effect == Effect::Writes)
        .map(|row| row.operation.name())
        .collect();
    assert_eq!(writing.len(), CALLS);
    let clients = (0..CLIENTS).map(|n| {
        let (shared, writing, world) = (&shared, &writing, world(n));
        async move {
            let mut told = Vec::new();
            for step in 0..CALLS {
                // Each client goes through the operations from another start.
                let operation = writing[(step + n * 5) % CALLS];
                let current = current(&world, shared).await;
                let (operation, input) = asked(shared, &current, n, operation);
                let who = match operation {
                    "AssociateAdminAccount" | "PutAdminAccount" => MANAGEMENT,
                    _ => ADMIN,
                };
                let home = OPERATIONS
                    .iter()
                    .any(|row| row.operation.name() == operation && row.home_region_only);
                let place = if home { HOME } else { REGION };
                let answer = world.call(who, place, operation, input.clone()).await;
                told.push(Told { operation, input, answer });
            }
            told
        }
    });
    let told = join_all(clients.collect()).await.into_iter().flatten().collect();
    let last = world(0);
    (shared, told, last)
}

/// The whole audit log, oldest first.
async fn log(world: &World) -> Vec<Value> {
    let mut events = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!("/palisade/v1/audit?limit=100{next}");
        let page = world.own("GET", &path, "").await.ok();
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        match page.get("next") {
            Some(token) => next = format!("&next={}", token.as_str().unwrap()),
            None => break,
        }
    }
    events.reverse();
    events
}

/// How the audit log contradicts what clients were told, or itself: it is the order of their calls,
/// one after another, so each state before is the state after the last change of that object.
async fn contradictions_of_the_log(shared: &Shared, told: &[Told], world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let log = log(world).await;
    let mut states: BTreeMap<&str, &Value> = BTreeMap::new();
    for event in &log {
        for change in event["changes"].as_array().unwrap() {
            let object = change["object"].as_str().unwrap();
            let before = states.insert(object, &change["after"]).unwrap_or(&Value::Null);
            if *before != change["before"] {
                let operation = &event["operation"];
                wrong.push(format!("{operation} of {object} was not decided on its last state"));
            }
        }
    }
    let mut logged: BTreeMap<&str, &str> = BTreeMap::new();
    for event in &log[shared.since..] {
        let (id, operation) = (&event["requestId"], &event["operation"]);
        if logged.insert(id.as_str().unwrap(), operation.as_str().unwrap()).is_some() {
            wrong.push(format!("request {id} is in the log twice"));
        }
    }
    for told in told {
        let id = told.answer.headers["x-amzn-requestid"].to_str().unwrap();
        let found = logged.remove(id);
        let expected = (told.answer.status == 200).then_some(told.operation);
        if found != expected {
            wrong.push(format!("{id}: {expected:?} was answered and {found:?} is in the log"));
        }
    }
    wrong.extend(logged.values().map(|operation| format!("{operation} was asked for by nobody")));
    wrong
}

/// The newest state of what has update tokens.
async fn current<'n>(world: &World, shared: &Shared) -> BTreeMap<&'n str, Value> {
    let id = |object: &Value, member: &str| object[member].clone();
    let policy = json!({ "PolicyId": id(&shared.policy, "PolicyId") });
    let apps = json!({ "ListId": id(&shared.apps, "ListId") });
    let protocols = json!({ "ListId": id(&shared.protocols, "ListId") });
    let set = json!({ "Identifier": id(&shared.set, "Id") });
    BTreeMap::from([
        ("policy", world.admin("GetPolicy", policy).await.ok()["Policy"].clone()),
        ("apps", world.admin("GetAppsList", apps).await.ok()["AppsList"].clone()),
        (
            "protocols",
            world.admin("GetProtocolsList", protocols).await.ok()["ProtocolsList"].clone(),
        ),
        ("set", world.admin("GetResourceSet", set).await.ok()["ResourceSet"].clone()),
    ])
}

/// Why what was answered and what is there in the end fit no order of the calls one after another;
/// empty when they fit one.
async fn contradictions(shared: &Shared, told: &[Told], world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let last = current(world, shared).await;
    let ok = |operation: &str| -> Vec<&Told> {
        told.iter()
            .filter(|told| told.operation == operation && told.answer.status == 200)
            .collect()
    };
    for (operation, member, name, token, before) in [
        ("PutPolicy", "Policy", "policy", "PolicyUpdateToken", &shared.policy),
        ("PutAppsList", "AppsList", "apps", "ListUpdateToken", &shared.apps),
        ("PutProtocolsList", "ProtocolsList", "protocols", "ListUpdateToken", &shared.protocols),
        ("PutResourceSet", "ResourceSet", "set", "UpdateToken", &shared.set),
    ] {
        // Each success took one token for another: together they are one chain to what is there.
        let mut next: BTreeMap<String, Value> = BTreeMap::new();
        for told in ok(operation) {
            let from = told.input[member][token].to_string();
            if next.insert(from.clone(), told.answer.json()[member].clone()).is_some() {
                wrong.push(format!("{operation}: two calls succeeded with the token {from}"));
            }
        }
        let mut at = before.clone();
        while let Some(after) = next.remove(&at[token].to_string()) {
            at = after;
        }
        if !next.is_empty() {
            wrong.push(format!("{operation}: {} successes are on no chain", next.len()));
        }
        let end = &last[name];
        if at[token] != end[token] {
            wrong.push(format!("{operation}: the last success is not what is there"));
        }
        for field in ["PolicyDescription", "ListName", "Description"] {
            if at[field] != end[field] {
                wrong.push(format!("{operation}: {field} is {}, not {}", end[field], at[field]));
            }
        }
    }
    let tags =
        world.admin("ListTagsForResource", json!({ "ResourceArn": shared.policy_arn })).await.ok();
    let tags: BTreeSet<&str> = tags["TagList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["Key"].as_str().unwrap())
        .collect();
    for told in ok("TagResource") {
        let key = told.input["TagList"][0]["Key"].as_str().unwrap();
        if !tags.contains(key) {
            wrong.push(format!("tag {key} was lost"));
        }
    }
    for told in ok("UntagResource") {
        let key = told.input["TagKeys"][0].as_str().unwrap();
        if tags.contains(key) {
            wrong.push(format!("tag {key} came back"));
        }
    }
    let input = json!({ "Identifier": shared.set["Id"] });
    let held = world.pages("ListResourceSetResources", input, "Items", 100).await;
    let held: BTreeSet<&str> = held.iter().map(|item| item["URI"].as_str().unwrap()).collect();
    for (operation, there) in
        [("BatchAssociateResource", true), ("BatchDisassociateResource", false)]
    {
        for told in ok(operation) {
            let arn = told.input["Items"][0].as_str().unwrap();
            if held.contains(arn) != there {
                wrong.push(format!("{operation} of {arn} was lost"));
            }
        }
    }
    for told in told.iter().filter(|told| told.operation.starts_with("Delete")) {
        let get = match told.operation {
            "DeletePolicy" => "GetPolicy",
            "DeleteAppsList" => "GetAppsList",
            "DeleteProtocolsList" => "GetProtocolsList",
            "DeleteResourceSet" => "GetResourceSet",
            _ => continue,
        };
        let there = world.admin(get, told.input.clone()).await;
        if told.answer.status != 200 || there.status == 200 {
            wrong.push(format!("{} of {} was lost", told.operation, told.input));
        }
    }
    for vendor in FIREWALLS {
        // Associations and disassociations take turns, from none to what is there.
        let count = |operation| {
            ok(operation).iter().filter(|told| told.input["ThirdPartyFirewall"] == vendor).count()
        };
        let (made, gone) =
            (count("AssociateThirdPartyFirewall"), count("DisassociateThirdPartyFirewall"));
        let input = json!({ "ThirdPartyFirewall": vendor });
        let there = world.admin("GetThirdPartyFirewallAssociationStatus", input).await.ok();
        let associated = there["ThirdPartyFirewallStatus"] == "ONBOARDING";
        if made != gone + usize::from(associated) {
            wrong.push(format!(
                "{vendor} was associated {made} times and disassociated {gone} times"
            ));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_64_clients_are_told_fits_one_order_of_their_calls() {
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let (shared, told, world) = tumult(store).await;
    fits_one_order(&shared, &told, &world).await;
}

async fn fits_one_order(shared: &Shared, told: &[Told], world: &World) {
    let mut wrong = contradictions(shared, told, world).await;
    wrong.extend(contradictions_of_the_log(shared, told, world).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for operation in ["PutPolicy", "TagResource", "BatchAssociateResource", "PutResourceSet"] {
        let done = |told: &&Told| told.operation == operation && told.answer.status == 200;
        assert!(told.iter().any(|told| done(&told)), "{operation} never succeeded");
    }
    for told in told {
        if told.answer.status != 200 {
            let (kind, text) = told.answer.fault();
            assert_ne!(kind, "InternalErrorException", "{}: {text}", told.operation);
        }
    }
}

/// As long as there is patience for: two minutes, or `PALISADE_SOAK_SECONDS`. Each round is the
/// 64 clients over a store on disk; `cargo xtask soak --clients` runs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes two minutes"]
async fn what_64_clients_are_told_for_minutes_fits_one_order_of_their_calls() {
    let seconds = std::env::var("PALISADE_SOAK_SECONDS").ok();
    let seconds = seconds.map_or(120, |text| text.parse().unwrap());
    let began = std::time::Instant::now();
    let (mut rounds, mut calls, mut done) = (0, 0, 0);
    while began.elapsed().as_secs() < seconds {
        let folder = tempfile::tempdir().unwrap();
        let opening =
            Opening { fresh_sealing_key: [7; 32], serve: true, synchronous: Synchronous::Grouped };
        let store = SqliteStore::open(&folder.path().join("store.db"), opening).unwrap();
        let (shared, told, world) = tumult(Arc::new(store)).await;
        fits_one_order(&shared, &told, &world).await;
        rounds += 1;
        calls += told.len();
        done += told.iter().filter(|told| told.answer.status == 200).count();
    }
    println!(
        "{rounds} rounds of {CLIENTS} clients in {} s: {calls} changing calls, {done} succeeded, \
         each in the audit log, each round in one order",
        began.elapsed().as_secs()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_check_sees_what_a_store_without_locking_loses() {
    let store = Arc::new(Unlocked(SqliteStore::in_memory([7; 32]).unwrap()));
    let (shared, told, world) = tumult(store).await;
    let wrong = contradictions(&shared, &told, &world).await;
    assert!(!wrong.is_empty(), "nothing was lost");
    let wrong = contradictions_of_the_log(&shared, &told, &world).await;
    assert!(!wrong.is_empty(), "the log does not show it");
}

/// Polls all at once, so that they truly overlap on the blocking threads.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        let mut pending = false;
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *slot = Some(output),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        match pending {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect()),
        }
    })
    .await
}
