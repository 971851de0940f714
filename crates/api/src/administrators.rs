//! Administrators and members (semantics §2.1).

use palisade_core::ident::AccountId;
use palisade_core::organization::Organization;
use palisade_store::{Administrator, ControlChange};
use palisade_wire::shapes::{
    AccountRoleStatus, AccountScope, AdminAccountSummary, AdminScope, AssociateAdminAccountRequest,
    DisassociateAdminAccountRequest, GetAdminAccountRequest, GetAdminAccountResponse,
    GetAdminScopeRequest, GetAdminScopeResponse, ListAdminAccountsForOrganizationRequest,
    ListAdminAccountsForOrganizationResponse, ListAdminsManagingAccountRequest,
    ListAdminsManagingAccountResponse, ListMemberAccountsRequest, ListMemberAccountsResponse,
    OrganizationStatus, OrganizationalUnitScope, PolicyTypeScope, RegionScope,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::{Call, Paging, organization};
use crate::caller::Standing;
use crate::view::ControlView;

/// `AssociateAdminAccount`: makes an account the default administrator.
///
/// # Errors
/// InvalidOperationException for another caller than the management account and while there is a
/// default administrator, InvalidInputException for an account outside the organization,
/// LimitExceededException for an organization larger than the quota.
pub fn associate(call: &Call<'_>, input: AssociateAdminAccountRequest) -> Result<(), Fault> {
    let account = account(call, &input.admin_account)?;
    call.decide(|standing, view| {
        let organization = organization(view)?;
        may_associate(call, standing, organization, view, &account)?;
        let administrator = Administrator { default: true, created_ms: call.now_ms() };
        Ok((vec![ControlChange::PutAdministrator(account.clone(), administrator)], ()))
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
            return refuse(format!("account `{account}` is the default administrator already"));
        }
        return refuse(format!(
            "account `{default}` is the default administrator; it must disassociate itself before another can be associated"
        ));
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
        let policies = view.control().policies.values();
        let mut changes: Vec<ControlChange> = policies
            .filter(|record| record.owner == standing.account)
            .map(|record| ControlChange::RemovePolicy(record.id.clone()))
            .collect();
        changes.push(ControlChange::RemoveAdministrator(standing.account.clone()));
        Ok((changes, ()))
    })
}

/// `GetAdminAccount`: the default administrator.
///
/// # Errors
/// ResourceNotFoundException while there is none, AccessDeniedException for members.
pub fn get(call: &Call<'_>, _: GetAdminAccountRequest) -> Result<GetAdminAccountResponse, Fault> {
    let reading = call.read()?;
    let Some(default) = reading.view.default_administrator() else {
        return Err(Fault::new(
            ErrorKind::ResourceNotFound,
            "the organization has no default administrator; the management account associates one with AssociateAdminAccount",
        ));
    };
    if reading.standing.administrator.is_none() && !reading.standing.management {
        return Err(call.denial(&reading.standing));
    }
    Ok(GetAdminAccountResponse {
        admin_account: Some(default.to_string()),
        role_status: Some(AccountRoleStatus::Ready),
    })
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
    if reading.view.administrator(&account).is_none() {
        return Err(Fault::new(
            ErrorKind::ResourceNotFound,
            format!("account `{account}` is not an administrator"),
        ));
    }
    Ok(GetAdminScopeResponse {
        admin_scope: Some(full_scope()),
        status: Some(OrganizationStatus::OnboardingComplete),
    })
}

/// Everything: the scope of the default administrator.
fn full_scope() -> AdminScope {
    AdminScope {
        account_scope: Some(AccountScope {
            accounts: Some(Vec::new()),
            all_accounts_enabled: Some(true),
            exclude_specified_accounts: Some(false),
        }),
        organizational_unit_scope: Some(OrganizationalUnitScope {
            organizational_units: Some(Vec::new()),
            all_organizational_units_enabled: Some(true),
            exclude_specified_organizational_units: Some(false),
        }),
        region_scope: Some(RegionScope {
            regions: Some(Vec::new()),
            all_regions_enabled: Some(true),
        }),
        policy_type_scope: Some(PolicyTypeScope {
            policy_types: Some(Vec::new()),
            all_policy_types_enabled: Some(true),
        }),
    }
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
        let text = format!(
            "No default admin could be found for organization {}",
            organization(&reading.view)?.id
        );
        return Err(Fault::new(ErrorKind::InvalidOperation, text));
    }
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let (page, next_token) = call.page(&reading.standing, &[], paging, all, place)?;
    let summary = |(account, administrator): (AccountId, Administrator)| AdminAccountSummary {
        admin_account: Some(account.to_string()),
        default_admin: Some(administrator.default),
        status: Some(OrganizationStatus::OnboardingComplete),
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

/// `ListMemberAccounts`: every account of the organization, ascending.
///
/// # Errors
/// AccessDeniedException for members, and while there is no administrator.
pub fn list_members(
    call: &Call<'_>,
    input: ListMemberAccountsRequest,
) -> Result<ListMemberAccountsResponse, Fault> {
    let reading = call.read()?;
    let all: Vec<&AccountId> = organization(&reading.view)?.accounts.keys().collect();
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let (page, next_token) =
        call.page(&reading.standing, &[], paging, all, |account| account.to_string())?;
    Ok(ListMemberAccountsResponse {
        member_accounts: Some(page.into_iter().map(ToString::to_string).collect()),
        next_token,
    })
}

/// An account id out of a request, whose pattern was checked when it was decoded.
fn account(call: &Call<'_>, text: &str) -> Result<AccountId, Fault> {
    AccountId::try_from(text).map_err(|error| call.bad_input(error.to_string()))
}
