//! What would end violations of routes, as the model has it.

use palisade_core::evaluate::{RouteRemedy, RouteStep};
use palisade_core::inventory::Destination;
use palisade_wire::shapes::{
    ActionTarget, EC2AssociateRouteTableAction, EC2CopyRouteTableAction, EC2CreateRouteAction,
    EC2CreateRouteTableAction, EC2DeleteRouteAction, EC2ReplaceRouteAction,
    EC2ReplaceRouteTableAssociationAction, FMSPolicyUpdateFirewallCreationConfigAction,
    PossibleRemediationAction, PossibleRemediationActions, RemediationAction,
    RemediationActionWithOrder,
};

use crate::violations::text::{bounded, unless_empty};

use super::routes::by_kind;

/// Left out where no remedy is safe (semantics §3.7).
pub fn actions(resource: &str, remedies: &[RouteRemedy]) -> Option<PossibleRemediationActions> {
    let actions = unless_empty(remedies.iter().map(remedy))?;
    Some(PossibleRemediationActions {
        description: Some(bounded(&format!("what would end the violation of {resource}"))),
        actions: Some(actions),
    })
}

fn remedy(remedy: &RouteRemedy) -> PossibleRemediationAction {
    let told: Vec<String> = remedy.steps.iter().map(RouteStep::summary).collect();
    let steps = remedy.steps.iter().zip(1..).map(|(step, order)| RemediationActionWithOrder {
        remediation_action: Some(action(step)),
        order: Some(order),
    });
    PossibleRemediationAction {
        description: Some(bounded(&told.join("; "))),
        ordered_remediation_actions: steps.collect(),
        is_default_action: Some(remedy.is_default),
    }
}

fn target(id: &str) -> ActionTarget {
    ActionTarget { resource_id: Some(id.to_owned()), description: None }
}

/// A table that is made in a step before has no id yet.
fn table_target(table: Option<&str>) -> ActionTarget {
    table.map_or_else(
        || ActionTarget {
            resource_id: None,
            description: Some("the route table that was made".to_owned()),
        },
        target,
    )
}

fn action(step: &RouteStep) -> RemediationAction {
    let description = Some(bounded(&step.summary()));
    let mut action = RemediationAction::default();
    match step {
        RouteStep::Create { table, destination, target } => {
            action.ec2_create_route_action =
                Some(created(description, table.as_deref(), destination, target));
        }
        RouteStep::Replace { table, destination, target: to } => {
            let (ipv4, ipv6, list) = by_kind(destination);
            action.ec2_replace_route_action = Some(EC2ReplaceRouteAction {
                description,
                destination_cidr_block: ipv4,
                destination_prefix_list_id: list,
                destination_ipv6_cidr_block: ipv6,
                gateway_id: Some(target(to)),
                route_table_id: table_target(table.as_deref()),
            });
        }
        RouteStep::Delete { table, destination } => {
            let (ipv4, ipv6, list) = by_kind(destination);
            action.ec2_delete_route_action = Some(EC2DeleteRouteAction {
                description,
                destination_cidr_block: ipv4,
                destination_prefix_list_id: list,
                destination_ipv6_cidr_block: ipv6,
                route_table_id: target(table),
            });
        }
        RouteStep::CreateTable { vpc } => {
            action.ec2_create_route_table_action =
                Some(EC2CreateRouteTableAction { description, vpc_id: target(vpc) });
        }
        RouteStep::CopyTable { vpc, table } => {
            action.ec2_copy_route_table_action = Some(EC2CopyRouteTableAction {
                description,
                vpc_id: target(vpc),
                route_table_id: target(table),
            });
        }
        RouteStep::Associate { table, subnet, gateway } => {
            action.ec2_associate_route_table_action = Some(EC2AssociateRouteTableAction {
                description,
                route_table_id: table_target(table.as_deref()),
                subnet_id: subnet.as_deref().map(target),
                gateway_id: gateway.as_deref().map(target),
            });
        }
        RouteStep::ReplaceAssociation { association, table } => {
            action.ec2_replace_route_table_association_action =
                Some(EC2ReplaceRouteTableAssociationAction {
                    description,
                    association_id: target(association),
                    route_table_id: table_target(table.as_deref()),
                });
        }
        RouteStep::UpdateZones { creation, .. } => {
            action.fms_policy_update_firewall_creation_config_action =
                Some(FMSPolicyUpdateFirewallCreationConfigAction {
                    description,
                    firewall_creation_config: Some(creation.to_string()),
                });
        }
    }
    action
}

fn created(
    description: Option<String>,
    table: Option<&str>,
    destination: &Destination,
    to: &str,
) -> EC2CreateRouteAction {
    let (ipv4, ipv6, list) = by_kind(destination);
    let is_endpoint = to.starts_with("vpce-");
    EC2CreateRouteAction {
        description,
        destination_cidr_block: ipv4,
        destination_prefix_list_id: list,
        destination_ipv6_cidr_block: ipv6,
        vpc_endpoint_id: is_endpoint.then(|| target(to)),
        gateway_id: (!is_endpoint).then(|| target(to)),
        route_table_id: table_target(table),
    }
}
