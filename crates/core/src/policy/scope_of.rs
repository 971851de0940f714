//! The scope of a document: resource types, accounts, tags (semantics §4).

use std::collections::BTreeMap;

use super::{Document, PolicyType, Refusal, shown};
use crate::ident::{AccountId, OuId, Region, ResourceType};
use crate::scope::{AccountScope, AccountSet, Scope, TagScope};

/// `ResourceType` of a policy whose types are in `ResourceTypeList`.
const LIST: &str = "ResourceTypeList";

/// Most `ResourceTags` of a policy (model); the quota is lower.
pub(super) const RESOURCE_TAGS_MAX: usize = 50;

/// Reads the scope; ids are checked for their form alone.
pub(super) fn scope_of(
    document: &Document,
    policy_type: PolicyType,
    region: &Region,
) -> Result<Scope, Refusal> {
    let include = account_set("IncludeMap", document.include_map.as_ref())?;
    let exclude = account_set("ExcludeMap", document.exclude_map.as_ref())?;
    let accounts = if !include.is_empty() {
        AccountScope::Only(include)
    } else if !exclude.is_empty() {
        AccountScope::AllBut(exclude)
    } else {
        AccountScope::Everyone
    };
    Ok(Scope {
        accounts,
        resource_types: resource_types(document, policy_type, region)?,
        tags: tags(document)?,
    })
}

/// The ids of one map; empty lists and an absent map name nobody.
pub(super) fn account_set(
    member: &str,
    map: Option<&BTreeMap<String, Vec<String>>>,
) -> Result<AccountSet, Refusal> {
    let mut set = AccountSet::default();
    for (key, ids) in map.into_iter().flatten() {
        match key.as_str() {
            "ACCOUNT" => {
                for id in ids {
                    set.accounts.insert(
                        AccountId::try_from(id.as_str())
                            .map_err(|error| bad_id(member, key, &error))?,
                    );
                }
            }
            "ORG_UNIT" => {
                for id in ids {
                    set.units.insert(
                        OuId::try_from(id.as_str()).map_err(|error| bad_id(member, key, &error))?,
                    );
                }
            }
            other => {
                let hint = match other.to_ascii_uppercase().replace(['_', '-', ' '], "").as_str() {
                    "ORGUNIT" | "ORGUNITS" | "OU" => "write `ORG_UNIT`",
                    "ACCOUNT" | "ACCOUNTS" => "write `ACCOUNT`",
                    _ => "the keys are `ACCOUNT` and `ORG_UNIT`",
                };
                return Err(Refusal::input(format!(
                    "`{}` is not a key of {member}; {hint}",
                    shown(other)
                )));
            }
        }
    }
    Ok(set)
}

fn bad_id(member: &str, key: &str, error: &crate::ident::IdentError) -> Refusal {
    Refusal::input(format!("{member}.{key}: {error}; correct or remove it"))
}

fn resource_types(
    document: &Document,
    policy_type: PolicyType,
    region: &Region,
) -> Result<Vec<ResourceType>, Refusal> {
    let list = document.resource_type_list.as_deref().unwrap_or_default();
    let one = document.resource_type.as_str();
    if one == LIST {
        if list.is_empty() {
            return Err(Refusal::input(
                "ResourceType is `ResourceTypeList` and ResourceTypeList is empty; list the \
                 resource types there",
            ));
        }
        refuse_distribution_in_list(list, policy_type, region)?;
        let mut types: Vec<ResourceType> = Vec::new();
        for (index, text) in list.iter().enumerate() {
            let named = allowed(text, policy_type, &format!("ResourceTypeList[{index}]"))?;
            if !types.contains(&named) {
                types.push(named);
            }
        }
        return Ok(types);
    }
    // A list beside a concrete type is ignored when it says nothing else (semantics §4.2).
    if list.iter().any(|text| text != one) {
        return Err(Refusal::input(format!(
            "ResourceType is `{}` and ResourceTypeList names other types; set ResourceType to \
             `ResourceTypeList` or leave the list out",
            shown(one)
        )));
    }
    Ok(vec![allowed(one, policy_type, "ResourceType")?])
}

/// Texts of semantics §8.2.
fn refuse_distribution_in_list(
    list: &[String],
    policy_type: PolicyType,
    region: &Region,
) -> Result<(), Refusal> {
    let distribution = ResourceType::CLOUDFRONT_DISTRIBUTION;
    if !list.iter().any(|text| text == distribution.as_str()) {
        return Ok(());
    }
    let global = region.as_str() == Region::HOME_OF_GLOBAL;
    Err(Refusal::input(match policy_type.facts().unsupported_type {
        Some(unsupported) if !global => format!("{unsupported} {distribution}"),
        Some(_) | None => format!(
            "Resource [\"{distribution}\"] can not be in the CoralResourceTypeList, use \
             CoralResourceType instead."
        ),
    }))
}

fn allowed(text: &str, policy_type: PolicyType, place: &str) -> Result<ResourceType, Refusal> {
    let known = policy_type.resource_types();
    if let Some(named) = known.iter().find(|named| named.as_str() == text) {
        return Ok(named.clone());
    }
    if let Some(unsupported) = policy_type.facts().unsupported_type {
        return Err(Refusal::input(format!("{unsupported} {}", shown(text))));
    }
    let names: Vec<&str> = known.iter().map(ResourceType::as_str).collect();
    Err(Refusal::input(format!(
        "`{}` in {place} is not a resource type of {} policies; use {}",
        shown(text),
        policy_type.as_str(),
        names.join(", ")
    )))
}

fn tags(document: &Document) -> Result<TagScope, Refusal> {
    let tags = document.resource_tags.as_deref().unwrap_or_default();
    if tags.len() > RESOURCE_TAGS_MAX {
        return Err(Refusal::input(format!(
            "ResourceTags has {} tags; give at most {RESOURCE_TAGS_MAX}",
            tags.len()
        )));
    }
    if let Some(index) = tags.iter().position(|tag| tag.key.is_empty()) {
        return Err(Refusal::input(format!("ResourceTags[{index}].Key is empty; give a key")));
    }
    let any = match document.resource_tag_logical_operator.as_deref() {
        None | Some("AND") => false,
        Some("OR") => true,
        Some(other) => {
            return Err(Refusal::input(format!(
                "ResourceTagLogicalOperator is AND or OR, not `{}`",
                shown(other)
            )));
        }
    };
    Ok(TagScope {
        tags: tags
            .iter()
            .map(|tag| (tag.key.as_str().into(), tag.value.as_deref().unwrap_or_default().into()))
            .collect(),
        exclude: document.exclude_resource_tags,
        any,
    })
}
