//! `/policies/{policy}/delete`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::in_process::{self, Operation};
use palisade_api::own::{Refused, readers};
use palisade_api::printable::escaped;
use palisade_core::waiver::WaiverState;
use palisade_store::PolicyRecord;
use serde_json::json;

use crate::acting::{Done, Size, act};
use crate::answer::page;
use crate::commands;
use crate::frame::{Frame, Link};
use crate::pages::policy::at_home;
use crate::reader::Reader;
use crate::shown::{Count, Words};
use crate::survey;
use crate::views::deletion::Deletion;

/// Answers what would go.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    page(app, request, move |reader| deletion(reader, &of(reader, &id)?)).await
}

/// Deletes it, and answers the list of those that are left.
pub async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    act(app, request, Size::Small, move |reader, sender, _| {
        let record = of(reader, &id)?;
        let input = json!({ "PolicyId": id });
        let region = &reader.place.region;
        match in_process::call(reader.app, sender, region, Operation::DeletePolicy, &input) {
            Ok(_) => Ok(Done::To(reader.place.to("/policies"))),
            Err(refused) if refused.status.is_client_error() => {
                let error = escaped(&refused.message).into_owned();
                let page = Deletion { error, ..deletion(reader, &record)? };
                Ok(Done::Refused(page, refused.status))
            }
            Err(refused) => Err(refused),
        }
    })
    .await
}

fn of(reader: &Reader<'_>, id: &str) -> Result<Arc<PolicyRecord>, Refused> {
    let record = readers::policy(&reader.view, reader.caller(), id)?;
    at_home(reader, &record)?;
    Ok(record)
}

fn deletion(reader: &Reader<'_>, record: &Arc<PolicyRecord>) -> Result<Deletion, Refused> {
    let id = &record.id;
    let name = &record.document.policy_name;
    let to_policy = reader.place.to(&format!("/policies/{id}"));
    let mut frame = Frame::of(reader, "/policies", format!("Delete {name}"))?
        .below(vec![Link::to("Policies", reader.place.to("/policies")), Link::to(name, to_policy)])
        .with_commands(vec![
            commands::palisade(reader, &format!("policies delete {id}")),
            commands::aws(reader, &format!("delete-policy --policy-id {id}")),
        ]);
    frame.exports.clear();
    let is_of_it = |waiver: &&Arc<palisade_core::waiver::Waiver>| {
        waiver.policy == *id && waiver.state(reader.now_ms) != WaiverState::Ended
    };
    let waivers = readers::waivers(&reader.view, reader.caller()).filter(is_of_it).count();
    Ok(Deletion {
        name: Words::from(name),
        tally: survey::one(reader, record)?.tally(),
        waivers: Count(waivers as u64),
        error: String::new(),
        action: reader.place.to(&format!("/policies/{id}/delete")),
        frame,
    })
}
