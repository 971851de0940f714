//! AdminScope between the wire's shape and core's.

use palisade_core::ident::{AccountId, OuId, Region};
use palisade_core::organization::Organization;
use palisade_core::policy::PolicyType;
use palisade_core::scope::{AdminScope, Grant};
use palisade_wire::Fault;
use palisade_wire::shapes;

use crate::call::Call;
use crate::fault::internal;

/// Reads and checks what a request grants.
///
/// # Errors
/// InvalidInputException for an All-flag beside a list, for accounts and units that neither are there
/// nor were granted before, for Regions such as there are none, and for third-party firewalls, which
/// are the default administrator's alone (semantics §1.3).
pub(super) fn read(
    call: &Call<'_>,
    organization: &Organization,
    held: Option<&AdminScope>,
    given: &shapes::AdminScope,
) -> Result<AdminScope, Fault> {
    let accounts = given.account_scope.as_ref().map(|part| {
        let all = part.all_accounts_enabled;
        let but = part.exclude_specified_accounts;
        let held = listed_in(held.and_then(|held| held.accounts.as_ref()));
        let known = |text: &str| {
            let is_there =
                |id: &AccountId| organization.accounts.contains_key(id) || held.contains(id);
            AccountId::try_from(text).ok().filter(is_there)
        };
        grant(call, "AccountScope.Accounts", all, but, part.accounts.as_deref(), known)
    });
    let units = given.organizational_unit_scope.as_ref().map(|part| {
        let all = part.all_organizational_units_enabled;
        let but = part.exclude_specified_organizational_units;
        let held = listed_in(held.and_then(|held| held.units.as_ref()));
        let known = |text: &str| {
            let is_there = |id: &OuId| organization.units.contains_key(id) || held.contains(id);
            OuId::try_from(text).ok().filter(is_there)
        };
        let listed = part.organizational_units.as_deref();
        grant(call, "OrganizationalUnitScope.OrganizationalUnits", all, but, listed, known)
    });
    let regions = given.region_scope.as_ref().map(|part| {
        let listed = part.regions.as_deref();
        if let Some(unknown) = listed.unwrap_or_default().iter().find(|text| !is_region(text)) {
            return Err(call.bad_input(format!(
                "`{unknown}` in `RegionScope.Regions` is not a Region; give codes such as `eu-west-1`"
            )));
        }
        let known = |text: &str| Region::try_from(text).ok();
        grant(call, "RegionScope.Regions", part.all_regions_enabled, None, listed, known)
    });
    let policy_types = given.policy_type_scope.as_ref().map(|part| {
        let listed: Option<Vec<String>> = part
            .policy_types
            .as_ref()
            .map(|listed| listed.iter().map(ToString::to_string).collect());
        let third_party = PolicyType::ThirdPartyFirewall.as_str();
        if listed.iter().flatten().any(|text| text == third_party) {
            return Err(call.bad_input(format!(
                "`{third_party}` in `PolicyTypeScope.PolicyTypes` cannot be granted: the default administrator alone has third-party firewalls; leave it out"
            )));
        }
        let known = |text: &str| PolicyType::ALL.into_iter().find(|known| known.as_str() == text);
        let all = part.all_policy_types_enabled;
        grant(call, "PolicyTypeScope.PolicyTypes", all, None, listed.as_deref(), known)
    });
    Ok(AdminScope {
        accounts: accounts.transpose()?,
        units: units.transpose()?,
        regions: regions.transpose()?,
        policy_types: policy_types.transpose()?,
    })
}

/// What a part lists so far: what has vanished from the organization since may stay.
fn listed_in<T>(granted: Option<&Grant<T>>) -> &[T] {
    match granted {
        None | Some(Grant::All) => &[],
        Some(Grant::Only(listed) | Grant::AllBut(listed)) => listed,
    }
}

/// Whether there can be a Region of this code: AWS names a direction before the number. New Regions
/// come several times a year, so that a list would refuse some.
fn is_region(text: &str) -> bool {
    let directions = [
        "central",
        "east",
        "north",
        "northeast",
        "northwest",
        "south",
        "southeast",
        "southwest",
        "west",
    ];
    let direction = text.rsplit('-').nth(1).unwrap_or_default();
    Region::named(text).is_ok() && directions.contains(&direction)
}

fn grant<T: PartialEq>(
    call: &Call<'_>,
    member: &str,
    all: Option<bool>,
    but: Option<bool>,
    listed: Option<&[String]>,
    known: impl Fn(&str) -> Option<T>,
) -> Result<Grant<T>, Fault> {
    let listed = listed.unwrap_or_default();
    if all == Some(true) {
        return match listed.is_empty() {
            true => Ok(Grant::All),
            false => Err(call.bad_input(format!(
                "`{member}` lists what its All-flag grants already; leave the list out or set the flag to false"
            ))),
        };
    }
    let read = |text: &String| {
        known(text).ok_or_else(|| {
            call.bad_input(format!(
                "`{text}` in `{member}` is not known to the organization; correct or remove it"
            ))
        })
    };
    let mut once: Vec<T> = Vec::new();
    for text in listed {
        let item = read(text)?;
        if !once.contains(&item) {
            once.push(item);
        }
    }
    let listed = once;
    Ok(if but == Some(true) { Grant::AllBut(listed) } else { Grant::Only(listed) })
}

/// A scope as answered: a part that was not granted is left out.
///
/// # Errors
/// A type of policy that the wire does not know.
pub(super) fn shown(scope: &AdminScope) -> Result<shapes::AdminScope, Fault> {
    let account_scope = scope.accounts.as_ref().map(|granted| {
        let (all, but, accounts) = told(granted);
        shapes::AccountScope {
            accounts: Some(accounts),
            all_accounts_enabled: Some(all),
            exclude_specified_accounts: Some(but),
        }
    });
    let organizational_unit_scope = scope.units.as_ref().map(|granted| {
        let (all, but, units) = told(granted);
        shapes::OrganizationalUnitScope {
            organizational_units: Some(units),
            all_organizational_units_enabled: Some(all),
            exclude_specified_organizational_units: Some(but),
        }
    });
    let region_scope = scope.regions.as_ref().map(|granted| {
        let (all, _, regions) = told(granted);
        shapes::RegionScope { regions: Some(regions), all_regions_enabled: Some(all) }
    });
    let policy_type_scope = match &scope.policy_types {
        None => None,
        Some(granted) => {
            let listed = match granted {
                Grant::All => &[][..],
                Grant::Only(listed) | Grant::AllBut(listed) => listed,
            };
            let types: Result<_, _> = listed.iter().map(|known| known.as_str().parse()).collect();
            Some(shapes::PolicyTypeScope {
                policy_types: Some(types.map_err(internal)?),
                all_policy_types_enabled: Some(*granted == Grant::All),
            })
        }
    };
    Ok(shapes::AdminScope {
        account_scope,
        organizational_unit_scope,
        policy_type_scope,
        region_scope,
    })
}

/// All-flag, Exclude-flag and list.
fn told<T: ToString>(granted: &Grant<T>) -> (bool, bool, Vec<String>) {
    let texts = |listed: &Vec<T>| listed.iter().map(ToString::to_string).collect();
    match granted {
        Grant::All => (true, false, Vec::new()),
        Grant::Only(listed) => (false, false, texts(listed)),
        Grant::AllBut(listed) => (false, true, texts(listed)),
    }
}
