//! Work: how much there is, and marking it by hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_core::ident::{AccountId, PolicyId, Region, ShardId};
use palisade_core::policy::Policy;
use palisade_store::{Mark, WorkCounts};
use palisade_wire::Fault;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::answer::{
    Refused, RefusedShape, SMALL_BODY_SIZE_MAX, actor, answer, finish, operator_only, query,
};
use super::readers;
use crate::app::App;
use crate::audit;
use crate::view::ControlView;

/// Marks of work by state.
#[derive(Debug, Serialize, ToSchema)]
struct Work {
    /// Due and not leased, fan-outs included.
    dirty: u64,
    leased: u64,
    /// Due at a later time.
    future: u64,
    /// Age of the oldest due mark.
    oldest_seconds: u64,
}

/// `GET /palisade/v1/work`
#[utoipa::path(
    get,
    path = "/palisade/v1/work",
    summary = "How much work there is; dirty and leased 0 means that every accepted fact is judged",
    responses((status = 200, description = "Counts", body = Work))
)]
pub(super) async fn work(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, WORK, request, SMALL_BODY_SIZE_MAX, |app, request| {
        let WorkCounts { dirty, leased, future, oldest_seconds } =
            readers::work(app, request.caller())?;
        Ok(Work { dirty, leased, future, oldest_seconds })
    })
    .await
}

/// What to judge again; nothing named is everything.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    #[param(value_type = Option<String>)]
    region: Option<Region>,
    #[param(value_type = Option<String>)]
    policy: Option<PolicyId>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Marked {
    /// Marks made or moved to now.
    marked: usize,
}

pub(super) const WORK: &str = "palisade:work";
pub(super) const NAME: &str = "palisade:evaluate";

/// `POST /palisade/v1/evaluate?account=&region=&policy=`
#[utoipa::path(
    post,
    path = "/palisade/v1/evaluate",
    summary = "Judge again now: everything, or what is named",
    params(Asked),
    responses(
        (status = 200, description = "Marked", body = Marked),
        (status = 404, description = "No such account or policy", body = RefusedShape),
    )
)]
pub(super) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let asked: Asked = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        operator_only(request)?;
        let view = app.view()?;
        let marks = marks(&view, &asked)?;
        let told =
            audit::change("work", asked.words(), None, Some(json!({ "marked": marks.len() })));
        let event = actor(app, request).event(audit::own::EVALUATE, vec![told]);
        app.store.mark(&marks, app.clock.now_ms(), Some(&event))?;
        app.wake.notify_one();
        Ok(Marked { marked: marks.len() })
    })
    .await
}

fn marks(view: &ControlView, asked: &Asked) -> Result<Vec<Mark>, Refused> {
    let unknown = |what: &str, id: &dyn std::fmt::Display| {
        Err(Refused::not_found(format!("{what} `{id}` does not exist")))
    };
    if let Some(policy) = &asked.policy {
        let Some(record) = view.policy_record(policy) else { return unknown("policy", policy) };
        view.judged(record).map_err(Fault::from)?;
    }
    if let Some(region) = &asked.region {
        Region::named(region.as_str()).map_err(|error| Refused::invalid(error.to_string()))?;
    }
    if let Some(account) = &asked.account
        && !view.organization().is_some_and(|known| known.accounts.contains_key(account))
    {
        return unknown("account", account);
    }
    let mut marks = BTreeSet::new();
    for policy in view.policies().filter(|policy| asked.is_about(policy)) {
        let accounts = view.in_scope(&policy.id).iter();
        marks.extend(accounts.filter(|account| asked.names(account)).map(|account| Mark {
            shard: ShardId { account: account.clone(), region: policy.region.clone() },
            // Without a policy one mark of a shard stands for all that judge it.
            policy: asked.policy.clone(),
        }));
    }
    Ok(marks.into_iter().collect())
}

impl Asked {
    /// What was named, in words.
    fn words(&self) -> String {
        let named = [
            self.account.as_ref().map(|account| format!("account {account}")),
            self.region.as_ref().map(|region| format!("region {region}")),
            self.policy.as_ref().map(|policy| format!("policy {policy}")),
        ];
        let named: Vec<String> = named.into_iter().flatten().collect();
        if named.is_empty() { "everything".to_owned() } else { named.join(", ") }
    }

    fn is_about(&self, policy: &Policy) -> bool {
        self.policy.as_ref().is_none_or(|id| *id == policy.id)
            && self.region.as_ref().is_none_or(|region| *region == policy.region)
    }

    fn names(&self, account: &AccountId) -> bool {
        self.account.as_ref().is_none_or(|named| named == account)
    }
}
