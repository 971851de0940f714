//! Administrators and members (semantics §1.2, §1.3, §2.1).

mod scope;

use std::collections::BTreeSet;
use std::ops::Bound;

use palisade_core::ident::{AccountId, ShardId};
use palisade_core::organization::Organization;
use palisade_core::scope::AdminScope;
use palisade_store::{Administrator, Association, ControlChange, Mark, Offboarded};
use palisade_wire::shapes::{
    AccountRoleStatus, AdminAccountSummary, AssociateAdminAccountRequest,
    DisassociateAdminAccountRequest, GetAdminAccountRequest, GetAdminAccountResponse,
    GetAdminScopeRequest, GetAdminScopeResponse, ListAdminAccountsForOrganizationRequest,
    ListAdminAccountsForOrganizationResponse, ListAdminsManagingAccountRequest,
    ListAdminsManagingAccountResponse, ListMemberAccountsRequest, ListMemberAccountsResponse,
    OrganizationStatus, PutAdminAccountRequest,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::{Call, Paging, organization};
use crate::caller::Standing;
use crate::view::{ControlView, judged_accounts};

/// How long after READY the association of the same account may be repeated, milliseconds (semantics
/// §11 row 48).
const REPEATED_MS_MAX: i64 = 60_000;

/// `AssociateAdminAccount`: makes an account the default administrator.
///
/// # Errors
/// InvalidOperationException for another caller than the management account and while there is a
/// default administrator (the same account asked for again succeeds while it is onboarded and for
/// [`REPEATED_MS_MAX`] after: Terraform associates once more each time it looks whether the role is
/// READY), InvalidInputException for an account outside the organization,
/// LimitExceededException for an organization larger than the quota.
pub fn associate(call: &Call<'_>, input: AssociateAdminAccountRequest) -> Result<(), Fault> {
    let account = account(call, &input.admin_account)?;
    call.decide(|standing, view| {
        let organization = organization(view)?;
        may_associate(call, standing, organization, view, &account)?;
        if view.default_administrator() == Some(&account) {
            return Ok((Vec::new(), ()));
        }
        let administrator = Administrator::default_one(call.now_ms());
        let changes = vec![
            ControlChange::PutAdministrator(account.clone(), administrator),
            ControlChange::PutOffboarded(None),
        ];
        Ok((changes, ()))
    })
}

fn may_associate(
    call: &Call<'_>,
    standing: &Standing,
    organization: &Organization,
    view: &ControlView,
    account: &AccountId,
) -> Result<(), Fault> {
    let refuse = |text: String| Err(Fault::new(ErrorKind::InvalidOperation, text));
    if !standing.management {
        return refuse(format!(
            "{} is not the management account of the Organization but trying to AssociateAdmin, Organization management account is {}",
            standing.account, organization.management
        ));
    }
    if !organization.accounts.contains_key(account) {
        return Err(call.bad_input(format!("account `{account}` is not in the organization")));
    }
    if let Some(default) = view.default_administrator() {
        if default == account {
            let since_ms = view.administrator(default).map_or(0, |known| known.created_ms);
            let passed_ms = call.now_ms().saturating_sub(since_ms);
            let repeats_ms = call.app.settings.onboarding_ms.max(0).saturating_add(REPEATED_MS_MAX);
            if (0..repeats_ms).contains(&passed_ms) {
                return Ok(());
            }
            // AWS's own text (semantics §8.2), and why.
            return refuse(format!(
                "Operation is invalid. Account `{account}` is the default administrator already"
            ));
        }
        return refuse(format!(
            "account `{default}` is the default administrator; it must disassociate itself before another can be associated"
        ));
    }
    if let Some(offboarded) = &view.control().offboarded
        && is_under_way(call, offboarded.at_ms)
    {
        // Word for word (semantics §8.2).
        return refuse(
            "Your AWS Organization is currently offboarding with AWS Firewall Manager. Please submit onboard request after offboarded.".to_owned(),
        );
    }
    let accounts = organization.accounts.len();
    match call.app.settings.quotas.accounts_max {
        Some(max) if accounts > usize::try_from(max).unwrap_or(usize::MAX) => Err(Fault::new(
            ErrorKind::LimitExceeded,
            format!("the organization has {accounts} accounts and the quota is {max}"),
        )),
        _ => Ok(()),
    }
}

/// Whether what began at a moment is still to be seen as going on. What began while the clock was
/// ahead does not last until that time comes.
fn is_under_way(call: &Call<'_>, since_ms: i64) -> bool {
    let passed_ms = call.now_ms().saturating_sub(since_ms);
    (0..call.app.settings.onboarding_ms).contains(&passed_ms)
}

/// `PutAdminAccount`: makes an account an additional administrator, or replaces its scope.
///
/// # Errors
/// InvalidOperationException while there is no default administrator; InvalidInputException for an
/// account outside the organization, a scope that cannot be read, a new administrator without one,
/// and anything less than everything for the default administrator; LimitExceededException above
/// the quota.
pub fn put(call: &Call<'_>, input: PutAdminAccountRequest) -> Result<(), Fault> {
    let account = account(call, &input.admin_account)?;
    call.decide(|_, view| {
        let organization = organization(view)?;
        if view.default_administrator().is_none() {
            return Err(Fault::new(ErrorKind::InvalidOperation, no_default_admin(organization)));
        }
        if !organization.accounts.contains_key(&account) {
            return Err(call.bad_input(format!("account `{account}` is not in the organization")));
        }
        let given = input.admin_scope.as_ref();
        let before = view.administrator(&account);
        let held = before.and_then(|known| known.scope.as_ref());
        let scope = given.map(|given| scope::read(call, organization, held, given)).transpose()?;
        if before.is_some_and(|known| known.default) {
            return match scope.is_none_or(|scope| scope.is_full()) {
                true => Ok((Vec::new(), ())),
                false => Err(call.bad_input(format!(
                    "account `{account}` is the default administrator, whose scope is always everything"
                ))),
            };
        }
        let scope = scope.ok_or_else(|| {
            call.bad_input(format!(
                "`AdminScope` is missing: say what account `{account}` may act on"
            ))
        })?;
        let created_ms = match before {
            Some(known) => known.created_ms,
            None => {
                within_quota(call, view)?;
                call.now_ms()
            }
        };
        let administrator = Administrator::additional(created_ms, scope.clone());
        if before == Some(&administrator) {
            return Ok((Vec::new(), ()));
        }
        let mut changes = vec![ControlChange::PutAdministrator(account.clone(), administrator)];
        let marks = marks(view, organization, &account, &scope);
        changes.extend(marks.into_iter().map(ControlChange::Mark));
        Ok((changes, ()))
    })
}

fn within_quota(call: &Call<'_>, view: &ControlView) -> Result<(), Fault> {
    let count = view.control().administrators.len();
    let max = call.app.settings.quotas.administrators_max;
    if count < usize::try_from(max).unwrap_or(usize::MAX) {
        return Ok(());
    }
    Err(Fault::new(
        ErrorKind::LimitExceeded,
        format!(
            "the organization has {count} administrators and the quota is {max}; one must disassociate itself first"
        ),
    ))
}

/// The shards of accounts that a new scope brings under the administrator's policies or takes away
/// from them.
fn marks(
    view: &ControlView,
    organization: &Organization,
    administrator: &AccountId,
    scope: &AdminScope,
) -> Vec<Mark> {
    let mut marks = Vec::new();
    for policy in view.policies().filter(|policy| policy.owner == *administrator) {
        let before: BTreeSet<&AccountId> = view.in_scope(&policy.id).iter().collect();
        let after = judged_accounts(policy, Some(scope), organization);
        let after: BTreeSet<&AccountId> = after.iter().collect();
        marks.extend(before.symmetric_difference(&after).map(|account| Mark {
            shard: ShardId { account: (*account).clone(), region: policy.region.clone() },
            policy: Some(policy.id.clone()),
        }));
    }
    marks
}

fn no_default_admin(organization: &Organization) -> String {
    format!("No default admin could be found for organization {}", organization.id)
}

/// `DisassociateAdminAccount`: revokes the caller, with its policies.
///
/// # Errors
/// AccessDeniedException for an account that is no administrator, InvalidOperationException for
/// the default administrator while there are others (first in, last out).
pub fn disassociate(call: &Call<'_>, _: DisassociateAdminAccountRequest) -> Result<(), Fault> {
    call.decide(|standing, view| {
        let others = view.control().administrators.len() > 1;
        if standing.administrator == Some(true) && others {
            return Err(Fault::new(
                ErrorKind::InvalidOperation,
                format!(
                    "account `{}` is the default administrator; every other administrator must disassociate itself first",
                    standing.account
                ),
            ));
        }
        let known = view.administrator(&standing.account);
        if known.is_some_and(|known| is_under_way(call, known.created_ms)) {
            // Word for word (semantics §8.2).
            return Err(Fault::new(
                ErrorKind::InvalidOperation,
                format!(
                    "Failed to offboard AWS Account {} as an AWS Firewall Manager administrator account. Your AWS Organization is currently onboarding with AWS Firewall Manager and cannot be offboarded.",
                    standing.account
                ),
            ));
        }
        let policies = view.control().policies.values();
        let mut changes: Vec<ControlChange> = policies
            .filter(|record| record.owner == standing.account)
            .map(|record| ControlChange::RemovePolicy(record.id.clone()))
            .collect();
        changes.push(ControlChange::RemoveAdministrator(standing.account.clone()));
        if standing.administrator == Some(true) {
            let (account, at_ms) = (standing.account.clone(), call.now_ms());
            changes.extend(without_vendors(view, &account));
            changes.push(ControlChange::PutOffboarded(Some(Offboarded { account, at_ms })));
        }
        Ok((changes, ()))
    })
}

/// Third-party firewalls are the default administrator's: with it goes what it associated.
fn without_vendors(view: &ControlView, account: &AccountId) -> Vec<ControlChange> {
    let associations = view.control().associations.iter();
    associations
        .filter(|((owner, ..), state)| owner == account && **state == Association::Associated)
        .map(|((owner, region, vendor), _)| {
            let state = Association::Disassociated;
            ControlChange::PutAssociation(owner.clone(), region.clone(), vendor.clone(), state)
        })
        .collect()
}

/// `GetAdminAccount`: the default administrator.
///
/// # Errors
/// ResourceNotFoundException while there is none, AccessDeniedException for members.
pub fn get(call: &Call<'_>, _: GetAdminAccountRequest) -> Result<GetAdminAccountResponse, Fault> {
    let reading = call.read()?;
    let view = &reading.view;
    let may_know = reading.standing.administrator.is_some() || reading.standing.management;
    let Some(default) = view.default_administrator() else {
        return match &view.control().offboarded {
            Some(offboarded) if may_know && is_under_way(call, offboarded.at_ms) => {
                Ok(GetAdminAccountResponse {
                    admin_account: Some(offboarded.account.to_string()),
                    role_status: Some(AccountRoleStatus::Deleting),
                })
            }
            _ => Err(Fault::new(
                ErrorKind::ResourceNotFound,
                "the organization has no default administrator; the management account associates one with AssociateAdminAccount",
            )),
        };
    };
    if !may_know {
        return Err(call.denial(&reading.standing));
    }
    let since_ms = view.administrator(default).map_or(0, |known| known.created_ms);
    Ok(GetAdminAccountResponse {
        admin_account: Some(default.to_string()),
        role_status: Some(match is_under_way(call, since_ms) {
            true => AccountRoleStatus::Creating,
            false => AccountRoleStatus::Ready,
        }),
    })
}

/// How far an administrator is onboarded.
fn onboarding(call: &Call<'_>, administrator: &Administrator) -> OrganizationStatus {
    match is_under_way(call, administrator.created_ms) {
        true => OrganizationStatus::Onboarding,
        false => OrganizationStatus::OnboardingComplete,
    }
}

/// `GetAdminScope`: what an administrator may act on; the management account and the administrator
/// itself may ask.
///
/// # Errors
/// AccessDeniedException for others, ResourceNotFoundException for an account that is no administrator.
pub fn get_scope(
    call: &Call<'_>,
    input: GetAdminScopeRequest,
) -> Result<GetAdminScopeResponse, Fault> {
    let account = account(call, &input.admin_account)?;
    let reading = call.read()?;
    if !reading.standing.management && reading.standing.account != account {
        return Err(call.denial(&reading.standing));
    }
    let Some(administrator) = reading.view.administrator(&account) else {
        return Err(Fault::new(
            ErrorKind::ResourceNotFound,
            format!("account `{account}` is not an administrator"),
        ));
    };
    let everything = AdminScope::full();
    Ok(GetAdminScopeResponse {
        admin_scope: Some(scope::shown(administrator.scope.as_ref().unwrap_or(&everything))?),
        status: Some(onboarding(call, administrator)),
    })
}

/// `ListAdminAccountsForOrganization`: the default administrator first, then by age.
///
/// # Errors
/// InvalidOperationException while there is none.
pub fn list(
    call: &Call<'_>,
    input: ListAdminAccountsForOrganizationRequest,
) -> Result<ListAdminAccountsForOrganizationResponse, Fault> {
    let reading = call.read()?;
    let all = ordered(&reading.view);
    if all.is_empty() {
        let text = no_default_admin(organization(&reading.view)?);
        return Err(Fault::new(ErrorKind::InvalidOperation, text));
    }
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let (page, next_token) = call.page(&reading.standing, &[], paging, all, place)?;
    let summary = |(account, administrator): (AccountId, Administrator)| AdminAccountSummary {
        admin_account: Some(account.to_string()),
        default_admin: Some(administrator.default),
        status: Some(onboarding(call, &administrator)),
    };
    Ok(ListAdminAccountsForOrganizationResponse {
        admin_accounts: Some(page.into_iter().map(summary).collect()),
        next_token,
    })
}

/// `ListAdminsManagingAccount`: the administrators in whose scope the caller is.
///
/// # Errors
/// ResourceNotFoundException while there is none.
pub fn list_managing(
    call: &Call<'_>,
    input: ListAdminsManagingAccountRequest,
) -> Result<ListAdminsManagingAccountResponse, Fault> {
    let reading = call.read()?;
    let all = ordered(&reading.view);
    if all.is_empty() {
        let text = "The referenced item does not exist.";
        return Err(Fault::new(ErrorKind::ResourceNotFound, text));
    }
    let all =
        all.into_iter().filter(|(known, _)| reading.view.manages(known, &reading.standing.account));
    let all = all.collect();
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let (page, next_token) = call.page(&reading.standing, &[], paging, all, place)?;
    Ok(ListAdminsManagingAccountResponse {
        admin_accounts: Some(page.into_iter().map(|(account, _)| account.to_string()).collect()),
        next_token,
    })
}

/// Administrators, the default one first, then by age, then by account.
fn ordered(view: &ControlView) -> Vec<(AccountId, Administrator)> {
    let mut all: Vec<_> = view.control().administrators.clone().into_iter().collect();
    all.sort_by_cached_key(place);
    all
}

fn place((account, administrator): &(AccountId, Administrator)) -> String {
    let rank = if administrator.default { 0 } else { 1 };
    format!("{rank} {:020} {account}", administrator.created_ms)
}

/// `ListMemberAccounts`: every account of the organization, of an additional administrator those in
/// its scope, ascending.
///
/// # Errors
/// AccessDeniedException for members, and while there is no administrator.
pub fn list_members(
    call: &Call<'_>,
    input: ListMemberAccountsRequest,
) -> Result<ListMemberAccountsResponse, Fault> {
    let reading = call.read()?;
    let manager = &reading.standing.account;
    let accounts = &organization(&reading.view)?.accounts;
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let members = |after: Option<&str>| {
        let after = after.and_then(|after| AccountId::try_from(after).ok());
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let members = accounts.range((from, Bound::Unbounded)).map(|(account, _)| account);
        members.filter(|account| reading.view.manages(manager, account))
    };
    let (page, next_token) =
        call.page_of(&reading.standing, &[], paging, members, |account| account.to_string())?;
    Ok(ListMemberAccountsResponse {
        member_accounts: Some(page.into_iter().map(ToString::to_string).collect()),
        next_token,
    })
}

/// An account id out of a request, whose pattern was checked when it was decoded.
fn account(call: &Call<'_>, text: &str) -> Result<AccountId, Fault> {
    AccountId::try_from(text).map_err(|error| call.bad_input(error.to_string()))
}
