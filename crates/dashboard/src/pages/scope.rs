//! What a policy is about, in words.

use palisade_core::ident::{AccountId, OuId};
use palisade_core::organization::Organization;
use palisade_core::policy::Document;

/// Accounts in scope, in words: names of units and accounts as the organization has them.
pub fn accounts(document: &Document, organization: Option<&Organization>) -> String {
    let included = names(document.include_map.as_ref(), organization);
    let excluded = names(document.exclude_map.as_ref(), organization);
    match (included.as_slice(), excluded.as_slice()) {
        ([], []) => "all accounts".to_owned(),
        ([], excluded) => format!("all accounts but {}", listed(excluded)),
        (included, _) => format!("only {}", listed(included)),
    }
}

/// Types of resource and tags, in words.
pub fn resources(document: &Document) -> String {
    let types = match &document.resource_type_list {
        Some(types) if !types.is_empty() => types.join(", "),
        _ => document.resource_type.clone(),
    };
    let tags = document.resource_tags.as_deref().unwrap_or_default();
    let tags: Vec<String> = tags
        .iter()
        .map(|tag| match tag.value.as_deref().unwrap_or_default() {
            "" => tag.key.to_string(),
            value => format!("{}={value}", tag.key),
        })
        .collect();
    match (tags.is_empty(), document.exclude_resource_tags) {
        (true, _) => types,
        (false, true) => format!("{types}, but those tagged {}", tags.join(", ")),
        (false, false) => format!("{types}, those tagged {}", tags.join(", ")),
    }
}

type Map = std::collections::BTreeMap<String, Vec<String>>;

fn names(map: Option<&Map>, organization: Option<&Organization>) -> Vec<String> {
    let named = |kind: &str| map.and_then(|map| map.get(kind)).into_iter().flatten();
    let units = named("ORG_UNIT").map(|id| {
        let unit = OuId::try_from(id.as_str()).ok();
        let unit =
            unit.and_then(|id| organization?.units.get(&id).map(|unit| unit.name.to_string()));
        format!("unit {}", unit.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()))
    });
    let accounts = named("ACCOUNT").map(|id| {
        let known = AccountId::try_from(id.as_str()).ok();
        let known = known
            .and_then(|id| organization?.accounts.get(&id).map(|known| known.name.to_string()));
        format!("account {}", known.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()))
    });
    units.chain(accounts).collect()
}

/// The first few, and how many more.
fn listed(names: &[String]) -> String {
    const NAMES_MAX: usize = 3;
    let first = names.get(..NAMES_MAX).unwrap_or(names).join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
