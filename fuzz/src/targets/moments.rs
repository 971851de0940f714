//! Moments in every form that the protocols and signatures know.

use palisade_wire::sigv4::{Claim, Payload, RequestParts};
use palisade_wire::{
    Constraints, Kind, Member, Protocol, Shape, ShapeId, Table, Timestamp, TimestampFormat, Value,
    decode_value, encode,
};

const fn member(name: &'static str, shape: u16) -> Member {
    Member { name, shape: ShapeId(shape), required: false, constraints: None }
}

const fn moment(name: &'static str, format: TimestampFormat) -> Shape {
    Shape { name, kind: Kind::Timestamp(format), constraints: Constraints::NONE }
}

static MEMBERS: [Member; 3] = [member("seconds", 1), member("text", 2), member("http", 3)];

static MOMENTS: Table = Table::new(&[
    Shape { name: "Moments", kind: Kind::Structure(&MEMBERS), constraints: Constraints::NONE },
    moment("Seconds", TimestampFormat::EpochSeconds),
    moment("Text", TimestampFormat::DateTime),
    moment("Http", TimestampFormat::HttpDate),
]);

/// A moment that is read lies in the calendar and is written and read again as the same.
pub fn timestamps(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let quoted = serde_json::to_string(&text).unwrap();
    let read = [
        read(Protocol::Json, format!("{{\"seconds\":{text}}}").as_bytes()),
        read(Protocol::Json, format!("{{\"text\":{quoted},\"http\":null}}").as_bytes()),
        read(Protocol::Json, format!("{{\"http\":{quoted}}}").as_bytes()),
        read(Protocol::Cbor, &[b"\xa1\x67seconds\xc1", input].concat()),
        read(Protocol::Cbor, &[b"\xa1\x67seconds", input].concat()),
    ];
    if let Ok(seconds) = text.parse::<f64>() {
        match Timestamp::from_seconds(seconds) {
            Some(moment) => holds(moment),
            None => assert!(!(-62_135_596_800.0..253_402_300_800.0).contains(&seconds)),
        }
    }
    if let Ok(millis) = text.parse::<i64>() {
        holds(Timestamp::from_millis(millis));
    }
    let dated = [signing_time("x-amz-date", &text), signing_time("date", &text)];
    read.into_iter().chain(dated).any(|accepted| accepted)
}

fn read(protocol: Protocol, body: &[u8]) -> bool {
    let Ok(Value::Structure(members)) = decode_value(&MOMENTS, ShapeId(0), protocol, body) else {
        return false;
    };
    let accepted = !members.is_empty();
    for (name, value) in members {
        match value {
            Value::Timestamp(moment) => holds(moment),
            other => panic!("`{name}` became {other:?}"),
        }
    }
    accepted
}

fn holds(moment: Timestamp) {
    assert_eq!(Timestamp::from_millis(moment.as_millis()), moment);
    assert_eq!(Timestamp::from_seconds(moment.as_seconds()), Some(moment));
    let json = encode(Protocol::Json, &moment).unwrap();
    assert_eq!(serde_json::from_slice::<Timestamp>(&json).unwrap(), moment);
    for protocol in [Protocol::Json, Protocol::Cbor] {
        let item = encode(protocol, &moment).unwrap();
        let body = match protocol {
            Protocol::Json => [b"{\"seconds\":", item.as_slice(), b"}"].concat(),
            Protocol::Cbor => [b"\xa1\x67seconds", item.as_slice()].concat(),
        };
        let value = decode_value(&MOMENTS, ShapeId(0), protocol, &body).unwrap();
        assert_eq!(value.member("seconds"), Some(&Value::Timestamp(moment)), "{protocol:?}");
    }
}

/// The date of a signature: refused, or a claim.
fn signing_time(name: &str, text: &str) -> bool {
    let credential = "AKIA/20260115/eu-west-1/fms/aws4_request";
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;{name}, Signature=00"
    );
    let headers = [("authorization".to_owned(), authorization), (name.to_owned(), text.to_owned())];
    let payload = Payload::Bytes(b"");
    let parts = RequestParts { method: "POST", path: "/", query: "", headers: &headers, payload };
    let claim = Claim::of(&parts);
    match &claim {
        Ok(claim) => assert_eq!(claim.access_key_id(), "AKIA"),
        Err(fault) => assert!(fault.message.contains("Date must be"), "{fault}"),
    }
    claim.is_ok()
}
