//! What can be told of a text that should be an item and is none: a list, a text, a half of one.
//! Nothing of its form is known, so a value counts only where it is the only one.

use std::collections::BTreeSet;

use crate::ident::AccountId;

use super::missed::{Sort, region_told, type_told};
use super::name::NameFacts;

/// Bytes of such a text that are looked at.
const LOOKED_AT_MAX: usize = 1024 * 1024;
/// Accounts of one such text that are told apart; where there are more, none is.
const ACCOUNTS_MAX: usize = 100;

/// Whose it may be, and of which Region and type.
pub(super) fn salvage(text: &str) -> Sort {
    let end = (0..=LOOKED_AT_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let text = text.get(..end.unwrap_or_default()).unwrap_or_default();
    let lower = text.to_ascii_lowercase();
    let accounts = |key: &str| -> BTreeSet<AccountId> {
        let texts = values(text, &lower, key).into_iter();
        texts.filter_map(|text| AccountId::try_from(text).ok()).collect()
    };
    let mut owners = accounts("awsaccountid");
    if owners.is_empty() {
        // Bodies name accounts as well.
        owners = accounts("accountid");
        owners.retain(|_| owners_are_one(text, &lower));
    }
    // An oversized notification's object says whose it is in its key.
    let place = only(values(text, &lower, "s3bucketlocation")).map(NameFacts::of);
    let place = place.unwrap_or_default();
    if owners.is_empty() {
        owners.extend(place.account);
    }
    if owners.len() > ACCOUNTS_MAX {
        owners.clear();
    }
    // Relationships name other types.
    let resource_type = only(values(text, &lower, "resourcetype")).and_then(type_told);
    let resource_type = resource_type.or(place.resource_type);
    let region = only(values(text, &lower, "awsregion"));
    let region = region.and_then(|text| region_told(text, resource_type.as_ref()));
    let region = region.or(place.region);
    Sort { accounts: owners, region, resource_type, id: None }
}

fn owners_are_one(text: &str, lower: &str) -> bool {
    values(text, lower, "accountid").len() == 1
}

/// The values that stand behind a key, however its quotes are escaped. `lower` is the text in lower
/// case, as the key is.
fn values<'t>(text: &'t str, lower: &str, key: &str) -> BTreeSet<&'t str> {
    let mut found = BTreeSet::new();
    for (at, _) in lower.match_indices(key) {
        let is_key = lower.get(..at).is_some_and(|before| before.ends_with('"'));
        let rest = text.get(at + key.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches('\\');
        let Some(rest) = rest.strip_prefix('"').filter(|_| is_key) else { continue };
        let Some(rest) = rest.trim_start().strip_prefix(':') else { continue };
        let rest = rest.trim_start().trim_start_matches('\\');
        let rest = rest.strip_prefix('"').unwrap_or(rest);
        let end = rest.find(['"', '\\', ',', '}', ']', '\n']).unwrap_or(rest.len());
        found.extend(rest.get(..end).map(str::trim).filter(|value| !value.is_empty()));
    }
    found
}

fn only(all: BTreeSet<&str>) -> Option<&str> {
    let first = all.first().copied();
    first.filter(|_| all.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let Sort { accounts, region, resource_type, id } = salvage(text);
        assert_eq!(id, None);
        let accounts: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
        let region = region.map_or("-".to_owned(), |region| region.to_string());
        let kind = resource_type.map_or("-".to_owned(), |kind| kind.to_string());
        format!("{} {region} {kind}", accounts.join("+"))
    }

    #[test]
    fn what_stands_alone_in_a_text_counts() {
        let item = r#"{"awsAccountId": "1","awsRegion":"eu-west-1","resourceType":"AWS::EC2::VPC","configuration":{"accountId":"9"}}"#;
        let quoted = serde_json::to_string(item).unwrap();
        let twice = serde_json::to_string(&quoted).unwrap();
        for text in [item, quoted.as_str(), twice.as_str(), &format!("[[{item}]]"), &item[..100]] {
            assert_eq!(told(text), "1 eu-west-1 AWS::EC2::VPC", "{text}");
        }
        let other = item.replace("\"1\"", "\"2\"").replace("VPC", "EIP").replace("eu-", "us-");
        assert_eq!(told(&format!("[{item},{other}]")), "1+2 - -");
        assert_eq!(told(r#"[{"accountId":"1"}]"#), "1 - -");
        assert_eq!(told(r#"[{"accountId":"1"},{"AccountId":2}]"#), " - -", "who owns it?");
        assert_eq!(told(r#""awsAccountId""#), " - -");
        assert_eq!(told("awsRegion: eu-west-1"), " - -");
        assert_eq!(told(r#"{"awsRegion":"GLOBAL"}"#), " us-east-1 -");
    }

    #[test]
    fn a_long_text_and_many_accounts_are_bounded() {
        let item = r#""awsAccountId":"1""#;
        for (before, found) in [(LOOKED_AT_MAX - item.len(), true), (LOOKED_AT_MAX, false)] {
            assert_eq!(told(&format!("{}{item}", " ".repeat(before))) == "1 - -", found);
        }
        for (count, told) in [(ACCOUNTS_MAX, ACCOUNTS_MAX), (ACCOUNTS_MAX + 1, 0)] {
            let items: Vec<String> =
                (0..count).map(|n| format!(r#"{{"awsAccountId":"{n}"}}"#)).collect();
            assert_eq!(salvage(&items.join(",")).accounts.len(), told);
        }
    }
}
