use serde_json::{Value, json};

use super::*;

/// ```text
/// r-1 ─ m (management)
///     ├ ou-a ─ a1, a2 (suspended)
///     │        └ ou-b ─ b1 (pending closure) ─ …
///     └ ou-c ─ c1 (closed)
/// ```
fn sample() -> Value {
    json!({
        "Organization": {"Id": "o-1", "ManagementAccountId": "100"},
        "Roots": [{"Id": "r-1", "Arn": "ignored"}],
        "OrganizationalUnits": [
            {"Id": "ou-a", "Name": "A", "ParentId": "r-1"},
            {"Id": "ou-b", "Name": "B", "ParentId": "ou-a"},
            {"Id": "ou-c", "ParentId": "r-1"},
        ],
        "Accounts": [
            {"Id": "100", "Name": "m", "Status": "ACTIVE", "ParentId": "r-1"},
            {"Id": "201", "Name": "a1", "Status": "ACTIVE", "ParentId": "ou-a", "Email": "x"},
            {"Id": "202", "Name": "a2", "Status": "SUSPENDED", "ParentId": "ou-a"},
            {"Id": "301", "Name": "b1", "State": "PENDING_CLOSURE", "ParentId": "ou-b"},
            {"Id": "401", "Name": "c1", "Status": "CLOSED", "ParentId": "ou-c"},
        ],
    })
}

fn parse(file: &Value) -> Result<Organization, String> {
    Organization::parse(file.to_string().as_bytes()).map_err(|error| error.to_string())
}

fn id(text: &str) -> AccountId {
    AccountId::try_from(text).unwrap()
}

#[test]
fn an_organization_file_is_read() {
    let organization = parse(&sample()).unwrap();
    assert_eq!(&*organization.id, "o-1");
    assert_eq!(organization.management, id("100"));
    assert_eq!(organization.default_administrator, None);
    assert_eq!(organization.accounts[&id("201")].name, "a1".into());
    let judged: Vec<&str> = organization.judged_accounts().map(AccountId::as_str).collect();
    assert_eq!(judged, ["100", "201", "301"]);
}

#[test]
fn the_way_to_an_account_is_told_from_the_root_down() {
    let organization = parse(&sample()).unwrap();
    for (account, path) in [
        ("100", Some("Root")),
        ("201", Some("Root / A")),
        ("301", Some("Root / A / B")),
        // A unit without a name is told by its id.
        ("401", Some("Root / ou-c")),
        ("999", None),
    ] {
        assert_eq!(organization.unit_path(&id(account)).as_deref(), path, "{account}");
    }
}

#[test]
fn a_listing_that_goes_on_is_refused() {
    let with = |key: &str, value: Value| {
        let mut file = sample();
        file[key] = value;
        parse(&file)
    };
    for key in ["NextToken", "nextToken", "NEXTTOKEN", "AccountsNextToken"] {
        let refused = with(key, json!("t")).unwrap_err();
        assert!(refused.contains(&format!("`{key}` says that more")), "{refused}");
        assert!(with(key, json!({})).is_err(), "{key} in another form");
        for none in [json!(null), json!("")] {
            assert!(with(key, none).is_ok(), "{key} without a token");
        }
    }
    assert!(with("Token", json!("t")).is_ok());
}

#[test]
fn an_account_that_is_not_activated_yet_is_read_and_not_judged() {
    for key in ["Status", "State"] {
        let mut file = sample();
        let row = file["Accounts"][1].as_object_mut().unwrap();
        row.remove("Status");
        row.insert(key.to_owned(), json!("PENDING_ACTIVATION"));
        let organization = parse(&file).unwrap();
        assert_eq!(organization.accounts[&id("201")].status, AccountStatus::PendingActivation);
        assert!(!organization.judged_accounts().any(|judged| *judged == id("201")));
    }
}

#[test]
fn ancestors_are_units_nearest_first() {
    let organization = parse(&sample()).unwrap();
    let ancestors = |account: &str| -> Vec<String> {
        organization.ancestors(&id(account)).iter().map(ToString::to_string).collect()
    };
    assert_eq!(ancestors("301"), ["ou-b", "ou-a"]);
    assert_eq!(ancestors("201"), ["ou-a"]);
    assert!(ancestors("100").is_empty());
    assert!(ancestors("999").is_empty());
}

#[test]
fn what_list_accounts_answers_with_paths_is_a_whole_file() {
    let account = |id: &str, path: &str| {
        json!({"Id": id, "Name": id, "Status": "ACTIVE", "Paths": [path],
            "Arn": format!("arn:aws:organizations::100:account/o-1/{id}")})
    };
    let accounts = json!({"Accounts": [
        account("100", "o-1/r-1/"), account("201", "o-1/r-1/ou-a/"), account("301", "o-1/r-1/ou-a/ou-b/301/"),
    ]});
    let organization = parse(&accounts).unwrap();
    assert_eq!((&*organization.id, organization.management.as_str()), ("o-1", "100"));
    let units: Vec<String> =
        organization.ancestors(&id("301")).iter().map(ToString::to_string).collect();
    assert_eq!(units, ["ou-b", "ou-a"]);
    // What units are called the list of units tells, which does not tell where they are.
    let mut named = accounts.clone();
    named["OrganizationalUnits"] = json!([{"Id": "ou-b", "Name": "B"}]);
    let organization = parse(&named).unwrap();
    let unit = &organization.units[&OuId::try_from("ou-b").unwrap()];
    assert_eq!((&*unit.name, &*unit.parent), ("B", "ou-a"));
    // Two paths, or an ARN of something else, tell nothing.
    for (edit, wanted) in [
        (
            json!({"Paths": ["o-1/r-1/", "o-1/r-1/ou-a/"]}),
            "account `100` does not tell where it is",
        ),
        (json!({"Paths": null, "Parents": []}), "list-parents --child-id 100"),
    ] {
        let mut file = accounts.clone();
        let row = file["Accounts"][0].as_object_mut().unwrap();
        row.extend(edit.as_object().unwrap().clone());
        let refused = parse(&file).unwrap_err();
        assert!(refused.contains(wanted), "{refused}");
    }
}

#[test]
fn what_list_parents_answers_is_read_and_what_is_missing_is_told_with_its_call() {
    let mut file = sample();
    let row = file["Accounts"][1].as_object_mut().unwrap();
    row.remove("ParentId");
    row.insert("Parents".to_owned(), json!([{"Id": "ou-a", "Type": "ORGANIZATIONAL_UNIT"}]));
    assert_eq!(parse(&file), parse(&sample()));
    for (member, call) in [
        ("Organization", "aws organizations describe-organization"),
        ("Roots", "aws organizations list-roots"),
    ] {
        let mut file = sample();
        file.as_object_mut().unwrap().remove(member);
        let refused = parse(&file).unwrap_err();
        assert!(refused.contains(&format!("`{member}` is missing")), "{refused}");
        assert!(refused.contains(call), "{refused}");
    }
    let mut file = sample();
    file["OrganizationalUnits"][2].as_object_mut().unwrap().remove("ParentId");
    let refused = parse(&file).unwrap_err();
    assert!(refused.contains("list-organizational-units-for-parent"), "{refused}");
}

#[test]
fn the_older_name_of_the_management_account_and_a_byte_order_mark_are_read() {
    let mut file = sample();
    file["Organization"] = json!({"Id": "o-1", "MasterAccountId": "100"});
    file["DefaultAdministrator"] = json!("201");
    let text = format!("\u{feff}{file}");
    let organization = Organization::parse(text.as_bytes()).unwrap();
    assert_eq!(organization.management, id("100"));
    assert_eq!(organization.default_administrator, Some(id("201")));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Organization::parse(&wide).unwrap().accounts, organization.accounts, "UTF-16");
}

#[test]
fn what_does_not_hang_together_is_refused_with_place_and_advice() {
    type Edit = fn(&mut Value);
    let cases: &[(Edit, &str)] = &[
        (|f| f["Accounts"][1]["ParentId"] = json!("ou-x"), "account `201` has ParentId `ou-x`"),
        (
            |f| f["OrganizationalUnits"][1]["ParentId"] = json!("ou-x"),
            "unit `ou-b` has ParentId `ou-x`",
        ),
        (|f| f["OrganizationalUnits"][0]["ParentId"] = json!("ou-b"), "is above itself"),
        (|f| f["OrganizationalUnits"][2]["ParentId"] = json!("ou-c"), "`ou-c` is above itself"),
        (|f| f["OrganizationalUnits"][2]["Id"] = json!("ou-a"), "[2]: `ou-a` occurs twice"),
        (|f| f["Roots"] = json!([{"Id": "r-1"}, {"Id": "r-1"}]), "Roots[1]: `r-1` occurs twice"),
        (|f| f["Roots"] = json!([{"Id": "r-1"}, {"Id": "ou-a"}]), "both in Roots and"),
        (|f| f["Roots"] = json!([]), "Roots is empty"),
        (|f| f["Accounts"][4]["Id"] = json!("100"), "Accounts[4]: account `100` occurs twice"),
        (|f| f["Accounts"][1]["Id"] = json!("2x1"), "Accounts[1].Id: `2x1` is not an account id"),
        (|f| f["Accounts"][1]["Status"] = json!("PAUSED"), "`PAUSED` of account `201`"),
        (|f| f["Accounts"][1]["Status"] = json!(null), "Status of account `201` is missing"),
        (
            |f| f["Organization"]["ManagementAccountId"] = json!("999"),
            "the management account `999` is not in Accounts; add it",
        ),
        (|f| f["Organization"] = json!({"Id": "o-1"}), "ManagementAccountId is missing"),
        (|f| f["DefaultAdministrator"] = json!("999"), "DefaultAdministrator `999` is not in"),
        (|f| f["Accounts"] = json!({}), "expected a sequence"),
    ];
    for (edit, wanted) in cases {
        let mut file = sample();
        edit(&mut file);
        let refused = parse(&file).expect_err(wanted);
        assert!(refused.contains(wanted), "{wanted}\n{refused}");
        assert!(refused.starts_with("the organization file is refused: "), "{refused}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = sample().to_string();
    for end in 0..whole.len() {
        let refused = Organization::parse(&whole.as_bytes()[..end]).unwrap_err().to_string();
        assert!(refused.contains("it is cut off"), "cut at {end}: {refused}");
        assert!(refused.contains("line 1 column"), "cut at {end}: {refused}");
    }
}

#[test]
fn what_is_not_json_or_not_an_object_is_refused() {
    for (text, wanted) in [
        (&b"<html>"[..], "it is not JSON: expected value at line 1 column 1"),
        (b"\"text\"", "expected an organization object"),
        (b"{\"Organization\":1}", "expected an object with Id and ManagementAccountId"),
        (b"\xff\xff", "it is not JSON"),
        // A mark of UTF-16, and no text.
        (b"\xff\xfe", "it is cut off"),
    ] {
        let refused = Organization::parse(text).unwrap_err().to_string();
        assert!(refused.contains(wanted), "{wanted}\n{refused}");
    }
    let brackets = "[".repeat(1_000_000);
    assert!(Organization::parse(brackets.as_bytes()).is_err());
}

#[test]
fn a_deep_chain_of_units_is_read() {
    let mut file = sample();
    let mut parent = "ou-c".to_owned();
    for depth in 0..5_000 {
        let id = format!("ou-{depth}");
        let row = json!({"Id": id, "Name": "", "ParentId": parent});
        file["OrganizationalUnits"].as_array_mut().unwrap().push(row);
        parent = id;
    }
    file["Accounts"][1]["ParentId"] = json!(parent);
    let organization = parse(&file).unwrap();
    assert_eq!(organization.ancestors(&id("201")).len(), 5_001);
}

#[test]
fn replacing_asks_for_confirmation_when_it_looks_like_a_mistake() {
    let old = parse(&sample()).unwrap();
    let without = |count: usize| {
        let mut new = old.clone();
        new.accounts = old.accounts.clone().into_iter().skip(count).collect();
        new
    };
    // Five accounts: one is a fifth, two are more.
    for (dropped, needs_confirmation) in [(0, false), (1, false), (2, true), (5, true)] {
        let found = replacement(&old, &without(dropped));
        let (other_id, other_management) = (false, false);
        let wanted = Replacement { other_id, other_management, dropped, of: 5, needs_confirmation };
        assert_eq!(found, wanted);
    }
    // Nine accounts: two are more than a fifth, by a hair. Ten: two are a fifth.
    for (count, needs_confirmation) in [(9, true), (10, false), (11, false)] {
        let mut old = old.clone();
        let one = old.accounts[&id("201")].clone();
        old.accounts = (0..count).map(|number| (id(&number.to_string()), one.clone())).collect();
        let mut new = old.clone();
        new.accounts.remove(&id("0"));
        new.accounts.remove(&id("1"));
        assert_eq!(replacement(&old, &new).needs_confirmation, needs_confirmation, "2 of {count}");
    }
    let mut other = old.clone();
    other.id = "o-2".into();
    let wanted = Replacement {
        other_id: true,
        other_management: false,
        dropped: 0,
        of: 5,
        needs_confirmation: true,
    };
    assert_eq!(replacement(&old, &other), wanted);
    let mut other = old.clone();
    other.management = id("201");
    let wanted = Replacement { other_id: false, other_management: true, ..wanted };
    assert_eq!(replacement(&old, &other), wanted);
}
