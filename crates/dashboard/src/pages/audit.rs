//! `GET /audit`

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, readers};
use palisade_core::ident::AccountId;
use palisade_store::{AuditChange, AuditFilter, AuditRow};
use serde_json::Value;

use crate::answer::page;
use crate::commands;
use crate::coverage::Covers;
use crate::frame::Frame;
use crate::place::Theme;
use crate::reader::Reader;
use crate::shown::{Count, Moment, Words};
use crate::views::audit::{Audit, Change, Event, Line};

/// Events of one page.
pub const EVENTS_MAX: usize = 50;
/// Changes of one event that are shown.
const CHANGES_MAX: usize = 5;
/// Members of one event's changes that are shown.
const LINES_MAX: usize = 12;

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, audit).await
}

fn audit(reader: &Reader<'_>) -> Result<Audit, Refused> {
    let filter = filter(reader)?;
    // One more than is shown tells whether there is another page.
    let limit = EVENTS_MAX.saturating_add(1);
    let mut rows = readers::audit(reader.app, reader.caller(), &filter, limit)?;
    let frame =
        Frame::covering(reader, "/audit", "Audit log", &Covers::Nothing)?.with_commands(vec![
            commands::palisade(reader, "audit"),
            commands::curl(reader, "/palisade/v1/audit"),
        ]);
    let more = rows.len() > EVENTS_MAX;
    rows.truncate(EVENTS_MAX);
    let place = &reader.place;
    let next = rows.last().filter(|_| more).map(|last| {
        let before = last.sequence.to_string();
        place.again(reader.path, reader.query, &[("before", &before)])
    });
    let newest = filter.before.map(|_| place.again(reader.path, reader.query, &[("before", "")]));
    let theme = place.theme.map(Theme::name).unwrap_or_default();
    Ok(Audit {
        account: reader.typed("account"),
        operation: reader.typed("operation"),
        events: rows.into_iter().map(event).collect(),
        newest,
        next,
        hidden: vec![("region", place.region.to_string()), ("theme", theme.to_owned())],
        frame,
    })
}

fn filter(reader: &Reader<'_>) -> Result<AuditFilter, Refused> {
    let account = reader.asked("account").map(|text| {
        let none = || Refused::invalid(format!("`{text}` is not the id of an account"));
        AccountId::try_from(text).map_err(|_| none())
    });
    let before = reader.asked("before").map(|text| {
        let none =
            || Refused::invalid(format!("`before` is `{text}`; give the number of an event"));
        text.parse().map_err(|_| none())
    });
    let operation = reader.asked("operation").map(str::to_owned);
    Ok(AuditFilter { account: account.transpose()?, operation, before: before.transpose()? })
}

fn event(AuditRow { sequence, event }: AuditRow) -> Event {
    let mut left = LINES_MAX;
    let change = |told: AuditChange| {
        let change = change(told, left);
        left = left.saturating_sub(change.lines.len());
        change
    };
    let caller = serde_json::to_value(event.caller).unwrap_or_default();
    let more = event.changes.len().saturating_sub(CHANGES_MAX);
    Event {
        sequence,
        at: Moment(event.at_ms),
        operation: Words(event.operation),
        caller: caller.as_str().unwrap_or_default().replace('-', " "),
        account: event.account.map(String::from),
        access_key_id: event.access_key_id.map(Words),
        key_name: event.key_name.map(Words),
        region: Words(event.region),
        request_id: Words(event.request_id),
        changes: event.changes.into_iter().take(CHANGES_MAX).map(change).collect(),
        more: more.into(),
    }
}

fn change(told: AuditChange, lines_max: usize) -> Change {
    let mark = match (&told.before, &told.after) {
        (None, Some(_)) => "+",
        (Some(_), None) => "-",
        _ => "~",
    };
    let mut lines = difference(told.before.as_ref(), told.after.as_ref());
    let more: Count = lines.len().saturating_sub(lines_max).into();
    lines.truncate(lines_max);
    let (object_type, object) = (Words(told.object_type), Words(told.object));
    Change { mark, object_type, object, lines, more }
}

/// The members that are others in the later state, each before and after.
pub fn difference(before: Option<&Value>, after: Option<&Value>) -> Vec<Line> {
    let (before, after) = (flat(before), flat(after));
    let mut lines = Vec::new();
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let line = |mark, value: &String| Line {
            mark,
            member: Words::from(name),
            value: Words::from(value),
        };
        lines.extend(old.map(|value| line("-", value)));
        lines.extend(new.map(|value| line("+", value)));
    }
    lines
}

/// The members of a state by their way in it; what has none is itself.
fn flat(state: Option<&Value>) -> BTreeMap<String, String> {
    fn walk(path: &str, value: &Value, members: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(object) if !object.is_empty() => {
                for (name, value) in object {
                    let dot = if path.is_empty() { "" } else { "." };
                    walk(&format!("{path}{dot}{name}"), value, members);
                }
            }
            Value::Null => {}
            Value::String(text) => {
                members.insert(path.to_owned(), text.clone());
            }
            other => {
                members.insert(path.to_owned(), other.to_string());
            }
        }
    }
    let mut members = BTreeMap::new();
    if let Some(state) = state {
        walk("", state, &mut members);
    }
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_the_members_that_are_others_now() {
        let told = AuditChange {
            object_type: "policy".to_owned(),
            object: "p".to_owned(),
            before: Some(json!({"name": "a", "same": 1, "deep": {"on": true}})),
            after: Some(json!({"name": "b", "same": 1, "deep": {"on": false}, "new": [1]})),
        };
        let change = change(told, LINES_MAX);
        let lines: Vec<String> = (change.lines.iter())
            .map(|line| format!("{} {} {}", line.mark, line.member, line.value))
            .collect();
        assert_eq!(change.mark, "~");
        assert_eq!(
            lines,
            ["- deep.on true", "+ deep.on false", "- name a", "+ name b", "+ new [1]"]
        );
    }
}
