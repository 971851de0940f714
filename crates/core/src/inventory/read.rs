//! One item's raw text becomes an [`super::Observation`], or a reason why it cannot.

mod association;
mod classic_acl;
mod dns_association;
mod firewall;
mod moment;
mod network;
mod network_acl;
mod plain;
mod protection;
mod recorder;
mod route_table;
mod security_group;
pub(super) mod shape;
mod source;
mod tags;
mod vpc;
mod web_acl;

pub(super) use moment::{file_name_ms, moment_ms, usual_ms};
pub(super) use source::{Embedded, embedded, parse};

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::ident::{AccountId, Region, ResourceId, ResourceType};

use super::missed::{Lost, Sort, may_be_global, region_told, type_told};
use super::outline::{Field, Outline, any};
use super::region::region_named;
use super::salvage::salvage;
use super::{Body, Item, ItemKey, Observation, Version};
use shape::{IdText, Repeated, TWICE, Text, shape};
use source::{Source, is_text, reason};
use tags::{TagMap, listed_tags};

pub(super) use tags::{are_tags, plain_pairs};

shape! {
    /// The fields of an item, by the names of both dialects (formats §2), in whatever form.
    loose AnyFields {
        account: IdText<'a> = "awsAccountId" | "accountId",
        region: IdText<'a> = "awsRegion",
        resource_type: Text<'a> = "resourceType",
        id: Text<'a> = "resourceId",
        name: &'a RawValue = "resourceName",
        arn: &'a RawValue = "ARN",
        captured: &'a RawValue = "configurationItemCaptureTime",
        status: Text<'a> = "configurationItemStatus",
        change: Text<'a> = "changeType",
        state: &'a RawValue = "configurationStateId",
        tags: &'a RawValue = "tags",
        relationships: &'a RawValue = "relationships",
        configuration: &'a RawValue = "configuration",
        supplementary: &'a RawValue = "supplementaryConfiguration",
    }
}

/// The fields of an item: what tells its key decoded, the rest as raw JSON.
#[derive(Debug, Default)]
struct Fields<'a> {
    account: Option<Cow<'a, str>>,
    region: Option<Cow<'a, str>>,
    resource_type: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    name: Option<&'a str>,
    arn: Option<&'a str>,
    captured: Option<&'a str>,
    status: Option<Cow<'a, str>>,
    change: Option<Cow<'a, str>>,
    state: Option<&'a str>,
    tags: Option<&'a str>,
    relationships: Option<&'a str>,
    configuration: Option<&'a str>,
    supplementary: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// The long way: any form, and the error where it breaks off.
    fn of_any(text: &'a str) -> serde_json::Result<Fields<'a>> {
        let any: AnyFields<'a> = serde_json::from_str(text)?;
        Ok(Fields {
            account: any.account.map(IdText::into_cow),
            region: any.region.map(IdText::into_cow),
            resource_type: any.resource_type.map(Text::into_cow),
            id: any.id.map(Text::into_cow),
            name: any.name.map(RawValue::get),
            arn: any.arn.map(RawValue::get),
            captured: any.captured.map(RawValue::get),
            status: any.status.map(Text::into_cow),
            change: any.change.map(Text::into_cow),
            state: any.state.map(RawValue::get),
            tags: any.tags.map(RawValue::get),
            relationships: any.relationships.map(RawValue::get),
            configuration: any.configuration.map(RawValue::get),
            supplementary: any.supplementary.map(RawValue::get),
        })
    }

    /// Forgets what tells the key under one of these names.
    fn forget(&mut self, names: &[String]) {
        for name in names {
            let is = |one: &str| name.eq_ignore_ascii_case(one);
            if is("awsAccountId") || is("accountId") {
                self.account = None;
            } else if is("awsRegion") {
                self.region = None;
            } else if is("resourceType") {
                self.resource_type = None;
            } else if is("resourceId") {
                self.id = None;
            } else if is("configurationItemCaptureTime") {
                self.captured = None;
            } else if is("configurationStateId") {
                self.state = None;
            }
        }
    }

    /// What tells the key, as far as it is plain text.
    fn salvaged(outline: &Outline<'a>) -> Fields<'a> {
        let text = |raw: Option<&'a str>| raw.and_then(plain_text);
        Fields {
            account: text(outline.text(Field::Account)),
            region: text(outline.text(Field::Region)),
            resource_type: text(outline.text(Field::Type)),
            id: text(outline.text(Field::Id)),
            captured: outline.text(Field::Captured),
            state: outline.text(Field::State),
            ..Fields::default()
        }
    }

    /// The short way; `None` when what tells the key is not plain text.
    fn of_outline(outline: &Outline<'a>) -> Option<Fields<'a>> {
        let of = outline.texts()?;
        let text = |field| match of(field) {
            None => Some(None),
            Some(raw) => plain_text(raw).map(Some),
        };
        Some(Fields {
            account: text(Field::Account)?,
            region: text(Field::Region)?,
            resource_type: text(Field::Type)?,
            id: text(Field::Id)?,
            name: of(Field::Name),
            arn: of(Field::Arn),
            captured: of(Field::Captured),
            status: text(Field::Status)?,
            change: text(Field::Change)?,
            state: of(Field::State),
            tags: of(Field::Tags),
            relationships: of(Field::Relationships),
            configuration: of(Field::Configuration),
            supplementary: of(Field::Supplementary),
        })
    }
}

/// The inside of a string without escapes.
fn plain_text(raw: &str) -> Option<Cow<'_, str>> {
    let text = raw.strip_prefix('"')?.strip_suffix('"')?;
    (!any(text.as_bytes(), |byte| byte == b'\\')).then_some(Cow::Borrowed(text))
}

/// An item that could not be read, with what of it could.
#[derive(Debug, Default)]
pub(super) struct Unread {
    pub reason: String,
    pub resource_id: Option<String>,
    /// What is readable of its key and version.
    pub lost: Box<Lost>,
    /// When its key and version are readable: that the resource exists and cannot be judged. Left
    /// out, it would count as gone, or as complying.
    pub shadow: Option<Box<Observation>>,
    /// That a `global` resource is not recorded: it holds only where us-east-1's recorder tells it
    /// (semantics §11 row 45). There is nothing wrong with the item then.
    pub unrecorded: Option<Box<Observation>>,
}

/// Which form an item has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// A configuration item, in either dialect.
    Whole,
    /// A row of a query result: it tells what was selected.
    Row,
    /// `configurationItemSummary` of an oversized notification: no body, so what it is now is
    /// unknown until the notification itself is fetched.
    Summary,
}

/// Reads one raw configuration item in either dialect (formats §2, §3, §9).
///
/// A body that lacks what its type is judged by is an error, never a guess.
///
/// # Errors
/// One line that says which field is wrong and how.
pub fn read_item(raw: &[u8]) -> Result<Observation, String> {
    read(raw, Form::Whole).or_else(|unread| match unread.unrecorded {
        Some(unrecorded) => Ok(*unrecorded),
        None => Err(unread.reason),
    })
}

/// Reads one raw item; an item that cannot be read tells what of it could.
pub(super) fn read(raw: &[u8], form: Form) -> Result<Observation, Unread> {
    match std::str::from_utf8(raw) {
        Ok(text) => read_text(text, form),
        Err(error) => {
            let reason = format!("not UTF-8 at byte {} of the item", error.valid_up_to());
            Err(match read_text(&String::from_utf8_lossy(raw), form) {
                Ok(seen) => Unread {
                    reason,
                    resource_id: Some(seen.item.key.id.to_string()),
                    shadow: Some(Box::new(unseen(seen))),
                    ..Unread::default()
                },
                Err(unread) => Unread { reason, ..unread },
            })
        }
    }
}

pub(super) fn unseen(mut seen: Observation) -> Observation {
    if seen.item.body != Body::Deleted {
        seen.item.body = Body::Unseen;
        forget_unseen_tags(&mut seen.item);
    }
    seen
}

/// Reads an item of which the outline is known; `None` when that does not suffice.
pub(super) fn read_outline(
    outline: &Outline<'_>,
    form: Form,
) -> Option<Result<Observation, Unread>> {
    Fields::of_outline(outline).map(|fields| read_fields(&fields, form))
}

/// What can be told of an item that could not be read by what its outline finds: where the fault
/// lies behind its key, the key still counts.
pub(super) fn salvaged(outline: &Outline<'_>, unread: Unread) -> Unread {
    let is_known = unread.shadow.is_some() || unread.unrecorded.is_some();
    if is_known || unread.resource_id.is_some() {
        return unread;
    }
    let fields = Fields::salvaged(outline);
    let resource_id = fields.id.as_deref().map(str::to_owned);
    match identify(&fields) {
        Ok(seen) => Unread { resource_id, shadow: Some(Box::new(unseen(seen))), ..unread },
        Err(_) => Unread { resource_id, lost: Box::new(lost(&fields)), ..unread },
    }
}

fn read_text(text: &str, form: Form) -> Result<Observation, Unread> {
    match Fields::of_any(text) {
        Ok(fields) => match serde_json::from_str(text) {
            Ok(Repeated(names)) if !names.is_empty() => Err(Unread::repeating(&names, fields)),
            _ => read_fields(&fields, form),
        },
        Err(error) => Err(Unread { reason: reason(&error), ..Unread::of_text(text) }),
    }
}

impl Unread {
    /// An item in which members stand twice: what else tells its key counts.
    fn repeating(names: &[String], mut fields: Fields<'_>) -> Unread {
        let name = names.first().map(String::as_str).unwrap_or_default();
        let reason = format!("`{name}` {TWICE}");
        fields.forget(names);
        let resource_id = fields.id.as_deref().map(str::to_owned);
        match identify(&fields) {
            Ok(seen) => {
                Unread { reason, resource_id, shadow: Some(Box::new(seen)), ..Unread::default() }
            }
            Err(_) => {
                Unread { reason, resource_id, lost: Box::new(lost(&fields)), ..Unread::default() }
            }
        }
    }

    /// What can be told of a text that is no item.
    pub fn of_text(text: &str) -> Unread {
        let lost = Lost { sort: salvage(text), captured_ms: None };
        Unread { lost: Box::new(lost), ..Unread::default() }
    }
}

fn read_fields(fields: &Fields<'_>, form: Form) -> Result<Observation, Unread> {
    let resource_id = || fields.id.as_deref().map(str::to_owned);
    let mut seen = match identify(fields) {
        Ok(seen) => seen,
        Err(reason) => {
            return Err(Unread {
                reason,
                resource_id: resource_id(),
                lost: Box::new(lost(fields)),
                ..Unread::default()
            });
        }
    };
    match describe(fields, form, &mut seen.item) {
        Ok(Presence::NotRecorded) if seen.global => {
            Err(Unread { unrecorded: Some(Box::new(seen)), ..Unread::default() })
        }
        Ok(_) => Ok(seen),
        Err(reason) => {
            // What AWS cannot have written leaves nothing out by its tags.
            seen.item.tags = seen.item.tags.filter(|_| !reason.contains(TWICE));
            Err(Unread {
                reason,
                resource_id: resource_id(),
                shadow: Some(Box::new(unseen(seen))),
                ..Unread::default()
            })
        }
    }
}

/// Key and version: enough to say that the resource is there.
fn identify(fields: &Fields<'_>) -> Result<Observation, String> {
    let account = required(&fields.account, "awsAccountId")?;
    let region = required(&fields.region, "awsRegion")?;
    let resource_type = required(&fields.resource_type, "resourceType")?;
    let id = required(&fields.id, "resourceId")?;
    let global = region.eq_ignore_ascii_case("global");
    let account = AccountId::try_from(account).map_err(|error| error.to_string())?;
    let region = match global {
        true => Region::home_of_global(),
        false => region_named(region)?,
    };
    let resource_type = ResourceType::try_from(resource_type).map_err(|error| error.to_string())?;
    if type_told(resource_type.as_str()).is_none() {
        return Err(format!(
            "`resourceType` is not one such as `AWS::EC2::VPC`: `{resource_type}`"
        ));
    }
    if global && !may_be_global(&resource_type) {
        return Err(format!("`awsRegion` is `global`, where no {resource_type} can be"));
    }
    let key = ItemKey {
        account,
        region,
        resource_type,
        id: ResourceId::try_from(id).map_err(|error| error.to_string())?,
    };
    let item = Item {
        key,
        version: version(fields)?,
        name: None,
        arn: None,
        tags: None,
        body: Body::Unseen,
        unseen_since: None,
        told_beside: None,
    };
    Ok(Observation { item, global, is_ahead: false })
}

/// What is readable of an item that [`identify`] refuses.
fn lost(fields: &Fields<'_>) -> Lost {
    let text = |field: &Option<Cow<'_, str>>| field.as_deref().map(str::to_owned);
    let resource_type = fields.resource_type.as_deref().and_then(type_told);
    let region = fields.region.as_deref();
    let region = region.and_then(|text| region_told(text, resource_type.as_ref()));
    let account = text(&fields.account).and_then(|text| AccountId::try_from(text).ok());
    Lost {
        sort: Sort {
            accounts: account.into_iter().collect(),
            region,
            resource_type,
            id: text(&fields.id).and_then(|text| ResourceId::try_from(text).ok()),
        },
        captured_ms: version(fields).ok().map(|version| version.captured_ms),
    }
}

fn required<'t>(field: &'t Option<Cow<'_, str>>, name: &str) -> Result<&'t str, String> {
    field.as_deref().ok_or_else(|| format!("`{name}` is missing"))
}

fn version(fields: &Fields<'_>) -> Result<Version, String> {
    let state = fields.state.and_then(state_id);
    let captured_ms = match fields.captured {
        Some(raw) => Some(moment::moment_ms(raw).ok_or_else(|| {
            let shown: String = raw.chars().take(80).collect();
            format!("`configurationItemCaptureTime` is not a time: `{shown}`")
        })?),
        None => state.and_then(moment::plausible_ms),
    };
    let captured_ms = captured_ms.ok_or(
        "`configurationItemCaptureTime` is missing and `configurationStateId` is not a time: \
         which of two states is newer could not be told",
    )?;
    Ok(Version { state, captured_ms })
}

/// The order number: decimal, as a number, a float or text. 0 is how summaries say that they have
/// none; a UUID is none either, nor is a number past every time: believed, no later state could
/// ever supersede it.
pub(super) fn state_id(raw: &str) -> Option<u64> {
    let any_form = || {
        let text = raw.trim_matches('"');
        text.parse().ok().or_else(|| u64::try_from(shape::whole(text)?).ok())
    };
    let state = raw.parse().ok().or_else(any_form);
    state.filter(|state| (1..moment::STATES_END).contains(state))
}

/// Name, ARN, tags and body.
fn describe(fields: &Fields<'_>, form: Form, item: &mut Item) -> Result<Presence, String> {
    item.name = plain(fields.name);
    item.arn = plain(fields.arn);
    let presence = presence(fields)?;
    if presence == Presence::Deleted {
        item.body = Body::Deleted;
    }
    if let Some(raw) = fields.tags {
        let tags: TagMap = parse("tags", raw)?;
        item.tags = tags.0;
    }
    let reader = reader_of(&item.key.resource_type);
    let bodiless = presence == Presence::Deleted || form == Form::Summary;
    if bodiless || (presence == Presence::Exists && reader.is_none() && fields.tags.is_some()) {
        if presence == Presence::Exists && form != Form::Summary {
            item.body = Body::Unwanted;
        }
        forget_unseen_tags(item);
        return Ok(presence);
    }
    let configuration = match fields.configuration {
        Some(raw) => embedded("configuration", raw)?,
        None => None,
    };
    let supplementary = match fields.supplementary {
        Some(raw) => embedded("supplementaryConfiguration", raw)?,
        None => None,
    };
    let source = Source {
        item,
        configuration: configuration.as_ref().map_or("{}", Embedded::json),
        supplementary: supplementary.as_ref().map_or("{}", Embedded::json),
        relationships: fields.relationships,
        is_json: !(is_text(&configuration) || is_text(&supplementary)),
        is_row: form == Form::Row,
    };
    let tags = match fields.tags {
        Some(_) => None,
        None => Some(listed_tags(&source)),
    };
    let body = match reader {
        _ if presence == Presence::NotRecorded => Body::Unseen,
        None => Body::Unwanted,
        Some(_) if configuration.is_none() => Body::Unseen,
        Some(read) => read(&source)?,
    };
    match tags {
        Some(Ok(tags)) => item.tags = tags,
        // Bodies that nobody reads may call anything `tags`.
        Some(Err(reason)) if reader.is_some() => return Err(reason),
        Some(Err(_)) | None => {}
    }
    item.body = body;
    forget_unseen_tags(item);
    Ok(presence)
}

/// States without a configuration write an empty map of tags, whatever the tags are: it tells nothing.
fn forget_unseen_tags(item: &mut Item) {
    if item.body.is_unseen() {
        item.tags = item.tags.take().filter(|tags| !tags.is_empty());
    }
}

/// `resourceName` and `ARN` are shown to people and never decide: anything but text is none.
fn plain(raw: Option<&str>) -> Option<Box<str>> {
    let raw = raw?;
    let text = match plain_text(raw) {
        Some(text) => text,
        None => serde_json::from_str(raw).ok()?,
    };
    (!text.is_empty()).then(|| text.into())
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Presence {
    Exists,
    NotRecorded,
    Deleted,
}

/// `configurationItemStatus`, with the four values of its first years; a query row without it is of
/// a resource that exists. A summary may tell a deletion by `changeType` alone.
fn presence(fields: &Fields<'_>) -> Result<Presence, String> {
    let is = |field: &Option<Cow<'_, str>>, any: &[&str]| {
        let text = field.as_deref().unwrap_or_default();
        any.iter().any(|one| text.eq_ignore_ascii_case(one))
    };
    if is(&fields.change, &["DELETE"])
        || is(&fields.status, &["ResourceDeleted", "ResourceDeletedNotRecorded", "Deleted"])
    {
        Ok(Presence::Deleted)
    } else if is(&fields.status, &["OK", "ResourceDiscovered", "Discovered", ""]) {
        Ok(Presence::Exists)
    } else if is(&fields.status, &["ResourceNotRecorded", "Failed"]) {
        Ok(Presence::NotRecorded)
    } else {
        let status = fields.status.as_deref().unwrap_or_default();
        Err(format!("`configurationItemStatus` is unknown: `{status}`"))
    }
}

type Reader = fn(&Source<'_>) -> Result<Body, String>;

/// Whether somebody reads the bodies of a type, given as raw JSON. In doubt they do.
pub(super) fn is_read(raw: &str) -> bool {
    let name = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let of_name = |name: &str| ResourceType::try_from(name).is_ok_and(|t| !is_type_read(&t));
    !name.is_some_and(of_name)
}

/// Whether somebody reads the bodies of a type.
pub(super) fn is_type_read(resource_type: &ResourceType) -> bool {
    reader_of(resource_type).is_some()
}

/// The reader of a type's body; `None` for types that no evaluator reads.
fn reader_of(resource_type: &ResourceType) -> Option<Reader> {
    const READERS: &[(ResourceType, Reader)] = &[
        (ResourceType::SECURITY_GROUP, security_group::read),
        (ResourceType::NETWORK_INTERFACE, network::read_interface),
        (ResourceType::INSTANCE, network::read_instance),
        (ResourceType::SECURITY_GROUP_VPC_ASSOCIATION, network::read_group_association),
        (ResourceType::NETWORK_ACL, network_acl::read_acl),
        (ResourceType::SUBNET, network::read_subnet),
        (ResourceType::VPC, vpc::read_vpc),
        (ResourceType::VPC_PEERING_CONNECTION, vpc::read_peering),
        (ResourceType::DNS_FIREWALL_ASSOCIATION, dns_association::read),
        (ResourceType::ROUTE_TABLE, route_table::read_table),
        (ResourceType::INTERNET_GATEWAY, route_table::read_gateway),
        (ResourceType::VPC_ENDPOINT, route_table::read_endpoint),
        (ResourceType::NETWORK_FIREWALL, firewall::read_firewall),
        (ResourceType::NETWORK_FIREWALL_POLICY, firewall::read_policy),
        (ResourceType::PREFIX_LIST, network::read_prefix_list),
        (ResourceType::LOAD_BALANCER, association::read_load_balancer),
        (ResourceType::CLASSIC_LOAD_BALANCER, association::read_classic),
        (ResourceType::API_GATEWAY_STAGE, association::read_stage),
        (ResourceType::CLOUDFRONT_DISTRIBUTION, association::read_distribution),
        (ResourceType::WAFV2_WEB_ACL, web_acl::read),
        (ResourceType::WAF_WEB_ACL, classic_acl::read),
        (ResourceType::WAF_REGIONAL_WEB_ACL, classic_acl::read),
        (ResourceType::SHIELD_PROTECTION, protection::read),
        (ResourceType::SHIELD_REGIONAL_PROTECTION, protection::read),
        (ResourceType::CONFIGURATION_RECORDER, recorder::read),
    ];
    READERS.iter().find(|(wanted, _)| wanted == resource_type).map(|(_, reader)| *reader)
}

#[cfg(test)]
mod tests;
