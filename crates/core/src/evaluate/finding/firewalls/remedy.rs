//! What would end a violation of routes, as data: nothing here is executed (semantics §3.7).

use serde::{Deserialize, Serialize};

use crate::inventory::Destination;

/// One way to end a violation. Of a violation's remedies the first is the default one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteRemedy {
    /// What to do, in order; never empty.
    pub steps: Vec<RouteStep>,
    /// Whether it is the one to take where nothing speaks for another.
    pub is_default: bool,
}

/// One step. A table that is `None` is the one that a step before made.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", rename_all = "camelCase")]
pub enum RouteStep {
    /// Add a route.
    Create {
        /// To which table.
        table: Option<Box<str>>,
        /// Of traffic to where.
        destination: Destination,
        /// To an endpoint, an internet gateway or `local`.
        target: Box<str>,
    },
    /// Let a route lead elsewhere.
    Replace {
        /// Of which table.
        table: Option<Box<str>>,
        /// Of traffic to where.
        destination: Destination,
        /// To an endpoint or an internet gateway.
        target: Box<str>,
    },
    /// Take a route out.
    Delete {
        /// Of which table.
        table: Box<str>,
        /// Of traffic to where.
        destination: Destination,
    },
    /// Make a table.
    CreateTable {
        /// In which VPC.
        vpc: Box<str>,
    },
    /// Make a table with the routes of another.
    CopyTable {
        /// In which VPC.
        vpc: Box<str>,
        /// Of which.
        table: Box<str>,
    },
    /// Let a table serve a gateway or a subnet that has none by name.
    Associate {
        /// Which.
        table: Option<Box<str>>,
        /// The subnet.
        subnet: Option<Box<str>>,
        /// The internet gateway.
        gateway: Option<Box<str>>,
    },
    /// Let another table serve a subnet.
    ReplaceAssociation {
        /// The association there is.
        association: Box<str>,
        /// Which table.
        table: Option<Box<str>>,
    },
    /// Change the Availability Zones of the policy.
    UpdateZones {
        /// `firewallCreationConfig` as the policy should have it, JSON.
        creation: Box<str>,
        /// The zone that it has more.
        zone: Box<str>,
    },
}

impl RouteStep {
    /// What is to be done, in one sentence without its full stop.
    pub fn summary(&self) -> String {
        let named = |table: &Option<Box<str>>| {
            table.as_ref().map_or_else(|| "the table that was made".to_owned(), ToString::to_string)
        };
        match self {
            RouteStep::Create { table, destination, target } => {
                format!("add to {} the route {destination} to {target}", named(table))
            }
            RouteStep::Replace { table, destination, target } => {
                format!("let the route {destination} of {} lead to {target}", named(table))
            }
            RouteStep::Delete { table, destination } => {
                format!("take the route {destination} out of {table}")
            }
            RouteStep::CreateTable { vpc } => format!("create a route table in {vpc}"),
            RouteStep::CopyTable { vpc, table } => {
                format!("create a route table in {vpc} with the routes of {table}")
            }
            RouteStep::Associate { table, subnet, gateway } => {
                let of = subnet.as_ref().or(gateway.as_ref());
                let of = of.map_or("it", |of| &**of);
                format!("associate {} with {of}", named(table))
            }
            RouteStep::ReplaceAssociation { association, table } => {
                format!("let {} serve the subnet by association {association}", named(table))
            }
            RouteStep::UpdateZones { zone, .. } => {
                format!("add Availability Zone {zone} to the policy's firewallCreationConfig")
            }
        }
    }
}
