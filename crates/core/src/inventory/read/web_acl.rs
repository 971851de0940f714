//! `AWS::WAFv2::WebACL` (formats §9): PascalCase today, camelCase in the earlier generation.

use crate::ident::ResourceType;
use crate::inventory::{Body, WebAcl, WebAclRuleGroup};

use super::shape::{Flag, Many, Present, Text, Whole, shape};
use super::{Source, parse, sorted};

shape! {
    AclBody {
        arn: Text<'a> = "arn" | "resourceArn",
        name: Text<'a> = "name",
        managed: Flag = "managedByFirewallManager",
        retrofitted: Flag = "retrofittedByFirewallManager",
        pre: Many<RuleGroup<'a>> = "preProcessFirewallManagerRuleGroups",
        post: Many<RuleGroup<'a>> = "postProcessFirewallManagerRuleGroups",
        default_action: DefaultAction<'a> = "defaultAction",
    }
}

shape! {
    DefaultAction {
        allow: Present = "allow",
        block: Present = "block",
    }
}

shape! {
    /// `FirewallManagerRuleGroup` of the WAFv2 API.
    RuleGroup {
        priority: Whole = "priority",
        statement: Statement<'a> = "firewallManagerStatement",
        override_action: OverrideAction<'a> = "overrideAction",
    }
}

shape! {
    Statement {
        managed: ManagedGroup<'a> = "managedRuleGroupStatement",
        own: OwnGroup<'a> = "ruleGroupReferenceStatement",
    }
}

shape! {
    ManagedGroup {
        vendor: Text<'a> = "vendorName",
        name: Text<'a> = "name",
        version: Text<'a> = "version",
    }
}

shape! {
    OwnGroup {
        arn: Text<'a> = "arn",
    }
}

shape! {
    OverrideAction {
        count: Present = "count",
    }
}

shape! {
    Relationship {
        resource_type: Text<'a> = "resourceType",
        id: Text<'a> = "resourceId",
    }
}

pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body: AclBody<'_> = source.body()?;
    let arn = body.arn.and_then(Text::filled).or_else(|| source.item.arn.clone());
    let name = body.name.and_then(Text::filled).or_else(|| source.item.name.clone());
    Ok(Body::WebAcl(WebAcl {
        arn: arn.unwrap_or_else(|| source.item.key.id.as_str().into()),
        name: name.unwrap_or_default(),
        managed_by_fms: body.managed.is_some_and(|managed| managed.0),
        retrofitted: body.retrofitted.is_some_and(|retrofitted| retrofitted.0),
        pre_process: body.pre.map(rule_groups),
        post_process: body.post.map(rule_groups),
        default_block: body.default_action.and_then(|action| blocks(&action)),
        associated: associated(source.relationships)?,
    }))
}

/// In the order in which they are applied: by priority, as listed where that is not told.
fn rule_groups(groups: Many<RuleGroup<'_>>) -> Vec<WebAclRuleGroup> {
    let mut groups = groups.0;
    groups.sort_by_key(|group| group.priority.map(|priority| priority.0));
    groups.into_iter().map(rule_group).collect()
}

fn rule_group(group: RuleGroup<'_>) -> WebAclRuleGroup {
    let statement = group.statement.unwrap_or_default();
    let managed = statement.managed.unwrap_or_default();
    WebAclRuleGroup {
        arn: statement.own.and_then(|own| own.arn).and_then(Text::filled),
        vendor: managed.vendor.and_then(Text::filled),
        name: managed.name.and_then(Text::filled),
        version: managed.version.and_then(Text::filled),
        count: group.override_action.is_some_and(|action| action.count.is_some()),
    }
}

fn blocks(action: &DefaultAction<'_>) -> Option<bool> {
    match (&action.block, &action.allow) {
        (Some(_), _) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) => None,
    }
}

/// What the relationships name, by type and id; the labels are free text and never read (formats
/// §4). Those without an id name no resource that could be judged.
fn associated(relationships: &str) -> Result<Vec<(ResourceType, Box<str>)>, String> {
    let all: Option<Many<Relationship<'_>>> = parse("relationships", relationships)?;
    let named = all.into_iter().flat_map(|all| all.0).filter_map(|one| {
        let resource_type = ResourceType::try_from(one.resource_type?.as_str()).ok()?;
        Some((resource_type, one.id?.filled()?))
    });
    Ok(sorted(named))
}
