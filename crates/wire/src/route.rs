//! Which protocol and operation a request asks for.

use crate::generated::operations::TARGET_PREFIX;
use crate::{ErrorKind, Fault, Operation, Protocol};

/// Headers of a request, in the order they arrived; names in any letter case.
pub type Headers<'a> = &'a [(String, String)];

const JSON_TYPE: &str = "application/x-amz-json-1.1";
const CBOR_TYPE: &str = "application/cbor";
const CBOR_PROTOCOL: &str = "rpc-v2-cbor";
/// Where the path of a CBOR call begins, after what the endpoint's own address puts in front.
const CBOR_BASE: &str = "/service/";

/// The protocol in which to answer a request, also one that is refused: CBOR for a caller that shows it speaks it, else JSON.
pub fn protocol_of(path: &str, headers: Headers<'_>) -> Protocol {
    let says_cbor = values(headers, "smithy-protocol").any(|v| v == CBOR_PROTOCOL);
    if says_cbor || path.contains(CBOR_BASE) { Protocol::Cbor } else { Protocol::Json }
}

/// Finds the operation of `POST /` with `X-Amz-Target` (JSON) or of `POST /service/AWSFMS_20180101/operation/<Operation>` (CBOR).
///
/// Clients put the path of the endpoint's address in front (`https://host/firewalls` makes `POST /firewalls/`, or
/// `POST /firewalls` by botocore), and a proxy may leave it there: whatever stands in front does not count.
///
/// # Errors
/// UnknownOperationException for another method, path or target, and for a request that mixes the two protocols;
/// SerializationException for a content type that is not the protocol's.
pub fn route(
    method: &str,
    path: &str,
    headers: Headers<'_>,
) -> Result<(Protocol, Operation), Fault> {
    if method != "POST" {
        return Err(unknown(format!("AWS operations are called with POST, not `{method}`")));
    }
    let protocol = protocol_of(path, headers);
    let operation = match protocol {
        Protocol::Json => json_operation(headers)?,
        Protocol::Cbor => cbor_operation(path, headers)?,
    };
    Ok((protocol, operation))
}

fn json_operation(headers: Headers<'_>) -> Result<Operation, Fault> {
    if let Some(protocol) = values(headers, "smithy-protocol").next() {
        return Err(unknown(format!(
            "the protocol `{protocol}` is not served; use `{CBOR_PROTOCOL}` or AWS JSON 1.1"
        )));
    }
    let target = only(headers, "x-amz-target")?;
    let Some(target) = target else {
        return Err(unknown(format!(
            "the header `X-Amz-Target: {TARGET_PREFIX}.<Operation>` is missing"
        )));
    };
    let name = target.strip_prefix(TARGET_PREFIX).and_then(|rest| rest.strip_prefix('.'));
    let operation = name
        .and_then(Operation::from_name)
        .ok_or_else(|| unknown(format!("no operation `{target}`")))?;
    content_type(headers, JSON_TYPE, true)?;
    Ok(operation)
}

fn cbor_operation(path: &str, headers: Headers<'_>) -> Result<Operation, Fault> {
    if only(headers, "smithy-protocol")? != Some(CBOR_PROTOCOL) {
        return Err(unknown(format!(
            "the path `{path}` needs the header `smithy-protocol: {CBOR_PROTOCOL}`"
        )));
    }
    if values(headers, "x-amz-target").next().is_some() {
        return Err(unknown(format!(
            "`X-Amz-Target` does not belong in a call of `{CBOR_PROTOCOL}`"
        )));
    }
    let operation = path
        .rsplit_once(CBOR_BASE)
        .and_then(|(_, rest)| rest.strip_prefix(TARGET_PREFIX))
        .and_then(|rest| rest.strip_prefix("/operation/"))
        .and_then(Operation::from_name)
        .ok_or_else(|| unknown(format!("no operation has the path `{path}`")))?;
    content_type(headers, CBOR_TYPE, false)?;
    Ok(operation)
}

/// Refuses a content type other than `wanted`; parameters after `;` do not count.
fn content_type(headers: Headers<'_>, wanted: &str, required: bool) -> Result<(), Fault> {
    let given = only(headers, "content-type")?;
    let bare = given.map(|v| v.split(';').next().unwrap_or_default().trim());
    match bare {
        Some(bare) if bare.eq_ignore_ascii_case(wanted) => Ok(()),
        None if !required => Ok(()),
        bare => Err(Fault::serialization(format_args!(
            "the content type must be `{wanted}`, not `{}`",
            bare.unwrap_or_default()
        ))),
    }
}

fn unknown(message: String) -> Fault {
    Fault::new(ErrorKind::UnknownOperation, message)
}

/// Values of a header, without outer spaces (HTTP's, which are spaces and tabs alone).
pub(crate) fn values<'a>(headers: Headers<'a>, name: &'a str) -> impl Iterator<Item = &'a str> {
    let named = headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim_matches([' ', '\t']))
}

/// The value of a header that may come once.
fn only<'a>(headers: Headers<'a>, name: &'a str) -> Result<Option<&'a str>, Fault> {
    let mut all = values(headers, name);
    let first = all.next();
    if all.next().is_some() {
        return Err(unknown(format!("the header `{name}` comes more than once")));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CBOR_PATH: &str = "/service/AWSFMS_20180101/operation/ListPolicies";

    fn headers(text: &str) -> Vec<(String, String)> {
        let pair =
            |line: &str| line.split_once(':').map(|(n, v)| (n.trim().to_owned(), v.to_owned()));
        text.split('|').filter_map(pair).collect()
    }

    #[test]
    fn each_protocol_finds_its_operation() {
        let json = headers(
            "x-AMZ-target: AWSFMS_20180101.ListPolicies|Content-Type: application/x-amz-json-1.1; charset=utf-8",
        );
        assert_eq!(route("POST", "/", &json), Ok((Protocol::Json, Operation::ListPolicies)));
        let cbor = headers("smithy-protocol: rpc-v2-cbor|content-type: application/cbor");
        assert_eq!(route("POST", CBOR_PATH, &cbor), Ok((Protocol::Cbor, Operation::ListPolicies)));
        let bodyless = headers("smithy-protocol: rpc-v2-cbor");
        assert_eq!(
            route("POST", CBOR_PATH, &bodyless),
            Ok((Protocol::Cbor, Operation::ListPolicies))
        );
    }

    #[test]
    fn what_an_endpoints_address_puts_in_front_does_not_count() {
        let json = headers(
            "content-type: application/x-amz-json-1.1|x-amz-target: AWSFMS_20180101.ListPolicies",
        );
        let cbor = headers("smithy-protocol: rpc-v2-cbor");
        for base in ["/custom", "/a/b", "/services"] {
            for path in [base.to_owned(), format!("{base}/")] {
                let found = route("POST", &path, &json);
                assert_eq!(found, Ok((Protocol::Json, Operation::ListPolicies)), "{path}");
            }
            let found = route("POST", &format!("{base}{CBOR_PATH}"), &cbor);
            assert_eq!(found, Ok((Protocol::Cbor, Operation::ListPolicies)), "{base}");
        }
    }

    #[test]
    fn what_is_neither_protocol_is_refused() {
        let json =
            "content-type: application/x-amz-json-1.1|x-amz-target: AWSFMS_20180101.ListPolicies";
        for (method, path, given, expected) in [
            ("GET", "/", json, ErrorKind::UnknownOperation),
            ("POST", "/", "content-type: application/x-amz-json-1.1", ErrorKind::UnknownOperation),
            ("POST", "/", "x-amz-target: AWSFMS_20180101.ListPolicies", ErrorKind::Serialization),
            (
                "POST",
                "/",
                "x-amz-target: AWSFMS_20180101.ListPolicies|x-amz-target: AWSFMS_20180101.GetPolicy",
                ErrorKind::UnknownOperation,
            ),
            ("POST", "/", "x-amz-target: AWSWAF.ListPolicies", ErrorKind::UnknownOperation),
            (
                "POST",
                "/",
                "x-amz-target: AWSFMS_20180101.listpolicies",
                ErrorKind::UnknownOperation,
            ),
            ("POST", "/", "smithy-protocol: rpc-v2-cbor", ErrorKind::UnknownOperation),
            ("POST", CBOR_PATH, "content-type: application/cbor", ErrorKind::UnknownOperation),
            ("POST", CBOR_PATH, "smithy-protocol: rpc-v2-json", ErrorKind::UnknownOperation),
            (
                "POST",
                CBOR_PATH,
                "smithy-protocol: rpc-v2-cbor|x-amz-target: AWSFMS_20180101.ListPolicies",
                ErrorKind::UnknownOperation,
            ),
            (
                "POST",
                CBOR_PATH,
                "smithy-protocol: rpc-v2-cbor|content-type: application/json",
                ErrorKind::Serialization,
            ),
            (
                "POST",
                "/service/AWSFMS_20180101/operation/ListPolicies/",
                "smithy-protocol: rpc-v2-cbor",
                ErrorKind::UnknownOperation,
            ),
        ] {
            let fault = route(method, path, &headers(given)).unwrap_err();
            assert_eq!(fault.kind, expected, "{method} {path} {given}: {fault}");
        }
    }
}
