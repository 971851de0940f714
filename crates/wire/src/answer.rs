//! Answers: typed outputs and faults to responses, in either protocol.

use serde::Serialize;

use crate::operation::SIZE_EXPECTED;
use crate::{ErrorKind, Fault, Output, Protocol, Response, Says, cbor};

/// Writes a structure in a protocol: compact JSON, or CBOR with definite lengths.
///
/// # Errors
/// InternalFailure for what the protocol cannot say; generated structures can always be said.
pub fn encode<T: Serialize + ?Sized>(protocol: Protocol, value: &T) -> Result<Vec<u8>, Fault> {
    encode_in(protocol, value, Vec::with_capacity(SIZE_EXPECTED))
}

fn encode_in<T: Serialize + ?Sized>(
    protocol: Protocol,
    value: &T,
    mut out: Vec<u8>,
) -> Result<Vec<u8>, Fault> {
    let unsayable =
        |e: &dyn std::fmt::Display| Fault::new(ErrorKind::InternalFailure, e.to_string());
    match protocol {
        Protocol::Json => serde_json::to_writer(&mut out, value).map_err(|e| unsayable(&e))?,
        Protocol::Cbor => cbor::write(&mut out, value).map_err(|e| unsayable(&e))?,
    }
    Ok(out)
}

/// The response that carries an operation's output, status 200.
pub fn respond<O: Output>(protocol: Protocol, output: &O) -> Response {
    respond_as::<O, O>(protocol, output)
}

/// As [`respond`], by what says the same.
pub fn respond_as<O: Output, S: Says<O>>(protocol: Protocol, output: &S) -> Response {
    if O::SHAPE.is_none() {
        return Response::new(protocol, 200, Vec::new());
    }
    match encode_in(protocol, output, Vec::with_capacity(output.size_hint())) {
        Ok(body) => Response::new(protocol, 200, body),
        Err(fault) => crate::encode_fault(protocol, &fault),
    }
}

/// The namespace of the service's shapes.
const NAMESPACE: &str = "com.amazonaws.fms";

/// A fault's body. Modelled exceptions have the member `Message`; AWS's front doors write `message`, so what is not
/// modelled carries both.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "__type")]
    kind: &'a str,
    #[serde(rename = "Message")]
    message: &'a str,
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    lower: Option<&'a str>,
}

/// The response that tells a client of the fault in its own protocol.
pub fn encode_fault(protocol: Protocol, fault: &Fault) -> Response {
    let name = fault.kind.name();
    let absolute = format!("{NAMESPACE}#{name}");
    let body = Body {
        kind: if protocol == Protocol::Json { name } else { &absolute },
        message: &fault.message,
        lower: (!fault.kind.is_modelled()).then_some(&fault.message),
    };
    let mut response =
        Response::new(protocol, fault.kind.status(), encode(protocol, &body).unwrap_or_default());
    if protocol == Protocol::Json {
        response.headers.push(("x-amzn-errortype", name));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TABLE, Timestamp, shapes};

    #[test]
    fn modelled_faults_are_400_with_a_capital_message() {
        let fault = Fault::new(ErrorKind::InternalError, "oops");
        let response = encode_fault(Protocol::Json, &fault);
        assert_eq!(response.status, 400);
        assert_eq!(response.body, br#"{"__type":"InternalErrorException","Message":"oops"}"#);
        assert!(response.headers.contains(&("x-amzn-errortype", "InternalErrorException")));
    }

    #[test]
    fn front_door_faults_have_both_spellings_of_message() {
        let fault = Fault::new(ErrorKind::UnrecognizedClient, "no");
        let body = encode_fault(Protocol::Json, &fault).body;
        assert_eq!(
            body,
            br#"{"__type":"UnrecognizedClientException","Message":"no","message":"no"}"#
        );
    }

    #[test]
    fn cbor_faults_name_the_absolute_shape() {
        let fault = Fault::new(ErrorKind::InvalidInput, "x");
        let response = encode_fault(Protocol::Cbor, &fault);
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert!(text.contains("com.amazonaws.fms#InvalidInputException"), "{text}");
        assert!(response.headers.contains(&("smithy-protocol", "rpc-v2-cbor")));
    }

    #[test]
    fn json_is_written_compactly_in_the_order_of_the_model() {
        let every = "\u{0}\u{1f}\u{8}\t\n\u{c}\r\"\\/\u{7f}<é漢🦀\u{2028}";
        let violator = shapes::ComplianceViolator {
            metadata: Some([("b\n", ""), ("a", every)].map(|(k, v)| (k.into(), v.into())).into()),
            violation_reason: Some(shapes::ViolationReason::SecurityGroupUnused),
            ..shapes::ComplianceViolator::default()
        };
        let detail = shapes::PolicyComplianceDetail {
            evaluation_limit_exceeded: Some(false),
            expired_at: Some(Timestamp::from_millis(1_576_283_774_120)),
            issue_info_map: Some([(shapes::DependentServiceName::Awsvpc, "gone".into())].into()),
            violators: Some(vec![violator, shapes::ComplianceViolator::default()]),
            ..shapes::PolicyComplianceDetail::default()
        };
        let written = String::from_utf8(encode(Protocol::Json, &detail).unwrap()).unwrap();
        let text = r#""\u0000\u001f\b\t\n\f\r\"\\/<é漢🦀""#.replace('<', "\u{7f}<").replace("🦀", "🦀\u{2028}");
        assert_eq!(
            written,
            format!(
                r#"{{"EvaluationLimitExceeded":false,"ExpiredAt":1576283774.12,"IssueInfoMap":{{"AWSVPC":"gone"}},"Violators":[{{"Metadata":{{"a":{text},"b\n":""}},"ViolationReason":"SECURITY_GROUP_UNUSED"}},{{}}]}}"#
            )
        );
    }

    #[test]
    fn numbers_are_written_as_clients_have_seen_them() {
        for (millis, text) in [
            (0, "0.0"),
            (-1, "-0.001"),
            (1_576_283_774_000, "1576283774.0"),
            (1_576_283_774_100, "1576283774.1"),
            (1_576_283_774_123, "1576283774.123"),
            (i64::MAX, "253402300799.999"),
            (i64::MIN, "-62135596800.0"),
        ] {
            let written = encode(Protocol::Json, &Timestamp::from_millis(millis)).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
        for (number, text) in [(i64::MIN, "-9223372036854775808"), (0, "0"), (1_000_000, "1000000")]
        {
            let result = shapes::EvaluationResult {
                violator_count: Some(number),
                ..shapes::EvaluationResult::default()
            };
            let written = encode(Protocol::Json, &result).unwrap();
            let expected = format!(r#"{{"ViolatorCount":{text}}}"#);
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }

    /// serde_json writes bytes as a list of numbers, which is not what AWS means by a blob.
    #[test]
    fn the_model_has_no_blob_to_be_written() {
        let blob = |kind| matches!(kind, crate::Kind::Blob | crate::Kind::Document);
        assert!(TABLE.iter().all(|(_, shape)| !blob(shape.kind)));
    }

    #[test]
    fn responses_carry_the_headers_of_their_protocol() {
        let output = shapes::ListPoliciesResponse::default();
        let json = respond(Protocol::Json, &output);
        assert_eq!((json.status, json.body.as_slice()), (200, &b"{}"[..]));
        assert_eq!(json.headers, [("content-type", "application/x-amz-json-1.1")]);
        let cbor = respond(Protocol::Cbor, &output);
        assert_eq!(cbor.body, [0xa0]);
        assert_eq!(
            cbor.headers,
            [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")]
        );
        assert_eq!(respond(Protocol::Json, &()).body, b"");
        assert_eq!(respond(Protocol::Cbor, &()).headers, [("smithy-protocol", "rpc-v2-cbor")]);
    }
}
