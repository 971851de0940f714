//! `AWS::Route53Resolver::FirewallRuleGroupAssociation` (formats §9).

use crate::inventory::{Body, DnsAssociation};

use super::shape::{IdText, Text, TextIn, Whole, shape};
use super::source::Source;

shape! {
    AssociationBody {
        group: IdText<'a> = "firewallRuleGroupId",
        vpc: IdText<'a> = "vpcId",
        priority: Whole = "priority",
        status: Text<'a> = "status",
        name: Text<'a> = "name",
    }
}

pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body: AssociationBody<'_> = source.body()?;
    let priority = body.priority.map(|Whole(number)| {
        i32::try_from(number).map_err(|_| format!("`Priority` is out of range: `{number}`"))
    });
    Ok(Body::DnsAssociation(DnsAssociation {
        group: body.group.and_then(TextIn::filled),
        vpc: body.vpc.and_then(TextIn::filled),
        priority: priority.transpose()?,
        status: body.status.and_then(TextIn::filled),
        name: body.name.and_then(TextIn::filled).or_else(|| source.item.name.clone()),
    }))
}
