//! `AWS::EC2::PrefixList`: each list with its entries, AWS's own lists among them.

use palisade_aws::calls;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, camel, maybe, tags, text};

/// Prefix lists.
pub async fn prefix_lists(ask: Ask) -> Found {
    let call = &calls::DESCRIBE_MANAGED_PREFIX_LISTS;
    let mut lists = Vec::new();
    for list in ask.all(call, json!({})).await? {
        let id = text(&list, "PrefixListId").map_err(|why| ask.unread(call, why))?;
        let parameters = json!({"PrefixListId": id});
        let entries = ask.all(&calls::GET_MANAGED_PREFIX_LIST_ENTRIES, parameters).await?;
        lists.push(prefix_list(&list, entries).map_err(|why| ask.unread(call, why))?);
    }
    Ok(lists)
}

/// A list with these entries.
///
/// # Errors
/// It has no id, or tags in another form.
pub fn prefix_list(list: &Value, entries: Vec<Value>) -> Result<Described, String> {
    let mut configuration = camel(list);
    if let Some(body) = configuration.as_object_mut() {
        body.insert("entries".to_owned(), camel(&Value::Array(entries)));
    }
    Ok(Described {
        id: text(list, "PrefixListId")?,
        name: maybe(list, "PrefixListName"),
        arn: maybe(list, "PrefixListArn"),
        tags: Some(tags(list.get("Tags"))?),
        configuration,
        ..Described::default()
    })
}
