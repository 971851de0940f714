//! `/waivers`, `/waivers/new` and `/waivers/{id}`

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, in_process, readers};
use palisade_api::printable::{escaped, is_hidden};
use palisade_api::visit::Form;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acting::{Done, Size, act};
use crate::answer::{page, read};
use crate::commands;
use crate::coverage::Covers;
use crate::frame::{Frame, Link};
use crate::moments::{self, typed};
use crate::pages::changes::read_moment;
use crate::paging;
use crate::reader::Reader;
use crate::shown::{Ago, Count, Moment, Words};
use crate::views::waivers::{NewWaiver, Typed, Waiver, WaiverRow, WaiverState, Waivers};

/// As many as the endpoint has on a page.
const WAIVERS_READ: usize = 1_000;
const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Answers the list.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, waivers).await
}

/// What the endpoint answers.
#[derive(Deserialize)]
struct Told {
    waivers: Vec<ToldWaiver>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldWaiver {
    id: String,
    policy: String,
    policy_name: Option<String>,
    accounts: Vec<String>,
    units: Vec<String>,
    resource_type: Option<String>,
    resource: String,
    reason: String,
    owner: String,
    ticket: Option<String>,
    state: String,
    from: String,
    until: String,
    ended: Option<String>,
    created: String,
    covers: u64,
    covers_more: bool,
}

fn told(
    reader: &Reader<'_>,
    next: Option<&str>,
) -> Result<(Vec<WaiverRow>, Option<String>), Refused> {
    let query =
        format!("limit={WAIVERS_READ}&next={}", crate::place::encoded(next.unwrap_or_default()));
    let told: Told = read(in_process::waivers(reader.app, reader.visitor, &query)?)?;
    let rows: Result<Vec<WaiverRow>, Refused> =
        told.waivers.into_iter().map(|waiver| row(reader, waiver)).collect();
    Ok((rows?, told.next))
}

fn waivers(reader: &Reader<'_>) -> Result<Waivers, Refused> {
    let (mut rows, next) = told(reader, reader.asked("next"))?;
    rows.sort_by_key(|row| (row.state == WaiverState::Ended, row.until, row.id.clone()));
    let ended = rows.partition_point(|row| row.state != WaiverState::Ended);
    if let Some(ended) = rows.get_mut(ended..) {
        ended.sort_by_key(|row| (Reverse(row.until), row.id.clone()));
    }
    let count = Count::from(rows.len());
    let again = |state: &str| {
        let gone = [("state", state), ("next", ""), ("page", "")];
        reader.place.again(reader.path, reader.query, &gone)
    };
    let asked = reader.asked("state");
    let all = (
        Link { name: Words::from("all"), href: again(""), is_here: asked.is_none() },
        rows.len().into(),
    );
    let of = |state: WaiverState| {
        let count = rows.iter().filter(|row| row.state == state).count();
        let is_here = asked == Some(state.name());
        (
            Link { name: Words::from(state.words()), href: again(state.name()), is_here },
            count.into(),
        )
    };
    let states = std::iter::once(all).chain(WaiverState::ALL.map(of)).collect();
    if let Some(asked) = asked {
        rows.retain(|row| row.state.name() == asked);
    }
    let next = next.map(|next| {
        reader.place.again(reader.path, reader.query, &[("next", &next), ("page", "")])
    });
    let (rows, paging) = paging::page(reader, rows)?;
    Ok(Waivers {
        frame: Frame::covering(reader, "/waivers", "Waivers", &Covers::Nothing)?.with_commands(
            vec![
                commands::palisade(reader, "waivers list"),
                commands::curl(reader, "/palisade/v1/waivers"),
            ],
        ),
        count,
        all: again(""),
        reads_policies: readers::policies(&reader.view, reader.caller()).next().is_some(),
        is_filtered: asked.is_some(),
        waivers: rows,
        paging,
        states,
        new: reader.place.to("/waivers/new"),
        next,
    })
}

fn row(reader: &Reader<'_>, told: ToldWaiver) -> Result<WaiverRow, Refused> {
    let moment = |text: &str| read_moment(text).ok_or_else(|| Refused::invalid("a moment is none"));
    let until = moment(&told.until)?;
    let ended = told.ended.as_deref().map(moment).transpose()?;
    let state = match told.state.as_str() {
        "planned" => WaiverState::Planned,
        "ended" => WaiverState::Ended,
        _ if told.covers == 0 && !told.covers_more => WaiverState::MatchesNothing,
        _ => WaiverState::Covers,
    };
    let in_force = matches!(state, WaiverState::Covers | WaiverState::MatchesNothing);
    let left = (until.0.saturating_sub(reader.now_ms) / 1_000).max(0);
    let is_there = reader.policies().iter().any(|record| record.id.as_str() == told.policy);
    let resource_type = told.resource_type.unwrap_or_else(|| "any type".to_owned());
    Ok(WaiverRow {
        state,
        policy_name: Words(told.policy_name.unwrap_or_else(|| told.policy.clone())),
        policy_page: match is_there {
            true => reader.place.to(&format!("/policies/{}", told.policy)),
            false => String::new(),
        },
        policy: told.policy,
        whose: Words(whose(reader, &told.accounts, &told.units)),
        what: Words(format!("{} of {resource_type}", told.resource)),
        reason: Words(told.reason),
        owner: Words(told.owner),
        ticket: Words(told.ticket.unwrap_or_default()),
        from: moment(&told.from)?,
        until,
        ended,
        created: moment(&told.created)?,
        left_seconds: (state != WaiverState::Ended).then_some(Ago(left)),
        covers: in_force.then_some(Count(told.covers)),
        covers_more: told.covers_more,
        href: reader.place.to(&format!("/waivers/{}", told.id)),
        id: told.id,
    })
}

/// Accounts and units by their names: the first few.
fn whose(reader: &Reader<'_>, accounts: &[String], units: &[String]) -> String {
    const NAMES_MAX: usize = 3;
    let organization = reader.organization();
    let account = |id: &String| {
        let known = organization.and_then(|known| known.accounts.get(id.as_str()));
        known.map_or_else(|| id.clone(), |known| format!("{} ({id})", known.name))
    };
    let unit = |id: &String| {
        let known = organization.and_then(|known| known.units.get(id.as_str()));
        known.map_or_else(|| format!("unit {id}"), |known| format!("unit {}", known.name))
    };
    let all: Vec<String> = units.iter().map(unit).chain(accounts.iter().map(account)).collect();
    let first = all.get(..NAMES_MAX).unwrap_or(&all).join(", ");
    match all.len() {
        0 => "every account".to_owned(),
        count if count > NAMES_MAX => {
            format!("{first} and {} more", count.saturating_sub(NAMES_MAX))
        }
        _ => first,
    }
}

/// Answers the page of one.
pub async fn show_one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    page(app, request, move |reader| one(reader, &id, String::new())).await
}

fn one(reader: &Reader<'_>, id: &str, error: String) -> Result<Waiver, Refused> {
    let mut next = None;
    let waiver = loop {
        let (rows, behind) = told(reader, next.as_deref())?;
        if let Some(row) = rows.into_iter().find(|row| row.id == id) {
            break row;
        }
        next = Some(
            behind.ok_or_else(|| Refused::not_found(format!("waiver `{id}` does not exist")))?,
        );
    };
    let title = format!("Waiver of {}", waiver.policy_name.0);
    let mut frame = Frame::covering(reader, "/waivers", title, &Covers::Nothing)?
        .below(vec![Link::to("Waivers", reader.place.to("/waivers"))])
        .with_commands(vec![
            commands::palisade(reader, "waivers list"),
            commands::curl(reader, "/palisade/v1/waivers"),
        ]);
    frame.exports.retain(|export| export.name.0 != "CSV");
    Ok(Waiver {
        until: typed(reader.now_ms.max(waiver.until.0).saturating_add(MONTH_MS)),
        action: reader.place.to(&format!("/waivers/{id}")),
        waiver,
        error: escaped(&error).into_owned(),
        frame,
    })
}

/// Renews or ends one.
pub async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    act(app, request, Size::Small, move |reader, sender, form| {
        let done = match form.member("act") {
            "end" => in_process::end_waiver(reader.app, sender, &id),
            _ => until(form).and_then(|until| {
                in_process::renew_waiver(reader.app, sender, &id, &json!({ "until": until }))
            }),
        };
        match done {
            Ok(_) => Ok(Done::To(reader.place.to(&format!("/waivers/{id}")))),
            Err(refused) if refused.status.is_client_error() && refused.code != "NotFound" => {
                let status = refused.status;
                Ok(Done::Refused(one(reader, &id, refused.message)?, status))
            }
            Err(refused) => Err(refused),
        }
    })
    .await
}

fn until(form: &Form) -> Result<String, Refused> {
    Ok(Moment(moments::read("until", form.member("until"))?).iso())
}

/// Answers the form for a new one. What its address names is filled in.
pub async fn show_new(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, |reader| {
        let member = |name: &str| reader.typed(name);
        let typed = Typed {
            accounts: member("account"),
            units: member("unit"),
            resource_type: member("type"),
            // The id is no pattern: a star in it would fit others.
            resource: member("id"),
            until: typed(reader.now_ms.saturating_add(MONTH_MS)),
            ..Typed::default()
        };
        let policy = reader.asked("policy").unwrap_or_default();
        new(reader, policy, typed, None)
    })
    .await
}

fn new(
    reader: &Reader<'_>,
    policy: &str,
    typed: Typed,
    refused: Option<&Refused>,
) -> Result<NewWaiver, Refused> {
    let policies = reader.policies().into_iter().map(|record| {
        let id = record.id.to_string();
        let is_chosen = id == policy;
        (id, Words::from(&record.document.policy_name), is_chosen)
    });
    let mut frame = Frame::covering(reader, "/waivers", "New waiver", &Covers::Nothing)?
        .below(vec![Link::to("Waivers", reader.place.to("/waivers"))])
        .with_commands(vec![commands::palisade(
            reader,
            "waivers add POLICY 'sg-0a1b*' --until 2027-03-01T00:00:00Z --owner 'network team' \
             --reason 'moves in May'",
        )]);
    frame.exports.clear();
    let error = refused.map(|refused| refused.message.clone()).unwrap_or_default();
    // The endpoint names the member first.
    let fields =
        ["policy", "accounts", "units", "resource", "reason", "owner", "ticket", "from", "until"];
    let is_about = |field: &&str| {
        let one = field.strip_suffix('s').unwrap_or(field);
        error.starts_with(&format!("`{field}`")) || error.starts_with(&format!("{one} `"))
    };
    Ok(NewWaiver {
        wrong: fields.into_iter().find(|field| is_about(field)).unwrap_or_default(),
        is_to_be_confirmed: refused.is_some_and(|refused| refused.code == "ConfirmationRequired"),
        error: escaped(&error).into_owned(),
        policies: policies.collect(),
        typed,
        action: reader.place.to("/waivers/new"),
        frame,
    })
}

/// Makes one.
pub async fn create(State(app): State<Arc<App>>, request: Request) -> Response {
    act(app, request, Size::Small, |reader, sender, form| {
        // What is hidden would move or reverse what stands in the field when it is shown again.
        let member = |name: &str| -> String {
            let text = form.member(name).trim();
            text.chars().map(|c| if is_hidden(c) && c != '\n' { ' ' } else { c }).collect()
        };
        let typed = Typed {
            accounts: member("accounts"),
            units: member("units"),
            resource_type: member("type"),
            resource: member("resource"),
            reason: member("reason"),
            owner: member("owner"),
            ticket: member("ticket"),
            from: member("from"),
            until: member("until"),
        };
        let is_confirmed = !form.member("confirm").is_empty();
        let made = wanted(form.member("policy"), &typed)
            .and_then(|body| in_process::make_waiver(reader.app, sender, &body, is_confirmed));
        match made {
            Ok(made) => {
                let id = made.get("id").and_then(Value::as_str).unwrap_or_default();
                Ok(Done::To(reader.place.to(&format!("/waivers/{id}"))))
            }
            Err(refused) if refused.status.is_client_error() => {
                let page = new(reader, form.member("policy"), typed, Some(&refused))?;
                Ok(Done::Refused(page, refused.status))
            }
            Err(refused) => Err(refused),
        }
    })
    .await
}

/// The body for the endpoint; what was left empty is left out.
fn wanted(policy: &str, typed: &Typed) -> Result<Value, Refused> {
    let words = |text: &str| {
        let words = text.split([',', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut body = json!({
        "policy": policy,
        "accounts": words(&typed.accounts),
        "units": words(&typed.units),
        "resource": typed.resource,
        "reason": typed.reason,
        "owner": typed.owner,
        "until": Moment(moments::read("until", &typed.until)?).iso(),
    });
    let from = match typed.from.as_str() {
        "" => None,
        text => Some(Moment(moments::read("from", text)?).iso()),
    };
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let others = [
        ("from", from),
        ("resourceType", some(&typed.resource_type)),
        ("ticket", some(&typed.ticket)),
    ];
    if let Some(body) = body.as_object_mut() {
        body.extend(
            others.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))),
        );
    }
    Ok(body)
}
