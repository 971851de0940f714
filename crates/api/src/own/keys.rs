//! Keys: made, listed without their secrets, disabled, rotated and deleted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use palisade_core::ident::AccountId;
use palisade_store::{KeyRecord, KeyRole};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{
    Refused, RefusedShape, SMALL_BODY_SIZE_MAX, actor, answer, finish, is_confirmed, moment,
    operator_only, query,
};
use super::moments;
use crate::app::{App, Auth};
use crate::fault::internal;
use crate::keys::{self, KeyError, Keyring, NewKey};
use crate::vault::VaultError;
use crate::verify::Authentic;

pub(super) const NAME: &str = "palisade:keys";

/// Exactly one of `account` and `operator`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKeyOf)]
struct Asked {
    #[schema(value_type = Option<String>)]
    account: Option<AccountId>,
    #[serde(default)]
    operator: bool,
    /// What people call it: 1 to 64 characters.
    name: Option<String>,
    /// What its holder may do; `full` unless it is given.
    role: Option<Role>,
    /// When it ends, at most 3,650 days on; never, unless it is given.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// How the key that takes another's place differs from it. The body may be empty.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyRotation)]
struct AskedAgain {
    /// When it ends; as long from now on as the old one lasted, unless it is given.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// What a key lets its holder do of what its account, or the operator, may.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = KeyRole)]
enum Role {
    /// Everything.
    Full,
    /// See everything and change nothing.
    Reader,
}

impl From<Role> for KeyRole {
    fn from(role: Role) -> KeyRole {
        match role {
            Role::Full => KeyRole::Full,
            Role::Reader => KeyRole::Reader,
        }
    }
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Role {
        match role {
            KeyRole::Full => Role::Full,
            KeyRole::Reader => Role::Reader,
        }
    }
}

/// The query of what may leave nobody to operate the server.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Confirmed {
    /// Needed for the last operator key that works
    #[param(value_type = Option<bool>)]
    confirm: Option<String>,
}

/// What a key is to become.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
#[schema(as = KeyChange)]
struct Wanted {
    status: Switch,
}

/// Whether calls signed with a key are to be believed, in IAM's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, ToSchema)]
#[schema(as = KeySwitch)]
enum Switch {
    Active,
    Inactive,
}

/// Whether calls signed with a key are believed, in IAM's words.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = KeyStatus)]
enum Status {
    Active,
    Inactive,
    /// Its time is over, whether it is disabled or not.
    Expired,
}

/// A new key; its secret is told this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = NewKey)]
pub(super) struct Created {
    secret_access_key: String,
    /// What stands against its use; null: nothing.
    warning: Option<String>,
    #[serde(flatten)]
    key: Shown,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Keys {
    keys: Vec<Shown>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Key)]
pub(super) struct Shown {
    access_key_id: String,
    /// Null: an operator key.
    #[schema(value_type = Option<String>)]
    account: Option<AccountId>,
    status: Status,
    #[schema(format = DateTime)]
    created: String,
    /// Null: never.
    #[schema(format = DateTime)]
    last_used: Option<String>,
    /// The key that this one was made to take the place of.
    replaces: Option<String>,
    /// What people call it.
    name: Option<String>,
    role: Role,
    /// Null: never.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// `GET /palisade/v1/keys`: without secrets.
#[utoipa::path(
    get,
    path = "/palisade/v1/keys",
    summary = "Access keys, without their secrets",
    responses((status = 200, description = "Keys, oldest first", body = Keys))
)]
pub(super) async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, all).await
}

/// All keys, for the operator.
pub(super) fn all(app: &App, request: &Authentic<Bytes>) -> Result<Keys, Refused> {
    operator_only(request)?;
    Ok(Keys { keys: app.store.keys()?.into_iter().map(|key| shown(app, key)).collect() })
}

/// `POST /palisade/v1/keys`
#[utoipa::path(
    post,
    path = "/palisade/v1/keys",
    summary = "Make an access key for an account or for the operator",
    request_body = Asked,
    responses(
        (status = 200, description = "The key; its secret is told this once", body = Created),
        (
            status = 409,
            description = "OtherSealingKey: secrets are sealed under another key than the server has",
            body = RefusedShape
        ),
    )
)]
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, made).await
}

/// Makes the key that is asked for.
pub(super) fn made(app: &App, request: &Authentic<Bytes>) -> Result<Created, Refused> {
    operator_only(request)?;
    let asked: Asked = body(request)?;
    if asked.operator == asked.account.is_some() {
        return Err(Refused::invalid(
            "give either `account` with an account id or `operator` as true",
        ));
    }
    let expires = asked.expires.as_deref().map(|text| moments::read("expires", text));
    let wanted = keys::Wanted {
        account: asked.account,
        name: asked.name,
        role: asked.role.map(KeyRole::from).unwrap_or_default(),
        expires_ms: expires.transpose()?,
    };
    created(app, with_keys(app, request, false, |keys| keys.create(&wanted))?)
}

/// `POST /palisade/v1/keys/{id}/rotate`
#[utoipa::path(
    post,
    path = "/palisade/v1/keys/{key}/rotate",
    summary = "Make another key for the same caller; the old one goes on being believed until it is disabled or deleted",
    params(("key" = String, Path)),
    request_body = Option<AskedAgain>,
    responses(
        (status = 200, description = "The new key; its secret is told this once", body = Created),
        (status = 404, description = "No such key", body = RefusedShape),
        (
            status = 409,
            description = "LimitExceeded: the key of the last rotation is still there; OtherSealingKey: secrets are sealed under another key than the server has",
            body = RefusedShape
        ),
    )
)]
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| rotated(app, request, &id))
        .await
}

/// Makes another key for the caller of this one.
pub(super) fn rotated(app: &App, request: &Authentic<Bytes>, id: &str) -> Result<Created, Refused> {
    operator_only(request)?;
    let asked: AskedAgain = match request.body().is_empty() {
        true => AskedAgain::default(),
        // A page's form sends `null`.
        false => body::<Option<AskedAgain>>(request)?.unwrap_or_default(),
    };
    let expires =
        asked.expires.as_deref().map(|text| moments::read("expires", text)).transpose()?;
    created(app, with_keys(app, request, false, |keys| keys.rotate(id, expires))?)
}

/// `PATCH /palisade/v1/keys/{id}`
#[utoipa::path(
    patch,
    path = "/palisade/v1/keys/{key}",
    summary = "Disable a key, or enable it again; every server over the store refuses a disabled key at once",
    params(("key" = String, Path), Confirmed),
    request_body = Wanted,
    responses(
        (status = 200, description = "The key as it is now", body = Shown),
        (status = 404, description = "No such key", body = RefusedShape),
        (
            status = 409,
            description = "LastOperatorKey: nobody could operate the server after this; `confirm` says that it is meant",
            body = RefusedShape
        ),
    )
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let confirmed = match confirmed(&request) {
        Ok(confirmed) => confirmed,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        changed(app, request, &id, confirmed)
    })
    .await
}

/// Disables a key or enables it again.
pub(super) fn changed(
    app: &App,
    request: &Authentic<Bytes>,
    id: &str,
    confirmed: bool,
) -> Result<Shown, Refused> {
    operator_only(request)?;
    let enabled = body::<Wanted>(request)?.status == Switch::Active;
    with_keys(app, request, confirmed, |keys| keys.enable(id, enabled)).map(|key| shown(app, key))
}

/// `DELETE /palisade/v1/keys/{id}`: answers what it was.
#[utoipa::path(
    delete,
    path = "/palisade/v1/keys/{key}",
    summary = "Forget a key",
    params(("key" = String, Path), Confirmed),
    responses(
        (status = 200, description = "What it was", body = Shown),
        (status = 404, description = "No such key", body = RefusedShape),
        (
            status = 409,
            description = "LastOperatorKey: nobody could operate the server after this; `confirm` says that it is meant",
            body = RefusedShape
        ),
    )
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let confirmed = match confirmed(&request) {
        Ok(confirmed) => confirmed,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        deleted(app, request, &id, confirmed)
    })
    .await
}

/// Forgets a key.
pub(super) fn deleted(
    app: &App,
    request: &Authentic<Bytes>,
    id: &str,
    confirmed: bool,
) -> Result<Shown, Refused> {
    operator_only(request)?;
    with_keys(app, request, confirmed, |keys| keys.delete(id)).map(|key| shown(app, key))
}

fn confirmed(request: &Request) -> Result<bool, Refused> {
    query(request.uri()).and_then(|asked: Confirmed| is_confirmed(asked.confirm.as_deref()))
}

fn body<T: DeserializeOwned>(request: &Authentic<Bytes>) -> Result<T, Refused> {
    serde_json::from_slice(request.body())
        .map_err(|error| Refused::invalid(format!("the body cannot be read: {error}")))
}

fn with_keys<T>(
    app: &App,
    request: &Authentic<Bytes>,
    confirmed: bool,
    act: impl FnOnce(&Keyring<'_>) -> Result<T, KeyError>,
) -> Result<T, Refused> {
    let keys = Keyring {
        store: &*app.store,
        vault: app.settings.vault.as_deref(),
        entropy: &*app.entropy,
        actor: &actor(app, request),
        // With open authentication nobody needs a key to come back.
        keeps_an_operator: app.settings.auth != Auth::Open && !confirmed,
    };
    act(&keys).map_err(refused)
}

fn refused(error: KeyError) -> Refused {
    let text = error.to_string();
    match error {
        KeyError::Unknown(_) => Refused::not_found(text),
        KeyError::Rotated { .. } => Refused::new(StatusCode::CONFLICT, "LimitExceeded", text),
        KeyError::LastOperator(_) => Refused::new(StatusCode::CONFLICT, "LastOperatorKey", text),
        KeyError::NoAccount(_) | KeyError::NoName(_) | KeyError::NoEnd { .. } => {
            Refused::invalid(text)
        }
        KeyError::NoSealingKey => Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "NoSealingKey",
            "this server has no key to seal the secrets of access keys with; start it with --key-file",
        ),
        KeyError::Vault(VaultError::OtherKey { .. }) => {
            Refused::new(StatusCode::CONFLICT, "OtherSealingKey", text)
        }
        KeyError::Vault(error) => internal(error).into(),
        KeyError::Entropy(error) => internal(error).into(),
        KeyError::Store(error) => internal(error).into(),
    }
}

fn created(app: &App, new: NewKey) -> Result<Created, Refused> {
    let warning = keys::outside(&new.record, app.view()?.organization());
    Ok(Created { secret_access_key: new.secret, warning, key: shown(app, new.record) })
}

fn shown(app: &App, key: KeyRecord) -> Shown {
    // What is not written yet is known here all the same.
    let last_used_ms = key.last_used_ms.max(app.uses.of(&key.access_key_id));
    let status = match key.enabled {
        _ if key.has_expired(app.clock.now_ms()) => Status::Expired,
        true => Status::Active,
        false => Status::Inactive,
    };
    Shown {
        access_key_id: key.access_key_id,
        account: key.account,
        status,
        created: moment(key.created_ms),
        last_used: last_used_ms.map(moment),
        replaces: key.replaces,
        name: key.name,
        role: key.role.into(),
        expires: key.expires_ms.map(moment),
    }
}
