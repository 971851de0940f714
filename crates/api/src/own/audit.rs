//! The audit log, newest first.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_core::ident::AccountId;
use palisade_store::{AuditChange, AuditFilter, AuditRow, CallerKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::answer::{
    Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, is_operator, moment, query,
};
use super::readers;
use super::schema::one_of;
use crate::app::App;
use crate::audit::own;
use crate::caller::Caller;
use crate::fault::internal;
use crate::operations::{Effect, OPERATIONS};
use crate::pages::{Binding, PAGE_SIZE_MAX};

/// Events of one page: together no more than some tens of megabytes, however large their states.
pub const AUDIT_PAGE_MAX: usize = PAGE_SIZE_MAX;

pub(super) const NAME: &str = "palisade:audit";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 100)]
    limit: Option<usize>,
    next: Option<String>,
    /// Of callers that acted as this account
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// Of this operation, such as PutPolicy or PutOrganization
    operation: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Audit)]
struct Page {
    events: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEvent)]
struct Shown {
    /// Grows with every event, not always by one.
    sequence: u64,
    #[schema(format = DateTime)]
    at: String,
    /// The x-amzn-requestid of the answer.
    request_id: String,
    operation: String,
    #[schema(schema_with = caller)]
    caller: CallerKind,
    access_key_id: Option<String>,
    /// What that key was called then.
    key_name: Option<String>,
    /// The account acted as; null for what is done to Palisade itself.
    #[schema(value_type = Option<String>)]
    account: Option<AccountId>,
    region: String,
    /// What the call is about first; empty when it changed nothing.
    changes: Vec<Change>,
}

fn caller() -> RefOr<Schema> {
    use CallerKind::{Administrator, DefaultAdministrator, Local, Management, Member};
    use CallerKind::{Operator, Stranger};
    one_of(&[Local, Operator, Management, DefaultAdministrator, Administrator, Member, Stranger])
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditChange)]
struct Change {
    object_type: String,
    /// Its ARN, or its id.
    object: String,
    /// Its state; null: it was not there; above 64 KiB, or 256 KiB for all of an event, its size alone.
    before: Option<Value>,
    /// Its state; null: it is gone.
    after: Option<Value>,
}

impl From<AuditChange> for Change {
    fn from(AuditChange { object_type, object, before, after }: AuditChange) -> Change {
        Change { object_type, object, before, after }
    }
}

/// `GET /palisade/v1/audit?limit=&next=&account=&operation=`
#[utoipa::path(
    get,
    path = "/palisade/v1/audit",
    summary = "Every call that changed something, newest first: FMS operations that write, and these endpoints",
    params(Asked),
    responses(
        (status = 200, description = "One page", body = Page),
        (status = 400, description = "A limit, token or operation that is none", body = RefusedShape),
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

fn page(app: &App, caller: &Caller, asked: &Asked) -> Result<Page, Refused> {
    is_operator(caller)?;
    let limit = asked.limit.unwrap_or(PAGE_SIZE_MAX);
    if limit == 0 || limit > AUDIT_PAGE_MAX {
        return Err(Refused::invalid(format!("`limit` is {limit}; give 1 to {AUDIT_PAGE_MAX}")));
    }
    if let Some(operation) = asked.operation.as_deref().filter(|name| !is_told(name)) {
        return Err(Refused::invalid(format!(
            "`{operation}` is no operation that changes anything; an operation is named as in AWS's API, such as `PutPolicy`, or is one of {}",
            own::ALL.join(", ")
        )));
    }
    let account = asked.account.as_ref().map_or("", AccountId::as_str);
    let filter = [account, asked.operation.as_deref().unwrap_or_default()];
    let binding = Binding { caller: "operator", operation: "audit", filter: &filter };
    let before = position(app, binding, asked.next.as_deref())?;
    let (account, operation) = (asked.account.clone(), asked.operation.clone());
    let filter = AuditFilter { account, operation, before };
    // One more than asked for tells whether there is another page.
    let mut rows = readers::audit(app, caller, &filter, limit + 1)?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = match rows.last() {
        Some(last) if more => {
            let position = last.sequence.to_string();
            Some(app.sealer()?.seal(&*app.entropy, binding, &position).map_err(internal)?)
        }
        _ => None,
    };
    Ok(Page { events: rows.into_iter().map(shown).collect(), next })
}

/// Whether events can name this operation.
fn is_told(operation: &str) -> bool {
    let writes = |name: &str| {
        OPERATIONS.iter().any(|row| row.effect == Effect::Writes && row.operation.name() == name)
    };
    own::ALL.contains(&operation) || writes(operation)
}

fn position(app: &App, binding: Binding<'_>, token: Option<&str>) -> Result<Option<u64>, Refused> {
    let Some(token) = token else { return Ok(None) };
    match app.sealer()?.open(binding, token).and_then(|text| text.parse().ok()) {
        Some(position) => Ok(Some(position)),
        None => {
            Err(Refused::invalid("`next` is not a token of this list; leave it out to start again"))
        }
    }
}

fn shown(AuditRow { sequence, event }: AuditRow) -> Shown {
    Shown {
        sequence,
        at: moment(event.at_ms),
        request_id: event.request_id,
        operation: event.operation,
        caller: event.caller,
        access_key_id: event.access_key_id,
        key_name: event.key_name,
        account: event.account,
        region: event.region,
        changes: event.changes.into_iter().map(Change::from).collect(),
    }
}
