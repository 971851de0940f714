//! What changed between two moments: the difference of what was told at both, and nothing else. No second
//! logic: each moment is read as `compliance?at=` and `violators?at=` read it.

mod change;
mod difference;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_core::ident::AccountId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::page_size;
use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, moment, query};
use super::moments;
use super::readers::AsOf;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::pages::Binding;

use change::{Change, Position};
pub use difference::ACCOUNTS_COMPARED_MAX;
use difference::Difference;

/// Changes of one page.
pub const CHANGES_PAGE_MAX: usize = 1_000;

pub(super) const NAME: &str = "palisade:changes";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// RFC 3339 with an offset; an hour ago, or since the past is kept, unless it is given
    #[param(format = DateTime)]
    from: Option<String>,
    /// RFC 3339 with an offset; now, unless it is given
    #[param(format = DateTime)]
    to: Option<String>,
    /// Those of this policy, by its id
    policy: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Changes)]
pub(super) struct Page {
    #[schema(format = DateTime)]
    from: String,
    /// From here on the next changes can be asked for.
    #[schema(format = DateTime)]
    to: String,
    /// Ascending by policy, account, type and id.
    changes: Vec<Change>,
    /// A page may hold no change, and have a next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

/// `GET /palisade/v1/changes?from=&to=&policy=&limit=&next=`
#[utoipa::path(
    get,
    path = "/palisade/v1/changes",
    summary = "What changed between two moments, by policy, account and resource: exactly the difference of what was told at both; for the operator all, for an administrator what its own policies found",
    params(Asked),
    responses(
        (status = 200, description = "One page", body = Page),
        (status = 400, description = "A moment that has not come, or of which nothing is kept", body = RefusedShape),
    )
)]
pub(super) async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    let asked: Asked = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        page(app, request.caller(), &asked)
    })
    .await
}

/// An hour ago, and no earlier than the past is kept.
fn lately(app: &App) -> Result<i64, Refused> {
    const HOUR_MS: i64 = 60 * 60 * 1_000;
    let now_ms = app.clock.now_ms();
    let kept_ms = app.store.span()?.from_ms.unwrap_or(now_ms);
    Ok(now_ms.saturating_sub(HOUR_MS).max(kept_ms).min(now_ms))
}

pub(super) fn page(app: &App, caller: &Caller, asked: &Asked) -> Result<Page, Refused> {
    let limit = page_size(asked.limit.as_deref(), CHANGES_PAGE_MAX)?;
    let from_ms = match (asked.from.as_deref(), &asked.next) {
        (Some(from), _) => moments::read("from", from)?,
        (None, None) => lately(app)?,
        (None, Some(_)) => {
            return Err(Refused::invalid(
                "`next` goes with the `from` and `to` that the first page told; give them as well",
            ));
        }
    };
    let from = asked.from.as_deref().unwrap_or_default();
    let who = caller.account.as_ref().map_or("operator", AccountId::as_str);
    let to = asked.to.as_deref().unwrap_or_default();
    let policy = asked.policy.as_deref();
    let filter = [from, to, policy.unwrap_or_default()];
    let binding = Binding { caller: who, operation: "changes", filter: &filter };
    let position = match &asked.next {
        None => None,
        Some(token) => {
            let text = app.sealer()?.open(binding, token);
            let position: Option<Position> = text.and_then(|text| serde_json::from_str(&text).ok());
            Some(position.ok_or_else(|| {
                Refused::invalid("`next` is not a token of this list; leave it out to start again")
            })?)
        }
    };
    let to_ms = match (&position, asked.to.as_deref()) {
        (Some(position), _) => position.to_ms,
        (None, Some(to)) => moments::read("to", to)?,
        (None, None) => app.clock.now_ms(),
    };
    if to_ms < from_ms {
        return Err(Refused::invalid(format!(
            "`to` is {}, before `from`, which is {}",
            moment(to_ms),
            moment(from_ms)
        )));
    }
    let (from, to) = (AsOf::past(app, caller, from_ms)?, AsOf::past(app, caller, to_ms)?);
    let difference = Difference::of(app, caller, &from, &to, policy)?;
    let (changes, behind) = difference.page(position.as_ref(), limit)?;
    let next = match behind {
        Some(position) => {
            let text = serde_json::to_string(&position).map_err(internal)?;
            Some(app.sealer()?.seal(&*app.entropy, binding, &text).map_err(internal)?)
        }
        None => None,
    };
    Ok(Page { from: moment(from_ms), to: moment(to_ms), changes, next })
}
