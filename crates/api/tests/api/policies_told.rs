//! What is told of policies over all accounts and Regions.

use serde_json::Value;

use crate::world::*;

#[tokio::test]
async fn all_violators_of_a_policy_are_told_account_by_account() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.judge(&id, MEMBER, Found::violators(3));
    world.judge(&id, OTHER, Found::violators(2));
    world.judge(&id, ADMIN, Found::nothing());
    let path = format!("/palisade/v1/policies/{id}/violators");
    let whole = world.own("GET", &path, "").await.ok();
    assert_eq!(whole["policy"]["name"], "one");
    let told = |page: &Value| -> Vec<String> {
        let all = page["violators"].as_array().unwrap();
        all.iter()
            .map(|one| {
                let text = |name: &str| one[name].as_str().unwrap().to_owned();
                format!("{} {} {}", text("account"), text("accountName"), text("ResourceId"))
            })
            .collect()
    };
    let of = |account: &str, name: &str, count: usize| -> Vec<String> {
        (0..count).map(|n| format!("{account} {name} sg-{n:05}")).collect()
    };
    let want = [of(MEMBER, "shop", 3), of(OTHER, "bank", 2)].concat();
    assert_eq!(told(&whole), want);
    assert!(whole["violators"][0]["evidence"][0]["summary"].is_string());
    for limit in 1..=6 {
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let page = world.own("GET", &format!("{path}?limit={limit}{next}"), "").await.ok();
            assert!(page["violators"].as_array().unwrap().len() <= limit);
            found.extend(told(&page));
            match page.get("next") {
                Some(token) => next = format!("&next={}", token.as_str().unwrap()),
                None => break,
            }
        }
        assert_eq!(found, want, "pages of {limit}");
    }
    let answer = world.own("GET", &format!("{path}?limit=0"), "").await;
    answer.own_refuses(400, "InvalidInput", "`limit` is 0");
    let answer = world.own("GET", &format!("{path}?next=x"), "").await;
    answer.own_refuses(400, "InvalidInput", "`next`");
    world.own_as(MEMBER, "GET", &path, "").await.own_refuses(404, "NotFound", &id);
    assert_eq!(told(&world.own_as(ADMIN, "GET", &path, "").await.ok()), want);
}

/// What violated a policy before it was changed stands until it is judged again, as for one account.
#[tokio::test]
async fn violators_of_an_earlier_state_of_a_policy_stand_until_it_is_judged() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.judge(&id, MEMBER, Found::violators(3));
    world.change_policy(&id).await;
    let count = |page: Value| page["violators"].as_array().unwrap().len();
    let all = world.own("GET", &format!("/palisade/v1/policies/{id}/violators"), "").await.ok();
    let path = format!("/palisade/v1/policies/{id}/accounts/{MEMBER}/violators");
    assert_eq!((count(all), count(world.own("GET", &path, "").await.ok())), (3, 3));
    world.judge(&id, MEMBER, Found::nothing());
    let all = world.own("GET", &format!("/palisade/v1/policies/{id}/violators"), "").await.ok();
    assert_eq!(count(all), 0);
}

#[tokio::test]
async fn policies_are_told_page_by_page_to_those_who_may_read_them() {
    let world = World::new().await;
    let mut ids = vec![world.put_audit("one").await, world.put_audit("two").await];
    ids.sort();
    let path = "/palisade/v1/policies";
    let whole = world.own("GET", path, "").await.ok();
    let of = |page: &Value| -> Vec<String> {
        let all = page["policies"].as_array().unwrap();
        all.iter().map(|policy| policy["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&whole), ids);
    let first = &whole["policies"][0];
    assert_eq!(first["owner"], ADMIN);
    assert_eq!(first["region"], REGION);
    assert_eq!(first["policyType"], "SECURITY_GROUPS_CONTENT_AUDIT");
    assert!(first["accounts"].as_u64().unwrap() > 1, "{first}");
    let page = world.own("GET", &format!("{path}?limit=1"), "").await.ok();
    let next = page["next"].as_str().unwrap();
    let rest = world.own("GET", &format!("{path}?limit=1&next={next}"), "").await.ok();
    assert_eq!([of(&page), of(&rest)].concat(), ids);
    assert_eq!(rest.get("next"), None);
    let answer = world.own("GET", &format!("{path}?limit=1001"), "").await;
    answer.own_refuses(400, "InvalidInput", "give 1 to 1000");
    world.own("GET", &format!("{path}?next=x"), "").await.own_refuses(
        400,
        "InvalidInput",
        "`next`",
    );
    assert_eq!(of(&world.own_as(ADMIN, "GET", path, "").await.ok()), ids);
    assert_eq!(of(&world.own_as(MEMBER, "GET", path, "").await.ok()), Vec::<String>::new());
}
