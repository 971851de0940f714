//! `AWS::NetworkFirewall::Firewall` and `AWS::NetworkFirewall::FirewallPolicy` (formats §9): both
//! bodies are wrapped once more.

use crate::inventory::{
    Body, CustomAction, FirewallPolicy, FirewallRuleGroup, FirewallRules, NetworkFirewall,
};

use super::shape::{IdText, Many, Text, TextIn, Whole, shape};
use super::source::{Source, sorted};

shape! {
    Wrapped {
        firewall: FirewallBody<'a> = "firewall",
    }
}

shape! {
    FirewallBody {
        name: Text<'a> = "firewallName",
        arn: IdText<'a> = "firewallArn",
        vpc: IdText<'a> = "vpcId",
        policy: IdText<'a> = "firewallPolicyArn",
        subnets: Many<MappingBody<'a>> = "subnetMappings",
    }
}

shape! {
    MappingBody {
        subnet: IdText<'a> = "subnetId",
    }
}

shape! {
    WrappedPolicy {
        policy: PolicyBody<'a> = "firewallPolicy",
        response: ResponseBody<'a> = "firewallPolicyResponse",
    }
}

shape! {
    ResponseBody {
        arn: IdText<'a> = "firewallPolicyArn",
    }
}

shape! {
    PolicyBody {
        stateless_groups: Many<GroupBody<'a>> = "statelessRuleGroupReferences",
        stateless_defaults: Many<Text<'a>> = "statelessDefaultActions",
        fragment_defaults: Many<Text<'a>> = "statelessFragmentDefaultActions",
        custom_actions: Many<ActionBody<'a>> = "statelessCustomActions",
        stateful_groups: Many<GroupBody<'a>> = "statefulRuleGroupReferences",
        stateful_defaults: Many<Text<'a>> = "statefulDefaultActions",
        options: OptionsBody<'a> = "statefulEngineOptions",
    }
}

shape! {
    GroupBody {
        arn: IdText<'a> = "resourceArn",
        priority: Whole = "priority",
        over: OverrideBody<'a> = "override",
    }
}

shape! {
    OverrideBody {
        action: Text<'a> = "action",
    }
}

shape! {
    ActionBody {
        name: Text<'a> = "actionName",
        definition: DefinitionBody<'a> = "actionDefinition",
    }
}

shape! {
    DefinitionBody {
        metric: MetricBody<'a> = "publishMetricAction",
    }
}

shape! {
    MetricBody {
        dimensions: Many<DimensionBody<'a>> = "dimensions",
    }
}

shape! {
    DimensionBody {
        value: Text<'a> = "value",
    }
}

shape! {
    OptionsBody {
        order: Text<'a> = "ruleOrder",
        stream: Text<'a> = "streamExceptionPolicy",
    }
}

/// A mapping that does not tell its subnet makes the item unreadable: which zones are protected
/// depends on each.
pub(super) fn read_firewall(source: &Source<'_>) -> Result<Body, String> {
    let body: Wrapped<'_> = source.body()?;
    let Some(body) = body.firewall else { return Ok(Body::Unseen) };
    let subnets = body.subnets.map(|mappings| {
        let subnets = mappings.0.into_iter().map(|mapping| {
            let subnet = mapping.subnet.and_then(TextIn::filled);
            subnet.ok_or("`subnetMappings`: one without `subnetId`".to_owned())
        });
        Ok::<_, String>(sorted(subnets.collect::<Result<Vec<_>, String>>()?))
    });
    Ok(Body::NetworkFirewall(NetworkFirewall {
        name: body.name.and_then(TextIn::filled).or_else(|| source.item.name.clone()),
        arn: body.arn.and_then(TextIn::filled).or_else(|| source.item.arn.clone()),
        vpc: body.vpc.and_then(TextIn::filled),
        policy: body.policy.and_then(TextIn::filled),
        subnets: subnets.transpose()?,
    }))
}

/// A rule group that does not tell its ARN makes the item unreadable, as a custom action does that
/// does not tell its name.
pub(super) fn read_policy(source: &Source<'_>) -> Result<Body, String> {
    let body: WrappedPolicy<'_> = source.body()?;
    let Some(policy) = body.policy else { return Ok(Body::Unseen) };
    let arn = body.response.unwrap_or_default().arn.and_then(TextIn::filled);
    let options = policy.options.unwrap_or_default();
    let groups = |groups: Option<Many<GroupBody<'_>>>| {
        let read = groups.map(|all| all.0.into_iter().map(group).collect::<Result<Vec<_>, _>>());
        Ok::<_, String>(read.transpose()?.map(sorted))
    };
    Ok(Body::FirewallPolicy(FirewallPolicy {
        arn: arn.or_else(|| source.item.arn.clone()),
        rules: FirewallRules {
            stateless_groups: groups(policy.stateless_groups)?,
            stateless_defaults: policy.stateless_defaults.map(texts),
            fragment_defaults: policy.fragment_defaults.map(texts),
            custom_actions: policy.custom_actions.map(actions).transpose()?,
            stateful_groups: groups(policy.stateful_groups)?,
            stateful_defaults: policy.stateful_defaults.map(texts),
            rule_order: options.order.and_then(TextIn::filled),
            stream_exceptions: options.stream.and_then(TextIn::filled),
        },
    }))
}

fn texts(all: Many<Text<'_>>) -> Vec<Box<str>> {
    sorted(all.0.into_iter().filter_map(TextIn::filled))
}

fn group(body: GroupBody<'_>) -> Result<FirewallRuleGroup, String> {
    let arn = body.arn.and_then(TextIn::filled).ok_or("a rule group without `resourceArn`")?;
    let priority = body.priority.map(|Whole(number)| {
        u16::try_from(number).map_err(|_| format!("`priority` is out of range: `{number}`"))
    });
    // An override without its action is one, and which is not told.
    let over = body.over.map(|over| over.action.and_then(TextIn::filled).unwrap_or_default());
    Ok(FirewallRuleGroup { priority: priority.transpose()?, arn, override_action: over })
}

fn actions(all: Many<ActionBody<'_>>) -> Result<Vec<CustomAction>, String> {
    let read = all.0.into_iter().map(|body| {
        let name =
            body.name.and_then(TextIn::filled).ok_or("a custom action without `actionName`")?;
        let metric = body.definition.unwrap_or_default().metric.unwrap_or_default();
        let dimensions = metric.dimensions.map_or_else(Vec::new, |all| all.0);
        let dimensions =
            dimensions.into_iter().filter_map(|one| one.value.and_then(TextIn::filled));
        Ok(CustomAction { name, dimensions: dimensions.collect() })
    });
    read.collect::<Result<Vec<_>, String>>().map(sorted)
}
