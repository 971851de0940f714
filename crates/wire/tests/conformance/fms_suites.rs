//! The service's own requests, responses and broken constraints, in both protocols.

use palisade_wire::{
    ErrorKind, Fault, Input, Protocol, Response, Shaped, decode, decode_output, respond, route,
};
use serde_json::Value as Json;

use super::cbor_items;
use super::suite::{base64, equal, headers, run, text, with_doubles};

/// What the request decodes to, as `params` writes it.
fn decoded<I: Input>(protocol: Protocol, body: &[u8]) -> Result<Json, Fault> {
    let input = decode::<I>(protocol, body)?;
    Ok(serde_json::to_value(input).unwrap())
}

fn call(case: &Json, folder: &str) -> Result<Result<Json, Fault>, String> {
    let http = &case["http"];
    let sent = headers(&http["headers"]);
    let (protocol, operation) =
        route(text(http, "method"), text(http, "path"), &sent).map_err(|f| f.to_string())?;
    let wanted = if folder == "awsjson11" { Protocol::Json } else { Protocol::Cbor };
    equal("protocol", protocol, wanted)?;
    equal("operation", operation.name(), text(case, "operation"))?;
    let body = base64(text(http, "body_base64"));
    Ok(with_input!(operation.name(), decoded(protocol, &body)))
}

fn requests(folder: &str) {
    run(&format!("{folder}/fms-requests.json"), |case| {
        let ours = call(case, folder)?.map_err(|f| f.to_string())?;
        equal("input", with_doubles(&ours), with_doubles(&case["params"]))
    });
}

fn violations(folder: &str) {
    run(&format!("{folder}/fms-violations.json"), |case| {
        let fault = match call(case, folder)? {
            Ok(input) => return Err(format!("accepted as {input}")),
            Err(fault) => fault,
        };
        equal(
            "status",
            u64::from(fault.kind.status()),
            case["expect"]["status"].as_u64().unwrap(),
        )?;
        let names = case["expect"]["errors"].as_array().unwrap();
        equal(&fault.to_string(), names.iter().any(|n| n == fault.kind.name()), true)?;
        if fault.kind == ErrorKind::Serialization {
            return Ok(());
        }
        let operation = palisade_wire::Operation::from_name(text(case, "operation")).unwrap();
        equal("kind", fault.kind, ErrorKind::of_bad_input(operation))?;
        if !text(case, "pointer").contains('*') {
            let path = format!(
                "at '{}' failed to satisfy constraint: Member must ",
                coral(text(case, "pointer"))
            );
            equal(&format!("`{fault}` contains `{path}`"), fault.message.contains(&path), true)?;
        }
        Ok(())
    });
}

/// `/TagList/0/Key` to `tagList.1.member.key`.
fn coral(pointer: &str) -> String {
    let step = |step: &str| match step.parse::<u32>() {
        Ok(index) => format!("{}.member", index + 1),
        Err(_) => step[..1].to_lowercase() + &step[1..],
    };
    pointer.split('/').skip(1).map(step).collect::<Vec<_>>().join(".")
}

/// The params as the typed output, sent, and read back.
fn sent<T>(protocol: Protocol, params: &Json) -> Response
where
    T: Shaped + serde::de::DeserializeOwned + serde::Serialize + PartialEq + std::fmt::Debug,
{
    struct Typed<T>(T);
    impl<T: serde::Serialize> serde::Serialize for Typed<T> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }
    impl<T: Shaped + serde::Serialize> palisade_wire::Output for Typed<T> {
        const SHAPE: Option<palisade_wire::ShapeId> = Some(T::SHAPE);
    }
    let output: T = serde_json::from_value(params.clone()).unwrap();
    let response = respond(protocol, &Typed(output));
    let back: T = decode_output(T::SHAPE, protocol, &response.body).unwrap();
    assert_eq!(
        serde_json::to_value(&back).unwrap(),
        serde_json::to_value(serde_json::from_value::<T>(params.clone()).unwrap()).unwrap()
    );
    response
}

fn responses(folder: &str, protocol: Protocol) {
    run(&format!("{folder}/fms-responses.json"), |case| {
        let (http, operation) = (&case["http"], text(case, "operation"));
        let response = match palisade_wire::Operation::from_name(operation).unwrap().output_shape()
        {
            None => respond(protocol, &()),
            Some(_) => with_structure!(
                format!("{operation}Response").as_str(),
                sent(protocol, &case["params"])
            ),
        };
        equal("status", u64::from(response.status), case["status"].as_u64().unwrap())?;
        for name in ["content-type", "smithy-protocol"] {
            let ours = response.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
            equal(name, ours, http[name].as_str())?;
        }
        if protocol == Protocol::Cbor {
            let wanted = base64(text(http, "body_base64"));
            let shown = |bytes: &[u8]| {
                if bytes.is_empty() {
                    String::new()
                } else {
                    cbor_items::comparable(bytes).unwrap()
                }
            };
            return equal("body", shown(&response.body), shown(&wanted));
        }
        match &http["body"] {
            Json::Null => equal("body", response.body.len(), 0),
            wanted => {
                let ours: Json =
                    serde_json::from_slice(&response.body).map_err(|e| e.to_string())?;
                equal("body", with_doubles(&ours), with_doubles(wanted))
            }
        }
    });
}

#[test]
fn conformance_fms_requests_in_json() {
    requests("awsjson11");
}

#[test]
fn conformance_fms_requests_in_cbor() {
    requests("rpcv2cbor");
}

#[test]
fn conformance_fms_responses_in_json() {
    responses("awsjson11", Protocol::Json);
}

#[test]
fn conformance_fms_responses_in_cbor() {
    responses("rpcv2cbor", Protocol::Cbor);
}

#[test]
fn conformance_fms_violations_in_json() {
    violations("awsjson11");
}

#[test]
fn conformance_fms_violations_in_cbor() {
    violations("rpcv2cbor");
}
