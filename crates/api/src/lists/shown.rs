//! A list as answered, custom or AWS-managed.

use std::collections::BTreeMap;

use palisade_core::ident::ListId;
use palisade_core::lists::{self, default_apps_lists, default_protocols_lists};
use palisade_store::{ListContent, ListRecord};
use palisade_wire::shapes::{
    App, AppsListData, AppsListDataSummary, ProtocolsListData, ProtocolsListDataSummary,
};
use palisade_wire::{Fault, Timestamp};

use super::kind::Kind;
use crate::call::Call;
use crate::caller::Standing;
use crate::fault::internal;
use crate::mint;

/// What an answer tells of a list.
pub(super) struct Shown {
    pub id: ListId,
    pub arn: String,
    name: String,
    content: ListContent,
    /// Older contents by version, of AWS-managed lists alone.
    previous: Option<BTreeMap<String, ListContent>>,
    /// Token and times, of custom lists alone.
    changes: Option<Changes>,
}

struct Changes {
    token: String,
    created_ms: i64,
    updated_ms: i64,
}

impl Shown {
    /// A custom list.
    pub fn custom(call: &Call<'_>, record: &ListRecord) -> Shown {
        let partition = &call.app.settings.partition;
        let kind = Kind::of(&record.content);
        Shown {
            id: record.id.clone(),
            arn: mint::list_arn(partition, &record.region, &record.owner, kind.arn(), &record.id),
            name: record.name.clone(),
            content: record.content.clone(),
            previous: None,
            changes: Some(Changes {
                token: record.token.clone(),
                created_ms: record.created_ms,
                updated_ms: record.updated_ms,
            }),
        }
    }

    /// The AWS-managed lists of a kind. Their ARNs carry the asking administrator's account.
    pub fn defaults(call: &Call<'_>, standing: &Standing, kind: Kind) -> Vec<Shown> {
        let partition = &call.app.settings.partition;
        let shown = |id: ListId, name: &str, mut versions: Vec<(&'static str, ListContent)>| {
            if versions.is_empty() {
                return None;
            }
            let (_, content) = versions.remove(0);
            let older = versions.into_iter().map(|(version, old)| (version.to_owned(), old));
            Some(Shown {
                arn: mint::list_arn(
                    partition,
                    &standing.region,
                    &standing.account,
                    kind.arn(),
                    &id,
                ),
                id,
                name: name.to_owned(),
                content,
                previous: Some(older.collect()),
                changes: None,
            })
        };
        match kind {
            Kind::Apps => default_apps_lists()
                .into_iter()
                .filter_map(|list| {
                    let apps = |(version, apps)| (version, ListContent::Apps(apps));
                    shown(list.id, list.name, list.versions.into_iter().map(apps).collect())
                })
                .collect(),
            Kind::Protocols => default_protocols_lists()
                .into_iter()
                .filter_map(|list| {
                    let protocols = |(version, names)| (version, ListContent::Protocols(names));
                    shown(list.id, list.name, list.versions.into_iter().map(protocols).collect())
                })
                .collect(),
        }
    }

    /// Where it stands among its kind: by age, then id.
    pub fn place(&self) -> String {
        let created_ms = self.changes.as_ref().map_or(0, |changes| changes.created_ms);
        format!("{created_ms:020} {}", self.id)
    }

    /// `AppsListData`
    pub fn apps(self) -> Result<AppsListData, Fault> {
        let previous = match self.previous {
            Some(previous) => Some(
                previous
                    .into_iter()
                    .map(|(version, content)| Ok((version, apps(content)?)))
                    .collect::<Result<_, Fault>>()?,
            ),
            None => None,
        };
        let changes = self.changes;
        Ok(AppsListData {
            apps_list: apps(self.content)?,
            create_time: changes.as_ref().map(|c| Timestamp::from_millis(c.created_ms)),
            last_update_time: changes.as_ref().map(|c| Timestamp::from_millis(c.updated_ms)),
            list_id: Some(self.id.to_string()),
            list_name: self.name,
            list_update_token: changes.map(|c| c.token),
            previous_apps_list: previous,
        })
    }

    /// `ProtocolsListData`
    pub fn protocols(self) -> Result<ProtocolsListData, Fault> {
        let previous = match self.previous {
            Some(previous) => Some(
                previous
                    .into_iter()
                    .map(|(version, content)| Ok((version, protocols(content)?)))
                    .collect::<Result<_, Fault>>()?,
            ),
            None => None,
        };
        let changes = self.changes;
        Ok(ProtocolsListData {
            protocols_list: protocols(self.content)?,
            create_time: changes.as_ref().map(|c| Timestamp::from_millis(c.created_ms)),
            last_update_time: changes.as_ref().map(|c| Timestamp::from_millis(c.updated_ms)),
            list_id: Some(self.id.to_string()),
            list_name: self.name,
            list_update_token: changes.map(|c| c.token),
            previous_protocols_list: previous,
        })
    }

    /// `AppsListDataSummary`
    pub fn apps_summary(self) -> Result<AppsListDataSummary, Fault> {
        Ok(AppsListDataSummary {
            apps_list: Some(apps(self.content)?),
            list_arn: Some(self.arn),
            list_id: Some(self.id.to_string()),
            list_name: Some(self.name),
        })
    }

    /// `ProtocolsListDataSummary`
    pub fn protocols_summary(self) -> Result<ProtocolsListDataSummary, Fault> {
        Ok(ProtocolsListDataSummary {
            protocols_list: Some(protocols(self.content)?),
            list_arn: Some(self.arn),
            list_id: Some(self.id.to_string()),
            list_name: Some(self.name),
        })
    }
}

fn apps(content: ListContent) -> Result<Vec<App>, Fault> {
    let app = |app: lists::App| App {
        app_name: app.name.into(),
        port: i64::from(app.port),
        protocol: app.protocol.into(),
    };
    match content {
        ListContent::Apps(apps) => Ok(apps.into_iter().map(app).collect()),
        ListContent::Protocols(_) => Err(internal("a protocols list was read as applications")),
    }
}

fn protocols(content: ListContent) -> Result<Vec<String>, Fault> {
    match content {
        ListContent::Protocols(names) => Ok(names.into_iter().map(Into::into).collect()),
        ListContent::Apps(_) => Err(internal("an applications list was read as protocols")),
    }
}
