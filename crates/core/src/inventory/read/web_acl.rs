//! `AWS::WAFv2::WebACL` (formats §9): PascalCase today, camelCase in the earlier generation.

use crate::ident::ResourceType;
use crate::inventory::missed::type_told;
use crate::inventory::{
    ACTION_COUNT, Body, RuleActions, RuleGroupId, WebAcl, WebAclRuleGroup, canonical, configs,
};

use super::shape::{Flag, IdText, Many, Present, Text, TextIn, Whatever, Whole, shape};
use super::source::{Source, apart, parse, sorted};

/// Names of the groups that Firewall Manager puts first and last begin so (semantics §7.2).
const FIRST: &str = "PREFMManaged-";
const LAST: &str = "POSTFMManaged-";

shape! {
    AclBody {
        arn: IdText<'a> = "arn" | "resourceArn",
        name: Text<'a> = "name",
        managed: Flag = "managedByFirewallManager",
        retrofitted: Flag = "retrofittedByFirewallManager",
        pre: Many<RuleGroup<'a>> = "preProcessFirewallManagerRuleGroups",
        post: Many<RuleGroup<'a>> = "postProcessFirewallManagerRuleGroups",
        rules: Many<RuleGroup<'a>> = "rules",
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
    /// `FirewallManagerRuleGroup` of the WAFv2 API, and a `Rule` that is a reference to a group.
    RuleGroup {
        name: Text<'a> = "name",
        priority: Whole = "priority",
        statement: Statement<'a> = "firewallManagerStatement" | "statement",
        override_action: Whatever = "overrideAction",
        visibility: Present = "visibilityConfig",
    }
}

shape! {
    Statement {
        managed: Group<'a> = "managedRuleGroupStatement",
        own: Group<'a> = "ruleGroupReferenceStatement",
    }
}

shape! {
    /// Either statement; an own group is told by its ARN alone.
    Group {
        arn: IdText<'a> = "arn",
        vendor: Text<'a> = "vendorName",
        name: Text<'a> = "name",
        version: Text<'a> = "version",
        excluded: Many<ExcludedRule<'a>> = "excludedRules",
        overrides: Many<ActionOverride<'a>> = "ruleActionOverrides",
        configs: Many<Whatever> = "managedRuleGroupConfigs",
        scope_down: Whatever = "scopeDownStatement",
    }
}

shape! {
    ExcludedRule {
        name: Text<'a> = "name",
    }
}

shape! {
    ActionOverride {
        name: Text<'a> = "name",
        action: Whatever = "actionToUse",
    }
}

shape! {
    Relationship {
        resource_type: Text<'a> = "resourceType",
        id: IdText<'a> = "resourceId",
    }
}

pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body: AclBody<'_> = source.body()?;
    for (list, rules) in [
        ("preProcessFirewallManagerRuleGroups", &body.pre),
        ("postProcessFirewallManagerRuleGroups", &body.post),
        ("rules", &body.rules),
    ] {
        apart(list, rules.iter().flat_map(|rules| rules.0.iter().filter_map(by_priority)))?;
    }
    let arn = body.arn.and_then(TextIn::filled).or_else(|| source.item.arn.clone());
    let name = body.name.and_then(TextIn::filled).or_else(|| source.item.name.clone());
    let retrofitted = body.retrofitted.map(|retrofitted| retrofitted.0);
    let (mut pre, mut post) = (body.pre.map(|groups| groups.0), body.post.map(|groups| groups.0));
    if retrofitted == Some(true) && (pre.is_none() || post.is_none()) {
        let among = body.rules.and_then(|rules| among_rules(rules.0));
        let (first, last) = among.unzip();
        (pre, post) = (pre.or(first), post.or(last));
    }
    Ok(Body::WebAcl(WebAcl {
        arn: arn.unwrap_or_else(|| source.item.key.id.as_str().into()),
        name: name.unwrap_or_default(),
        managed_by_fms: body.managed.map(|managed| managed.0),
        retrofitted,
        pre_process: pre.map(rule_groups),
        post_process: post.map(rule_groups),
        default_block: body.default_action.and_then(|action| blocks(&action)),
        associated: source.relationships.map(associated).transpose()?.flatten(),
    }))
}

/// The first and last groups that were put among the rules of a retrofitted web ACL, told by their
/// names: first groups before every other rule, last ones behind. `None` where no rule bears such a
/// name, and where one does not tell its name or its place: it may be anybody's and stand anywhere.
fn among_rules<'a>(
    mut rules: Vec<RuleGroup<'a>>,
) -> Option<(Vec<RuleGroup<'a>>, Vec<RuleGroup<'a>>)> {
    let is_one = rules.len() == 1;
    let begins = |rule: &RuleGroup<'_>, with: &str| {
        rule.name.as_ref().is_some_and(|name| name.as_str().starts_with(with))
    };
    let tells =
        |rule: &RuleGroup<'_>| told(&rule.name).is_some() && (is_one || rule.priority.is_some());
    if !rules.iter().all(tells) {
        return None;
    }
    rules.sort_by_key(by_priority);
    if !rules.iter().any(|rule| begins(rule, FIRST) || begins(rule, LAST)) {
        return None;
    }
    let behind = rules.iter().rev().take_while(|rule| begins(rule, LAST)).count();
    let last = rules.split_off(rules.len().saturating_sub(behind));
    let before = rules.iter().take_while(|rule| begins(rule, FIRST)).count();
    rules.truncate(before);
    Some((rules, last))
}

fn by_priority(group: &RuleGroup<'_>) -> Option<i64> {
    group.priority.map(|priority| priority.0)
}

/// By priority, as listed where that is not told.
fn rule_groups(mut groups: Vec<RuleGroup<'_>>) -> Vec<WebAclRuleGroup> {
    groups.sort_by_key(by_priority);
    groups.into_iter().map(rule_group).collect()
}

/// The service API leaves out what is not set of a group, but never its name and visibility: where
/// neither is told, parts were left out by a projection, and what is absent was not told.
fn rule_group(group: RuleGroup<'_>) -> WebAclRuleGroup {
    let is_whole = group.name.is_some() || group.visibility.is_some();
    let action = group.override_action.as_ref().map(|action| canonical(&action.0));
    let mut read = WebAclRuleGroup {
        priority: group.priority.map(|priority| priority.0),
        override_action: action.filter(|action| action != "{}").map(Into::into),
        ..WebAclRuleGroup::default()
    };
    let statement = group.statement.unwrap_or_default();
    let group = match (statement.managed, statement.own) {
        (Some(group), None) => {
            if let (Some(vendor), Some(name)) = (told(&group.vendor), told(&group.name)) {
                read.id = Some(RuleGroupId::Managed { vendor, name });
            }
            group
        }
        (None, Some(group)) => {
            read.id = told(&group.arn).map(|arn| RuleGroupId::Own { arn });
            group
        }
        // A rule has one statement. Which group two of them mean is not told.
        (Some(_), Some(_)) | (None, None) => return read,
    };
    let unset = |is_told: bool| is_told || is_whole;
    read.version = match group.version.as_ref() {
        Some(version) => Some(version.as_str().into()),
        None => is_whole.then(Box::default),
    };
    if unset(group.excluded.is_some()) && unset(group.overrides.is_some()) {
        read.rule_actions = rule_actions(group.excluded, group.overrides);
    }
    if unset(group.configs.is_some()) {
        read.configs = Some(configs(
            group.configs.iter().flat_map(|configs| configs.0.iter().map(|one| &one.0)),
        ));
    }
    if unset(group.scope_down.is_some()) {
        let statement = group.scope_down.as_ref().map(|one| canonical(&one.0)).unwrap_or_default();
        read.scope_down = Some(statement.into());
    }
    read
}

fn told<W>(text: &Option<TextIn<'_, W>>) -> Option<Box<str>> {
    text.as_ref().map(TextIn::as_str).filter(|text| !text.is_empty()).map(Into::into)
}

/// `None` where one of them tells no rule or no action.
fn rule_actions(
    excluded: Option<Many<ExcludedRule<'_>>>,
    overrides: Option<Many<ActionOverride<'_>>>,
) -> Option<RuleActions> {
    let excluded = excluded.into_iter().flat_map(|rules| rules.0);
    let overrides = overrides.into_iter().flat_map(|overrides| overrides.0);
    let excluded = excluded.map(|rule| Some((rule.name?.into_box(), ACTION_COUNT.into())));
    let overrides = overrides.map(|one| {
        let action = canonical(&one.action?.0);
        (action != "{}").then_some((one.name?.into_box(), action.into()))
    });
    let all: Option<Vec<_>> = excluded.chain(overrides).collect();
    all.map(sorted)
}

fn blocks(action: &DefaultAction<'_>) -> Option<bool> {
    match (&action.block, &action.allow) {
        (Some(_), _) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) => None,
    }
}

/// What the relationships name, by type and id; the labels are free text and never read (formats
/// §4). Not told where one has no id, or no type that there may be: it may be any resource.
fn associated(relationships: &str) -> Result<Option<Associated>, String> {
    let all: Option<Many<Relationship<'_>>> = parse("relationships", relationships)?;
    let Some(all) = all else { return Ok(None) };
    let named = all.0.into_iter().map(|one| {
        let resource_type = type_told(one.resource_type?.as_str())?;
        Some((resource_type, one.id?.filled()?))
    });
    Ok(named.collect::<Option<Vec<_>>>().map(sorted))
}

type Associated = Vec<(ResourceType, Box<str>)>;
