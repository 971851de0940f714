//! The organization: applied as a whole, and what follows for policies whose scope it changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use palisade_core::ident::{AccountId, ShardId};
use palisade_core::organization::{AccountStatus, Organization, replacement};
use palisade_store::{Administrator, ControlChange, Mark};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::answer::{
    Refused, RefusedShape, SMALL_BODY_SIZE_MAX, actor, answer, finish, is_confirmed, operator_only,
    query,
};
use super::schema::one_of;
use crate::app::{App, Decision};
use crate::audit::{self, Actor};
use crate::view::{ControlView, judged_accounts};

/// Bytes of an organization file: 64 MiB, several times that of 100,000 accounts.
pub const ORGANIZATION_SIZE_MAX: usize = 64 * 1024 * 1024;

pub(super) const NAME: &str = "palisade:organization";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Needed for a file of another organization, or one that drops more than a fifth of the accounts
    #[param(value_type = Option<bool>)]
    confirm: Option<String>,
}

/// What was applied.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Applied {
    id: String,
    accounts: usize,
    units: usize,
    #[schema(value_type = Option<String>)]
    default_administrator: Option<AccountId>,
    /// (policy, account) pairs that entered or left a scope and are judged again.
    marked: usize,
}

/// `PUT /palisade/v1/organization`
#[utoipa::path(
    put,
    path = "/palisade/v1/organization",
    summary = "Create or replace the organization",
    params(Asked),
    request_body = File,
    responses(
        (status = 200, description = "Applied", body = Applied),
        (status = 400, description = "Not an organization file", body = RefusedShape),
        (
            status = 409,
            description = "ConfirmationRequired; or AdministratorDropped or OtherAdministrator: the default administrator would go, or be another",
            body = RefusedShape
        ),
    )
)]
pub(super) async fn put(State(app): State<Arc<App>>, request: Request) -> Response {
    let confirm = match query(request.uri())
        .and_then(|asked: Asked| is_confirmed(asked.confirm.as_deref()))
    {
        Ok(confirm) => confirm,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, ORGANIZATION_SIZE_MAX, move |app, request| {
        operator_only(request)?;
        let organization = Organization::parse(request.body())
            .map_err(|error| Refused::invalid(error.to_string()))?;
        let actor = actor(app, request);
        apply(app, &actor, Arc::new(organization), confirm)
    })
    .await
}

/// Applies what a source of this server read; answers how many (policy, account) pairs are judged again.
pub(super) fn apply_own(app: &App, actor: &Actor, new: Organization) -> Result<usize, Refused> {
    apply(app, actor, Arc::new(new), false).map(|applied| applied.marked)
}

fn apply(
    app: &App,
    actor: &Actor,
    new: Arc<Organization>,
    confirm: bool,
) -> Result<Applied, Refused> {
    app.decide(|view| {
        let mut changes = changes(app, view, &new, confirm)?;
        let named = new.default_administrator.as_ref();
        let default = view.default_administrator().or(named);
        let marks = marks(view, &new);
        let applied = Applied {
            id: new.id.to_string(),
            accounts: new.accounts.len(),
            units: new.units.len(),
            default_administrator: default.cloned(),
            marked: marks.len(),
        };
        let told = audit::changes(view.control(), &changes, &app.settings.partition);
        let event = actor.event(audit::own::PUT_ORGANIZATION, told);
        changes.extend(marks.into_iter().map(ControlChange::Mark));
        Ok(Decision { changes, event, answer: applied })
    })
}

/// What applying an organization changes.
///
/// # Errors
/// What stands against it, or was not confirmed.
pub(super) fn changes(
    app: &App,
    view: &ControlView,
    new: &Arc<Organization>,
    confirm: bool,
) -> Result<Vec<ControlChange>, Refused> {
    keeps_administrators(view, new)?;
    if let Some(old) = view.organization() {
        confirmed(old, new, confirm)?;
    }
    let named = new.default_administrator.as_ref();
    same_administrator(view, named)?;
    let mut changes = vec![ControlChange::PutOrganization(new.clone())];
    changes.extend(revoked(view, new, confirm)?);
    if let (None, Some(named)) = (view.default_administrator(), named) {
        let administrator = Administrator::default_one(app.clock.now_ms());
        changes.push(ControlChange::PutAdministrator(named.clone(), administrator));
    }
    Ok(changes)
}

/// Additional administrators whose accounts left are revoked (semantics §1.6). Their policies go with
/// them, as when they disassociate themselves, which must be confirmed.
fn revoked(
    view: &ControlView,
    new: &Organization,
    confirm: bool,
) -> Result<Vec<ControlChange>, Refused> {
    let mut changes = Vec::new();
    for account in view.control().administrators.keys() {
        if new.accounts.contains_key(account) {
            continue;
        }
        let records = view.control().policies.values();
        let policies: Vec<_> = records.filter(|record| record.owner == *account).collect();
        if !policies.is_empty() && !confirm {
            let count = policies.len();
            return Err(Refused::new(
                StatusCode::CONFLICT,
                "ConfirmationRequired",
                format!(
                    "the file drops account `{account}`, which is an administrator; it would be revoked and its policies deleted, {count} of them; add `?confirm=true` if that is meant"
                ),
            )
            .with("administrator", account.as_str())
            .with("policies", count));
        }
        let ids = policies.into_iter().map(|record| record.id.clone());
        changes.extend(ids.map(ControlChange::RemovePolicy));
        changes.push(ControlChange::RemoveAdministrator(account.clone()));
    }
    Ok(changes)
}

/// The file makes the first default administrator and no other: one hands over by itself, since its
/// policies go with it (semantics §8.2). A file that names another is not applied by half.
fn same_administrator(view: &ControlView, named: Option<&AccountId>) -> Result<(), Refused> {
    let (Some(present), Some(named)) = (view.default_administrator(), named) else { return Ok(()) };
    if present == named {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::CONFLICT,
        "OtherAdministrator",
        format!(
            "the file names account `{named}` as DefaultAdministrator, and account `{present}` is; have `{present}` call DisassociateAdminAccount and apply the file again, or leave DefaultAdministrator out of it"
        ),
    )
    .with("administrator", present.as_str())
    .with("named", named.as_str()))
}

/// The default administrator cannot go: its policies would be nobody's.
fn keeps_administrators(view: &ControlView, new: &Organization) -> Result<(), Refused> {
    let administrators = view.control().administrators.iter();
    for (account, administrator) in administrators {
        if administrator.default && !new.accounts.contains_key(account) {
            return Err(Refused::new(
                StatusCode::CONFLICT,
                "AdministratorDropped",
                format!(
                    "the file drops account `{account}`, which is the default administrator; keep it in the file, or have it call DisassociateAdminAccount first"
                ),
            ));
        }
    }
    Ok(())
}

/// Whether a replacement is small enough, or was confirmed.
fn confirmed(old: &Organization, new: &Organization, confirm: bool) -> Result<(), Refused> {
    let change = replacement(old, new);
    if !change.needs_confirmation || confirm {
        return Ok(());
    }
    let why = if change.other_id {
        format!("the file is of organization `{}`, and `{}` is in place", new.id, old.id)
    } else if change.other_management {
        format!(
            "the file names management account `{}`, and `{}` is in place",
            new.management, old.management
        )
    } else {
        "the file drops more than a fifth of the accounts".to_owned()
    };
    Err(Refused::new(
        StatusCode::CONFLICT,
        "ConfirmationRequired",
        format!(
            "{why}; {} of {} accounts would be dropped; add `?confirm=true` if that is meant",
            change.dropped, change.of
        ),
    )
    .with("otherId", change.other_id)
    .with("otherManagementAccount", change.other_management)
    .with("dropped", change.dropped)
    .with("of", change.of))
}

/// The shards of accounts that enter or leave a policy's scope, for that policy: the worker judges
/// those that entered and closes the entries of those that left. An account that is dropped is
/// marked for every policy: one may have put it out of scope just before, and its fan-out, which
/// walks the accounts that are there, would no longer come by.
fn marks(view: &ControlView, new: &Organization) -> Vec<Mark> {
    let mut marks = Vec::new();
    let known = view.organization().into_iter().flat_map(|old| old.accounts.keys());
    let dropped: Vec<&AccountId> = known.filter(|old| !new.accounts.contains_key(*old)).collect();
    // Those of owners that left go with them.
    for policy in view.policies().filter(|policy| new.accounts.contains_key(&policy.owner)) {
        let before: BTreeSet<&AccountId> = view.in_scope(&policy.id).iter().collect();
        let after = judged_accounts(policy, view.admin_scope(&policy.owner), new);
        let after: BTreeSet<&AccountId> = after.iter().collect();
        let mut changed: BTreeSet<&AccountId> =
            before.symmetric_difference(&after).copied().collect();
        changed.extend(dropped.iter().copied());
        marks.extend(changed.into_iter().map(|account| Mark {
            shard: ShardId { account: account.clone(), region: policy.region.clone() },
            policy: Some(policy.id.clone()),
        }));
    }
    marks
}

/// `GET /palisade/v1/organization`: as the file that would bring it about.
#[utoipa::path(
    get,
    path = "/palisade/v1/organization",
    summary = "The organization as the file that would bring it about",
    responses(
        (status = 200, description = "The file", body = File),
        (status = 404, description = "None was applied yet", body = RefusedShape),
    )
)]
pub(super) async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, |app, request| {
        operator_only(request)?;
        let view = app.view()?;
        let organization = view.organization().ok_or_else(|| {
            Refused::not_found(
                "no organization was applied yet; apply one with `palisade organization apply FILE`",
            )
        })?;
        Ok(file(organization, view.default_administrator()))
    })
    .await
}

// Members are answered in alphabetical order.
/// The organization file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Organization)]
struct File {
    accounts: Vec<AccountLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    default_administrator: Option<AccountId>,
    organization: Head,
    #[schema(required = false)]
    organizational_units: Vec<UnitLine>,
    roots: Vec<Root>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct AccountLine {
    id: String,
    #[schema(required = false)]
    name: String,
    parent_id: String,
    #[schema(schema_with = account_status)]
    status: AccountStatus,
}

fn account_status() -> RefOr<Schema> {
    use AccountStatus::{Active, Closed, PendingActivation, PendingClosure, Suspended};
    one_of(&[Active, PendingActivation, PendingClosure, Suspended, Closed])
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Head {
    id: String,
    management_account_id: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct UnitLine {
    id: String,
    #[schema(required = false)]
    name: String,
    parent_id: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Root {
    id: String,
}

fn file(organization: &Organization, default_administrator: Option<&AccountId>) -> File {
    let accounts = organization.accounts.iter().map(|(id, account)| AccountLine {
        id: id.to_string(),
        name: account.name.to_string(),
        parent_id: account.parent.to_string(),
        status: account.status,
    });
    let units = organization.units.iter().map(|(id, unit)| UnitLine {
        id: id.to_string(),
        name: unit.name.to_string(),
        parent_id: unit.parent.to_string(),
    });
    File {
        accounts: accounts.collect(),
        default_administrator: default_administrator.cloned(),
        organization: Head {
            id: organization.id.to_string(),
            management_account_id: organization.management.to_string(),
        },
        organizational_units: units.collect(),
        roots: organization.roots.iter().map(|id| Root { id: id.to_string() }).collect(),
    }
}
