//! The organization as AWS Organizations tells it: the whole tree or nothing.

use std::collections::BTreeMap;

use palisade_aws::{CallError, Client, Target, calls};
use palisade_core::organization::Organization;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::item::{maybe, text};

/// The service whose delegated administrator is Firewall Manager's.
pub const DELEGATED_SERVICE: &str = "fms.amazonaws.com";

/// Why the organization is not known: nothing of what was read is used then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unread {
    /// A call failed.
    #[error(transparent)]
    Call(Box<CallError>),
    /// What came does not hang together.
    #[error("what AWS Organizations answered does not hang together: {0}")]
    Told(String),
}

impl From<CallError> for Unread {
    fn from(error: CallError) -> Unread {
        Unread::Call(Box::new(error))
    }
}

/// Reads an organization: its accounts of every state, and where each is. The file is what `organization apply` takes.
///
/// The default administrator is named where exactly one account is delegated; the file of an organization with several
/// names none, since Organizations does not tell which of them is.
///
/// # Errors
/// When a call failed, or an account was in no place: it may have been moved meanwhile.
pub async fn read_organization(
    client: &Client,
    target: &Target,
) -> Result<(Organization, Value), Unread> {
    let ask = Ask::new(client.clone(), target.clone(), false);
    let head = ask.one(&calls::DESCRIBE_ORGANIZATION, json!({})).await?;
    let head = head.get("Organization").cloned().unwrap_or_default();
    let roots = ask.all(&calls::LIST_ROOTS, json!({})).await?;
    let units = units(&ask, &roots).await?;
    let accounts = accounts(&ask).await?;
    let delegated = delegated(&ask).await?;
    let mut file = json!({
        "Organization": head, "Roots": roots, "OrganizationalUnits": units, "Accounts": accounts,
    });
    if let ([only], Some(members)) = (delegated.as_slice(), file.as_object_mut()) {
        let id = maybe(only, "Id").map(Value::String);
        members.extend(id.map(|id| ("DefaultAdministrator".to_owned(), id)));
    }
    match Organization::parse(file.to_string().as_bytes()) {
        Ok(organization) => Ok((organization, file)),
        Err(error) => Err(Unread::Told(error.to_string())),
    }
}

/// The accounts that Firewall Manager is delegated to: none where Organizations does not know the service.
async fn delegated(ask: &Ask) -> Result<Vec<Value>, CallError> {
    let parameters = json!({"ServicePrincipal": DELEGATED_SERVICE});
    match ask.all(&calls::LIST_DELEGATED_ADMINISTRATORS, parameters).await {
        Err(error) if &*error.code == "InvalidInputException" => Ok(Vec::new()),
        answer => answer,
    }
}

/// Every unit, with the one above it.
async fn units(ask: &Ask, roots: &[Value]) -> Result<Vec<Value>, Unread> {
    let call = &calls::LIST_ORGANIZATIONAL_UNITS_FOR_PARENT;
    let mut above: Vec<String> = roots
        .iter()
        .map(|root| text(root, "Id"))
        .collect::<Result<_, _>>()
        .map_err(Unread::Told)?;
    let mut units = Vec::new();
    while let Some(parent) = above.pop() {
        for mut unit in ask.all(call, json!({"ParentId": parent})).await? {
            above.push(text(&unit, "Id").map_err(Unread::Told)?);
            place(&mut unit, &parent);
            units.push(unit);
        }
    }
    Ok(units)
}

/// Every account, with the unit or root above it: by its path, else by asking for its parent.
async fn accounts(ask: &Ask) -> Result<Vec<Value>, Unread> {
    let mut accounts = ask.all(&calls::LIST_ACCOUNTS, json!({})).await?;
    let mut asked: BTreeMap<String, String> = BTreeMap::new();
    for account in &mut accounts {
        let id = text(account, "Id").map_err(Unread::Told)?;
        let parent = match by_path(account) {
            Some(parent) => parent,
            None => parent_of(ask, &id).await?,
        };
        place(account, &parent);
        if asked.insert(id.clone(), parent).is_some() {
            return Err(Unread::Told(format!("account `{id}` came twice")));
        }
    }
    Ok(accounts)
}

fn place(member: &mut Value, parent: &str) {
    if let Some(members) = member.as_object_mut() {
        members.insert("ParentId".to_owned(), parent.into());
    }
}

/// The last unit or root of an account's only path: `o-1/r-1/ou-1/ou-2/`, where the account's own id may follow.
fn by_path(account: &Value) -> Option<String> {
    let paths = account.get("Paths")?.as_array()?;
    let [path] = paths.as_slice() else { return None };
    let parts = path.as_str()?.split('/').filter(|part| !part.is_empty());
    let mut places = parts.filter(|part| part.starts_with("ou-") || part.starts_with("r-"));
    places.next_back().map(str::to_owned)
}

async fn parent_of(ask: &Ask, id: &str) -> Result<String, Unread> {
    let parents = ask.all(&calls::LIST_PARENTS, json!({"ChildId": id})).await?;
    match parents.as_slice() {
        [parent] => text(parent, "Id").map_err(Unread::Told),
        _ => Err(Unread::Told(format!("account `{id}` has {} parents", parents.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_parent() {
        for (paths, parent) in [
            (json!(["o-1/r-1/ou-1/ou-2/"]), Some("ou-2")),
            (json!(["o-1/r-1/"]), Some("r-1")),
            (json!(["o-1/r-1/ou-1/111122223333/"]), Some("ou-1")),
            (json!(["o-1/r-1/", "o-1/r-1/ou-1/"]), None),
            (json!(["o-1/"]), None),
            (json!([]), None),
            (json!(null), None),
        ] {
            let told = by_path(&json!({"Paths": paths}));
            assert_eq!(told.as_deref(), parent, "{paths}");
        }
    }
}
