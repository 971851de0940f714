//! Smithy's protocol tests and the JSON test suite: bodies of test shapes.

use std::collections::BTreeSet;

use palisade_wire::{
    Constraints, Dialect, ErrorKind, Kind, Protocol, Shape, ShapeId, Table, check, decode,
    decode_value, respond, shapes,
};
use serde_json::Value as Json;

use super::cbor_items;
use super::exceptions::is_excepted;
use super::shape_values::{Shown, comparable, from_params, with_defaults};
use super::suite::{base64, bytes, equal, headers, is_for_servers, label, run, text, with_doubles};
use super::test_shapes::TestModel;

const JSON_MODEL: &[&str] = &["awsjson11/model.json"];
const CBOR_MODEL: &[&str] = &["rpcv2cbor/model.json", "rpcv2cbor/model-extras.json"];

fn body_of(case: &Json, protocol: Protocol) -> Vec<u8> {
    match protocol {
        Protocol::Json => text(case, "body").as_bytes().to_vec(),
        Protocol::Cbor => base64(text(case, "body")),
    }
}

fn params_of<'a>(case: &'a Json, empty: &'a Json) -> &'a Json {
    case.get("params").unwrap_or(empty)
}

/// Our decoder, given the body, must arrive at the params.
fn requests(file: &str, models: &[&str], protocol: Protocol) {
    let Some(model) = TestModel::load(models) else { return };
    let empty = serde_json::json!({});
    run(file, |case| {
        if !is_for_servers(case) || is_excepted(file, &label(case)) {
            return Ok(());
        }
        let shape = model.side(text(case, "target"), "input");
        let value = decode_value(&model.table, shape, protocol, &body_of(case, protocol))
            .map_err(|f| f.to_string())?;
        let value = with_defaults(&model, shape, value);
        let wanted = from_params(&model, shape, params_of(case, &empty));
        equal("value", comparable(&model, shape, &value), comparable(&model, shape, &wanted))
    });
}

/// Our encoder, given the params, must send the status, headers and body.
fn responses(file: &str, models: &[&str], protocol: Protocol) {
    let Some(model) = TestModel::load(models) else { return };
    let empty = serde_json::json!({});
    run(file, |case| {
        if !is_for_servers(case) || is_excepted(file, &label(case)) {
            return Ok(());
        }
        let target = text(case, "target");
        let is_operation = model.json(target)["type"] == "operation";
        let wanted = body_of(case, protocol);
        let response = if is_operation && model.json(target).get("output").is_none() {
            respond(protocol, &())
        } else {
            let shape = if is_operation { model.side(target, "output") } else { model.id(target) };
            let value =
                with_defaults(&model, shape, from_params(&model, shape, params_of(case, &empty)));
            let name = absolute_name(target, protocol, &wanted);
            let type_name = (!is_operation).then_some(name.as_str());
            respond(protocol, &Shown { model: &model, shape, value: &value, protocol, type_name })
        };
        match protocol {
            Protocol::Json if !wanted.is_empty() => {
                equal("body", json(&response.body)?, json(&wanted)?)?
            }
            Protocol::Cbor if !wanted.is_empty() => {
                equal("body", cbor(&response.body)?, cbor(&wanted)?)?
            }
            _ => equal("body", response.body.len(), 0)?,
        }
        for (name, value) in headers(&case["headers"]) {
            // The listener numbers requests.
            if !name.eq_ignore_ascii_case("x-amzn-requestid") {
                let ours = response.headers.iter().find(|(n, _)| name.eq_ignore_ascii_case(n));
                equal(&name, ours.map(|(_, v)| *v), Some(value.as_str()))?;
            }
        }
        for name in case["forbidHeaders"].as_array().into_iter().flatten() {
            let sent = response
                .headers
                .iter()
                .any(|(n, _)| name.as_str().unwrap().eq_ignore_ascii_case(n));
            equal("forbidden header", sent, false)?;
        }
        Ok(())
    });
}

/// An error's `__type`: bare in JSON; in CBOR with the namespace, which the suites' models do not give and the body does.
fn absolute_name(target: &str, protocol: Protocol, body: &[u8]) -> String {
    if protocol == Protocol::Json {
        return target.to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let namespaces =
        ["smithy.protocoltests.rpcv2Cbor", "aws.protocoltests.rpcv2cbor", "smithy.framework"];
    let found = namespaces.iter().find(|n| text.contains(&format!("{n}#{target}")));
    format!("{}#{target}", found.unwrap_or(&"com.amazonaws.fms"))
}

fn json(body: &[u8]) -> Result<Json, String> {
    serde_json::from_slice(body).map(|v| with_doubles(&v)).map_err(|e| e.to_string())
}

fn cbor(body: &[u8]) -> Result<String, String> {
    cbor_items::comparable(body).map_err(|e| e.to_string())
}

#[test]
fn conformance_awsjson11_requests() {
    requests("awsjson11/requests.json", JSON_MODEL, Protocol::Json);
}

#[test]
fn conformance_awsjson11_responses() {
    responses("awsjson11/responses.json", JSON_MODEL, Protocol::Json);
}

#[test]
fn conformance_rpcv2cbor_requests() {
    requests("rpcv2cbor/requests.json", CBOR_MODEL, Protocol::Cbor);
}

#[test]
fn conformance_rpcv2cbor_responses() {
    responses("rpcv2cbor/responses.json", CBOR_MODEL, Protocol::Cbor);
}

/// The sentences of a `ValidationException` message, without their count and in any order.
fn sentences(message: &str) -> BTreeSet<String> {
    let (_, list) = message.split_once("detected. ").unwrap_or(("", message));
    // The suite's expansion left `$$`, its escape of `$`, in patterns.
    list.replace("$$", "$").split("; ").map(str::to_owned).collect()
}

#[test]
fn conformance_rpcv2cbor_malformed() {
    let Some(model) = TestModel::load(CBOR_MODEL) else { return };
    run("rpcv2cbor/malformed.json", |case| {
        let request = &case["request"];
        let shape = model.side(text(case, "target"), "input");
        let wanted = cbor(&base64(text(&case["response"]["body"]["assertion"], "contents")))?;
        match decode_value(&model.table, shape, Protocol::Cbor, &base64(text(request, "body"))) {
            Err(fault) => {
                equal("kind", fault.kind, ErrorKind::Serialization)?;
                equal(
                    "a validation error was wanted",
                    wanted.contains("ValidationException"),
                    false,
                )
            }
            Ok(value) => {
                let found = check(&model.table, shape, &value, Dialect::Smithy);
                // The suite's server stops at the first violation; this one names them all.
                let message = found.message(Dialect::Smithy);
                let named = sentences(&message).iter().any(|s| wanted.contains(s));
                equal(&message, !found.is_empty() && named, true)
            }
        }
    });
}

/// Puts quotes where the suite's templates say `$value:S`, which its expansion left as `value:S`.
fn quoted(body: &str) -> String {
    let template = regex::Regex::new(
        r#"((?:^|")\s*:\s*|\[\s*|\{\s*|"\s*,\s*|:S\s*[,:]\s*)([^"\[\]{}]*?[^"\[\]{}\s]):S"#,
    )
    .unwrap();
    let mut text = body.to_owned();
    while let Some(found) = template.captures(&text) {
        let (whole, before, value) = (found.get(0).unwrap(), &found[1], &found[2]);
        let replacement = format!("{before}{}", serde_json::to_string(value).unwrap());
        text = format!("{}{replacement}{}", &text[..whole.start()], &text[whole.end()..]);
    }
    text
}

#[test]
fn conformance_restjson1_malformed_bodies() {
    let file = "awsjson11/restjson1-malformed-bodies.json";
    let Some(model) = TestModel::load(&["awsjson11/model-restjson1-malformed.json"]) else {
        return;
    };
    run(file, |case| {
        if is_excepted(file, &label(case)) {
            return Ok(());
        }
        let shape = model.side(text(case, "target"), "input");
        let body = quoted(text(&case["request"], "body"));
        let wanted = text(&case["response"]["headers"], "x-amzn-errortype");
        match decode_value(&model.table, shape, Protocol::Json, body.as_bytes()) {
            Err(fault) => equal(&fault.message, fault.kind.name(), wanted),
            Ok(value) => {
                let found = check(&model.table, shape, &value, Dialect::Smithy);
                equal(&format!("`{body}` breaks a constraint"), !found.is_empty(), true)?;
                equal("kind", "ValidationException", wanted)?;
                let contents = text(&case["response"]["body"]["assertion"], "contents");
                let contents: Json = serde_json::from_str(contents).map_err(|e| e.to_string())?;
                equal(
                    "message",
                    sentences(&found.message(Dialect::Smithy)),
                    sentences(text(&contents, "message")),
                )
            }
        }
    });
}

/// A table of one shape that reads any JSON.
static ANYTHING: Table =
    Table::new(&[Shape { name: "Anything", kind: Kind::Document, constraints: Constraints::NONE }]);

#[test]
fn conformance_json_test_suite() {
    run("awsjson11/json-test-suite.json", |case| {
        let text = bytes(case);
        // An empty body is an empty object here, and no JSON there.
        let read =
            !text.is_empty() && decode_value(&ANYTHING, ShapeId(0), Protocol::Json, &text).is_ok();
        let member = [br#"{"Bogus":"#, text.as_slice(), b"}"].concat();
        let skipped = decode::<shapes::ListPoliciesRequest>(Protocol::Json, &member).is_ok();
        match case["expect"].as_str().unwrap() {
            "accept" => equal("read and passed over", (read, skipped), (true, true)),
            "reject" => equal("read and passed over", (read, skipped), (false, false)),
            "either" => Ok(()),
            other => Err(format!("verdict `{other}`")),
        }
    });
}

#[test]
fn the_templates_left_in_bodies_are_quoted() {
    for (body, expected) in [
        (r#"{ "string" : XYZ:S }"#, r#"{ "string" : "XYZ" }"#),
        (
            r#"{ "timestamp": Tue, 29 Apr 2014 18:30:38 GMT:S }"#,
            r#"{ "timestamp": "Tue, 29 Apr 2014 18:30:38 GMT" }"#,
        ),
        (r#"{ "map" : { XYZ:S : "abc" } }"#, r#"{ "map" : { "XYZ" : "abc" } }"#),
        (r#"{ "list" : [a:S, b:S] }"#, r#"{ "list" : ["a", "b"] }"#),
        (r#"{ "a": "x", "b": true }"#, r#"{ "a": "x", "b": true }"#),
    ] {
        assert_eq!(quoted(body), expected);
    }
}
