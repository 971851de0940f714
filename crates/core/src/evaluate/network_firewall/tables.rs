//! The route tables of a shard: which one a subnet's traffic goes by, and which one a gateway's.

use std::collections::BTreeMap;

use crate::evaluate::coverage::not_seen;
use crate::evaluate::{DependentService, Gap, unseen_gap};
use crate::ident::ResourceType;
use crate::inventory::{Body, Item, Route, RouteAssociation, RouteTable, Shard};

/// A route table that serves something, and by which association.
#[derive(Clone, Copy, Debug)]
pub(in crate::evaluate) struct Serving<'a> {
    pub item: &'a Item,
    pub table: &'a RouteTable,
    pub association: &'a RouteAssociation,
}

impl<'a> Serving<'a> {
    pub fn id(&self) -> &'a str {
        self.item.key.id.as_str()
    }

    /// Whether it serves as the VPC's main table alone, for want of another.
    pub fn is_implied(&self) -> bool {
        self.association.subnet.is_none()
    }

    /// The routes, unless they were not told.
    pub fn routes(&self) -> Result<&'a [Route], Gap> {
        self.table.routes.as_deref().ok_or_else(|| {
            let text = format!("The routes of route table {} were not recorded.", self.id());
            Gap::new(DependentService::Config, &text)
        })
    }
}

type Served<'a, K> = BTreeMap<K, Vec<Serving<'a>>>;

/// All of a shard.
#[derive(Default)]
pub(in crate::evaluate) struct Tables<'a> {
    of_subnet: Served<'a, &'a str>,
    of_gateway: Served<'a, &'a str>,
    main_of: Served<'a, &'a str>,
    /// Why what none serves may be served by one that is held, or by one that is not.
    untold: Option<Gap>,
}

impl<'a> Tables<'a> {
    pub fn of(shard: &'a Shard) -> Tables<'a> {
        let untold = not_seen(shard, &ResourceType::ROUTE_TABLE);
        let mut tables = Tables { untold, ..Tables::default() };
        for item in shard.of_type(&ResourceType::ROUTE_TABLE) {
            match &item.body {
                Body::RouteTable(table) => tables.add(item, table),
                _ => tables.untold = tables.untold.take().or_else(|| Some(unseen_gap(item))),
            }
        }
        tables
    }

    fn add(&mut self, item: &'a Item, table: &'a RouteTable) {
        let Some(associations) = &table.associations else {
            let text =
                format!("What route table {} is associated with was not recorded.", item.key.id);
            let gap = || Gap::new(DependentService::Config, &text);
            self.untold = self.untold.take().or_else(|| Some(gap()));
            return;
        };
        for association in associations {
            let serving = Serving { item, table, association };
            if let Some(subnet) = &association.subnet {
                self.of_subnet.entry(subnet).or_default().push(serving);
            } else if let Some(gateway) = &association.gateway {
                self.of_gateway.entry(gateway).or_default().push(serving);
            } else if let Some(vpc) = &table.vpc {
                self.main_of.entry(vpc).or_default().push(serving);
            } else {
                let text = format!("The VPC of route table {} was not recorded.", item.key.id);
                let gap = || Gap::new(DependentService::Config, &text);
                self.untold = self.untold.take().or_else(|| Some(gap()));
            }
        }
    }

    /// The table of a subnet: its own, else its VPC's main one.
    pub fn of_subnet(&self, subnet: &str, vpc: &str) -> Result<Serving<'a>, Gap> {
        let what = format!("AWS::EC2::Subnet {subnet}");
        if let Some(own) = one(self.of_subnet.get(subnet), &what)? {
            return Ok(own);
        }
        if let Some(untold) = &self.untold {
            return Err(untold.clone());
        }
        let what = format!("the subnets of VPC {vpc} that have no other");
        one(self.main_of.get(vpc), &what)?.ok_or_else(|| {
            let text = format!("The main route table of VPC {vpc} was not recorded.");
            Gap::new(DependentService::Config, &text)
        })
    }

    /// The table of what enters by a gateway, if it has one.
    pub fn of_gateway(&self, gateway: &str) -> Result<Option<Serving<'a>>, Gap> {
        let what = format!("AWS::EC2::InternetGateway {gateway}");
        match (one(self.of_gateway.get(gateway), &what)?, &self.untold) {
            (None, Some(untold)) => Err(untold.clone()),
            (found, _) => Ok(found),
        }
    }

    /// The subnets with which a table is associated, ascending.
    pub fn subnets_of(serving: &Serving<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
        let all = serving.table.associations.iter().flatten();
        all.filter_map(|one| one.subnet.as_deref())
    }
}

/// The one of several; two tables cannot serve one thing.
fn one<'a>(serving: Option<&Vec<Serving<'a>>>, what: &str) -> Result<Option<Serving<'a>>, Gap> {
    match serving.map(Vec::as_slice).unwrap_or_default() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        [first, rest @ ..] if rest.iter().all(|other| other.id() == first.id()) => Ok(Some(*first)),
        several => {
            let ids: Vec<&str> = several.iter().map(Serving::id).collect();
            let text =
                format!("Which route table serves {what} is not certain: {} do.", ids.join(", "));
            Err(Gap::new(DependentService::Config, &text))
        }
    }
}
