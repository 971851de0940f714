//! Access keys, made and listed by the operator.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_core::ident::AccountId;
use palisade_store::{KeyRecord, StoreError};
use serde::{Deserialize, Serialize};

use super::{Refused, SMALL_BODY_SIZE_MAX, answer, moment, operator_only};
use crate::app::App;
use crate::call::internal;
use crate::mint;

const NAME: &str = "palisade:keys";
/// How often another id is drawn because one is taken.
const DRAWS_MAX: usize = 8;

/// Exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    account: Option<AccountId>,
    #[serde(default)]
    operator: bool,
}

/// A new key; its secret is told this once.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    access_key_id: String,
    secret_access_key: String,
    account: Option<AccountId>,
}

#[derive(Debug, Serialize)]
struct Keys {
    keys: Vec<Shown>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    access_key_id: String,
    account: Option<AccountId>,
    created: String,
}

/// `POST /palisade/v1/keys`
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, |app, request| {
        operator_only(request)?;
        let asked: Asked = serde_json::from_slice(request.body())
            .map_err(|error| Refused::invalid(format!("the body cannot be read: {error}")))?;
        if asked.operator == asked.account.is_some() {
            return Err(Refused::invalid(
                "give either `account` with an account id or `operator` as true",
            ));
        }
        draw(app, asked.account)
    })
    .await
}

fn draw(app: &App, account: Option<AccountId>) -> Result<Created, Refused> {
    for _ in 0..DRAWS_MAX {
        let (access_key_id, secret) = mint::access_key(&*app.entropy).map_err(internal)?;
        let key = KeyRecord {
            access_key_id,
            secret,
            account: account.clone(),
            created_ms: app.clock.now_ms(),
        };
        match app.store.create_key(&key) {
            Ok(()) => {
                return Ok(Created {
                    access_key_id: key.access_key_id,
                    secret_access_key: key.secret,
                    account,
                });
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(internal("no free access key id could be drawn").into())
}

/// `GET /palisade/v1/keys`: without secrets.
pub(super) async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, |app, request| {
        operator_only(request)?;
        let shown = |key: KeyRecord| Shown {
            access_key_id: key.access_key_id,
            account: key.account,
            created: moment(key.created_ms),
        };
        Ok(Keys { keys: app.store.keys()?.into_iter().map(shown).collect() })
    })
    .await
}
