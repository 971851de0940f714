//! What would end violations of routes (semantics §3.7): nothing is suggested for IPv6 and prefix
//! lists, nor where there is no endpoint to lead to.

use crate::evaluate::{ExpectedRoute, RouteRemedy, RouteStep};
use crate::inventory::{Destination, Route};

use super::places::Place;
use super::tables::Serving;
use super::ways::{Way, Ways, taken};

fn one(steps: Vec<RouteStep>) -> Vec<RouteRemedy> {
    match steps.is_empty() {
        true => Vec::new(),
        false => vec![RouteRemedy { steps, is_default: true }],
    }
}

/// Routes that are there under the destination lead elsewhere, others are added.
pub(super) fn steps(routes: &[Route], expected: &[ExpectedRoute]) -> Vec<RouteStep> {
    let step = |wanted: &ExpectedRoute| {
        let target = wanted.targets.first()?.clone();
        let (table, destination) = (wanted.table.clone(), wanted.destination.clone());
        destination.ipv4()?;
        Some(match routes.iter().any(|route| route.destination == destination) {
            true => RouteStep::Replace { table, destination, target },
            false => RouteStep::Create { table, destination, target },
        })
    };
    expected.iter().filter_map(step).collect()
}

pub(super) fn create(routes: &[Route], expected: &[ExpectedRoute]) -> Vec<RouteRemedy> {
    one(steps(routes, expected))
}

/// Wrong routes go, then what is missing comes.
pub(super) fn delete(table: &str, routes: &[Route], then: Vec<RouteStep>) -> Vec<RouteRemedy> {
    let wrong = routes.iter().filter(|route| route.destination.ipv4().is_some());
    // What is replaced need not be deleted.
    let is_replaced = |route: &Route| {
        then.iter().any(|step| match step {
            RouteStep::Replace { destination, .. } => *destination == route.destination,
            _ => false,
        })
    };
    let wrong = wrong.filter(|route| !is_replaced(route));
    let mut steps: Vec<RouteStep> = wrong
        .map(|route| RouteStep::Delete {
            table: table.into(),
            destination: route.destination.clone(),
        })
        .collect();
    steps.extend(then);
    one(steps)
}

/// The gateway gets a table with the routes.
pub(super) fn make_table(vpc: &str, gateway: &str, expected: &[ExpectedRoute]) -> Vec<RouteRemedy> {
    let mut steps = vec![
        RouteStep::CreateTable { vpc: vpc.into() },
        RouteStep::Associate { table: None, subnet: None, gateway: Some(gateway.into()) },
    ];
    steps.extend(self::steps(&[], expected));
    one(steps)
}

/// Traffic that goes past the firewall goes through it: first the firewall subnet leads to the
/// internet, then the subnet to the endpoint, then the gateway back.
pub(super) fn inspect<'a>(
    ways: &Ways<'a, '_>,
    place: Place<'a>,
    serving: &Serving<'a>,
    past: &[Route],
    way: Option<&Way<'a>>,
) -> Vec<RouteRemedy> {
    let Some((way, endpoint)) = way.and_then(|way| Some((way, way.endpoint?))) else {
        return Vec::new();
    };
    if past.iter().any(|route| route.destination.ipv4().is_none()) {
        return Vec::new();
    }
    let out = way.routes.unwrap_or_default();
    let mut lacking: Vec<ExpectedRoute> = ways.expected_out(way);
    lacking.retain(|wanted| {
        !out.iter()
            .any(|route| route.is_to_internet() && route.destination.covers(&wanted.destination))
    });
    let mut all = steps(out, &lacking);
    let table = own_table(ways, place, serving, &mut all);
    all.extend(past.iter().map(|route| RouteStep::Replace {
        table: table.clone(),
        destination: route.destination.clone(),
        target: endpoint.into(),
    }));
    all.extend(back(ways, place));
    one(all)
}

/// A route to an endpoint leads to the right one, or is added.
pub(super) fn redirect<'a>(
    ways: &Ways<'a, '_>,
    place: Place<'a>,
    serving: &Serving<'a>,
    destination: Option<&Destination>,
    way: Option<&Way<'a>>,
) -> Vec<RouteRemedy> {
    let Some(target) = way.and_then(|way| way.endpoint).map(Box::<str>::from) else {
        return Vec::new();
    };
    if destination.is_some_and(|destination| destination.ipv4().is_none()) {
        return Vec::new();
    }
    let mut all = Vec::new();
    let table = own_table(ways, place, serving, &mut all);
    all.push(match destination {
        Some(destination) => RouteStep::Replace { table, destination: destination.clone(), target },
        None => {
            let destination = Destination::Range(ipnet::Ipv4Net::default().into());
            RouteStep::Create { table, destination, target }
        }
    });
    one(all)
}

/// The table to be changed for a subnet alone: where it serves another zone, a copy of it.
fn own_table<'a>(
    ways: &Ways<'a, '_>,
    place: Place<'a>,
    serving: &Serving<'a>,
    steps: &mut Vec<RouteStep>,
) -> Option<Box<str>> {
    if !ways.routed(place, serving).is_shared && !serving.is_implied() {
        return Some(serving.id().into());
    }
    let vpc = ways.within.id().into();
    steps.push(RouteStep::CopyTable { vpc, table: serving.id().into() });
    steps.push(match &serving.association.id {
        Some(id) if !serving.is_implied() => {
            RouteStep::ReplaceAssociation { association: id.clone(), table: None }
        }
        _ => RouteStep::Associate { table: None, subnet: Some(place.id().into()), gateway: None },
    });
    None
}

/// The gateway's route back to a subnet, where it lacks it.
fn back<'a>(ways: &Ways<'a, '_>, place: Place<'a>) -> Vec<RouteStep> {
    let (Some(gateway), Ok(Some(wanted))) = (&ways.gateway, ways.expected_in(place)) else {
        return Vec::new();
    };
    match (gateway.serving, gateway.routes) {
        (Some(None), _) => {
            let vpc = ways.within.id();
            let made = make_table(vpc, gateway.id(), &[wanted]);
            made.into_iter().flat_map(|remedy| remedy.steps).collect()
        }
        (Some(Some(_)), Some(routes)) => {
            let to = taken(routes, &wanted.destination).and_then(Route::endpoint);
            let is_there = to.is_some_and(|to| wanted.targets.iter().any(|one| **one == *to));
            if is_there { Vec::new() } else { steps(routes, &[wanted]) }
        }
        _ => Vec::new(),
    }
}
