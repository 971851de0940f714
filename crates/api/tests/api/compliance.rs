use palisade_store::{Control, ControlChange, ControlState};
use serde_json::{Value, json};

use crate::world::*;

async fn statuses(world: &World, id: &str) -> Vec<Value> {
    let answer = world.admin("ListComplianceStatus", json!({ "PolicyId": id })).await.ok();
    assert!(answer.get("NextToken").is_none());
    answer["PolicyComplianceStatusList"].as_array().unwrap().clone()
}

async fn status(world: &World, id: &str, account: &str) -> Value {
    let all = statuses(world, id).await;
    all.into_iter().find(|status| status["MemberAccount"] == account).unwrap()
}

fn accounts(statuses: &[Value]) -> Vec<&str> {
    statuses.iter().map(|status| status["MemberAccount"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_account_in_scope_is_listed_before_anything_was_judged() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let all = statuses(&world, &id).await;
    assert_eq!(
        accounts(&all),
        [MANAGEMENT, ADMIN, MEMBER, OTHER, LONER],
        "the suspended one is not"
    );
    for status in all {
        assert_eq!(
            status,
            json!({
                "PolicyOwner": ADMIN,
                "PolicyId": id,
                "PolicyName": "one",
                "MemberAccount": status["MemberAccount"],
                "EvaluationResults": [],
                "IssueInfoMap": { "AWSCONFIG": "The account has not been judged yet." },
            })
        );
    }
}

#[tokio::test]
async fn what_is_not_judged_yet_is_told_by_both_operations() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let issue = json!({ "AWSCONFIG": "The account has not been judged yet." });
    let told = detail(&world, &id, MEMBER).await;
    assert_eq!((&told["IssueInfoMap"], &told["Violators"]), (&issue, &json!([])));
    // Judged, and then the policy is changed: what complied with it as it was claims nothing of it as
    // it is, and what violated it stands beside the issue.
    for (found, violators) in [(Found::nothing(), 0), (Found::violators(2), 2)] {
        world.judge(&id, MEMBER, found);
        assert_eq!(status(&world, &id, MEMBER).await["IssueInfoMap"], json!({}));
        world.change_policy(&id).await;
        let status = status(&world, &id, MEMBER).await;
        let issue = status["IssueInfoMap"]["AWSCONFIG"].as_str().unwrap();
        assert!(issue.contains("has not been judged yet"), "{issue}");
        let results = status["EvaluationResults"].as_array().unwrap();
        let counts: Vec<u64> =
            results.iter().map(|one| one["ViolatorCount"].as_u64().unwrap()).collect();
        assert_eq!(counts, if violators == 0 { vec![] } else { vec![2] });
        let told = detail(&world, &id, MEMBER).await;
        assert_eq!(told["IssueInfoMap"], status["IssueInfoMap"]);
        assert_eq!(told["Violators"].as_array().unwrap().len(), violators);
    }
}

#[tokio::test]
async fn a_status_tells_verdict_count_and_time() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.clock.advance(1_500);
    for (found, violators, result, issues) in [
        (
            Found::nothing(),
            0,
            json!([{ "ComplianceStatus": "COMPLIANT", "ViolatorCount": 0, "EvaluationLimitExceeded": false }]),
            json!({}),
        ),
        (
            Found::violators(3),
            3,
            json!([{ "ComplianceStatus": "NON_COMPLIANT", "ViolatorCount": 3, "EvaluationLimitExceeded": false }]),
            json!({}),
        ),
        (
            Found::issue("AWS Config is off."),
            0,
            json!([]),
            json!({ "AWSCONFIG": "AWS Config is off." }),
        ),
        (
            Found { violators: 2, issue: Some("Old.") },
            2,
            json!([{ "ComplianceStatus": "NON_COMPLIANT", "ViolatorCount": 2, "EvaluationLimitExceeded": false }]),
            json!({ "AWSCONFIG": "Old." }),
        ),
    ] {
        world.judge(&id, MEMBER, found);
        let status = status(&world, &id, MEMBER).await;
        assert_eq!(status["EvaluationResults"], result);
        assert_eq!(status["IssueInfoMap"], issues);
        assert_eq!(status["LastUpdated"], json!(1_767_225_601.5));
        let detail = detail(&world, &id, MEMBER).await;
        assert_eq!(detail["Violators"].as_array().unwrap().len(), violators);
        assert_eq!(detail["IssueInfoMap"], issues);
    }
}

async fn detail(world: &World, id: &str, account: &str) -> Value {
    let input = json!({ "PolicyId": id, "MemberAccount": account });
    world.admin("GetComplianceDetail", input).await.ok()["PolicyComplianceDetail"].clone()
}

#[tokio::test]
async fn violators_are_cut_at_100_and_counted_beyond() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    for (count, shown, exceeded) in
        [(99, 99, false), (100, 100, false), (101, 100, true), (250, 100, true)]
    {
        world.judge(&id, MEMBER, Found::violators(count));
        let result = status(&world, &id, MEMBER).await["EvaluationResults"][0].clone();
        assert_eq!(result["ViolatorCount"], count);
        assert_eq!(result["EvaluationLimitExceeded"], exceeded, "{count}");
        let detail = detail(&world, &id, MEMBER).await;
        assert_eq!(detail["EvaluationLimitExceeded"], exceeded);
        let violators = detail["Violators"].as_array().unwrap();
        let ids: Vec<&str> = violators.iter().map(|v| v["ResourceId"].as_str().unwrap()).collect();
        let expected: Vec<String> = (0..shown).map(|n| format!("sg-{n:05}")).collect();
        assert_eq!(ids, expected, "the first, ascending");
        assert_eq!(
            violators[0],
            json!({
                "ResourceId": "sg-00000",
                "ResourceType": "AWS::EC2::SecurityGroup",
                "ViolationReason": "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP",
            })
        );
    }
}

#[tokio::test]
async fn pages_of_every_size_add_up_to_the_same_list() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.judge(&id, MANAGEMENT, Found::nothing());
    world.judge(&id, OTHER, Found::violators(7));
    world.judge(&id, LONER, Found::issue("none"));
    let whole = statuses(&world, &id).await;
    for size in 1..=6 {
        let input = json!({ "PolicyId": id });
        let paged =
            world.pages("ListComplianceStatus", input, "PolicyComplianceStatusList", size).await;
        assert_eq!(paged, whole, "pages of {size}");
    }
}

#[tokio::test]
async fn a_page_holds_100_accounts_unless_fewer_are_asked_for() {
    let world = World::new().await;
    let mut organization = organization();
    let more: Vec<Value> = (0..200)
        .map(|n| json!({ "Id": format!("6{n:011}"), "Name": "more", "Status": "ACTIVE", "ParentId": "r-abcd" }))
        .collect();
    organization["Accounts"].as_array_mut().unwrap().extend(more);
    world.apply(&organization).await.ok();
    let id = world.put_audit("one").await;
    let page = world.admin("ListComplianceStatus", json!({ "PolicyId": id })).await.ok();
    assert_eq!(page["PolicyComplianceStatusList"].as_array().unwrap().len(), 100);
    assert!(page["NextToken"].is_string());
    for bad in [0, 101] {
        let input = json!({ "PolicyId": id, "MaxResults": bad });
        let answer = world.admin("ListComplianceStatus", input).await;
        answer.refuses("ValidationException", "at 'maxResults' failed to satisfy constraint");
    }
    let input = json!({ "PolicyId": id });
    let all = world.pages("ListComplianceStatus", input, "PolicyComplianceStatusList", 100).await;
    assert_eq!(all.len(), 205);
    assert!(accounts(&all).is_sorted());
}

#[tokio::test]
async fn the_scope_is_that_of_now() {
    let world = World::new().await;
    let mut policy = audit("one");
    policy["IncludeMap"] = json!({ "ORG_UNIT": [PROD] });
    let policy = world.put(policy).await;
    let id = policy["PolicyId"].as_str().unwrap();
    world.judge(id, MEMBER, Found::violators(1));
    world.judge(id, OTHER, Found::violators(2));
    assert_eq!(accounts(&statuses(&world, id).await), [MEMBER, OTHER]);
    let mut moved = organization();
    moved["Accounts"][3]["ParentId"] = json!("r-abcd");
    moved["Accounts"][4]["ParentId"] = json!(PROD);
    world.apply(&moved).await.ok();
    let all = statuses(&world, id).await;
    assert_eq!(accounts(&all), [MEMBER, LONER]);
    assert_eq!(all[0]["EvaluationResults"][0]["ViolatorCount"], 1);
    assert_eq!(all[1]["EvaluationResults"], json!([]));
    let left = detail(&world, id, OTHER).await;
    assert_eq!(left["Violators"], json!([]), "out of scope");
    let mut update = policy.clone();
    update["IncludeMap"] = json!({ "ACCOUNT": [MEMBER] });
    world.put(update).await;
    let all = statuses(&world, id).await;
    assert_eq!(accounts(&all), [MEMBER]);
    assert_eq!(all[0]["EvaluationResults"][0]["ViolatorCount"], 1, "judged for the older revision");
}

#[tokio::test]
async fn a_detail_expires_a_day_after_it_was_judged_unless_compliant() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    assert!(detail(&world, &id, MEMBER).await.get("ExpiredAt").is_none(), "never judged");
    world.judge(&id, MEMBER, Found::violators(1));
    let day = 24.0 * 60.0 * 60.0;
    assert_eq!(detail(&world, &id, MEMBER).await["ExpiredAt"], json!(1_767_225_600.0 + day));
    world.judge(&id, MEMBER, Found::nothing());
    assert_eq!(
        detail(&world, &id, MEMBER).await,
        json!({
            "PolicyOwner": ADMIN,
            "PolicyId": id,
            "MemberAccount": MEMBER,
            "Violators": [],
            "EvaluationLimitExceeded": false,
            "IssueInfoMap": {},
        }),
        "as AWS's published sample has it"
    );
}

#[tokio::test]
async fn a_detail_of_an_account_outside_the_scope_is_empty_and_outside_the_organization_refused() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let suspended = detail(&world, &id, SUSPENDED).await;
    assert_eq!(suspended["Violators"], json!([]));
    assert_eq!(suspended["IssueInfoMap"], json!({}));
    let input = json!({ "PolicyId": id, "MemberAccount": STRANGER });
    let answer = world.admin("GetComplianceDetail", input).await;
    answer.refuses("InvalidInputException", "is not in the organization");
}

#[tokio::test]
async fn a_page_token_serves_its_caller_operation_and_policy_alone() {
    let world = World::new().await;
    let (one, two) = (world.put_audit("one").await, world.put_audit("two").await);
    let page =
        world.admin("ListComplianceStatus", json!({ "PolicyId": one, "MaxResults": 1 })).await.ok();
    let token = page["NextToken"].as_str().unwrap().to_owned();
    assert!(token.len() <= 4096);
    let list = |id: &str, token: &str| {
        world.admin("ListComplianceStatus", json!({ "PolicyId": id, "NextToken": token }))
    };
    list(&one, &token).await.ok();
    // ListComplianceStatus does not model InvalidInputException.
    list(&two, &token).await.refuses(
        "ValidationException",
        "`NextToken` is not a token that ListComplianceStatus gave",
    );
    list(&one, "abc").await.refuses("ValidationException", "`NextToken`");
    let mut tampered = token.clone().into_bytes();
    tampered[30] = if tampered[30] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).unwrap();
    list(&one, &tampered).await.refuses("ValidationException", "`NextToken`");
    list(&one, "")
        .await
        .refuses("ValidationException", "at 'nextToken' failed to satisfy constraint");
    let members = world.admin("ListMemberAccounts", json!({ "NextToken": token })).await;
    members
        .refuses("ValidationException", "`NextToken` is not a token that ListMemberAccounts gave");
    let members = world.admin("ListMemberAccounts", json!({ "MaxResults": 1 })).await.ok();
    let input = json!({ "NextToken": members["NextToken"] });
    let other = world.call(MANAGEMENT, REGION, "ListMemberAccounts", input).await;
    other.refuses("ValidationException", "gave to this account");
}

#[tokio::test]
async fn a_page_token_of_one_region_does_not_serve_another() {
    let world = World::new().await;
    for region in [REGION, HOME] {
        for name in ["one", "two"] {
            world.call(ADMIN, region, "PutPolicy", json!({ "Policy": audit(name) })).await.ok();
        }
    }
    let page = world.admin("ListPolicies", json!({ "MaxResults": 1 })).await.ok();
    let input = json!({ "NextToken": page["NextToken"] });
    world.admin("ListPolicies", input.clone()).await.ok();
    world
        .call(ADMIN, HOME, "ListPolicies", input)
        .await
        .refuses("ValidationException", "`NextToken`");
}

#[tokio::test]
async fn an_invalid_token_is_invalid_input_where_the_operation_models_that() {
    let world = World::new().await;
    let answer =
        world.call(MEMBER, HOME, "ListAdminsManagingAccount", json!({ "NextToken": "abc" })).await;
    answer.refuses("InvalidInputException", "`NextToken`");
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_any_more_claims_nothing() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let ControlState { revision, policies, .. } = world.store.control().unwrap();
    let mut record = palisade_store::PolicyRecord::clone(policies.values().next().unwrap());
    record.revision += 1;
    record.document.resource_type = "no such type".into();
    let change = ControlChange::PutPolicy(record.into());
    world.store.commit(revision, &[change], NOW_MS).unwrap();
    for (operation, more) in [
        ("ListComplianceStatus", json!({})),
        ("GetComplianceDetail", json!({ "MemberAccount": MEMBER })),
        (
            "GetViolationDetails",
            json!({
                "MemberAccount": MEMBER, "ResourceId": "sg-1",
                "ResourceType": "AWS::EC2::SecurityGroup",
            }),
        ),
    ] {
        let mut input = more;
        input["PolicyId"] = json!(id);
        world.admin(operation, input).await.refuses("InternalErrorException", "cannot parse it");
    }
    let policy = format!("/palisade/v1/policies/{id}");
    for path in [format!("{policy}/accounts"), format!("{policy}/accounts/{MEMBER}/violators")] {
        world.own("GET", &path, "").await.own_refuses(500, "InternalError", "cannot parse it");
    }
    let answer = world.own("POST", &format!("/palisade/v1/evaluate?policy={id}"), "").await;
    answer.own_refuses(500, "InternalError", "cannot parse it");
    assert_eq!(world.app.view().unwrap().left_out(), 1);
    // What was put is still shown.
    world.admin("GetPolicy", json!({ "PolicyId": id })).await.ok();
}
