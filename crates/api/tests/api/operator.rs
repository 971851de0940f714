use palisade_store::{Control, Mark, Work};
use serde_json::{Value, json};

use crate::world::*;

#[tokio::test]
async fn an_organization_is_applied_and_read_back() {
    let world = World::empty();
    let path = "/palisade/v1/organization";
    world.own("GET", path, "").await.own_refuses(404, "NotFound", "palisade organization apply");
    let applied = world.apply(&organization()).await.ok();
    assert_eq!(
        applied,
        json!({ "id": "o-palisade01", "accounts": 6, "units": 2, "defaultAdministrator": null, "marked": 0 })
    );
    let shown = world.own("GET", path, "").await.ok();
    for member in ["Organization", "Roots", "Accounts"] {
        assert_eq!(shown[member], organization()[member], "{member}");
    }
    assert_eq!(world.apply(&shown).await.ok()["accounts"], 6, "what is shown can be applied");
}

#[tokio::test]
async fn the_files_default_administrator_counts_while_there_is_none() {
    let world = World::empty();
    let mut file = organization();
    file["DefaultAdministrator"] = json!(ADMIN);
    assert_eq!(world.apply(&file).await.ok()["defaultAdministrator"], ADMIN);
    assert_eq!(world.apply(&file).await.ok()["defaultAdministrator"], ADMIN);
    file["DefaultAdministrator"] = json!(MEMBER);
    file["Accounts"][3]["Name"] = json!("vault");
    let answer = world.apply(&file).await;
    answer.own_refuses(409, "OtherAdministrator", MEMBER);
    assert_eq!(answer.json()["error"]["administrator"], ADMIN);
    let shown = world.own("GET", "/palisade/v1/organization", "").await.ok();
    assert_eq!(shown["Accounts"][3]["Name"], "bank", "nothing of the file is applied");
    file.as_object_mut().unwrap().remove("DefaultAdministrator");
    assert_eq!(world.apply(&file).await.ok()["defaultAdministrator"], ADMIN, "it stays");
    let shown = world.own("GET", "/palisade/v1/organization", "").await.ok();
    assert_eq!(shown["DefaultAdministrator"], ADMIN);
}

#[tokio::test]
async fn a_bad_organization_file_changes_nothing() {
    let world = World::new().await;
    let text = organization().to_string();
    let put = |body: String| world.own("PUT", "/palisade/v1/organization", body);
    for cut in [0, 1, text.len() / 2, text.len() - 1] {
        put(text[..cut].to_owned()).await.own_refuses(400, "InvalidInput", "");
    }
    let mut unknown_parent = organization();
    unknown_parent["Accounts"][0]["ParentId"] = json!("ou-none");
    put(unknown_parent.to_string()).await.own_refuses(400, "InvalidInput", "ou-none");
    let shown = world.own("GET", "/palisade/v1/organization", "").await.ok();
    assert_eq!(shown["Accounts"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_replacement_by_another_or_much_smaller_organization_needs_confirmation() {
    let world = World::new().await;
    let mut smaller = organization();
    smaller["Accounts"]
        .as_array_mut()
        .unwrap()
        .retain(|account| account["Id"] != OTHER && account["Id"] != LONER);
    let put = |file: &Value, query: &str| {
        let path = format!("/palisade/v1/organization{query}");
        let body = file.to_string();
        let world = &world;
        async move { world.own("PUT", &path, body).await }
    };
    let answer = put(&smaller, "").await;
    answer.own_refuses(409, "ConfirmationRequired", "2 of 6 accounts would be dropped");
    assert_eq!(answer.json()["error"]["dropped"], 2);
    put(&smaller, "?confirm=true").await.ok();
    let mut other = smaller.clone();
    other["Organization"]["Id"] = json!("o-another001");
    let answer = put(&other, "?confirm=false").await;
    answer.own_refuses(409, "ConfirmationRequired", "`o-another001`");
    put(&other, "?confirm=true").await.ok();
    let mut moved = other.clone();
    moved["Organization"]["ManagementAccountId"] = json!(ADMIN);
    let answer = put(&moved, "").await;
    answer.own_refuses(409, "ConfirmationRequired", "names management account");
    put(&other, "?confirm=1").await.own_refuses(
        400,
        "InvalidInput",
        "`confirm` is `1`; give true or false",
    );
    put(&other, "?confirm").await.ok();
}

#[tokio::test]
async fn the_default_administrator_cannot_be_dropped_even_with_confirmation() {
    let world = World::new().await;
    let mut file = organization();
    file["Accounts"].as_array_mut().unwrap().retain(|account| account["Id"] != ADMIN);
    let path = "/palisade/v1/organization?confirm=true";
    let answer = world.own("PUT", path, file.to_string()).await;
    answer.own_refuses(409, "AdministratorDropped", ADMIN);
}

#[tokio::test]
async fn an_additional_administrator_that_left_is_revoked() {
    let world = World::new().await;
    let everything = json!({
        "AccountScope": { "AllAccountsEnabled": true },
        "OrganizationalUnitScope": { "AllOrganizationalUnitsEnabled": true },
        "RegionScope": { "AllRegionsEnabled": true },
        "PolicyTypeScope": { "AllPolicyTypesEnabled": true },
    });
    let grant = json!({ "AdminAccount": OTHER, "AdminScope": everything });
    let without = || {
        let mut file = organization();
        file["Accounts"].as_array_mut().unwrap().retain(|account| account["Id"] != OTHER);
        file
    };
    let administrators = || world.store.control().unwrap().administrators.len();
    let policies = || world.store.control().unwrap().policies.len();
    world.call(MANAGEMENT, HOME, "PutAdminAccount", grant.clone()).await.ok();
    world.apply(&without()).await.ok();
    assert_eq!(administrators(), 1, "without policies nothing has to be confirmed");
    world.apply(&organization()).await.ok();
    world.call(MANAGEMENT, HOME, "PutAdminAccount", grant).await.ok();
    let kept = world.put_audit("kept").await;
    let put = json!({ "Policy": audit("gone") });
    world.call(OTHER, REGION, "PutPolicy", put).await.ok();
    let answer = world.apply(&without()).await;
    answer.own_refuses(409, "ConfirmationRequired", "its policies deleted, 1 of them");
    assert_eq!(answer.json()["error"]["administrator"], OTHER);
    assert_eq!((administrators(), policies()), (2, 2));
    let path = "/palisade/v1/organization?confirm=true";
    world.own("PUT", path, without().to_string()).await.ok();
    let control = world.store.control().unwrap();
    assert_eq!(control.administrators.len(), 1);
    let left: Vec<String> = control.policies.into_keys().map(String::from).collect();
    assert_eq!(left, [kept]);
}

/// What a worker would be given now, by account and policy.
fn due(world: &World) -> Vec<(String, Option<String>)> {
    use palisade_api::Clock as _;
    let mut due = Vec::new();
    for lease in world.store.lease(world.clock.now_ms(), 1, 1_000).unwrap() {
        for mark in lease.marks {
            let policy = match mark.due {
                palisade_store::Due::Policy(policy) => Some(policy.into()),
                palisade_store::Due::Shard | palisade_store::Due::Changes => None,
            };
            due.push((lease.shard.account.to_string(), policy));
        }
    }
    due.sort();
    world.clock.advance(10);
    due
}

#[tokio::test]
async fn only_policies_whose_scope_changed_are_judged_again() {
    let world = World::new().await;
    let everyone = world.put_audit("everyone").await;
    let mut prod = audit("prod");
    prod["IncludeMap"] = json!({ "ORG_UNIT": [PROD] });
    let prod = world.put(prod).await["PolicyId"].as_str().unwrap().to_owned();
    assert_eq!(due(&world), [], "fan-outs are not expanded here");
    let mut file = organization();
    file["Accounts"][0]["Name"] = json!("renamed");
    assert_eq!(world.apply(&file).await.ok()["marked"], 0);
    file["Accounts"][4]["ParentId"] = json!(PROD);
    assert_eq!(world.apply(&file).await.ok()["marked"], 1);
    assert_eq!(due(&world), [(LONER.into(), Some(prod.clone()))]);
    file["Accounts"].as_array_mut().unwrap().remove(3);
    assert_eq!(world.apply(&file).await.ok()["marked"], 2);
    let mut gone = [(OTHER.to_owned(), Some(everyone)), (OTHER.to_owned(), Some(prod))];
    gone.sort();
    let due = due(&world);
    assert!(gone.iter().all(|mark| due.contains(mark)), "the account that left is closed: {due:?}");
}

#[tokio::test]
async fn work_is_marked_by_hand() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.call(ADMIN, HOME, "PutPolicy", json!({ "Policy": audit("home") })).await.ok();
    let post = |query: String| {
        let world = &world;
        async move { world.own("POST", &format!("/palisade/v1/evaluate{query}"), "").await }
    };
    assert_eq!(post(String::new()).await.ok(), json!({ "marked": 10 }), "5 accounts, 2 Regions");
    assert_eq!(post(format!("?policy={id}")).await.ok(), json!({ "marked": 5 }));
    assert_eq!(post(format!("?region={HOME}")).await.ok(), json!({ "marked": 5 }));
    assert_eq!(post(format!("?account={MEMBER}")).await.ok(), json!({ "marked": 2 }));
    assert_eq!(post("?region=eu-south-9".to_owned()).await.ok(), json!({ "marked": 0 }));
    post("?region=mars".to_owned()).await.own_refuses(
        400,
        "InvalidInput",
        "`mars` is not a Region",
    );
    assert_eq!(post(format!("?account={MEMBER}&policy={id}")).await.ok(), json!({ "marked": 1 }));
    post(format!("?account={STRANGER}")).await.own_refuses(404, "NotFound", STRANGER);
    post("?policy=no-such".to_owned()).await.own_refuses(404, "NotFound", "no-such");
    post("?account=abc".to_owned()).await.own_refuses(400, "InvalidInput", "abc");
    let work = world.own("GET", "/palisade/v1/work", "").await.ok();
    assert!(work["dirty"].as_u64().unwrap() > 10, "{work}");
    assert_eq!((&work["leased"], &work["future"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn whatever_is_marked_wakes_the_worker() {
    let world = World::new().await;
    world.put_audit("one").await;
    // Ready at once: the permit was left by the mark.
    world.app.wake.notified().await;
    world.own("POST", "/palisade/v1/evaluate", "").await.ok();
    world.app.wake.notified().await;
}

#[tokio::test]
async fn all_violators_are_told_page_by_page_with_evidence() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.judge(&id, MEMBER, Found::violators(250));
    let path = format!("/palisade/v1/policies/{id}/accounts/{MEMBER}/violators");
    let first = world.own("GET", &path, "").await.ok();
    assert_eq!(first["violators"].as_array().unwrap().len(), 100);
    let violator = &first["violators"][0];
    assert_eq!(violator["ResourceType"], "AWS::EC2::SecurityGroup");
    assert_eq!(violator["ResourceId"], "sg-00000");
    assert_eq!(violator["ViolationReason"], "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP");
    assert_eq!(violator["region"], REGION);
    assert_eq!(violator["since"], "2026-01-01T00:00:00Z");
    let evidence = &violator["evidence"][0];
    assert_eq!(evidence["finding"]["group"], "sg-00000");
    assert!(evidence["summary"].as_str().unwrap().contains("0.0.0.0/0"), "{evidence}");
    for limit in [1, 99, 100, 249, 250, 1000] {
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let page = world.own("GET", &format!("{path}?limit={limit}{next}"), "").await.ok();
            found.extend(
                page["violators"].as_array().unwrap().iter().map(|v| v["ResourceId"].clone()),
            );
            match page.get("next") {
                Some(token) => next = format!("&next={}", token.as_str().unwrap()),
                None => break,
            }
            if limit == 1 && found.len() == 5 {
                break;
            }
        }
        let expected: Vec<Value> =
            (0..if limit == 1 { 5 } else { 250 }).map(|n| json!(format!("sg-{n:05}"))).collect();
        assert_eq!(found, expected, "pages of {limit}");
    }
    for (query, fragment) in [
        ("?limit=0", "`limit` is 0"),
        ("?limit=1001", "give 1 to 1000"),
        ("?next=abc", "`next`"),
        ("?limit=x", "`limit` is x; give 1 to 1000"),
    ] {
        world.own("GET", &format!("{path}{query}"), "").await.own_refuses(
            400,
            "InvalidInput",
            fragment,
        );
    }
    // As the design spells it, with nothing asked.
    let spelled = world.own("GET", &format!("{path}?limit=&next="), "").await.ok();
    assert_eq!(spelled["violators"], first["violators"]);
    let other = path.replace(MEMBER, OTHER);
    let unjudged = world.own("GET", &other, "").await.ok();
    assert_eq!(
        (&unjudged["violators"], &unjudged["reason"]),
        (&json!([]), &json!("not-judged-yet"))
    );
    let token = first["next"].as_str().unwrap();
    let answer = world.own("GET", &format!("{other}?next={token}"), "").await;
    answer.own_refuses(400, "InvalidInput", "`next` is not a token of this list");
    let owner = world.own_as(ADMIN, "GET", &path, "").await.ok();
    assert_eq!(owner["violators"], first["violators"]);
    world.own_as(MEMBER, "GET", &path, "").await.own_refuses(404, "NotFound", &id);
    let stranger = path.replace(MEMBER, STRANGER);
    world.own("GET", &stranger, "").await.own_refuses(404, "NotFound", STRANGER);
}

/// A snapshot of the member's shard, of this time.
async fn deliver(world: &World, time: &str) {
    let name = format!("{MEMBER}_Config_{REGION}_ConfigSnapshot_{time}_u.json");
    let answer = world
        .own(
            "POST",
            &format!("/palisade/v1/inventory?name={name}"),
            r#"{"configSnapshotId":"u","configurationItems":[]}"#,
        )
        .await;
    answer.ok();
}

#[tokio::test]
async fn every_reader_tells_the_age_or_why_there_is_nothing() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    deliver(&world, "20251231T220000Z").await;
    let accounts = format!("/palisade/v1/policies/{id}/accounts");
    let list = || async { world.own("GET", &accounts, "").await.ok() };
    let of = |list: &Value, account: &str| {
        let all = list["accounts"].as_array().unwrap();
        all.iter().find(|one| one["account"] == account).unwrap().clone()
    };
    for (found, want) in [
        (None, json!([null, "not-judged-yet", 0])),
        (Some(Found::nothing()), json!(["COMPLIANT", "judged", 0])),
        (Some(Found::violators(3)), json!(["NON_COMPLIANT", "judged", 3])),
        (Some(Found::issue("AWS Config is off.")), json!([null, "no-result", 0])),
    ] {
        let is_judged = found.is_some();
        found.into_iter().for_each(|found| world.judge(&id, MEMBER, found));
        let listed = of(&list().await, MEMBER);
        let mut one = world.own("GET", &format!("{accounts}/{MEMBER}/violators"), "").await.ok();
        assert_eq!(json!([listed["status"], listed["reason"], listed["violatorCount"]]), want);
        assert_eq!(listed["asOf"], "2025-12-31T22:00:00Z");
        assert_eq!(listed["ageSeconds"], 2 * 60 * 60, "the clock says midnight");
        assert_eq!(listed.get("lastUpdated").is_some(), is_judged);
        assert_eq!(listed.get("why").is_some(), listed["status"].is_null(), "{listed}");
        // The other reader says the same, beside the violators.
        assert_eq!(one["policy"]["name"], "one");
        let one = one.as_object_mut().unwrap();
        let violators = one.remove("violators").unwrap();
        assert_eq!(json!(violators.as_array().unwrap().len()), listed["violatorCount"]);
        one.remove("policy");
        assert_eq!(json!(one), listed);
    }
    let other = of(&list().await, OTHER);
    assert!(other.get("asOf").is_none() && other.get("ageSeconds").is_none(), "{other}");
    // One page after the other.
    let first = world.own("GET", &format!("{accounts}?limit=1"), "").await.ok();
    let next = first["next"].as_str().unwrap();
    let second = world.own("GET", &format!("{accounts}?limit=1&next={next}"), "").await.ok();
    let both = [first["accounts"][0].clone(), second["accounts"][0].clone()];
    assert_eq!(both.as_slice(), &list().await["accounts"].as_array().unwrap()[..2]);
    for (query, fragment) in
        [("?limit=0", "`limit` is 0"), ("?limit=1001", "give 1 to 1000"), ("?next=x", "`next`")]
    {
        let answer = world.own("GET", &format!("{accounts}{query}"), "").await;
        answer.own_refuses(400, "InvalidInput", fragment);
    }
    world.own_as(MEMBER, "GET", &accounts, "").await.own_refuses(404, "NotFound", &id);
    assert!(world.own_as(ADMIN, "GET", &accounts, "").await.ok()["accounts"].is_array());
}

#[tokio::test]
async fn an_account_out_of_scope_is_told_to_be() {
    let world = World::new().await;
    let id = world.put_audit_of("one", MEMBER).await;
    let path = format!("/palisade/v1/policies/{id}/accounts/{OTHER}/violators");
    let told = world.own("GET", &path, "").await.ok();
    assert_eq!(
        json!([told["status"], told["reason"], told["violators"]]),
        json!([null, "out-of-scope", []])
    );
    assert!(told["why"].as_str().unwrap().contains("out of the policy's scope"), "{told}");
}

#[tokio::test]
async fn the_operators_endpoints_are_the_operators() {
    let world = World::new().await;
    for (method, path) in [
        ("GET", "/palisade/v1/organization"),
        ("PUT", "/palisade/v1/organization"),
        ("POST", "/palisade/v1/inventory?name=x.json"),
        ("GET", "/palisade/v1/work"),
        ("POST", "/palisade/v1/evaluate"),
        ("GET", "/palisade/v1/keys"),
        ("POST", "/palisade/v1/keys"),
        ("PATCH", "/palisade/v1/keys/AKIA1"),
        ("DELETE", "/palisade/v1/keys/AKIA1"),
        ("POST", "/palisade/v1/keys/AKIA1/rotate"),
        ("GET", "/palisade/v1/audit"),
        ("GET", "/palisade/v1/sources"),
    ] {
        for who in [MANAGEMENT, ADMIN, MEMBER] {
            let answer = world.own_as(who, method, path, organization().to_string()).await;
            answer.own_refuses(403, "AccessDenied", "operator");
        }
    }
}

#[tokio::test]
async fn keys_are_made_and_listed_without_their_secrets() {
    let world = World::empty();
    let path = "/palisade/v1/keys";
    let made = world.own("POST", path, json!({ "account": MEMBER }).to_string()).await.ok();
    let (id, secret) =
        (made["AccessKeyId"].as_str().unwrap(), made["SecretAccessKey"].as_str().unwrap());
    assert!(id.starts_with("AKIA") && id.len() == 20, "{id}");
    assert_eq!(secret.len(), 40);
    let operator = world.own("POST", path, json!({ "operator": true }).to_string()).await.ok();
    assert_eq!(operator["Account"], Value::Null);
    let listed = world.own("GET", path, "").await;
    assert!(!listed.text.contains(secret));
    assert_eq!(listed.ok()["keys"].as_array().unwrap().len(), 2);
    for bad in [
        "{}",
        "{\"account\":\"1\",\"operator\":true}",
        "{\"account\":\"abc\"}",
        "",
        "{\"acount\":\"1\"}",
    ] {
        world.own("POST", path, bad.to_owned()).await.own_refuses(400, "InvalidInput", "");
    }
}

#[tokio::test]
async fn health_needs_no_key_and_no_organization() {
    let world = World::empty();
    let get = |path: &str| {
        axum::http::Request::get(path.to_owned()).body(axum::body::Body::empty()).unwrap()
    };
    for path in ["/livez", "/readyz"] {
        let answer = world.send(get(path)).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok\n"), "{path}");
    }
    world.admin("ListPolicies", json!({})).await;
    world
        .store
        .mark(
            &[Mark {
                shard: palisade_core::ident::ShardId {
                    account: account(MEMBER),
                    region: region(REGION),
                },
                policy: None,
            }],
            NOW_MS,
            None,
        )
        .unwrap();
    let page = world.send(get("/metrics")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("palisade_requests_total{operation=\"ListPolicies\",outcome=\"AccessDeniedException\"} 1\n"), "{}", page.text);
    assert!(page.text.contains("palisade_work{state=\"dirty\"} 1\n"), "{}", page.text);
    // A refused call was taken in, verified, decoded and acted on, and had no output to encode.
    for (stage, count) in [("accept", 1), ("verify", 1), ("decode", 1), ("act", 1), ("encode", 0)] {
        let line = format!("palisade_request_stage_seconds_count{{stage=\"{stage}\"}} {count}\n");
        assert!(page.text.contains(&line), "{line}{}", page.text);
    }
    assert!(page.text.contains("palisade_store_seconds_count{kind=\"write\"} "), "{}", page.text);
    let sized = page.text.lines().find_map(|line| line.strip_prefix("palisade_store_bytes "));
    assert!(sized.is_some_and(|bytes| bytes.parse::<u64>().unwrap() > 4096), "{}", page.text);
}

#[tokio::test]
async fn the_openapi_document_describes_every_endpoint() {
    let world = World::empty();
    let request = axum::http::Request::get("/palisade/v1/openapi.json")
        .body(axum::body::Body::empty())
        .unwrap();
    let document = world.send(request).await.ok();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in &paths {
        let concrete =
            path.replace("{policy}", "p").replace("{account}", "1").replace("{key}", "k");
        for method in document["paths"][path.as_str()].as_object().unwrap().keys() {
            let answer = world.own(&method.to_uppercase(), &concrete, "").await;
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(!answer.text.contains("is not an endpoint"), "{path}");
        }
    }
    assert_eq!(paths.len(), 26);
    // What any call may be answered that is signed.
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, endpoint) in methods.as_object().unwrap() {
            let responses = endpoint["responses"].as_object().unwrap();
            let is_signed = !endpoint["security"].is_array();
            for status in ["400", "401", "403", "408", "413", "429", "431", "500", "503"] {
                assert!(!is_signed || responses.contains_key(status), "{method} {path} {status}");
            }
        }
    }
}

/// `PALISADE_BLESS=1` writes the documented one.
#[tokio::test]
async fn the_documented_openapi_document_is_the_one_that_is_served() {
    let request = axum::http::Request::get("/palisade/v1/openapi.json")
        .body(axum::body::Body::empty())
        .unwrap();
    let served = World::empty().send(request).await.text;
    let path = palisade_testkit::workspace().join("docs/openapi.json");
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(&path, &served).unwrap();
    }
    assert_eq!(served, std::fs::read_to_string(&path).unwrap());
}

#[tokio::test]
async fn bodies_of_own_endpoints_have_their_limits() {
    let world = World::new().await;
    for (method, path, max) in [
        ("POST", "/palisade/v1/evaluate", palisade_api::own::SMALL_BODY_SIZE_MAX),
        ("PUT", "/palisade/v1/organization", palisade_api::own::ORGANIZATION_SIZE_MAX),
    ] {
        for size in [max - 1, max] {
            let answer = world.own(method, path, " ".repeat(size)).await;
            assert_ne!(answer.status, 413, "{path} takes {size} bytes");
        }
        let answer = world.own(method, path, " ".repeat(max + 1)).await;
        let text = format!("larger than the {max} bytes");
        answer.own_refuses(413, "RequestEntityTooLarge", &text);
    }
}
