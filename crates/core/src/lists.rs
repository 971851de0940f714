//! Applications and protocols lists, which the managed options of content audits name: custom ones
//! of an administrator, and the AWS-managed ones, which nobody can change (semantics §6.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ident::ListId;
use crate::policy::{Quotas, Refusal, RefusalKind};

#[cfg(test)]
mod tests;

/// `AppsListData` of the model. Times are the caller's to add.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AppsList {
    /// `ListId`: absent in a request that creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_id: Option<String>,
    /// `ListName`, 1 to 128 characters.
    pub list_name: String,
    /// `ListUpdateToken`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_update_token: Option<String>,
    /// `AppsList`
    #[serde(rename = "AppsList")]
    pub apps: Vec<App>,
    /// `PreviousAppsList`: contents by version; ignored in requests, none for custom lists.
    #[serde(default, rename = "PreviousAppsList", skip_serializing_if = "Option::is_none")]
    pub previous: Option<BTreeMap<String, Vec<App>>>,
}

/// One application of a list (model `App`).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct App {
    /// `AppName`
    #[serde(rename = "AppName")]
    pub name: Box<str>,
    /// `Protocol`: a name or an IANA number as text.
    #[serde(rename = "Protocol")]
    pub protocol: Box<str>,
    /// `Port`, 0–65535.
    #[serde(rename = "Port")]
    pub port: u16,
}

/// `ProtocolsListData` of the model. Times are the caller's to add.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProtocolsList {
    /// `ListId`: absent in a request that creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_id: Option<String>,
    /// `ListName`, 1 to 128 characters.
    pub list_name: String,
    /// `ListUpdateToken`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_update_token: Option<String>,
    /// `ProtocolsList`: names or IANA numbers, kept as they came.
    #[serde(rename = "ProtocolsList")]
    pub protocols: Vec<String>,
    /// `PreviousProtocolsList`: contents by version; ignored in requests, none for custom lists.
    #[serde(default, rename = "PreviousProtocolsList", skip_serializing_if = "Option::is_none")]
    pub previous: Option<BTreeMap<String, Vec<String>>>,
}

/// Longest `ListName` and `AppName` (model `ResourceName`), in UTF-16 units.
pub const LIST_NAME_MAX: usize = 128;

/// Longest `Protocol` of the model, in UTF-16 units.
pub const PROTOCOL_TEXT_MAX: usize = 20;

/// Names that begin so, in any case, are AWS's.
const RESERVED_PREFIX: &str = "fms-";

impl AppsList {
    /// Checks a list that is put: names, protocols, and how many applications it has.
    pub fn check(&self, quotas: &Quotas) -> Result<(), Refusal> {
        check_list_name(&self.list_name)?;
        for (index, app) in self.apps.iter().enumerate() {
            check_length(&format!("AppsList[{index}].AppName"), &app.name, LIST_NAME_MAX)?;
            check_protocol(&format!("AppsList[{index}].Protocol"), &app.protocol)?;
        }
        crate::policy::within("applications of the list", self.apps.len(), quotas.apps_per_list_max)
    }
}

impl ProtocolsList {
    /// Checks a list that is put: name, protocols, and how many it has.
    pub fn check(&self, quotas: &Quotas) -> Result<(), Refusal> {
        check_list_name(&self.list_name)?;
        for (index, protocol) in self.protocols.iter().enumerate() {
            check_protocol(&format!("ProtocolsList[{index}]"), protocol)?;
        }
        crate::policy::within(
            "protocols of the list",
            self.protocols.len(),
            quotas.protocols_per_list_max,
        )
    }
}

fn check_list_name(name: &str) -> Result<(), Refusal> {
    check_length("ListName", name, LIST_NAME_MAX)?;
    let reserved = name
        .get(..RESERVED_PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(RESERVED_PREFIX));
    if reserved {
        return Err(Refusal::input(format!(
            "ListName begins with `{RESERVED_PREFIX}`, which is reserved for AWS-managed lists; \
             choose another name"
        )));
    }
    Ok(())
}

fn check_protocol(place: &str, text: &str) -> Result<(), Refusal> {
    check_length(place, text, PROTOCOL_TEXT_MAX)?;
    if protocol_number(text).is_none() {
        return Err(Refusal::input(format!(
            "{place} is `{text}`, which is not a protocol; give tcp, udp, icmp, icmpv6 or an IANA \
             protocol number of 0 to 255"
        )));
    }
    Ok(())
}

fn check_length(place: &str, text: &str, max: usize) -> Result<(), Refusal> {
    let length = text.encode_utf16().count();
    if length == 0 || length > max {
        return Err(Refusal::input(format!("{place} has {length} characters; give 1 to {max}")));
    }
    Ok(())
}

/// Refuses one more custom list than the quota, when `held` are there.
pub fn admit_another(what: &str, held: usize, max: u32) -> Result<(), Refusal> {
    if held >= usize::try_from(max).unwrap_or(usize::MAX) {
        return Err(Refusal {
            kind: RefusalKind::LimitExceeded,
            message: format!("{what}: {held} are there and the quota is {max}; delete one first"),
        });
    }
    Ok(())
}

/// The IANA number of a protocol given as a number or by name, in any case. An icmp of a list
/// does not cover icmpv6 (semantics §10 row 13): their numbers differ.
pub fn protocol_number(text: &str) -> Option<u8> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let name = text.to_ascii_lowercase();
    PROTOCOL_NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The four names that AWS writes, then other keywords of IANA's registry.
const PROTOCOL_NAMES: &[(&str, u8)] = &[
    ("tcp", 6),
    ("udp", 17),
    ("icmp", 1),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("igmp", 2),
    ("ipv4", 4),
    ("egp", 8),
    ("igp", 9),
    ("dccp", 33),
    ("ipv6", 41),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("eigrp", 88),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

/// An AWS-managed list of applications.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DefaultAppsList {
    /// Fixed id: AWS does not publish its own.
    pub id: ListId,
    /// `ListName`
    pub name: &'static str,
    /// Newest version first; a policy may pin one.
    pub versions: Vec<(&'static str, Vec<App>)>,
}

/// An AWS-managed list of protocols.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DefaultProtocolsList {
    /// Fixed id: AWS does not publish its own.
    pub id: ListId,
    /// `ListName`
    pub name: &'static str,
    /// Newest version first; a policy may pin one.
    pub versions: Vec<(&'static str, Vec<Box<str>>)>,
}

impl DefaultAppsList {
    /// Contents of the version asked for, or of the newest; `None` for a version that is not.
    pub fn apps(&self, version: Option<&str>) -> Option<&[App]> {
        at_version(&self.versions, version)
    }
}

impl DefaultProtocolsList {
    /// Contents of the version asked for, or of the newest; `None` for a version that is not.
    pub fn protocols(&self, version: Option<&str>) -> Option<&[Box<str>]> {
        at_version(&self.versions, version)
    }
}

fn at_version<'a, T>(
    versions: &'a [(&'static str, Vec<T>)],
    wanted: Option<&str>,
) -> Option<&'a [T]> {
    versions
        .iter()
        .find(|(version, _)| wanted.is_none_or(|wanted| wanted == *version))
        .map(|(_, contents)| contents.as_slice())
}

/// Ids of the AWS-managed lists: fixed, and the same in every installation.
const PUBLIC_APPS_ALLOWED: &str = "00000000-0000-4000-8000-00000000a001";
const PUBLIC_APPS_DENIED: &str = "00000000-0000-4000-8000-00000000a002";
const PROTOCOLS_ALLOWED: &str = "00000000-0000-4000-8000-00000000b001";

/// The AWS-managed applications lists, by name.
pub fn default_apps_lists() -> Vec<DefaultAppsList> {
    let list = |id: &str, name, apps: &[(&str, u16)]| {
        let apps = apps.iter().map(|(name, port)| App {
            name: (*name).into(),
            protocol: "TCP".into(),
            port: *port,
        });
        Some(DefaultAppsList {
            id: ListId::try_from(id).ok()?,
            name,
            versions: vec![("1", apps.collect())],
        })
    };
    [
        list(
            PUBLIC_APPS_ALLOWED,
            "FMS-Default-Public-Access-Apps-Allowed",
            &[("HTTP", 80), ("HTTPS", 443)],
        ),
        list(
            PUBLIC_APPS_DENIED,
            "FMS-Default-Public-Access-Apps-Denied",
            &[
                ("SSH", 22),
                ("Telnet", 23),
                ("RDP", 3389),
                ("SMB", 445),
                ("MySQL", 3306),
                ("MSSQL", 1433),
                ("PostgreSQL", 5432),
                ("Oracle", 1521),
                ("MongoDB", 27017),
                ("Redis", 6379),
            ],
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The AWS-managed protocols lists, by name.
pub fn default_protocols_lists() -> Vec<DefaultProtocolsList> {
    ListId::try_from(PROTOCOLS_ALLOWED)
        .ok()
        .map(|id| DefaultProtocolsList {
            id,
            name: "FMS-Default-Protocols-Allowed",
            versions: vec![("1", vec!["TCP".into(), "UDP".into()])],
        })
        .into_iter()
        .collect()
}
