use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Units and accounts, one a line: `unit parent` or `account parent status`.
fn organization(text: &str) -> Organization {
    let (mut units, mut accounts) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [id, parent] => units.push(json!({"Id": id, "ParentId": parent})),
            [id, parent, status] => {
                accounts.push(json!({"Id": id, "ParentId": parent, "Status": status}));
            }
            _ => panic!("`{line}`"),
        }
    }
    let file = json!({
        "Organization": {"Id": "o-1", "ManagementAccountId": "1"},
        "Roots": [{"Id": "r-1"}],
        "OrganizationalUnits": units,
        "Accounts": accounts,
    });
    Organization::parse(file.to_string().as_bytes()).unwrap()
}

const NESTED: &str = "
    ou-a  r-1
    ou-b  ou-a
    ou-c  ou-b
    ou-d  r-1
    1     r-1   ACTIVE
    2     ou-a  ACTIVE
    3     ou-b  ACTIVE
    4     ou-c  PENDING_CLOSURE
    5     ou-d  ACTIVE
    6     ou-c  SUSPENDED
    7     ou-d  CLOSED";

/// `3 ou-a` names an account and a unit.
fn set(text: &str) -> AccountSet {
    let mut set = AccountSet::default();
    for id in text.split_whitespace() {
        if id.starts_with("ou-") {
            set.units.insert(id.parse().unwrap());
        } else {
            set.accounts.insert(id.parse().unwrap());
        }
    }
    set
}

fn scope(text: &str) -> Scope {
    let accounts = match text.split_once(' ') {
        Some(("only", names)) => AccountScope::Only(set(names)),
        Some(("but", names)) => AccountScope::AllBut(set(names)),
        _ => AccountScope::Everyone,
    };
    Scope { accounts, ..Scope::default() }
}

#[test]
fn nested_units_cover_every_account_below_them() {
    let organization = organization(NESTED);
    for (text, wanted) in [
        ("everyone", "1 2 3 4 5"),
        ("only ou-a", "2 3 4"),
        ("only ou-b", "3 4"),
        ("only ou-c", "4"),
        ("only ou-b ou-a", "2 3 4"),
        ("only ou-d", "5"),
        ("only 1 ou-c", "1 4"),
        ("only 3 ou-a", "2 3 4"),
        ("only 6", ""),
        ("only 99 ou-gone", ""),
        ("but ou-a", "1 5"),
        ("but ou-c 5", "1 2 3"),
        ("but 99 ou-gone", "1 2 3 4 5"),
        ("but 6 7", "1 2 3 4 5"),
    ] {
        let scope = scope(text);
        let found = in_scope_accounts(&scope, &organization);
        let found: Vec<&str> = found.into_iter().map(AccountId::as_str).collect();
        assert_eq!(found.join(" "), wanted, "{text}");
        for account in organization.accounts.keys() {
            let listed = found.contains(&account.as_str());
            assert_eq!(scope.has_account(&organization, account), listed, "{text}: {account}");
        }
    }
    let stranger = "99".parse().unwrap();
    assert!(!scope("everyone").has_account(&organization, &stranger));
}

#[test]
fn tags_match_by_key_and_value() {
    // wanted tags | resource's tags | in scope when they include | when they exclude
    for (any, row) in [
        (false, "-          | k=v     | in  in"),
        (false, "-          | -       | in  in"),
        (false, "k=v        | k=v     | in  out"),
        (false, "k=v        | k=w     | out in"),
        (false, "k=v        | K=v     | out in"),
        (false, "k=v        | -       | out in"),
        (false, "k=         | k=      | in  out"),
        (false, "k=         | k=v     | out in"),
        (false, "k=*        | k=v     | out in"),
        (false, "k=v l=w    | k=v     | out in"),
        (false, "k=v l=w    | k=v l=w | in  out"),
        (false, "k=v k=w    | k=v     | out in"),
        (true, "k=v l=w     | k=v     | in  out"),
        (true, "k=v l=w     | k=w     | out in"),
        (true, "-           | k=v     | in  in"),
        (true, "k=v k=w     | k=w     | in  out"),
    ] {
        let columns: Vec<&str> = row.split('|').collect();
        let pairs = |text: &str| -> Vec<(Box<str>, Box<str>)> {
            text.split_whitespace()
                .filter_map(|tag| tag.split_once('='))
                .map(|(key, value)| (key.into(), value.into()))
                .collect()
        };
        let tags: Tags = pairs(columns[1]).into_iter().collect();
        for (exclude, wanted) in [false, true].into_iter().zip(columns[2].split_whitespace()) {
            let scope = Scope {
                tags: TagScope { tags: pairs(columns[0]), exclude, any },
                ..Scope::default()
            };
            let found = if scope.has_tags(&tags) { "in" } else { "out" };
            assert_eq!(found, wanted, "any {any} exclude {exclude}: {row}");
        }
    }
}

#[test]
fn types_are_compared_exactly() {
    let scope = Scope { resource_types: vec![ResourceType::INSTANCE], ..Scope::default() };
    assert!(scope.lists(&ResourceType::INSTANCE));
    assert!(!scope.lists(&ResourceType::EIP));
}

#[test]
fn a_changed_organization_says_who_entered_and_who_left() {
    let before = organization(NESTED);
    let after = organization(
        "ou-a  r-1
         ou-b  ou-d
         ou-c  ou-b
         ou-d  r-1
         1     r-1   ACTIVE
         2     ou-a  SUSPENDED
         3     ou-b  ACTIVE
         4     ou-c  ACTIVE
         6     ou-a  ACTIVE
         7     ou-d  CLOSED
         8     ou-d  ACTIVE",
    );
    for (text, entered, left) in [
        ("everyone", "6 8", "2 5"),
        ("only ou-a", "6", "2 3 4"),
        ("only ou-d", "3 4 8", "5"),
        ("but ou-a", "3 4 8", "5"),
        ("only ou-b", "", ""),
        ("only 1", "", ""),
    ] {
        let changes = scope_changes(&scope(text), &before, &after);
        let joined =
            |ids: &[AccountId]| ids.iter().map(AccountId::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(joined(&changes.entered), entered, "{text}");
        assert_eq!(joined(&changes.left), left, "{text}");
        assert_eq!(changes.is_empty(), entered.is_empty() && left.is_empty());
    }
    assert!(scope_changes(&scope("everyone"), &before, &before).is_empty());
}

#[test]
fn fifty_thousand_accounts_in_two_thousand_units_are_selected() {
    // One chain of 2,000 units: walking every account's ancestors would take a hundred million
    // steps, and does not.
    let mut units = BTreeMap::new();
    let mut parent: Box<str> = "r-1".into();
    for depth in 0..2_000 {
        let id = format!("ou-{depth}");
        let unit = crate::organization::Unit { name: "".into(), parent };
        units.insert(OuId::try_from(id.as_str()).unwrap(), unit);
        parent = id.into();
    }
    let account = |number: usize| Account {
        name: "".into(),
        status: crate::organization::AccountStatus::Active,
        parent: format!("ou-{}", number % 2_000).into(),
    };
    let organization = Organization {
        id: "o-1".into(),
        management: "1".parse().unwrap(),
        default_administrator: None,
        roots: ["r-1".into()].into(),
        units,
        accounts: (0..50_000)
            .map(|number| (format!("{number:012}").parse().unwrap(), account(number)))
            .collect(),
    };
    assert_eq!(in_scope_accounts(&scope("only ou-1000"), &organization).len(), 25_000);
    assert_eq!(in_scope_accounts(&scope("but ou-1000"), &organization).len(), 25_000);
    assert_eq!(in_scope_accounts(&scope("only ou-0"), &organization).len(), 50_000);
}

proptest! {
    /// The fast selection agrees with asking for each account, on trees of any form.
    #[test]
    fn selection_agrees_with_asking_for_each(
        parents in prop::collection::vec(0usize..20, 1..20),
        places in prop::collection::vec(0usize..20, 1..30),
        named in prop::collection::btree_set(0usize..25, 0..6),
        listed in prop::collection::btree_set(0usize..30, 0..6),
        exclude: bool,
    ) {
        let unit = |number: usize| if number == 0 { "r-1".to_owned() } else { format!("ou-{number}") };
        let mut text = String::new();
        for (index, parent) in parents.iter().enumerate() {
            // A parent has a lower number, so there is no circle.
            text += &format!("{} {}\n", unit(index + 1), unit(parent % (index + 1)));
        }
        for (index, place) in places.iter().enumerate() {
            let status = if index % 5 == 4 { "SUSPENDED" } else { "ACTIVE" };
            text += &format!("{} {} {status}\n", index + 1, unit(place % (parents.len() + 1)));
        }
        let organization = organization(&text);
        let set = AccountSet {
            units: named.iter().map(|number| format!("ou-{number}").parse().unwrap()).collect(),
            accounts: listed.iter().map(|number| number.to_string().parse().unwrap()).collect(),
        };
        let accounts = if exclude { AccountScope::AllBut(set) } else { AccountScope::Only(set) };
        let scope = Scope { accounts, ..Scope::default() };
        let fast = in_scope_accounts(&scope, &organization);
        let slow: Vec<&AccountId> = organization
            .accounts
            .keys()
            .filter(|account| scope.has_account(&organization, account))
            .collect();
        prop_assert_eq!(fast, slow);
    }
}
