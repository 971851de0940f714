//! The dashboard and the alert rules of `packaging/` ask for series that `/metrics` answers, and for
//! labels that those have.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use palisade_api::Rate;
use palisade_wire::Operation;
use serde_json::{Value, json};

use crate::world::*;

const ALERTS: &str = include_str!("../../../../packaging/prometheus/alerts.yml");
const DASHBOARD: &str = include_str!("../../../../packaging/grafana/palisade.json");

/// Series by name, each with the values that its labels have.
type Series = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What a server says of which every part is unwell and degraded, and that was called and delivered to.
async fn answered() -> Series {
    let world = World::settled(|settings| {
        settings.rate = Some(Rate { per_second: 1, burst_max: 8 });
    })
    .await;
    let name = format!(
        "{MEMBER}_Config_{REGION}_ConfigSnapshot_20260101T000000Z_00000000-0000-4000-8000-000000000000.json"
    );
    let recorder = json!({
        "resourceType": "AWS::Config::ConfigurationRecorder", "resourceId": "default",
        "awsAccountId": MEMBER, "awsRegion": REGION, "configurationItemStatus": "OK",
        "configurationItemVersion": "1.3", "configurationStateId": 1,
        "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
        "configuration": {"recordingGroup": {"allSupported": true}},
    });
    let body = json!({
        "fileVersion": "1.0", "configSnapshotId": "00000000-0000-4000-8000-000000000000",
        "configurationItems": [recorder],
    });
    let path = format!("/palisade/v1/inventory?name={name}");
    world.own("POST", &path, body.to_string()).await.ok();
    world.put_audit("surveyed").await;
    while world.admin("ListPolicies", json!({})).await.status == 200 {}
    world.app.metrics.certificate_ends(Some(NOW_MS + 1_000));
    world.app.metrics.disk("store", 2, 1);
    world.app.health.note("log", Some("it is full".to_owned()));
    world.app.health.degrade("clock", Some("it is ahead".to_owned()));
    let page = world.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, 200);
    let mut series = Series::new();
    for line in page.text.lines().filter(|line| !line.starts_with('#')) {
        let (named, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = named.split_once('{').unwrap_or((named, ""));
        let known = series.entry(name.to_owned()).or_default();
        for (label, _, value) in matchers(labels.trim_end_matches('}')) {
            known.entry(label.to_owned()).or_default().insert(value.to_owned());
        }
    }
    series
}

/// `NAME OPERATOR "VALUE"` of a selector. No value of ours has a quote or a comma.
fn matchers(text: &str) -> Vec<(&str, &str, &str)> {
    let list = text.split(',').filter(|matcher| !matcher.trim().is_empty());
    list.map(|matcher| {
        let (left, value) = matcher.trim().split_once('"').unwrap();
        let label = left.trim_end_matches(['=', '!', '~']);
        (label, &left[label.len()..], value.strip_suffix('"').unwrap())
    })
    .collect()
}

/// What is wrong with the series that a text asks for, and how many it asks for.
fn asked(text: &str, series: &Series) -> (Vec<String>, usize) {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let refusals = Operation::ALL.iter().flat_map(|operation| operation.errors());
    let refusals: BTreeSet<&str> = refusals.map(|error| error.name()).collect();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (at, _) in text.match_indices("palisade_") {
        count += 1;
        let rest = &text[at..];
        let (name, rest) = rest.split_at(rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()));
        let Some(labels) = series.get(name) else {
            wrong.push(format!("there is no series {name}"));
            continue;
        };
        let selector = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        for (label, operator, value) in matchers(selector.map_or("", |(selector, _)| selector)) {
            // Prometheus' own.
            if label == "instance" {
                continue;
            }
            let Some(values) = labels.get(label) else {
                wrong.push(format!("{name} has no label {label}"));
                continue;
            };
            let is_known = values.contains(value) || label == "outcome" && refusals.contains(value);
            if !is_known || !["=", "!="].contains(&operator) {
                wrong.push(format!("{name} has no {label}{operator}\"{value}\""));
            }
        }
    }
    (wrong, count)
}

/// Labels that a query sums by, or a legend names, which no series has.
fn unknown_labels(text: &str, series: &Series) -> Vec<String> {
    let known: BTreeSet<&str> =
        series.values().flatten().map(|(label, _)| label.as_str()).collect();
    let lists = text.split(" by (").skip(1).filter_map(|rest| rest.split(')').next());
    let legends = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    let legends = legends.filter_map(|legend| match legend.trim().strip_prefix('$') {
        Some(variable) => variable.strip_prefix("labels."),
        None => Some(legend),
    });
    let names = lists.flat_map(|list| list.split(',')).chain(legends).map(str::trim);
    let unknown = names.filter(|name| !known.contains(name) && *name != "instance");
    unknown.map(str::to_owned).collect()
}

/// Every text of a document.
fn texts<'v>(value: &'v Value, to: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => to.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, to)),
        Value::Object(members) => members.values().for_each(|member| texts(member, to)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn dashboard_and_alert_rules_ask_for_what_is_answered() {
    let series = answered().await;
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut all = Vec::new();
    texts(&dashboard, &mut all);
    let (wrong, asked_by_dashboard) = all.iter().map(|text| asked(text, &series)).fold(
        (Vec::new(), 0),
        |mut sum, (wrong, count)| {
            sum.0.extend(wrong);
            (sum.0, sum.1 + count)
        },
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (wrong, asked_by_alerts) = asked(ALERTS, &series);
    assert!(wrong.is_empty(), "{wrong:#?}");
    for text in all.into_iter().chain([ALERTS]) {
        let unknown = unknown_labels(text, &series);
        // What Grafana and Prometheus fill in besides.
        let unknown: Vec<String> =
            unknown.into_iter().filter(|name| !name.starts_with('$')).collect();
        assert!(unknown.is_empty(), "{text}: {unknown:?}");
    }
    assert!(
        asked_by_dashboard > 20 && asked_by_alerts > 10,
        "{asked_by_dashboard} {asked_by_alerts}"
    );
}

#[tokio::test]
async fn a_query_for_what_is_not_answered_is_found() {
    let series = answered().await;
    for (query, found) in [
        ("palisade_unwell > 0", None),
        ("palisade_unwells > 0", Some("there is no series palisade_unwells")),
        ("palisade_requests > 0", Some("there is no series palisade_requests")),
        ("palisade_unwell{piece=\"log\"}", Some("palisade_unwell has no label piece")),
        (
            "palisade_inventory_age_seconds{of=\"eldest\"}",
            Some("palisade_inventory_age_seconds has no of=\"eldest\""),
        ),
        ("palisade_requests_total{outcome=\"ThrottlingException\"}", None),
        ("palisade_requests_total{outcome!=\"ok\",instance=~\"$instance\"}", None),
        (
            "palisade_requests_total{outcome=\"Refused\"}",
            Some("palisade_requests_total has no outcome=\"Refused\""),
        ),
    ] {
        let (wrong, count) = asked(query, &series);
        assert_eq!((wrong.first().map(String::as_str), count), (found, 1), "{query}");
    }
    assert!(unknown_labels("sum by (outcome, instance) (x)", &series).is_empty());
    assert_eq!(unknown_labels("sum by (result) (x)", &series), ["result"]);
    assert_eq!(unknown_labels("of {{ $labels.piece }}: {{ $value | x }}", &series), ["piece"]);
}
