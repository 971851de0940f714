//! `SECURITY_GROUPS_CONTENT_AUDIT`: what rules of security groups may say (semantics §5.5).

use super::Refusal;
use super::facts::{Count, DependentService, Facts};
use super::nearest::nearest;
use super::security_groups::GROUP_ID;
use super::shape::Shape::{Any, Flag, List, ListOrNull, Object, Text, TextOrObject, Whole};
use super::shape::{Node, Shape, TYPE, TYPED};
use crate::ident::{ListId, ResourceId, ResourceType};

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    may_begin_remediating: false,
    check_put: check_audits_something,
    ..Facts::new(
        "SECURITY_GROUPS_CONTENT_AUDIT",
        &[ResourceType::INSTANCE, ResourceType::NETWORK_INTERFACE, ResourceType::SECURITY_GROUP],
        DependentService::Vpc,
        &DATA,
    )
};

static DATA: Shape = Object(&[
    TYPE,
    ("securityGroups", ListOrNull(&GROUP_ID)),
    ("securityGroupAction", TextOrObject(&[TYPE, ("excludeRules", List(&Any))])),
    (
        "preManagedOptions",
        ListOrNull(&Object(&[
            ("denyProtocolAllValue", Flag),
            ("allowedProtocolsLists", LIST_REFERENCE),
            ("deniedPublicAccessAppLists", LIST_REFERENCE),
            ("allowedPublicAccessAppLists", LIST_REFERENCE),
            ("allowedPortCountPerSgRule", Whole),
            ("minIpv4CidrPrefixLenPerSgRule", Whole),
            ("minIpv6CidrPrefixLenPerSgRule", Whole),
            ("auditSgDirection", TYPED),
        ])),
    ),
]);

const LIST_REFERENCE: Shape = Object(&[
    ("customListIds", List(&Text)),
    ("defaultListId", Text),
    ("defaultListVersion", Text),
]);

/// A content audit: an audit group (custom mode), managed options, or managed options with the
/// audit group as override.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContentAudit {
    /// Audit groups of the administrator's account, with the action; none without `securityGroups`.
    pub audit: Option<AuditGroups>,
    /// `preManagedOptions`; `None` in custom mode.
    pub managed: Option<ManagedOptions>,
}

/// `securityGroups` with `securityGroupAction`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditGroups {
    /// Group ids, owned by the policy's administrator in the policy's Region.
    pub ids: Vec<ResourceId>,
    /// ALLOW or DENY.
    pub action: AuditAction,
}

/// `securityGroupAction.type`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuditAction {
    /// A rule complies when it lies inside one audit rule.
    Allow,
    /// A rule violates when it overlaps an audit rule.
    Deny,
}

/// `preManagedOptions`, all elements joined.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ManagedOptions {
    /// `auditSgDirection`
    pub direction: AuditDirection,
    /// `denyProtocolAllValue`
    pub deny_protocol_all: bool,
    /// `allowedProtocolsLists`
    pub allowed_protocols: Option<ListReference>,
    /// `allowedPortCountPerSgRule`
    pub port_count_max: Option<u32>,
    /// `minIpv4CidrPrefixLenPerSgRule`, 0–32.
    pub ipv4_prefix_len_min: Option<u8>,
    /// `minIpv6CidrPrefixLenPerSgRule`, 0–128.
    pub ipv6_prefix_len_min: Option<u8>,
    /// `allowedPublicAccessAppLists`
    pub allowed_public_apps: Option<ListReference>,
    /// `deniedPublicAccessAppLists`
    pub denied_public_apps: Option<ListReference>,
}

/// `auditSgDirection.type`: which rules are audited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AuditDirection {
    /// Both.
    #[default]
    All,
    /// Ingress alone.
    Ingress,
    /// Egress alone.
    Egress,
}

/// `{customListIds, defaultListId, defaultListVersion}`
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListReference {
    /// Custom lists of the policy's administrator in the policy's Region.
    pub custom: Vec<ListId>,
    /// An AWS-managed list with the pinned version, if any.
    pub default: Option<(ListId, Option<Box<str>>)>,
}

/// Most ports that `allowedPortCountPerSgRule` can allow: as many as there are. 0 is accepted and
/// means that no rule may open a port.
pub const PORT_COUNT_MAX: i64 = 65_536;

/// Reads the data of a content audit, which was checked against its shape.
pub(super) fn parse(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<ContentAudit, Refusal> {
    let options = data.get("preManagedOptions");
    let managed = if options.is_filled() { Some(managed_options(&options, counts)?) } else { None };
    let audit = audit_groups(data, managed.is_some(), counts)?;
    if audit.is_none() && managed.is_none() {
        return Err(Refusal::input(
            "ManagedServiceData has neither `preManagedOptions` nor `securityGroups`; give \
             managed options, or an audit group with `securityGroupAction`",
        ));
    }
    Ok(ContentAudit { audit, managed })
}

/// The options that an element of `preManagedOptions` can set; `auditSgDirection` chooses rules but
/// demands nothing of them.
const OPTIONS: [&str; 7] = [
    "denyProtocolAllValue",
    "allowedProtocolsLists",
    "allowedPortCountPerSgRule",
    "minIpv4CidrPrefixLenPerSgRule",
    "minIpv6CidrPrefixLenPerSgRule",
    "deniedPublicAccessAppLists",
    "allowedPublicAccessAppLists",
];

/// Refuses a content audit that no rule could ever violate. Unknown keys are ignored (semantics
/// §0.6), so a misspelt option would otherwise make every account COMPLIANT. Asked when a policy is
/// put; one that was accepted once stays what it is.
fn check_audits_something(data: &Node<'_>) -> Result<(), Refusal> {
    let audit = parse(data, &mut Vec::new())?;
    let Some(managed) = &audit.managed else { return Ok(()) };
    let direction = managed.direction;
    let denies = audit.audit.as_ref().is_some_and(|groups| groups.action == AuditAction::Deny);
    if denies || *managed != (ManagedOptions { direction, ..ManagedOptions::default() }) {
        return Ok(());
    }
    let elements = data.get("preManagedOptions");
    let keys = elements.items().into_iter().filter_map(|element| element.map());
    let misspelt = keys
        .flat_map(|map| map.keys())
        .find_map(|key| Some((key.as_str(), nearest(key, OPTIONS)?)))
        .map(|(key, known)| format!("; `{}` is not known: `{known}` is", super::shown(key)))
        .unwrap_or_default();
    Err(elements.refuse(format!(
        "sets no option, so that nothing would be audited{misspelt}; set one of `{}`",
        OPTIONS.join("`, `")
    )))
}

fn audit_groups(
    data: &Node<'_>,
    has_options: bool,
    counts: &mut Vec<Count>,
) -> Result<Option<AuditGroups>, Refusal> {
    let groups = data.get("securityGroups");
    let action = audit_action(data)?;
    if !groups.is_filled() {
        // Consoles send the action along with an empty list; without options it judges nothing.
        return match action {
            Some(_) if !has_options => Err(groups.refuse(
                "is empty and `securityGroupAction` is given; name the audit group as \
                 [{\"id\":\"sg-…\"}]",
            )),
            Some(_) | None => Ok(None),
        };
    }
    let mut ids: Vec<ResourceId> = Vec::new();
    for group in groups.items() {
        let id = super::security_groups::group_id(&group)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    counts.push(Count {
        what: "`securityGroups` (audit security groups)",
        count: ids.len(),
        max: |quotas| quotas.audit_groups_max,
    });
    let Some(action) = action else {
        return Err(data.get("securityGroupAction").refuse(
            "is missing and `securityGroups` is given; give {\"type\":\"ALLOW\"} or \
             {\"type\":\"DENY\"}",
        ));
    };
    Ok(Some(AuditGroups { ids, action }))
}

/// `{"type":"ALLOW"}`, or the bare text, which is met as well.
fn audit_action(data: &Node<'_>) -> Result<Option<AuditAction>, Refusal> {
    let action = data.get("securityGroupAction");
    if !action.is_set() {
        return Ok(None);
    }
    let (node, text) = if action.text().is_some() {
        (action.clone(), action.one_of(&["ALLOW", "DENY"])?)
    } else {
        let node = action.get("type");
        let text = node.one_of(&["ALLOW", "DENY"])?;
        (node, text)
    };
    match text {
        Some("ALLOW") => Ok(Some(AuditAction::Allow)),
        Some(_) => Ok(Some(AuditAction::Deny)),
        None => Err(node.refuse("is missing; give ALLOW or DENY")),
    }
}

/// Sets an option once: elements carry one option each, and saying one twice in two ways is
/// refused.
fn once<T: PartialEq>(option: &mut Option<T>, value: T, node: &Node<'_>) -> Result<(), Refusal> {
    match option {
        Some(held) if *held != value => {
            Err(node.refuse("sets an option that an earlier element sets otherwise; give it once"))
        }
        _ => {
            *option = Some(value);
            Ok(())
        }
    }
}

fn managed_options(
    elements: &Node<'_>,
    counts: &mut Vec<Count>,
) -> Result<ManagedOptions, Refusal> {
    let mut direction = None;
    let mut options = ManagedOptions::default();
    for element in elements.items() {
        // Answers of GetPolicy may show an unset flag as false: it says nothing against another
        // element's true.
        options.deny_protocol_all |= element.get("denyProtocolAllValue").flag();
        let node = element.get("auditSgDirection");
        if node.is_set() {
            once(&mut direction, audit_direction(&node)?, &node)?;
        }
        let node = element.get("allowedPortCountPerSgRule");
        if let Some(count) = node.whole_within(0, PORT_COUNT_MAX)? {
            once(&mut options.port_count_max, u32::try_from(count).unwrap_or(u32::MAX), &node)?;
        }
        let node = element.get("minIpv4CidrPrefixLenPerSgRule");
        if let Some(len) = node.whole_within(0, 32)? {
            once(&mut options.ipv4_prefix_len_min, u8::try_from(len).unwrap_or(u8::MAX), &node)?;
        }
        let node = element.get("minIpv6CidrPrefixLenPerSgRule");
        if let Some(len) = node.whole_within(0, 128)? {
            once(&mut options.ipv6_prefix_len_min, u8::try_from(len).unwrap_or(u8::MAX), &node)?;
        }
        for (key, option) in [
            ("allowedProtocolsLists", &mut options.allowed_protocols),
            ("allowedPublicAccessAppLists", &mut options.allowed_public_apps),
            ("deniedPublicAccessAppLists", &mut options.denied_public_apps),
        ] {
            let node = element.get(key);
            if let Some(reference) = list_reference(&node, counts)? {
                once(option, reference, &node)?;
            }
        }
    }
    if options.allowed_public_apps.is_some() && options.denied_public_apps.is_some() {
        return Err(elements.refuse(
            "has both `allowedPublicAccessAppLists` and `deniedPublicAccessAppLists`; keep one",
        ));
    }
    options.direction = direction.unwrap_or_default();
    Ok(options)
}

fn audit_direction(node: &Node<'_>) -> Result<AuditDirection, Refusal> {
    match node.get("type").one_of(&["ALL", "INGRESS", "EGRESS"])? {
        None | Some("ALL") => Ok(AuditDirection::All),
        Some("INGRESS") => Ok(AuditDirection::Ingress),
        Some(_) => Ok(AuditDirection::Egress),
    }
}

/// A reference that names no list is no option: answers of GetPolicy carry such ones, and they may
/// be sent back.
fn list_reference(
    node: &Node<'_>,
    counts: &mut Vec<Count>,
) -> Result<Option<ListReference>, Refusal> {
    let list_id = |node: &Node<'_>| match node.text() {
        Some(text) => ListId::try_from(text).map(Some).map_err(|error| node.refuse(error)),
        None => Ok(None),
    };
    let mut custom = Vec::new();
    for id in node.get("customListIds").items() {
        custom.extend(list_id(&id)?);
    }
    let version = node.get("defaultListVersion");
    let default = list_id(&node.get("defaultListId"))?;
    if version.is_set() && default.is_none() {
        return Err(
            version.refuse("is given without `defaultListId`; name the list or leave it out")
        );
    }
    if custom.is_empty() && default.is_none() {
        return Ok(None);
    }
    counts.push(Count {
        what: "`customListIds` of one option",
        count: custom.len(),
        max: |quotas| quotas.lists_per_option_max,
    });
    Ok(Some(ListReference {
        custom,
        default: default.map(|id| (id, version.text().map(Into::into))),
    }))
}
