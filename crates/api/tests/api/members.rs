//! Queries of Palisade's own endpoints: what an endpoint does not know is refused, by all of them.

use serde_json::Value;

use crate::world::*;

/// Each endpoint of the document: method, path with something in its places, members of its query.
async fn endpoints(world: &World) -> Vec<(String, String, Vec<String>)> {
    let document = world.own("GET", "/palisade/v1/openapi.json", "").await.ok();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, endpoint) in methods.as_object().unwrap() {
            let parameters = endpoint["parameters"].as_array().cloned().unwrap_or_default();
            let in_query = parameters.iter().filter(|known| known["in"] == "query");
            let name = |known: &Value| known["name"].as_str().unwrap().to_owned();
            let place = ["policy", "account", "key", "waiver"]
                .iter()
                .fold(path.clone(), |path, it| path.replace(&format!("{{{it}}}"), MEMBER));
            all.push((method.to_uppercase(), place, in_query.map(name).collect()));
        }
    }
    all
}

#[tokio::test]
async fn every_endpoint_refuses_members_of_its_query_that_it_does_not_know() {
    let world = World::new().await;
    let (mut asked, mut members) = (0, 0);
    for (method, path, known) in endpoints(&world).await {
        if !path.starts_with("/palisade/") {
            let answer = world.own(&method, &format!("{path}?any=1"), "").await;
            assert_eq!(answer.status, 200, "probes take what balances load adds: {path}");
            continue;
        }
        asked += 1;
        for stray in ["?nonsense=1", "?nonsense=", "?nonsense", "?%6eonsense=1", "?&nonsense=1"] {
            let answer = world.own(&method, &format!("{path}{stray}"), "").await;
            answer.own_refuses(400, "InvalidInput", "`nonsense` is not a member of this endpoint");
            assert!(known.iter().all(|name| answer.text.contains(name)), "{path}: {answer:?}");
        }
        for name in &known {
            members += 1;
            let answer = world.own(&method, &format!("{path}?{name}x=1"), "").await;
            answer.own_refuses(400, "InvalidInput", &format!("`{name}x` is not a member"));
            assert!(answer.text.contains(&format!("; `{name}` is")), "{path}: {answer:?}");
            let answer = world.own(&method, &format!("{path}?{name}="), "").await;
            assert!(!answer.text.contains("is not a member"), "{path}: {answer:?}");
        }
    }
    assert!(asked > 25 && members > 30, "{asked} {members}");
    // Each is counted, under the name of its endpoint.
    let page = world.own("GET", "/metrics", "").await.text;
    let counted = page.lines().filter_map(|line| {
        let rest = line.strip_prefix("palisade_requests_total{operation=\"palisade:")?;
        let (name, count) = rest.split_once("\",outcome=\"InvalidInput\"} ")?;
        Some((name.to_owned(), count.parse::<usize>().unwrap()))
    });
    let counted: std::collections::BTreeMap<String, usize> = counted.collect();
    assert!(counted.values().sum::<usize>() >= 5 * asked + members, "{counted:?}");
    let names = [
        "accounts",
        "audit",
        "changes",
        "dashboard",
        "evaluate",
        "explain",
        "history",
        "inventory",
    ];
    let more = [
        "keys",
        "openapi",
        "organization",
        "policies",
        "policy-violators",
        "preview",
        "reset",
        "sources",
    ];
    for name in names.iter().chain(&more).chain(&["violators", "waivers", "work"]) {
        assert!(counted.get(*name).is_some_and(|count| *count >= 5), "{name}: {counted:?}");
    }
}

#[tokio::test]
async fn a_stray_member_is_shown_in_part_and_without_hidden_characters() {
    let world = World::empty();
    let long = "n".repeat(1_000);
    for (stray, shown) in [
        (long.as_str(), format!("`{}`", "n".repeat(64))),
        ("a%00b", "`a\\u{0}b`".to_owned()),
        ("a+b", "`a b`".to_owned()),
    ] {
        let answer = world.own("GET", &format!("/palisade/v1/work?{stray}=1"), "").await;
        answer.own_refuses(400, "InvalidInput", &shown);
    }
    // Whoever asks by a method that is none hears of that.
    world.own("PUT", "/palisade/v1/work?x=1", "").await.own_refuses(405, "MethodNotAllowed", "PUT");
}
