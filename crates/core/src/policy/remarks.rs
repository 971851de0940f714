//! What whoever writes a policy should know of it although it is valid (semantics §11 rows 47, 49).

use std::collections::BTreeMap;

use super::{Document, unknown_members};

/// Unknown members that are told of one policy; of more, how many.
pub const UNKNOWN_MEMBERS_MAX: usize = 20;

/// In words: members of ManagedServiceData that nobody knows, and a tag filter that
/// nothing can meet.
pub fn remarks(document: &Document) -> Vec<String> {
    let unknown = unknown_members(document);
    let mut remarks = Vec::new();
    remarks.extend(unknown.iter().take(UNKNOWN_MEMBERS_MAX).map(|member| {
        // Policies name resource sets beside the data, AWS's messages say `resourceSetIds`.
        let place = match member.path.eq_ignore_ascii_case("ResourceSetIds") {
            true => {
                "; `ResourceSetIds` stands in the policy itself, beside SecurityServicePolicyData"
            }
            false => "",
        };
        format!(
            "in ManagedServiceData {member}{place}; it is kept and echoed, and judged by nobody"
        )
    }));
    let more = unknown.len().saturating_sub(UNKNOWN_MEMBERS_MAX);
    if more > 0 {
        remarks.push(format!("in ManagedServiceData {more} more members are not known"));
    }
    remarks.extend(unmeetable(document));
    remarks
}

/// All tags are asked for, and two values of one key are among them: no resource has both.
fn unmeetable(document: &Document) -> Option<String> {
    if document.resource_tag_logical_operator.as_deref() == Some("OR") {
        return None;
    }
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    let twice = document.resource_tags.iter().flatten().find(|tag| {
        let value = tag.value.as_deref().unwrap_or_default();
        *values.entry(&tag.key).or_insert(value) != value
    })?;
    let so = match document.exclude_resource_tags {
        true => "no resource is left out",
        false => "nothing is in scope",
    };
    Some(format!(
        "ResourceTags ask for two values of `{}` at once, which no resource has: {so}; \
         ResourceTagLogicalOperator `OR` asks for one of them",
        super::shown(&twice.key)
    ))
}
